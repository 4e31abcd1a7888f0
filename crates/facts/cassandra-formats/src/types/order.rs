//! The order of values by their type: what `AbstractType.compare` of Cassandra returns for two of them.

mod decimal;
mod nested;
mod number;
#[cfg(test)]
mod tests;
mod uuid;

use std::cmp::Ordering;

use cassandra_tokens::Partitioner;

use super::{TypeClass, ValueLength};

/// How values of a type are ordered.
#[derive(Debug, Clone)]
pub(crate) enum ValueOrder {
    /// As unsigned bytes.
    Bytes,
    /// As big-endian integers of one length.
    Signed,
    Boolean,
    Varint,
    Decimal,
    Float,
    Double,
    Uuid,
    TimeUuid,
    LexicalUuid,
    Reversed(Box<Self>),
    /// Frozen lists and sets.
    Elements(Box<Self>),
    /// Frozen maps.
    Entries(Box<Self>, Box<Self>),
    /// Tuples and frozen user types.
    Fields(Vec<Self>),
    /// Vectors of elements of one length.
    Vector(Box<Self>, usize),
    /// `CompositeType`.
    Components(Vec<Self>),
    /// Partition keys, as the rows of secondary indexes are ordered.
    Keys(Partitioner),
    /// This crate does not know how.
    Unknown,
}

impl ValueOrder {
    /// The order of a type's values. Multi-cell types count as frozen.
    pub(crate) fn of(class: &TypeClass) -> Self {
        let all = || class.parameters.iter().map(|p| Self::of(&p.class));
        let first = || Box::new(all().next().unwrap_or(Self::Unknown));
        match class.name.as_str() {
            "AsciiType" | "UTF8Type" | "BytesType" | "InetAddressType" | "SimpleDateType"
            | "TimeType" | "DateType" => Self::Bytes,
            "ByteType" | "ShortType" | "Int32Type" | "LongType" | "TimestampType" => Self::Signed,
            "BooleanType" => Self::Boolean,
            "IntegerType" => Self::Varint,
            "DecimalType" => Self::Decimal,
            "FloatType" => Self::Float,
            "DoubleType" => Self::Double,
            "UUIDType" => Self::Uuid,
            "TimeUUIDType" | "LegacyTimeUUIDType" => Self::TimeUuid,
            "LexicalUUIDType" => Self::LexicalUuid,
            "ReversedType" => Self::Reversed(first()),
            "FrozenType" => *first(),
            "ListType" | "SetType" => Self::Elements(first()),
            "MapType" => {
                let value = all().nth(1).unwrap_or(Self::Unknown);
                Self::Entries(first(), Box::new(value))
            }
            "TupleType" => Self::Fields(all().collect()),
            // A keyspace and a name come before the fields.
            "UserType" => Self::Fields(all().skip(2).collect()),
            "CompositeType" => Self::Components(all().collect()),
            "VectorType" => match class.parameter(0).map(TypeClass::value_length) {
                Some(ValueLength::Fixed(len)) if len > 0 => Self::Vector(first(), len),
                _ => Self::Unknown,
            },
            "PartitionerDefinedOrder" => keys(class),
            _ => Self::Unknown,
        }
    }

    /// The order of the paths that identify the cells of a column that has many in a row; `None` for other columns.
    pub(crate) fn of_paths(class: &TypeClass) -> Option<Self> {
        let class = class.unreversed();
        Some(match class.name.as_str() {
            "ListType" => Self::TimeUuid,
            "SetType" | "MapType" => class.parameter(0).map_or(Self::Unknown, Self::of),
            "UserType" | "TupleType" => Self::Signed,
            _ => return None,
        })
    }

    /// Whether some values of the type cannot be compared because a part of its order is unknown.
    pub(crate) fn is_unknown(&self) -> bool {
        match self {
            Self::Unknown => true,
            Self::Reversed(of) | Self::Elements(of) | Self::Vector(of, _) => of.is_unknown(),
            Self::Entries(key, value) => key.is_unknown() || value.is_unknown(),
            Self::Fields(all) | Self::Components(all) => all.iter().any(Self::is_unknown),
            _ => false,
        }
    }

    /// Compares two values. `None` if their order is unknown, or not the same in all releases, or if they are no values
    /// of the type.
    pub(crate) fn compare(&self, a: &[u8], b: &[u8]) -> Option<Ordering> {
        // Whatever the order is, a value equals itself.
        if a == b {
            return Some(Ordering::Equal);
        }
        if let Self::Reversed(of) = self {
            // Early releases put an empty value first in spite of the reversal.
            let either_is_empty = a.is_empty() || b.is_empty();
            return (!either_is_empty).then(|| of.compare(b, a)).flatten();
        }
        if matches!(self, Self::Unknown) {
            return None;
        }
        if a.is_empty() || b.is_empty() {
            return Some(a.len().cmp(&b.len()));
        }
        match self {
            Self::Bytes => Some(a.cmp(b)),
            Self::Signed => number::signed(a, b),
            Self::Boolean => Some((a != [0]).cmp(&(b != [0]))),
            Self::Varint => Some(number::varint(a, b)),
            Self::Decimal => decimal::compare(a, b),
            Self::Float => number::float(a, b),
            Self::Double => number::double(a, b),
            Self::Uuid => uuid::uuid(a, b),
            Self::TimeUuid => uuid::time_uuid(a, b),
            Self::LexicalUuid => uuid::lexical(a, b),
            Self::Elements(of) => nested::elements(of, a, b),
            Self::Entries(key, value) => nested::entries(key, value, a, b),
            Self::Fields(of) => nested::fields(of, a, b),
            Self::Vector(of, len) => nested::vector(of, *len, a, b),
            Self::Components(of) => nested::components(of, a, b),
            Self::Keys(partitioner) => {
                let tokens = partitioner.token(a).cmp(&partitioner.token(b));
                Some(tokens.then_with(|| a.cmp(b)))
            }
            Self::Reversed(_) | Self::Unknown => None,
        }
    }
}

/// The partitioner is the parameter, or in 5.0 stands before the keys' type and a colon.
fn keys(class: &TypeClass) -> ValueOrder {
    let of = class.parameters.first();
    let name = of.map(|of| of.label.as_ref().unwrap_or(&of.class.name));
    name.and_then(|name| Partitioner::of(name))
        .filter(Partitioner::order_is_known)
        .map_or(ValueOrder::Unknown, ValueOrder::Keys)
}
