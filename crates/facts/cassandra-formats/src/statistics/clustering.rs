//! The span of clusterings in which the rows of the SSTable lie.

use crate::bytes::{Cursor, put_uvint, put_vint_bytes};
use crate::error::Damage;

const MARSHAL: &str = "org.apache.cassandra.db.marshal.";
/// How many values share one header of two bits each.
const BATCH: usize = 32;
const EXCL_END_BOUND: u8 = 0;
const INCL_START_BOUND: u8 = 1;
const INCL_END_BOUND: u8 = 6;
const EXCL_START_BOUND: u8 = 7;

/// The span of clusterings that the SSTable covers; `coveredClustering` of Cassandra's StatsMetadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CoveredClustering {
    /// The smallest and the greatest value of each clustering column, as written up to DSE 6.0 and Cassandra 4.1.
    Values {
        /// The smallest value of each clustering column.
        min: Vec<Vec<u8>>,
        /// The greatest value of each clustering column.
        max: Vec<Vec<u8>>,
    },
    /// Two bounds in the order of the types.
    Slice {
        /// Class strings of the clustering columns.
        types: Vec<String>,
        /// The lower bound.
        start: ClusteringBound,
        /// The upper bound.
        end: ClusteringBound,
    },
}

/// A bound: some first clustering values, and on which side of them it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusteringBound {
    /// The ordinal in Cassandra's `ClusteringPrefix.Kind`.
    pub kind: u8,
    /// The values, which may be fewer than there are clustering columns.
    pub values: Vec<ClusteringValue>,
}

/// One value of a bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusteringValue {
    /// Null, which compact tables allow.
    Null,
    /// A value without bytes.
    Empty,
    /// A value with bytes.
    Bytes(Vec<u8>),
}

impl CoveredClustering {
    pub(super) fn parse_values(cursor: &mut Cursor<'_>) -> Result<Self, Damage> {
        let mut values = |of: &str| {
            let count = cursor.count(2, of)?;
            (0..count)
                .map(|_| Ok(cursor.u16_bytes(of)?.to_vec()))
                .collect::<Result<_, Damage>>()
        };
        Ok(Self::Values {
            min: values("minimum clustering values")?,
            max: values("maximum clustering values")?,
        })
    }

    pub(super) fn parse_slice(cursor: &mut Cursor<'_>) -> Result<Self, Damage> {
        let count = cursor.uvint_count(1, "clustering types")?;
        let types = (0..count)
            .map(|_| {
                let start = cursor.clone();
                let name = cursor.vint_bytes("clustering type")?.to_vec();
                String::from_utf8(name).map_err(|_| start.damage("a clustering type is not text"))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let starts = [INCL_START_BOUND, EXCL_START_BOUND];
        let start = ClusteringBound::parse(cursor, &types, starts)?;
        let ends = [EXCL_END_BOUND, INCL_END_BOUND];
        let end = ClusteringBound::parse(cursor, &types, ends)?;
        Ok(Self::Slice { types, start, end })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Values { min, max } => {
                for values in [min, max] {
                    out.extend_from_slice(&(values.len() as u32).to_be_bytes());
                    for value in values {
                        out.extend_from_slice(&(value.len() as u16).to_be_bytes());
                        out.extend_from_slice(value);
                    }
                }
            }
            Self::Slice { types, start, end } => {
                put_uvint(out, types.len() as u64);
                for name in types {
                    put_vint_bytes(out, name.as_bytes());
                }
                start.encode(out, types);
                end.encode(out, types);
            }
        }
    }
}

impl ClusteringBound {
    fn parse(cursor: &mut Cursor<'_>, types: &[String], kinds: [u8; 2]) -> Result<Self, Damage> {
        let start = cursor.clone();
        let kind = cursor.u8("kind of a bound")?;
        if !kinds.contains(&kind) {
            let what = format!("a bound of kind {kind}, expected one of {kinds:?}");
            return Err(start.damage(what));
        }
        let at = cursor.clone();
        let size: usize = cursor.u16("size of a bound")?.into();
        let Some(types) = types.get(..size) else {
            let what = format!("a bound of {size} values for {} types", types.len());
            return Err(at.damage(what));
        };
        let mut values = Vec::with_capacity(size);
        for batch in types.chunks(BATCH) {
            let at = cursor.clone();
            let mut header = cursor.uvint("header of a bound")?;
            for type_class in batch {
                values.push(parse_value(cursor, header & 3, type_class)?);
                header >>= 2;
            }
            if header != 0 {
                return Err(at.damage("the header of a bound has more values than the bound"));
            }
        }
        Ok(Self { kind, values })
    }

    fn encode(&self, out: &mut Vec<u8>, types: &[String]) {
        out.push(self.kind);
        out.extend_from_slice(&(self.values.len() as u16).to_be_bytes());
        let mut types = types.iter();
        for batch in self.values.chunks(BATCH) {
            let header = batch.iter().rev().fold(0_u64, |header, value| {
                let bits = match value {
                    ClusteringValue::Bytes(_) => 0,
                    ClusteringValue::Empty => 1,
                    ClusteringValue::Null => 2,
                };
                (header << 2) | bits
            });
            put_uvint(out, header);
            for value in batch {
                let fixed = types.next().and_then(|name| fixed_length(name));
                match value {
                    ClusteringValue::Bytes(bytes) if fixed.is_some() => {
                        out.extend_from_slice(bytes);
                    }
                    ClusteringValue::Bytes(bytes) => put_vint_bytes(out, bytes),
                    ClusteringValue::Empty | ClusteringValue::Null => {}
                }
            }
        }
    }
}

fn parse_value(
    cursor: &mut Cursor<'_>,
    bits: u64,
    type_class: &str,
) -> Result<ClusteringValue, Damage> {
    match (bits, fixed_length(type_class)) {
        (0, Some(len)) => {
            let bytes = cursor.take(len, "value of a bound")?;
            Ok(ClusteringValue::Bytes(bytes.to_vec()))
        }
        (0, None) => {
            let start = cursor.clone();
            let bytes = cursor.vint_bytes("value of a bound")?;
            if bytes.is_empty() {
                // Cassandra writes that in the header.
                return Err(start.damage("an empty value of a bound that its header calls filled"));
            }
            Ok(ClusteringValue::Bytes(bytes.to_vec()))
        }
        (1, _) => Ok(ClusteringValue::Empty),
        (2, _) => Ok(ClusteringValue::Null),
        _ => Err(cursor.damage("a value of a bound is both null and empty")),
    }
}

/// The length of every value of the type, if all have the same; such values are written without a length.
fn fixed_length(type_class: &str) -> Option<usize> {
    let class = type_class.strip_prefix(MARSHAL).unwrap_or(type_class);
    if let Some(base) = argument(class, "ReversedType(") {
        return fixed_length(base);
    }
    if let Some(arguments) = argument(class, "VectorType(") {
        let (element, dimension) = arguments.rsplit_once(',')?;
        let dimension: usize = dimension.trim().parse().ok()?;
        return fixed_length(element.trim())?.checked_mul(dimension);
    }
    match class {
        "EmptyType" => Some(0),
        "BooleanType" => Some(1),
        "FloatType" | "Int32Type" => Some(4),
        "DateType" | "DoubleType" | "LongType" | "TimestampType" => Some(8),
        "LexicalUUIDType" | "LegacyTimeUUIDType" | "TimeUUIDType" | "UUIDType" => Some(16),
        _ => None,
    }
}

fn argument<'a>(class: &'a str, outer: &str) -> Option<&'a str> {
    class.strip_prefix(outer)?.strip_suffix(')')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: [&str; 4] = [
        "org.apache.cassandra.db.marshal.ReversedType(org.apache.cassandra.db.marshal.Int32Type)",
        "org.apache.cassandra.db.marshal.UTF8Type",
        "org.apache.cassandra.db.marshal.VectorType(org.apache.cassandra.db.marshal.FloatType , 2)",
        "org.apache.cassandra.db.marshal.VectorType(org.apache.cassandra.db.marshal.UTF8Type , 2)",
    ];

    #[track_caller]
    fn check(types: &[&str], values: Vec<ClusteringValue>) {
        let covered = CoveredClustering::Slice {
            types: types.iter().map(|name| (*name).to_owned()).collect(),
            start: ClusteringBound {
                kind: INCL_START_BOUND,
                values,
            },
            end: ClusteringBound {
                kind: INCL_END_BOUND,
                values: Vec::new(),
            },
        };
        let mut bytes = Vec::new();
        covered.encode(&mut bytes);
        let cursor = &mut Cursor::new("Statistics.db", &bytes);
        assert_eq!(CoveredClustering::parse_slice(cursor), Ok(covered));
        cursor.finish("the bounds").expect("whole");
        for len in 0..bytes.len() {
            let cursor = &mut Cursor::new("Statistics.db", &bytes[..len]);
            assert!(CoveredClustering::parse_slice(cursor).is_err(), "{len}");
        }
    }

    #[test]
    fn bounds_read_back_as_written() {
        let some = |len: usize| ClusteringValue::Bytes(vec![7; len]);
        check(&TYPES, vec![some(4), some(3), some(8), some(9)]);
        check(&TYPES, vec![ClusteringValue::Null, some(300)]);
        check(&TYPES, vec![some(4), ClusteringValue::Empty, some(8)]);
        check(&[], Vec::new());
        // More values than one header describes.
        check(&["Int32Type"; 40], vec![some(4); 40]);
    }

    #[test]
    fn a_bound_has_no_more_values_than_there_are_types() {
        // No types, and a start of one value.
        let bytes = [0, INCL_START_BOUND, 0, 1, 0, 1, 7];
        let cursor = &mut Cursor::new("Statistics.db", &bytes);
        let damage = CoveredClustering::parse_slice(cursor).expect_err("a value of no type");
        assert_eq!(damage.offset, Some(2));
    }
}
