//! Class names that differ from one of Cassandra's by one bit. Custom types and partitioners are legal; these are
//! damage.

const PARTITIONERS: [&str; 5] = [
    "org.apache.cassandra.dht.Murmur3Partitioner",
    "org.apache.cassandra.dht.RandomPartitioner",
    "org.apache.cassandra.dht.ByteOrderedPartitioner",
    "org.apache.cassandra.dht.OrderPreservingPartitioner",
    "org.apache.cassandra.dht.LocalPartitioner",
];

const COMPRESSORS: [&str; 9] = [
    "LZ4Compressor",
    "SnappyCompressor",
    "DeflateCompressor",
    "ZstdCompressor",
    "NoopCompressor",
    "Encryptor",
    "EncryptingLZ4Compressor",
    "EncryptingSnappyCompressor",
    "EncryptingDeflateCompressor",
];

const MARSHAL: &str = "org.apache.cassandra.db.marshal.";

const TYPES: [&str; 43] = [
    "AsciiType",
    "BooleanType",
    "ByteType",
    "BytesType",
    "ColumnToCollectionType",
    "CompositeType",
    "CounterColumnType",
    "DateRangeType",
    "DateType",
    "DecimalType",
    "DoubleType",
    "DurationType",
    "DynamicCompositeType",
    "EmptyType",
    "FloatType",
    "FrozenType",
    "InetAddressType",
    "Int32Type",
    "IntegerType",
    "LegacyTimeUUIDType",
    "LexicalUUIDType",
    "LineStringType",
    "ListType",
    "LocalByPartionerType",
    "LongType",
    "MapType",
    "PartitionerDefinedOrder",
    "PointType",
    "PolygonType",
    "ReversedType",
    "SetType",
    "ShortType",
    "SimpleDateType",
    "TimeType",
    "TimeUUIDType",
    "TimestampType",
    "TupleType",
    "UTF8Type",
    "UUIDType",
    "UserType",
    "VectorType",
    "CounterType",
    "LocalByPartitionerType",
];

/// Whether exactly one bit differs.
fn is_one_bit_off(found: &[u8], known: &[u8]) -> bool {
    found.len() == known.len()
        && found
            .iter()
            .zip(known)
            .map(|(found, known)| (found ^ known).count_ones())
            .sum::<u32>()
            == 1
}

fn almost(found: &str, known: &[&str]) -> Option<String> {
    let near = known
        .iter()
        .find(|known| is_one_bit_off(found.as_bytes(), known.as_bytes()))?;
    Some(format!(
        "the class {} is one bit off {near}",
        found.escape_debug()
    ))
}

pub(super) fn damaged_partitioner(found: &str) -> Option<String> {
    almost(found, &PARTITIONERS)
}

pub(super) fn damaged_compressor(found: &str) -> Option<String> {
    almost(found, &COMPRESSORS)
}

/// Checks a class string with all types in it.
pub(super) fn damaged_type(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-+._&".contains(byte);
    let mut start = 0;
    while start < bytes.len() {
        let len = bytes
            .iter()
            .skip(start)
            .take_while(|byte| is_name(byte))
            .count();
        if let Some(rest) = text.get(start..).filter(|_| len > 0)
            && let Some(wrong) = damaged_name(rest, len)
        {
            return Some(wrong);
        }
        start += len + 1;
    }
    None
}

/// Checks a name of `len` bytes at the front of `rest`. A flipped bit can also turn a letter into the end of a name,
/// and the end of a name into a letter.
fn damaged_name(rest: &str, len: usize) -> Option<String> {
    let name = rest.get(..len)?;
    let wrong = || Some(format!("{name} is one bit off the name of a type"));
    if name.rfind(MARSHAL).is_some_and(|at| at > 0) {
        return wrong();
    }
    if let Some(class) = name.strip_prefix(MARSHAL) {
        if TYPES.contains(&class) {
            return None;
        }
        let is_near = TYPES.iter().any(|known| {
            let same_len = rest
                .as_bytes()
                .get(MARSHAL.len()..MARSHAL.len() + known.len());
            class.starts_with(known)
                || same_len.is_some_and(|found| is_one_bit_off(found, known.as_bytes()))
        });
        return is_near.then(wrong).flatten();
    }
    let package = rest.as_bytes().get(..MARSHAL.len())?;
    is_one_bit_off(package, MARSHAL.as_bytes())
        .then(wrong)
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flip_of_a_bit_in_the_name_of_a_type_is_noticed_or_no_type() {
        let text = "org.apache.cassandra.db.marshal.MapType(org.apache.cassandra.db.marshal.Int32Type,\
                    org.apache.cassandra.db.marshal.FrozenType(org.apache.cassandra.db.marshal.UTF8Type))";
        assert_eq!(damaged_type(text), None);
        for bit in 0..text.len() * 8 {
            let mut bytes = text.as_bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let Ok(flipped) = String::from_utf8(bytes) else {
                continue;
            };
            assert!(
                damaged_type(&flipped).is_some()
                    || crate::types::TypeClass::parse(&flipped).is_err(),
                "{flipped}"
            );
        }
    }

    #[test]
    fn classes_of_others_are_no_damage() {
        for text in [
            "com.example.MyType",
            "org.example.Reversed(com.example.A,75:b)",
        ] {
            assert_eq!(damaged_type(text), None, "{text}");
        }
        assert_eq!(damaged_partitioner("com.example.Partitioner"), None);
        assert_eq!(damaged_compressor("Lz5Compressor"), None);
        assert!(damaged_compressor("LZ5Compressor").is_some());
    }
}
