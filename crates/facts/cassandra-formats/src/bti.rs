//! The index of trie-indexed SSTables: Partitions.db and Rows.db, read, checked, written and copied.

mod block_check;
mod branch;
mod check;
mod copy;
mod ints;
mod node;
mod node_writer;
mod pages;
mod partitions;
mod partitions_writer;
mod rows;
mod trie;
mod writer;

#[cfg(test)]
mod tests;

pub use block_check::BlockCheck;
pub use check::{IndexCheck, KeyShape, check_index};
pub use copy::RowsCopy;
pub use partitions::{PartitionEntry, PartitionWalk, Partitions, Target, token_prefix};
pub use partitions_writer::PartitionsWriter;
pub use rows::{Block, BlockWalk, DeletionTime, RowIndexEntry, Rows};
pub use trie::{Leaf, TrieWalk};
pub use writer::TrieWriter;

pub(crate) use crate::PARTITIONS;
pub(crate) use crate::ROWS;
