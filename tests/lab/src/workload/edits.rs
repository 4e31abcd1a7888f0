//! What happens to rows after they are written: updates, counters, and deletions of every kind.

use anyhow::Result;
use scylla::client::session::Session;

use super::Scale;
use super::rows::{Counts, counts};
use super::schema::TTL_SECONDS;
use super::values::{
    EPOCH_MS, HOUR_MS, customer, date_literal, id_of, order_place, sensor, sku, source, word,
};
use super::write::run_all;
use crate::random::Random;

/// Static columns and the table of all types: written once, in the first half.
pub async fn set_statics(session: &Session, scale: Scale) -> Result<()> {
    let counts = counts(scale);
    let mut statements = Vec::new();
    for number in 0..counts.customers {
        let name = word(&mut Random::named("name", number));
        statements.push(format!(
            "UPDATE shop.orders SET customer_name = '{name} {number}', loyalty = {number} WHERE {}",
            customer_key(number)
        ));
    }
    for number in 0..counts.readings / 8 {
        let sensor = sensor(number);
        statements.push(format!(
            "UPDATE \"Metrics_2\".latest SET owner = 'owner {number}' WHERE sensor = '{sensor}'"
        ));
    }
    statements.extend((0..counts.all_types).map(all_types));
    statements.extend((0..counts.pages).map(|page| hit(page, 1 + page)));
    run_all(session, statements).await
}

/// Updates and deletions over flushed rows. Each table's statements touch distinct rows, so their order does not matter.
pub async fn edit(session: &Session, scale: Scale) -> Result<()> {
    let counts = counts(scale);
    let mut statements = Vec::new();
    statements.extend((1..counts.customers).map(|number| edit_customer(number, &counts)));
    statements.extend((0..counts.pages).step_by(2).map(|page| hit(page, 100)));
    for number in (0..counts.products).step_by(10) {
        statements.push(format!(
            "UPDATE shop.products SET category = 'moved', stock = {number} WHERE sku = '{}'",
            sku(number)
        ));
    }
    for number in (5..counts.products).step_by(20) {
        statements.push(format!(
            "DELETE FROM shop.products WHERE sku = '{}'",
            sku(number)
        ));
    }
    for number in (3..counts.sources).step_by(7) {
        statements.push(format!(
            "DELETE FROM shop.events WHERE {}",
            event_key(number)
        ));
    }
    for number in (1..counts.sensors).step_by(3) {
        statements.push(format!(
            "DELETE FROM \"Metrics_2\".\"Samples\" WHERE {} AND \"At\" >= {} AND \"At\" < {}",
            sensor_key(number),
            EPOCH_MS + 5 * 60_000,
            EPOCH_MS + 15 * 60_000
        ));
    }
    for number in (0..counts.baskets / 3).step_by(5) {
        let owner = id_of("owner", number);
        statements.push(format!("DELETE FROM shop.baskets WHERE owner = {owner}"));
    }
    run_all(session, statements).await
}

fn edit_customer(number: u64, counts: &Counts) -> String {
    let key = customer_key(number);
    let (placed_at, line) = order_place(number % counts.orders_each);
    let row = format!("{key} AND placed_at = {placed_at} AND line = {line}");
    match number % 7 {
        0 => format!(
            "UPDATE shop.orders USING TTL {TTL_SECONDS} SET note = 'short-lived {number}' WHERE {row}"
        ),
        1 => format!("DELETE FROM shop.orders WHERE {row}"),
        2 => format!(
            "DELETE FROM shop.orders WHERE {key} AND placed_at >= {} AND placed_at < {}",
            EPOCH_MS + 2 * HOUR_MS,
            EPOCH_MS + 5 * HOUR_MS
        ),
        3 => format!("DELETE note, attributes['size'] FROM shop.orders WHERE {row}"),
        4 => format!(
            "UPDATE shop.orders SET tags = tags + {{'sale'}}, attributes['gift'] = 'yes', \
             steps = steps + ['packed'], bill_to.city = 'Bern' WHERE {row}"
        ),
        5 if number.is_multiple_of(2) => format!("DELETE FROM shop.orders WHERE {key}"),
        5 => format!("DELETE FROM shop.orders WHERE {key} AND placed_at = {placed_at}"),
        _ => format!("UPDATE shop.orders SET tags = {{'new'}}, steps = [] WHERE {row}"),
    }
}

pub fn customer_key(number: u64) -> String {
    let (customer_id, year) = customer(number);
    format!("customer_id = {customer_id} AND year = {year}")
}

pub fn event_key(number: u64) -> String {
    format!(
        "source = '{}' AND day = {}",
        source(number),
        date_literal(number as u32 % 9)
    )
}

pub fn sensor_key(number: u64) -> String {
    format!(
        "\"Sensor Id\" = '{}' AND day = {}",
        sensor(number),
        number % 4
    )
}

pub fn hit(page: u64, hits: u64) -> String {
    let day = date_literal(page as u32 % 5);
    format!(
        "UPDATE shop.page_hits SET hits = hits + {hits}, bytes = bytes + {} \
         WHERE page = '/page/{page}' AND day = {day}",
        hits * 1024
    )
}

/// One row with every native type.
pub fn all_types(number: u64) -> String {
    let mut random = Random::named("all types", number);
    let bytes: String = random
        .bytes(9)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let (small, large) = (random.below(120), random.below(1 << 40));
    let id = id_of("all types", number);
    let time_id = format!("{:08x}-8e6c-11ee-8000-0123456789ab", 0x1000_0000 + number);
    let sign = if random.once_in(2) { "-" } else { "" };
    format!(
        "INSERT INTO shop.all_types (id, v_ascii, v_bigint, v_blob, v_boolean, v_date, v_decimal, v_double, \
         v_duration, v_float, v_inet, v_int, v_smallint, v_text, v_time, v_timestamp, v_timeuuid, v_tinyint, \
         v_uuid, v_varchar, v_varint) VALUES ({number}, 'ascii {small}', {sign}{large}, 0x{bytes}, {}, \
         '2024-02-{:02}', {sign}{large}.{small}, {sign}{small}.5e3, {sign}1mo{small}d{small}s, {sign}{small}.25, \
         '2001:db8::{number:x}', {sign}{}, {sign}{small}, 'tëxt ''{number}''', '12:34:{:02}.000000{:03}', {}, \
         {time_id}, {sign}{small}, {id}, '', {sign}{large}{large}{large})",
        small % 2 == 0,
        1 + number % 28,
        large % 1_000_000,
        number % 60,
        number % 1000,
        EPOCH_MS + large as i64,
    )
}
