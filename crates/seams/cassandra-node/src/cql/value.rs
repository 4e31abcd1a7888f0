//! CQL values as JSON, as [`super::Cql`] promises them.

use scylla::value::CqlValue;
use serde_json::{Number, Value, json};

pub(super) fn to_json(value: CqlValue) -> Value {
    match value {
        CqlValue::Ascii(text) | CqlValue::Text(text) => Value::String(text),
        CqlValue::Boolean(flag) => Value::Bool(flag),
        CqlValue::Int(number) => number.into(),
        CqlValue::BigInt(number) => number.into(),
        CqlValue::SmallInt(number) => number.into(),
        CqlValue::TinyInt(number) => number.into(),
        CqlValue::Counter(number) => number.0.into(),
        CqlValue::Timestamp(ms) => ms.0.into(),
        CqlValue::Double(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
        // Through text, so that 0.1 stays 0.1.
        CqlValue::Float(number) => number
            .to_string()
            .parse()
            .ok()
            .and_then(Number::from_f64)
            .map_or(Value::Null, Value::Number),
        CqlValue::Uuid(id) => Value::String(id.to_string()),
        CqlValue::Timeuuid(id) => Value::String(id.to_string()),
        CqlValue::Inet(address) => Value::String(address.to_string()),
        CqlValue::Blob(bytes) => Value::String(hex(&bytes)),
        CqlValue::List(items) | CqlValue::Set(items) | CqlValue::Vector(items) => {
            items.into_iter().map(to_json).collect()
        }
        CqlValue::Map(entries) => Value::Object(
            entries
                .into_iter()
                .map(|(key, value)| {
                    let key = match to_json(key) {
                        Value::String(text) => text,
                        other => other.to_string(),
                    };
                    (key, to_json(value))
                })
                .collect(),
        ),
        CqlValue::Tuple(items) => items
            .into_iter()
            .map(|item| item.map_or(Value::Null, to_json))
            .collect(),
        CqlValue::Empty => json!(""),
        // No system table that an agent reads has any other type.
        other => Value::String(format!("{other:?}")),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold("0x".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
