//! Tokens against those that Cassandra computed.

use serde_json::Value;

use super::*;

fn bytes(value: &Value) -> Vec<u8> {
    unhex(value.as_str().expect("hex")).expect("hex")
}

#[test]
fn tokens_are_those_that_cassandra_computes() {
    let Some(text) = shared_fixtures::text(
        "tokens_are_those_that_cassandra_computes",
        "murmur3_vectors.json",
    ) else {
        return;
    };
    let vectors: Value = serde_json::from_str(&text).expect("vectors");
    for (name, partitioner) in [
        ("murmur3", Partitioner::Murmur3),
        ("random", Partitioner::Random),
    ] {
        let vectors = vectors[name].as_array().expect("a list");
        assert!(!vectors.is_empty());
        for vector in vectors {
            let token = partitioner.token(&bytes(&vector["key_hex"]));
            let expected = vector["token"].as_str().expect("a token");
            assert_eq!(token.to_string(), expected, "{name} {vector}");
            assert_eq!(partitioner.parse_token(expected), Ok(token));
        }
    }
}

#[test]
fn first_and_last_keys_of_real_sstables_have_the_tokens_on_record() {
    let Some(lines) = shared_fixtures::text(
        "first_and_last_keys_of_real_sstables_have_the_tokens_on_record",
        "sstables.jsonl",
    ) else {
        return;
    };
    let mut checked = 0;
    for line in lines.lines() {
        let facts: Value = serde_json::from_str(line).expect("facts");
        let class = facts["partitioner"].as_str().expect("a partitioner");
        let partitioner = Partitioner::of(class).expect("a known partitioner");
        for end in ["first", "last"] {
            let (key, token) = (&facts[format!("{end}_key")], &facts[format!("{end}_token")]);
            if key.is_null() || token.is_null() {
                continue;
            }
            let expected = match token {
                Value::String(text) => text.clone(),
                number => number.to_string(),
            };
            assert_eq!(
                partitioner.token(&bytes(key)).to_string(),
                expected,
                "{line}"
            );
            checked += 1;
        }
    }
    assert!(checked > 100, "{checked} keys");
}

#[test]
fn partitioners_are_known_by_class_with_or_without_package() {
    for (class, expected) in [
        (
            "org.apache.cassandra.dht.Murmur3Partitioner",
            Some(Partitioner::Murmur3),
        ),
        ("RandomPartitioner", Some(Partitioner::Random)),
        ("ByteOrderedPartitioner", Some(Partitioner::ByteOrdered)),
        (
            "OrderPreservingPartitioner",
            Some(Partitioner::OrderPreserving),
        ),
        (
            "org.apache.cassandra.dht.LocalPartitioner",
            Some(Partitioner::Local("LocalPartitioner".into())),
        ),
        ("com.example.Partitioner", None),
        ("", None),
    ] {
        assert_eq!(Partitioner::of(class), expected, "{class}");
    }
}

#[track_caller]
fn check_text(partitioner: &Partitioner, text: &str, expected: Option<&str>) {
    let parsed = partitioner.parse_token(text).ok().map(|t| t.to_string());
    assert_eq!(parsed.as_deref(), expected, "{text} for {partitioner:?}");
}

#[test]
fn tokens_read_back_as_they_are_written_and_nothing_else_is_one() {
    check_text(&Partitioner::Murmur3, "-5", Some("-5"));
    check_text(&Partitioner::Murmur3, "9223372036854775808", None);
    check_text(&Partitioner::Murmur3, "", None);
    check_text(&Partitioner::Random, "-1", Some("-1"));
    check_text(&Partitioner::Random, "-2", None);
    let max = "170141183460469231731687303715884105728";
    check_text(&Partitioner::Random, max, Some(max));
    check_text(
        &Partitioner::Random,
        "170141183460469231731687303715884105729",
        None,
    );
    check_text(&Partitioner::ByteOrdered, "abc", Some("0abc"));
    check_text(&Partitioner::ByteOrdered, "", Some(""));
    check_text(&Partitioner::ByteOrdered, "xy", None);
    check_text(&Partitioner::OrderPreserving, "any", Some("any"));
}

#[test]
fn tokens_are_ordered_as_cassandra_orders_them() {
    let ascending = |tokens: &[Token]| assert!(tokens.is_sorted_by(|a, b| a < b), "{tokens:?}");
    ascending(&[
        Token::Murmur3(i64::MIN),
        Token::Murmur3(-1),
        Token::Murmur3(0),
    ]);
    ascending(&[
        Token::Random(None),
        Token::Random(Some(0)),
        Token::Random(Some(RANDOM_MAX)),
    ]);
    ascending(
        &[[].as_slice(), &[0x00], &[0x7f], &[0x80], &[0x80, 0]].map(|b| Token::Bytes(b.into())),
    );
    // The second is two UTF-16 units from 0xd800 on, below the third.
    ascending(&["a", "\u{1f600}", "\u{ffee}"].map(|t| Token::Text(t.into())));
}

#[test]
fn keys_with_equal_tokens_are_ordered_by_their_bytes() {
    let key = |token, key: &[u8]| DecoratedKey {
        token: Token::Murmur3(token),
        key: key.into(),
    };
    assert!(key(1, b"z") < key(2, b"a"));
    assert!(key(1, b"a") < key(1, b"\x80"));
    assert!(key(1, b"b").cmp_key(&Token::Murmur3(1), b"bb").is_lt());
}

#[test]
fn keys_without_text_or_bytes_have_tokens_too() {
    let order_preserving = Partitioner::OrderPreserving;
    assert_eq!(order_preserving.token(b"\xff\x00").to_string(), "ff00");
    for partitioner in [
        Partitioner::Murmur3,
        Partitioner::Random,
        Partitioner::ByteOrdered,
        order_preserving,
    ] {
        assert!(partitioner.token(b"").is_minimum());
        assert!(!partitioner.token(b"k").is_minimum());
    }
}
