//! What a walk through Data comes across.

use super::clustering::ClusteringKind;
use super::deletion::DeletionTime;
use super::row::RowBody;

/// How much of the rows is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Rows are passed over behind their clusterings, by their sizes.
    Clusterings,
    /// Every cell.
    Cells,
}

/// What follows in the data. Offsets count in the uncompressed data.
#[derive(Debug)]
pub enum Event<'a> {
    Partition(Partition<'a>),
    /// Follows each partition of a table that has static columns.
    StaticRow(Row<'a>),
    Row(Row<'a>),
    Marker(Marker<'a>),
    End(PartitionEnd<'a>),
}

#[derive(Debug)]
pub struct Partition<'a> {
    pub position: u64,
    pub key: &'a [u8],
    pub deletion: DeletionTime,
}

#[derive(Debug)]
pub struct Row<'a> {
    pub position: u64,
    pub end: u64,
    /// The clustering as indexes write it, its kind first; empty for a static row.
    pub clustering: &'a [u8],
    /// `None` unless cells are decoded.
    pub body: Option<RowBody>,
}

/// Where a range of deleted rows begins or ends, or both.
#[derive(Debug)]
pub struct Marker<'a> {
    pub position: u64,
    pub end: u64,
    /// The bound as indexes write it, its kind first.
    pub bound: &'a [u8],
    pub kind: ClusteringKind,
    /// The deletion of the range that ends here.
    pub ends: Option<DeletionTime>,
    /// The deletion of the range that begins here.
    pub starts: Option<DeletionTime>,
}

#[derive(Debug, Clone, Copy)]
pub struct PartitionEnd<'a> {
    pub position: u64,
    /// Behind the partition's last byte.
    pub end: u64,
    /// From the partition's start to its first row: key, deletion and static row.
    pub header_len: u64,
    /// Without the static one.
    pub rows: u64,
    pub markers: u64,
    /// The last row's clustering or marker's bound; empty where there is none.
    pub last: &'a [u8],
}
