//! YAML as Cassandra's parser takes it: SnakeYAML, which reads YAML 1.1 and lets a key be given twice.

use std::fmt;
use std::time::Duration;

use serde::de::{
    Deserialize, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde_yaml_ng::{Mapping, Value};

/// Parses a document. Of a key that is given twice the last value counts, in nested maps too; merge keys are applied.
pub fn document(text: &str) -> Result<Value, serde_yaml_ng::Error> {
    let Lenient(mut value) = serde_yaml_ng::from_str(text)?;
    value.apply_merge()?;
    Ok(value)
}

/// A boolean setting. SnakeYAML compares without case once it knows that a boolean is wanted.
pub fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// A number setting: with a leading 0 it is octal, and `_` may separate digits.
pub fn number(text: &str) -> Option<u64> {
    let digits = text.replace('_', "");
    let digits = digits.strip_prefix('+').unwrap_or(&digits);
    let (digits, radix) = match digits.strip_prefix('0') {
        None | Some("") => (digits, 10),
        Some(rest) => match (rest.strip_prefix('x'), rest.strip_prefix('b')) {
            (Some(hex), _) => (hex, 16),
            (_, Some(binary)) => (binary, 2),
            _ => (rest, 8),
        },
    };
    match digits.starts_with(['+', '-']) {
        true => None,
        false => u64::from_str_radix(digits, radix).ok(),
    }
}

/// A duration setting of 4.1 and later: a whole number and its unit, in milliseconds or more.
pub fn duration(text: &str) -> Option<Duration> {
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let count: u64 = text[..unit].parse().ok()?;
    let milliseconds = match text[unit..].to_ascii_lowercase().as_str() {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    count.checked_mul(milliseconds).map(Duration::from_millis)
}

/// A value whose maps may have a key twice.
struct Lenient(Value);

impl<'de> Deserialize<'de> for Lenient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LenientVisitor).map(Self)
    }
}

struct LenientVisitor;

impl<'de> Visitor<'de> for LenientVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    /// What an empty document is.
    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut sequence = Vec::new();
        while let Some(Lenient(item)) = items.next_element()? {
            sequence.push(item);
        }
        Ok(Value::Sequence(sequence))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut mapping = Mapping::new();
        while let Some((Lenient(key), Lenient(value))) = entries.next_entry()? {
            mapping.insert(key, value);
        }
        Ok(Value::Mapping(mapping))
    }

    /// A value with a tag of its own; no setting that an agent reads depends on one.
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Value, A::Error> {
        let (_tag, content) = tagged.variant::<String>()?;
        let Lenient(value) = content.newtype_variant()?;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::yaml::CassandraYaml;

    #[test]
    fn of_a_key_that_is_given_twice_the_last_value_counts() {
        let document = document(
            "storage_port: 7000\na: {x: 1, y: 2, x: 3}\nstorage_port: 7001\nb:\n  - {c: 1, c: 2}\na2:\n  k: 1\na2:\n  l: 2\n",
        )
        .unwrap();
        let expected: Value = serde_yaml_ng::from_str(
            "storage_port: 7001\na: {x: 3, y: 2}\nb: [{c: 2}]\na2: {l: 2}\n",
        )
        .unwrap();
        assert_eq!(document, expected);
    }

    #[test]
    fn a_document_is_read_as_before_otherwise() {
        for text in [
            "",
            "a:",
            "a: ~\nb: 'yes'\nc: [1, -2, 3.5, true, x]\nd: {e: {f: g}}",
            "a: &x {b: 1}\nc: *x",
            "- a\n- 7",
            "# nothing\n---\na: |\n  text\n  more\n",
        ] {
            let expected: Value = serde_yaml_ng::from_str(text).unwrap();
            assert_eq!(document(text).unwrap(), expected, "{text}");
        }
        assert!(document("a: [").is_err());
        let tagged = document("a: !mine {b: 1}\nc: !!str 7").unwrap();
        assert_eq!(tagged["a"]["b"], Value::from(1));
        assert_eq!(tagged["c"], Value::from("7"));
        let merged = document("a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3").unwrap();
        assert_eq!(merged["d"]["b"], Value::from(1));
        assert_eq!(merged["d"]["c"], Value::from(3));
    }

    #[test]
    fn booleans_are_those_of_yaml_1_1() {
        for on in [
            "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON",
        ] {
            assert_eq!(flag(on), Some(true), "{on}");
        }
        for off in [
            "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF",
        ] {
            assert_eq!(flag(off), Some(false), "{off}");
        }
        for neither in ["y", "n", "Y", "N", "1", "0", "", "yess"] {
            assert_eq!(flag(neither), None, "{neither}");
        }
    }

    #[test]
    fn numbers_are_those_of_yaml_1_1() {
        for (text, expected) in [
            ("7000", Some(7000)),
            ("0", Some(0)),
            ("+7000", Some(7000)),
            ("7_000", Some(7000)),
            ("010", Some(8)),
            ("0x10", Some(16)),
            ("0b10", Some(2)),
            ("08", None),
            ("-1", None),
            ("0x-1", None),
            ("x", None),
            ("", None),
            ("_", None),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
    }

    #[test]
    fn durations_have_a_unit() {
        for (text, milliseconds) in [
            ("10000ms", Some(10_000)),
            ("10s", Some(10_000)),
            ("1m", Some(60_000)),
            ("2h", Some(7_200_000)),
            ("1d", Some(86_400_000)),
            ("0s", Some(0)),
            ("10", None),
            ("s", None),
            ("-1s", None),
            ("1.5s", None),
            ("18446744073709551615d", None),
            ("", None),
        ] {
            assert_eq!(
                duration(text),
                milliseconds.map(Duration::from_millis),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_given_twice_or_as_yes_is_read_as_cassandra_reads_it() {
        let yaml = CassandraYaml::parse(
            "storage_port: 7000\nlisten_address: 10.0.0.1\nenable_materialized_views: yes\nauto_snapshot: yes\n\
             sstable: {selected_format: big, selected_format: bti}\nenable_sasi_indexes: ON\n\
             uuid_sstable_identifiers_enabled: Off\nstorage_port: 7001\nenable_sasi_indexes: no\n",
            Path::new("c.yaml"),
            Path::new("/"),
        )
        .unwrap();
        assert_eq!(yaml.storage_address.as_deref(), Some("10.0.0.1:7001"));
        assert_eq!(yaml.selected_format.as_deref(), Some("bti"));
        let features = yaml.features;
        assert_eq!(features.materialized_views, Some(true));
        assert_eq!(features.sasi_indexes, Some(false));
        assert_eq!(features.time_sstable_ids, Some(false));
    }
}
