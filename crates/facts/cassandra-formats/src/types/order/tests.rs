use super::*;

fn order(text: &str) -> ValueOrder {
    ValueOrder::of(&TypeClass::parse(text).expect("a type"))
}

#[track_caller]
fn check(text: &str, a: &[u8], b: &[u8], expected: Option<Ordering>) {
    let order = order(text);
    assert_eq!(order.compare(a, b), expected, "{text} {a:?} {b:?}");
    let reversed = expected.map(Ordering::reverse);
    assert_eq!(order.compare(b, a), reversed, "{text} {b:?} {a:?}");
}

#[track_caller]
fn check_ascending(text: &str, values: &[&[u8]]) {
    for (i, a) in values.iter().enumerate() {
        for (j, b) in values.iter().enumerate().skip(i) {
            check(text, a, b, Some(i.cmp(&j)));
        }
    }
}

const EQUAL: Option<Ordering> = Some(Ordering::Equal);
const LESS: Option<Ordering> = Some(Ordering::Less);

#[test]
fn texts_and_addresses_are_ordered_as_unsigned_bytes() {
    check_ascending("UTF8Type", &[b"", b"a", b"ab", "é".as_bytes()]);
    check_ascending("InetAddressType", &[&[10, 0, 0, 1], &[127; 16], &[200; 4]]);
    check_ascending("SimpleDateType", &[&[0x7f; 4], &[0x80, 0, 0, 0]]);
}

#[test]
fn integers_are_signed() {
    check_ascending("Int32Type", &[b"", &[0x80, 0, 0, 0], &[0xff; 4], &[0; 4]]);
    check_ascending("ByteType", &[&[0x80], &[0xff], &[0], &[0x7f]]);
    check_ascending("TimestampType", &[&[0xff; 8], &[0; 8], &[1; 8]]);
    check("Int32Type", &[0; 4], &[0; 8], None);
    check("BooleanType", &[0], &[1], LESS);
}

#[test]
fn integers_of_any_length_are_compared_by_value() {
    let ascending: [&[u8]; 7] = [
        &[0xfe, 0xff, 0x00],
        &[0x80],
        &[0xff],
        &[0],
        &[1],
        &[0, 0x80],
        &[1, 0, 0],
    ];
    check_ascending("IntegerType", &ascending);
    check("IntegerType", &[0, 0, 1], &[1], EQUAL);
    check("IntegerType", &[0xff, 0xff], &[0xff], EQUAL);
}

/// A decimal of an unscaled value and a scale.
fn decimal(unscaled: i64, scale: i32) -> Vec<u8> {
    [&scale.to_be_bytes()[..], &unscaled.to_be_bytes()].concat()
}

#[test]
fn decimals_are_compared_by_value() {
    let ascending = [
        decimal(-10, -2),
        decimal(-999, 0),
        decimal(-1, i32::MAX),
        decimal(0, 5),
        decimal(1, i32::MAX),
        decimal(99, 2),
        decimal(100, 2),
        decimal(101, 2),
        decimal(15, 1),
        decimal(i64::MAX, 0),
        decimal(1, -30),
        decimal(1, i32::MIN),
    ];
    let ascending: Vec<&[u8]> = ascending.iter().map(Vec::as_slice).collect();
    check_ascending("DecimalType", &ascending);
    check("DecimalType", &decimal(10, 1), &decimal(1, 0), EQUAL);
    check("DecimalType", &decimal(-500, 2), &decimal(-5, 0), EQUAL);
    check("DecimalType", &decimal(0, 9), &decimal(0, -9), EQUAL);
    let long = [&[0, 0, 0, 1][..], &[7; 300]].concat();
    check("DecimalType", &long, &decimal(1, 0), None);
    check("DecimalType", &[0, 0, 0, 1], &decimal(1, 0), None);
}

#[test]
fn floating_point_numbers_are_ordered_as_in_java() {
    let all = [
        f64::NEG_INFINITY,
        -1.5,
        -0.0,
        0.0,
        2.0,
        f64::INFINITY,
        f64::NAN,
    ];
    let doubles = all.map(f64::to_be_bytes);
    check_ascending("DoubleType", &doubles.each_ref().map(|d| &d[..]));
    let floats = all.map(|value| (value as f32).to_be_bytes());
    check_ascending("FloatType", &floats.each_ref().map(|f| &f[..]));
    check(
        "DoubleType",
        &f64::NAN.to_be_bytes(),
        &(-f64::NAN).to_be_bytes(),
        EQUAL,
    );
}

fn uuid(text: u128) -> [u8; 16] {
    text.to_be_bytes()
}

#[test]
fn each_type_of_uuid_has_its_own_order() {
    // The lower bits of the time come first in the bytes.
    let early = uuid(0xffff_ffff_0000_1000_8000_0000_0000_0000);
    let late = uuid(0x0000_0000_0001_1000_8000_0000_0000_0000);
    check("TimeUUIDType", &early, &late, LESS);
    check("UUIDType", &early, &late, LESS);
    check("LexicalUUIDType", &early, &late, LESS);
    // The lower half: signed bytes for times, unsigned ones for others.
    let high = uuid(0x0000_0000_0001_1000_8000_0000_0000_0080);
    check("TimeUUIDType", &high, &late, LESS);
    check("UUIDType", &late, &high, LESS);
    let random = uuid(0x0000_0000_0000_4000_8000_0000_0000_0000);
    check("UUIDType", &late, &random, LESS);
    check("TimeUUIDType", &late, &random, None);
}

fn list(elements: &[&[u8]]) -> Vec<u8> {
    let mut bytes = (elements.len() as i32).to_be_bytes().to_vec();
    for element in elements {
        bytes.extend_from_slice(&(element.len() as i32).to_be_bytes());
        bytes.extend_from_slice(element);
    }
    bytes
}

#[test]
fn frozen_collections_are_compared_element_by_element() {
    let ascending = [list(&[]), list(&[b"a"]), list(&[b"a", b"a"]), list(&[b"b"])];
    let ascending: Vec<&[u8]> = ascending.iter().map(Vec::as_slice).collect();
    check_ascending("FrozenType(ListType(UTF8Type))", &ascending);
    let (one, two) = ([0, 0, 0, 1], [0, 0, 0, 2]);
    let mut map = list(&[b"a", &one]);
    let mut greater = list(&[b"a", &two]);
    (map[3], greater[3]) = (1, 1);
    check(
        "FrozenType(MapType(UTF8Type,Int32Type))",
        &map,
        &greater,
        LESS,
    );
    check("ListType(UTF8Type)", &[0, 0, 0, 9, 0], &list(&[b"a"]), None);
}

fn tuple(fields: &[Option<&[u8]>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for field in fields {
        let len = field.map_or(-1, |field| field.len() as i32);
        bytes.extend_from_slice(&len.to_be_bytes());
        bytes.extend_from_slice(field.unwrap_or_default());
    }
    bytes
}

#[test]
fn tuples_are_compared_field_by_field_null_first() {
    let text = "TupleType(UTF8Type,Int32Type,UTF8Type)";
    let one = Some(&[0, 0, 0, 1][..]);
    let ascending = [
        tuple(&[None, one]),
        tuple(&[Some(b"a"), None]),
        tuple(&[Some(b"a"), one]),
        tuple(&[Some(b"a"), one, Some(b"x")]),
        tuple(&[Some(b"b")]),
    ];
    let ascending: Vec<&[u8]> = ascending.iter().map(Vec::as_slice).collect();
    check_ascending(text, &ascending);
    check(
        text,
        &tuple(&[Some(b"a")]),
        &tuple(&[Some(b"a"), None]),
        EQUAL,
    );
    let user = "FrozenType(UserType(ks,75,61:UTF8Type,62:Int32Type,63:UTF8Type))";
    check_ascending(user, &ascending);
}

#[test]
fn where_releases_differ_nothing_is_compared() {
    let text = "TupleType(UTF8Type,UTF8Type)";
    // 3.x takes the order of the null field for the next one.
    check(
        text,
        &tuple(&[None, Some(b"a")]),
        &tuple(&[None, Some(b"b")]),
        None,
    );
    check(
        text,
        &tuple(&[Some(b"a")]),
        &tuple(&[Some(b"a"), Some(b"")]),
        None,
    );
    check("ReversedType(UTF8Type)", b"", b"a", None);
    check("ReversedType(UTF8Type)", b"b", b"a", LESS);
}

#[test]
fn vectors_and_composites_are_compared_part_by_part() {
    let floats = |a: f32, b: f32| [a.to_be_bytes(), b.to_be_bytes()].concat();
    let text = "VectorType(FloatType , 2)";
    check(text, &floats(1.0, -1.0), &floats(1.0, 1.0), LESS);
    let composite = "CompositeType(UTF8Type,Int32Type)";
    let ascending: [&[u8]; 4] = [
        &[0, 1, b'a', 0],
        &[0, 1, b'a', 0, 0, 4, 0xff, 0, 0, 0, 0],
        &[0, 1, b'a', 0, 0, 4, 0, 0, 0, 0, 0],
        &[0, 1, b'a', 1],
    ];
    check_ascending(composite, &ascending);
}

#[test]
fn keys_are_ordered_by_their_tokens() {
    let text = "PartitionerDefinedOrder(org.apache.cassandra.dht.Murmur3Partitioner)";
    let tokens = cassandra_tokens::murmur3(b"a")[0].cmp(&cassandra_tokens::murmur3(b"b")[0]);
    check(text, b"a", b"b", Some(tokens));
    let with_type = text.replace(')', ":org.apache.cassandra.db.marshal.UTF8Type)");
    check(&with_type, b"a", b"b", Some(tokens));
    check("com.example.Custom", b"a", b"b", None);
    check("com.example.Custom", b"a", b"a", EQUAL);
}

#[test]
fn no_bytes_make_a_comparison_panic() {
    let types = [
        "DecimalType",
        "IntegerType",
        "TimeUUIDType",
        "FrozenType(MapType(UTF8Type,DecimalType))",
        "TupleType(Int32Type,FrozenType(SetType(UUIDType)))",
        "CompositeType(UTF8Type,DoubleType)",
        "VectorType(FloatType , 3)",
        "DynamicCompositeType(a=>UTF8Type)",
        "VectorType(EmptyType , 0)",
        "MapType(Int32Type)",
        "ReversedType()",
        "FrozenType",
    ];
    let pieces: [&[u8]; 8] = [
        &[],
        &[0],
        &[0xff; 3],
        &[0xff; 9],
        &[0x7f, 0xff, 0xff, 0xff, 1],
        &[0, 0, 0, 1, 0, 0, 0, 9, 1],
        &[0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
        &[0x80, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    ];
    for text in types {
        let order = order(text);
        for a in pieces {
            for b in pieces {
                let there = order.compare(a, b);
                assert_eq!(order.compare(b, a), there.map(Ordering::reverse), "{text}");
            }
        }
    }
}

/// Type, two values in hexadecimal, and the sign of what `AbstractType.compare` of 3.11.19, 4.0.17 and 5.0.5 returns for
/// them, which is the same; vectors are 5.0.5's, and so is the order of `LexicalUUIDType`.
const VECTORS: &str = include_str!("vectors.txt");

#[test]
fn values_are_ordered_as_by_cassandra() {
    let unhex = |text: &str| match text {
        "-" => Vec::new(),
        text => crate::fixtures::unhex(text),
    };
    let (mut compared, mut not_compared) = (0, 0);
    for line in VECTORS.lines() {
        let [text, a, b, expected] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        match order(text).compare(&unhex(a), &unhex(b)) {
            Some(found) => {
                assert_eq!((found as i8).to_string(), expected, "{line}");
                compared += 1;
            }
            None => not_compared += 1,
        }
    }
    assert!(
        compared > 400 && not_compared < 30,
        "{compared} {not_compared}"
    );
}
