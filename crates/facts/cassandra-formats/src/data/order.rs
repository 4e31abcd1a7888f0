//! The order of clusterings and bounds within a partition, as `ClusteringComparator` of Cassandra has it.

use std::cmp::Ordering;

use super::clustering::{ClusteringKind, ValueShape};
use super::input::{Bytes, Input, Stop};
use crate::error::Damage;
use crate::statistics::header::SerializationHeader;
use crate::types::{TypeClass, ValueOrder};

/// Compares serialized prefixes: a kind, and values.
#[derive(Debug)]
pub(crate) struct PrefixOrder {
    columns: Vec<(ValueShape, ValueOrder)>,
    /// Class strings of columns whose order is unknown.
    unknown: Vec<String>,
}

impl PrefixOrder {
    pub(crate) fn new(header: &SerializationHeader) -> Result<Self, Damage> {
        let mut order = Self {
            columns: Vec::with_capacity(header.clustering_types.len()),
            unknown: Vec::new(),
        };
        for text in &header.clustering_types {
            let class = TypeClass::parse(text)
                .map_err(|error| Damage::whole("Statistics.db", error.to_string()))?;
            let values = ValueOrder::of(&class);
            if values.is_unknown() && !order.unknown.contains(text) {
                order.unknown.push(text.clone());
            }
            order.columns.push((ValueShape::new(&class), values));
        }
        Ok(order)
    }

    /// The types that are not ordered, or not in full.
    pub(crate) fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// Compares two prefixes as the walker gives them. `None` if the order of the first values that differ is unknown.
    pub(crate) fn compare(&self, a: &[u8], b: &[u8]) -> Option<Ordering> {
        let (mut a, mut b) = (Prefix::new(self, a)?, Prefix::new(self, b)?);
        let (size_a, size_b) = (a.size, b.size);
        for (_, order) in self.columns.iter().take(size_a.min(size_b)) {
            let values = match (a.next()?, b.next()?) {
                (Value::Null, Value::Null) => Ordering::Equal,
                (Value::Null, Value::Bytes(_)) => Ordering::Less,
                (Value::Bytes(_), Value::Null) => Ordering::Greater,
                (Value::Bytes(a), Value::Bytes(b)) => order.compare(a, b)?,
            };
            if values != Ordering::Equal {
                return Some(values);
            }
        }
        // A bound of fewer values comes before or behind everything that begins with them.
        Some(match size_a.cmp(&size_b) {
            Ordering::Equal => weight(a.kind).cmp(&weight(b.kind)),
            Ordering::Less => side(a.kind),
            Ordering::Greater => side(b.kind).reverse(),
        })
    }
}

/// The order of prefixes with the same values: what begins at a row or ends before it, the row, and what is behind it.
fn weight(kind: ClusteringKind) -> u8 {
    match kind {
        ClusteringKind::ExclEndBound
        | ClusteringKind::InclStartBound
        | ClusteringKind::ExclEndInclStartBoundary => 0,
        ClusteringKind::Clustering => 1,
        ClusteringKind::InclEndExclStartBoundary
        | ClusteringKind::InclEndBound
        | ClusteringKind::ExclStartBound => 2,
    }
}

/// Where a bound is beside the rows that begin with its values.
fn side(kind: ClusteringKind) -> Ordering {
    weight(kind).cmp(&weight(ClusteringKind::Clustering))
}

enum Value<'a> {
    Null,
    Bytes(&'a [u8]),
}

/// A prefix that is read value by value.
struct Prefix<'o, 'a> {
    order: &'o PrefixOrder,
    input: Bytes<'a>,
    kind: ClusteringKind,
    size: usize,
    index: usize,
    /// Two bits for each of up to 32 values.
    marks: u64,
}

impl<'o, 'a> Prefix<'o, 'a> {
    /// `None` if it is not a prefix, which the walker would have refused.
    fn new(order: &'o PrefixOrder, bytes: &'a [u8]) -> Option<Self> {
        let mut input = Bytes::new(super::COMPONENT, bytes, 0);
        let kind = ClusteringKind::from_ordinal(input.u8().ok()?)?;
        let size = match kind {
            ClusteringKind::Clustering => order.columns.len(),
            _ => input.u16().ok()?.into(),
        };
        Some(Self {
            order,
            input,
            kind,
            size,
            index: 0,
            marks: 0,
        })
    }

    fn next(&mut self) -> Option<Value<'a>> {
        self.read().ok().flatten()
    }

    #[inline]
    fn read(&mut self) -> Result<Option<Value<'a>>, Stop> {
        let Some((shape, _)) = self.order.columns.get(self.index) else {
            return Ok(None);
        };
        if self.index.is_multiple_of(32) {
            self.marks = self.input.uvint()?;
        }
        self.index += 1;
        let mark = self.marks & 3;
        self.marks >>= 2;
        Ok(Some(match mark {
            0 => {
                let len = shape.read_len(&mut self.input)?;
                let len = usize::try_from(len).map_err(|_| Stop::Short)?;
                Value::Bytes(self.input.take(len)?)
            }
            1 => Value::Bytes(&[]),
            _ => Value::Null,
        }))
    }
}

#[cfg(test)]
mod tests;
