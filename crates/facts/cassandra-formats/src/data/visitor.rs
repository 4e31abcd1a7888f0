//! What a walk hands over of each cell.

use super::clustering::ValueShape;
use super::deletion::DeletionTime;
use super::input::{Input, Stop};

/// Longer paths are skipped, because they are not held in memory.
const PATH_BYTES_MAX: u64 = 64 << 10;

/// A cell without its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// The column's index among the header's static or regular columns.
    pub column: usize,
    /// Whether the column is static.
    pub is_static: bool,
    /// Whether it marks a deletion.
    pub is_tombstone: bool,
    /// The time of the write, by the writer's clock, in microseconds since 1970.
    pub timestamp: i64,
    /// When it expires or was deleted, in seconds since 1970, or [`NO_DELETION_TIME`](super::NO_DELETION_TIME).
    pub local_deletion_time: i64,
    /// The time to live in seconds; 0 for a cell that does not expire.
    pub ttl: i32,
    /// In a column that has many cells: the length in bytes of the path that identifies this one.
    pub path_len: Option<u64>,
    /// The length of the value in bytes.
    pub value_len: u64,
}

/// Receives each cell as it is decoded.
pub trait CellVisitor {
    /// A cell has been decoded.
    fn cell(&mut self, _cell: &Cell) {}

    /// A whole collection, tuple or user type was deleted before its cells in this row were written.
    fn complex_deletion(&mut self, _column: usize, _deletion: DeletionTime) {}

    /// Whether [`path`](Self::path) is to be called.
    fn wants_paths(&self) -> bool {
        false
    }

    /// A cell of a column that has many in a row is about to be decoded.
    fn path(&mut self, _path: &CellPath<'_>) {}
}

/// What identifies one cell of a column that has many in a row.
#[derive(Debug, Clone, Copy)]
pub struct CellPath<'a> {
    /// Where the cell begins in the uncompressed data.
    pub position: u64,
    /// The column's index among the header's static or regular columns.
    pub column: usize,
    /// Whether the column is static.
    pub is_static: bool,
    /// Whether it is the column's first cell in this row.
    pub is_first: bool,
    /// The path; `None` if it is longer than 64 KiB.
    pub bytes: Option<&'a [u8]>,
}

/// Cells are decoded, which checks them, and dropped.
impl CellVisitor for () {}

/// Hands a cell's path over if the visitor wants it; `held` is space for it. Returns the path's length.
#[inline]
pub(super) fn read_path<I: Input, C: CellVisitor>(
    input: &mut I,
    shape: &ValueShape,
    place: CellPath<'_>,
    held: &mut Vec<u8>,
    visitor: &mut C,
) -> Result<u64, Stop> {
    if !visitor.wants_paths() {
        return shape.skip(input);
    }
    let len = shape.read_len(input)?;
    if len > PATH_BYTES_MAX {
        input.skip(len)?;
        visitor.path(&place);
        return Ok(len);
    }
    held.clear();
    input.copy(len, held)?;
    visitor.path(&CellPath {
        bytes: Some(held),
        ..place
    });
    Ok(len)
}
