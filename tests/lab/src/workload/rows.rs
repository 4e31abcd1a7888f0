//! The rows of each table, in chunks that are written as one.

use scylla::value::CqlValue;

use super::Scale;
use super::values::{
    EPOCH_MS, HOUR_MS, Value, address, cents, customer, date, id_of, int, order_place, sensor,
    sentence, sku, source, text, time_id, timestamp, uuid, word, word_set,
};
use crate::random::Random;

/// Rows are written in so many rounds with a flush after each.
pub const HALVES: u64 = 2;

/// How many of each thing there are.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    pub customers: u64,
    pub orders_each: u64,
    /// Orders of customer 0, whose partition is the widest.
    pub orders_widest: u64,
    pub sources: u64,
    pub events_each: u64,
    pub products: u64,
    pub pages: u64,
    pub sensors: u64,
    pub samples_each: u64,
    pub baskets: u64,
    pub readings: u64,
    pub all_types: u64,
}

pub fn counts(scale: Scale) -> Counts {
    match scale {
        Scale::Small => Counts {
            customers: 24,
            orders_each: 25,
            orders_widest: 300,
            sources: 20,
            events_each: 15,
            products: 150,
            pages: 60,
            sensors: 10,
            samples_each: 40,
            baskets: 60,
            readings: 40,
            all_types: 20,
        },
        Scale::Medium => Counts {
            customers: 120,
            orders_each: 30,
            orders_widest: 4000,
            sources: 40,
            events_each: 40,
            products: 800,
            pages: 300,
            sensors: 40,
            samples_each: 80,
            baskets: 400,
            readings: 300,
            all_types: 60,
        },
        Scale::Demo => Counts {
            customers: 500,
            orders_each: 50,
            orders_widest: 4000,
            sources: 100,
            events_each: 80,
            products: 3000,
            pages: 1000,
            sensors: 100,
            samples_each: 150,
            baskets: 1500,
            readings: 1000,
            all_types: 200,
        },
    }
}

/// Many rows of one table.
pub struct Bulk {
    pub insert: &'static str,
    /// Rows of one chunk belong to one partition.
    pub chunk_rows: u64,
    /// Every chunk of this many expires in the far future; 0 for none.
    pub expiring_one_in: u64,
    pub partitions: u64,
    pub rows_of: Box<dyn Fn(u64) -> u64 + Send + Sync>,
    pub row: fn(u64, u64) -> Vec<Value>,
}

/// The tables that are filled by plain inserts.
pub fn bulks(scale: Scale) -> Vec<Bulk> {
    let counts = counts(scale);
    let bulk = |insert, expiring_one_in, partitions, rows_each: u64, row| Bulk {
        insert,
        chunk_rows: 20,
        expiring_one_in,
        partitions,
        rows_of: Box::new(move |_| rows_each),
        row,
    };
    vec![
        Bulk {
            rows_of: Box::new(move |customer| match customer {
                0 => counts.orders_widest,
                _ => counts.orders_each,
            }),
            ..bulk(ORDERS, 7, counts.customers, 0, order)
        },
        bulk(EVENTS, 0, counts.sources, counts.events_each, event),
        bulk(PRODUCTS, 0, counts.products, 1, product),
        bulk(BASKETS, 0, counts.baskets, 1, basket),
        bulk(SAMPLES, 5, counts.sensors, counts.samples_each, sample),
        bulk(LATEST, 11, counts.readings / 4, 4, reading),
    ]
}

const ORDERS: &str = "INSERT INTO shop.orders (customer_id, year, placed_at, line, product, amount, note, tags, \
                      attributes, steps, ship_to, bill_to, box) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

fn order(number: u64, order: u64) -> Vec<Value> {
    let mut random = Random::named("order", number * 1_000_000 + order);
    let random = &mut random;
    let (customer_id, year) = customer(number);
    let (placed_at, line) = order_place(order);
    let attributes = [("colour", word(random)), ("size", word(random))].map(|(key, value)| {
        (
            CqlValue::Text(key.to_owned()),
            CqlValue::Text(value.to_owned()),
        )
    });
    let steps = (0..random.below(4))
        .map(|_| CqlValue::Text(word(random).to_owned()))
        .collect();
    let side = int(random.below(90) as i32);
    let weight = Some(CqlValue::Double(random.below(10_000) as f64 / 8.0));
    vec![
        uuid(customer_id),
        int(year),
        timestamp(placed_at),
        int(line),
        text(sku(random.below(150))),
        cents(random.below(1_000_000) as u32),
        if random.once_in(3) {
            None
        } else {
            text(sentence(random, 12))
        },
        Some(CqlValue::Set(word_set(random, 4))),
        Some(CqlValue::Map(attributes.to_vec())),
        Some(CqlValue::List(steps)),
        Some(address(random)),
        if random.once_in(2) {
            None
        } else {
            Some(address(random))
        },
        Some(CqlValue::Tuple(vec![side.clone(), side, weight])),
    ]
}

const EVENTS: &str =
    "INSERT INTO shop.events (source, day, id, level, payload) VALUES (?, ?, ?, ?, ?)";

fn event(number: u64, event: u64) -> Vec<Value> {
    let mut random = Random::named("event", number * 1_000_000 + event);
    let length = 20 + random.below(180) as usize;
    vec![
        text(source(number)),
        date(number as u32 % 9),
        time_id("event", number * 1000 + event, event as i64),
        text(*random.pick(&["debug", "info", "warning"])),
        Some(CqlValue::Blob(random.bytes(length))),
    ]
}

const PRODUCTS: &str = "INSERT INTO shop.products (sku, category, maker, name, price, stock) VALUES (?, ?, ?, ?, ?, ?)";

fn product(number: u64, _: u64) -> Vec<Value> {
    let mut random = Random::named("product", number);
    vec![
        text(sku(number)),
        text(format!("{}-{}", word(&mut random), random.below(8))),
        text(word(&mut random)),
        text(sentence(&mut random, 5)),
        cents(random.below(100_000) as u32),
        int(random.below(500) as i32),
    ]
}

const BASKETS: &str = "INSERT INTO shop.baskets (owner, items, opened_at, history, matrix, places, legacy) \
                       VALUES (?, ?, ?, ?, ?, ?, ?)";

fn basket(number: u64, _: u64) -> Vec<Value> {
    let mut random = Random::named("basket", number);
    let random = &mut random;
    let history = (0..random.below(3))
        .map(|step| CqlValue::Tuple(vec![timestamp(EPOCH_MS + step as i64), text(word(random))]));
    let history = history.collect();
    let matrix = (0..2).map(|row| {
        let numbers = (0..random.below(4))
            .map(|_| CqlValue::Int(random.below(99) as i32))
            .collect();
        (CqlValue::Text(format!("row{row}")), CqlValue::List(numbers))
    });
    let matrix = matrix.collect();
    vec![
        uuid(id_of("owner", number / 3)),
        Some(CqlValue::Set(word_set(random, 6))),
        timestamp(EPOCH_MS + number as i64 * HOUR_MS),
        Some(CqlValue::List(history)),
        Some(CqlValue::Map(matrix)),
        Some(CqlValue::Map(vec![(
            CqlValue::Text("home".to_owned()),
            address(random),
        )])),
        text(sentence(random, 3)),
    ]
}

const SAMPLES: &str = "INSERT INTO \"Metrics_2\".\"Samples\" (\"Sensor Id\", day, \"At\", \"Value\", \"Raw\", quality) \
                       VALUES (?, ?, ?, ?, ?, ?)";

fn sample(number: u64, sample: u64) -> Vec<Value> {
    let mut random = Random::named("sample", number * 1_000_000 + sample);
    vec![
        text(sensor(number)),
        int(number as i32 % 4),
        timestamp(EPOCH_MS + sample as i64 * 60_000),
        Some(CqlValue::Double(random.below(1_000_000) as f64 / 64.0)),
        Some(CqlValue::Blob(random.bytes(16))),
        Some(CqlValue::SmallInt(random.below(100) as i16)),
    ]
}

const LATEST: &str =
    "INSERT INTO \"Metrics_2\".latest (sensor, kind, reading, seen_at) VALUES (?, ?, ?, ?)";

fn reading(number: u64, kind: u64) -> Vec<Value> {
    let mut random = Random::named("reading", number * 10 + kind);
    vec![
        text(sensor(number)),
        text(format!("kind-{kind}")),
        Some(CqlValue::Double(random.below(10_000) as f64 / 4.0)),
        timestamp(EPOCH_MS + random.below(1_000_000) as i64),
    ]
}
