//! Data.db, streamed: partitions, rows and cells from the uncompressed bytes, in memory that does not grow with them.

#[cfg(test)]
mod broken_tests;
mod clustering;
mod deletion;
mod event;
#[cfg(test)]
mod fixture_tests;
#[cfg(test)]
pub(crate) mod fixtures;
mod head;
mod input;
mod order;
mod row;
mod schema;
mod subset;
mod unfiltered;
mod visitor;
mod walker;
#[cfg(test)]
mod walker_tests;
pub(crate) mod window;
#[cfg(test)]
pub(crate) mod written;

pub use clustering::ClusteringKind;
pub use deletion::{DeletionTime, NO_DELETION_TIME};
pub use event::{Depth, Event, Marker, Partition, PartitionEnd, Row};
pub use row::{Liveness, RowBody};
pub use schema::Schema;
pub use visitor::{Cell, CellPath, CellVisitor};
pub use walker::Walker;

pub(crate) use clustering::read_prefix;
pub(crate) use deletion::read_deletion_time;
pub(crate) use input::{Bytes, Input, Stop, damage};
pub(crate) use order::PrefixOrder;

pub(crate) use crate::DATA as COMPONENT;
