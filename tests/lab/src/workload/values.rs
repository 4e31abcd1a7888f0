//! CQL values and keys of the rows, each a pure function of its number.

use scylla::value::{CqlDate, CqlDecimal, CqlTimestamp, CqlTimeuuid, CqlValue};
use uuid::{Builder, Uuid};

use crate::random::Random;

/// 2024-01-01, from where all times of the rows are counted.
pub const EPOCH_MS: i64 = 1_704_067_200_000;
pub const HOUR_MS: i64 = 3_600_000;

const WORDS: [&str; 16] = [
    "amber", "birch", "cobalt", "delta", "ember", "fjord", "granite", "harbor", "indigo",
    "juniper", "kelp", "lumen", "maple", "nimbus", "opal", "Zürich",
];

/// One value of a row; `None` is an unwritten null.
pub type Value = Option<CqlValue>;

pub fn text(value: impl Into<String>) -> Value {
    Some(CqlValue::Text(value.into()))
}

pub fn int(value: i32) -> Value {
    Some(CqlValue::Int(value))
}

pub fn uuid(value: Uuid) -> Value {
    Some(CqlValue::Uuid(value))
}

pub fn timestamp(ms: i64) -> Value {
    Some(CqlValue::Timestamp(CqlTimestamp(ms)))
}

/// The day that is so many days after the first.
pub fn date(day: u32) -> Value {
    let days_before_1970 = 1u32 << 31;
    let first = days_before_1970 + (EPOCH_MS / (24 * HOUR_MS)) as u32;
    Some(CqlValue::Date(CqlDate(first + day)))
}

/// The same day as a CQL literal.
pub fn date_literal(day: u32) -> String {
    format!(
        "{}",
        (1u32 << 31) + (EPOCH_MS / (24 * HOUR_MS)) as u32 + day
    )
}

pub fn cents(amount: u32) -> Value {
    let bytes = i64::from(amount).to_be_bytes();
    Some(CqlValue::Decimal(
        CqlDecimal::from_signed_be_bytes_slice_and_exponent(&bytes, 2),
    ))
}

pub fn word(random: &mut Random) -> &'static str {
    random.pick::<&'static str>(&WORDS)
}

pub fn sentence(random: &mut Random, words: u64) -> String {
    let count = 1 + random.below(words);
    let chosen: Vec<&str> = (0..count).map(|_| word(random)).collect();
    chosen.join(" ")
}

/// Sorted and distinct, as a set must be.
pub fn word_set(random: &mut Random, count: u64) -> Vec<CqlValue> {
    let mut words: Vec<&str> = (0..=random.below(count)).map(|_| word(random)).collect();
    words.sort_unstable();
    words.dedup();
    words
        .into_iter()
        .map(|word| CqlValue::Text(word.to_owned()))
        .collect()
}

pub fn address(random: &mut Random) -> CqlValue {
    let codes = (0..random.below(3))
        .map(|code| CqlValue::Int(code as i32))
        .collect();
    CqlValue::UserDefinedType {
        keyspace: "shop".to_owned(),
        name: "address".to_owned(),
        fields: vec![
            ("street".to_owned(), text(sentence(random, 3))),
            ("city".to_owned(), text(word(random))),
            ("codes".to_owned(), Some(CqlValue::List(codes))),
        ],
    }
}

/// The stable id of a numbered thing.
pub fn id_of(kind: &str, number: u64) -> Uuid {
    let bytes = Random::named(kind, number)
        .bytes(16)
        .try_into()
        .unwrap_or_default();
    Builder::from_random_bytes(bytes).into_uuid()
}

/// A version 1 UUID whose time is so many hours after the first.
pub fn time_id(kind: &str, number: u64, hours: i64) -> Value {
    Some(CqlValue::Timeuuid(CqlTimeuuid::from(time_uuid(
        kind, number, hours,
    ))))
}

/// Ticks of 100 ns between the start of the Gregorian calendar, from which UUIDs count, and 1970.
const GREGORIAN_TICKS: u64 = 0x01b2_1dd2_1381_4000;

pub fn time_uuid(kind: &str, number: u64, hours: i64) -> Uuid {
    let ticks = GREGORIAN_TICKS + (EPOCH_MS + hours * HOUR_MS) as u64 * 10_000;
    let node = Random::named(kind, number)
        .bytes(6)
        .try_into()
        .unwrap_or_default();
    Builder::from_gregorian_timestamp(ticks, number as u16 & 0x3fff, &node).into_uuid()
}

/// Key of the customer of this number.
pub fn customer(number: u64) -> (Uuid, i32) {
    (id_of("customer", number), 2023 + (number % 3) as i32)
}

/// When and on which line a customer's order of this number stands.
pub fn order_place(order: u64) -> (i64, i32) {
    (EPOCH_MS + (order / 2) as i64 * HOUR_MS, (order % 2) as i32)
}

pub fn sku(number: u64) -> String {
    format!("sku-{number:05}")
}

pub fn sensor(number: u64) -> String {
    format!("Sensor {number}/Ω")
}

pub fn source(number: u64) -> String {
    format!("host-{number}")
}
