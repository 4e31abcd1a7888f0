//! The events of a walk through Data.

use super::clustering::ClusteringKind;
use super::deletion::DeletionTime;
use super::row::RowBody;

/// How much of the rows is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Only their clusterings; the rest is skipped by their sizes.
    Clusterings,
    /// Every cell.
    Cells,
}

/// The next thing in the data. Offsets count in the uncompressed data.
#[derive(Debug)]
pub enum Event<'a> {
    /// A partition begins.
    Partition(Partition<'a>),
    /// The static row, which follows each partition of a table that has static columns.
    StaticRow(Row<'a>),
    /// A row.
    Row(Row<'a>),
    /// A range tombstone marker.
    Marker(Marker<'a>),
    /// A partition ends.
    End(PartitionEnd<'a>),
}

/// The beginning of a partition.
#[derive(Debug)]
pub struct Partition<'a> {
    /// Where it begins.
    pub position: u64,
    /// The serialized partition key.
    pub key: &'a [u8],
    /// The deletion of the whole partition.
    pub deletion: DeletionTime,
}

/// A row, regular or static.
#[derive(Debug)]
pub struct Row<'a> {
    /// Where it begins.
    pub position: u64,
    /// The first byte behind it.
    pub end: u64,
    /// The clustering as indexes write it, its kind first; empty for a static row.
    pub clustering: &'a [u8],
    /// The row's times and counts; `None` unless cells are decoded.
    pub body: Option<RowBody>,
}

/// Where a range of deleted rows begins or ends, or both.
#[derive(Debug)]
pub struct Marker<'a> {
    /// Where it begins.
    pub position: u64,
    /// The first byte behind it.
    pub end: u64,
    /// The bound as indexes write it, its kind first.
    pub bound: &'a [u8],
    /// Which bound it is, and whether one range ends where another begins.
    pub kind: ClusteringKind,
    /// The deletion of the range that ends here.
    pub ends: Option<DeletionTime>,
    /// The deletion of the range that begins here.
    pub starts: Option<DeletionTime>,
}

/// The end of a partition.
#[derive(Debug, Clone, Copy)]
pub struct PartitionEnd<'a> {
    /// Where the partition began.
    pub position: u64,
    /// The first byte behind the partition.
    pub end: u64,
    /// The bytes from the partition's start to its first row: key, deletion and static row.
    pub header_len: u64,
    /// Rows in the partition, without the static one.
    pub rows: u64,
    /// Range tombstone markers in the partition.
    pub markers: u64,
    /// The last row's clustering or marker's bound; empty if there is none.
    pub last: &'a [u8],
}
