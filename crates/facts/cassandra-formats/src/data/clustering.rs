//! Clusterings and bounds as they are serialized: which kind, and the values of the clustering columns.

use super::input::{Bytes, Input, Stop};
use crate::types::{Lengths, TypeClass, ValueLength};

/// The kind of a clustering prefix, with the ordinals of Cassandra's `ClusteringPrefix.Kind`. Bounds begin and end
/// ranges of deleted rows; a boundary ends one and begins the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusteringKind {
    /// Ends a range, excluding its bound.
    ExclEndBound = 0,
    /// Begins a range, including its bound.
    InclStartBound = 1,
    /// Ends a range excluding the bound, and begins one including it.
    ExclEndInclStartBoundary = 2,
    /// A row's clustering.
    Clustering = 4,
    /// Ends a range including the bound, and begins one excluding it.
    InclEndExclStartBoundary = 5,
    /// Ends a range, including its bound.
    InclEndBound = 6,
    /// Begins a range, excluding its bound.
    ExclStartBound = 7,
}

impl ClusteringKind {
    pub(crate) fn from_ordinal(ordinal: u8) -> Option<Self> {
        Some(match ordinal {
            0 => Self::ExclEndBound,
            1 => Self::InclStartBound,
            2 => Self::ExclEndInclStartBoundary,
            4 => Self::Clustering,
            5 => Self::InclEndExclStartBoundary,
            6 => Self::InclEndBound,
            7 => Self::ExclStartBound,
            _ => return None,
        })
    }

    /// Whether a range ends here.
    pub fn is_end(self) -> bool {
        matches!(self, Self::ExclEndBound | Self::InclEndBound) || self.is_boundary()
    }

    /// Whether one range ends here and another begins.
    pub fn is_boundary(self) -> bool {
        matches!(
            self,
            Self::ExclEndInclStartBoundary | Self::InclEndExclStartBoundary
        )
    }
}

/// How a value is laid out: its length if that is fixed, and the lengths it may have if the length is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ValueShape {
    fixed: Option<u64>,
    lengths: Lengths,
}

impl ValueShape {
    pub(crate) fn new(class: &TypeClass) -> Self {
        let fixed = match class.value_length() {
            ValueLength::Fixed(len) => Some(len as u64),
            ValueLength::Variable => None,
        };
        Self {
            fixed,
            lengths: class.lengths(),
        }
    }

    pub(crate) fn variable(lengths: Lengths) -> Self {
        Self {
            fixed: None,
            lengths,
        }
    }

    /// Skips a value; returns its length.
    #[inline]
    pub(crate) fn skip<I: Input>(&self, input: &mut I) -> Result<u64, Stop> {
        let len = self.read_len(input)?;
        input.skip(len)?;
        Ok(len)
    }

    /// Reads the length of the value that follows, if the length is written.
    #[inline]
    pub(crate) fn read_len<I: Input>(&self, input: &mut I) -> Result<u64, Stop> {
        if let Some(len) = self.fixed {
            return Ok(len);
        }
        let start = input.offset();
        let len = input.uvint()?;
        if len > i32::MAX as u64 || !self.lengths.allow(len) {
            let what = format!("a value of its type cannot have {len} bytes");
            return Err(input.damage_at(start, what));
        }
        Ok(len)
    }
}

/// Skips the values of a clustering, of which there are as many as `shapes`. Each group of 32 follows a header with
/// two bits for each value: whether it is empty, and whether it is null.
#[inline]
pub(super) fn skip_values(input: &mut Bytes<'_>, shapes: &[ValueShape]) -> Result<(), Stop> {
    for batch in shapes.chunks(32) {
        let start = input.offset();
        let header = input.uvint()?;
        for (i, shape) in batch.iter().enumerate() {
            match (header >> (2 * i)) & 3 {
                0 => {
                    shape.skip(input)?;
                }
                1 | 2 => {}
                _ => {
                    let what = "a clustering value cannot be both empty and null".into();
                    return Err(input.damage_at(start, what));
                }
            }
        }
        if batch.len() < 32 && header >> (2 * batch.len()) != 0 {
            let what = "a clustering marks values that it does not have".into();
            return Err(input.damage_at(start, what));
        }
    }
    Ok(())
}

/// Skips a bound's values, which may be fewer than the table has clustering columns.
pub(super) fn skip_bound_values(input: &mut Bytes<'_>, shapes: &[ValueShape]) -> Result<(), Stop> {
    let start = input.offset();
    let count = input.u16()?;
    match shapes.get(..usize::from(count)) {
        Some([]) => Ok(()),
        Some(shapes) => skip_values(input, shapes),
        None => {
            let what = format!(
                "a bound of {count} values, there are {} clustering columns",
                shapes.len()
            );
            Err(input.damage_at(start, what))
        }
    }
}

/// Reads the kind of a prefix, and skips its values.
pub(crate) fn read_prefix(
    input: &mut Bytes<'_>,
    shapes: &[ValueShape],
) -> Result<ClusteringKind, Stop> {
    let start = input.offset();
    let ordinal = input.u8()?;
    let Some(kind) = ClusteringKind::from_ordinal(ordinal) else {
        let what = format!("no clustering is of kind {ordinal}");
        return Err(input.damage_at(start, what));
    };
    match kind {
        ClusteringKind::Clustering => skip_values(input, shapes)?,
        _ => skip_bound_values(input, shapes)?,
    }
    Ok(kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::put_uvint;

    fn shapes(types: &[&str]) -> Vec<ValueShape> {
        types
            .iter()
            .map(|text| ValueShape::new(&TypeClass::parse(text).expect("a type")))
            .collect()
    }

    #[track_caller]
    fn check(types: &[&str], bytes: &[u8], expected: Option<ClusteringKind>) {
        let mut input = Bytes::new("Data.db", bytes, 0);
        let read = read_prefix(&mut input, &shapes(types)).ok();
        assert_eq!(read, expected, "{bytes:?}");
        if read.is_some() {
            assert_eq!(input.remaining(), 0, "{bytes:?}");
            for len in 0..bytes.len() {
                let mut input = Bytes::new("Data.db", &bytes[..len], 0);
                let read = read_prefix(&mut input, &shapes(types));
                assert!(matches!(read, Err(Stop::Short)), "{len}");
            }
        }
    }

    #[test]
    fn prefixes_have_a_kind_and_values_unless_they_are_empty_or_null() {
        use ClusteringKind::*;
        let two = ["Int32Type", "UTF8Type"];
        check(&two, b"\x04\x00\0\0\0\x01\x02ab", Some(Clustering));
        check(&two, b"\x04\x04\0\0\0\x01", Some(Clustering));
        check(&two, b"\x04\x09", Some(Clustering));
        check(&two, b"\x01\0\x01\0\0\0\0\x01", Some(InclStartBound));
        check(&two, b"\x06\0\0", Some(InclEndBound));
        check(&[], b"\x04", Some(Clustering));
        // Static clusterings are never written.
        check(&two, b"\x03\0\0", None);
        check(&two, b"\x08\0\0", None);
        // Three values although there are two columns; marks of a third value; both empty and null.
        check(&two, b"\x06\0\x03\x15", None);
        check(&two, b"\x04\x10\0\0\0\x01\x02ab", None);
        check(&two, b"\x04\x03\x02ab", None);
    }

    #[test]
    fn after_each_32_values_the_marks_begin_again() {
        let types = ["UTF8Type"; 40];
        let mut bytes = vec![4];
        // All empty but the last of each batch.
        put_uvint(&mut bytes, 0x1555_5555_5555_5555);
        bytes.extend_from_slice(b"\x01a");
        put_uvint(&mut bytes, 0x1555);
        bytes.extend_from_slice(b"\x01b");
        check(&types, &bytes, Some(ClusteringKind::Clustering));
    }
}
