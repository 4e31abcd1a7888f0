//! Index.db against Data.db: each entry belongs to a partition, each partition has one, and the row indexes agree
//! with the rows.

mod blocks;
#[cfg(test)]
mod tests;

use std::io::Read;

use blocks::BlockCheck;

use crate::data::{CellVisitor, DeletionTime, Event, Walker};
use crate::error::{Damage, Error};
use crate::index::{COMPONENT, IndexEntry, IndexReader};

/// Receives what the check reads, so that other checks need not read the data again.
pub trait BigVisitor: CellVisitor {
    /// An event of the data walk, before it is compared with the index.
    fn event(&mut self, _event: &Event<'_>) {}

    /// A partition that agrees with its entry.
    fn partition(&mut self, _partition: &IndexedPartition<'_>) -> Result<(), Error> {
        Ok(())
    }
}

impl BigVisitor for () {}

/// A partition whose index entry and data agree.
#[derive(Debug)]
pub struct IndexedPartition<'a> {
    /// Where its entry begins in Index.db.
    pub index_offset: u64,
    /// The serialized partition key.
    pub key: &'a [u8],
    /// Where it begins and ends in the uncompressed data.
    pub data_position: u64,
    /// The first byte behind it.
    pub end: u64,
    /// The partition-level deletion.
    pub deletion: DeletionTime,
    /// Without the static row.
    pub rows: u64,
    /// Range tombstone markers.
    pub markers: u64,
}

/// How much was compared and agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BigChecked {
    /// Partitions whose entry and data agree.
    pub partitions: u64,
    /// Without static rows.
    pub rows: u64,
    /// Blocks of row indexes.
    pub blocks: u64,
    /// Where the data ended.
    pub end: u64,
}

/// Walks all data that `walker` gives beside all entries that `index` gives. How deep is the walker's choice:
/// clusterings are enough for the index.
///
/// One thing is let pass: the last block of a row index may include the byte that ends the partition or not, because
/// Cassandra writes both, and reads both alike.
pub fn check_big<R: Read, V: BigVisitor>(
    walker: &mut Walker<R>,
    index: &mut IndexReader,
    visitor: &mut V,
) -> Result<BigChecked, Error> {
    let mut checked = BigChecked {
        end: walker.position(),
        ..BigChecked::default()
    };
    let mut key = Vec::new();
    loop {
        let position = walker.position();
        let entry = index.next_entry()?;
        let event = walker.next_with(visitor)?;
        if let Some(event) = &event {
            visitor.event(event);
        }
        let (entry, partition) = match (entry, event) {
            (None, None) => return Ok(checked),
            (Some(entry), Some(Event::Partition(partition))) => (entry, partition),
            (entry, _) => {
                let damage = unmatched(entry.as_ref(), position);
                return Err(damage.unwrap_or_else(|| index_ends(index, position)).into());
            }
        };
        check_entry(&entry, partition.position, partition.key)?;
        key.clear();
        key.extend_from_slice(entry.key);
        let index_offset = entry.offset;
        let is_promoted = !entry.promoted.is_empty();
        let deletion = partition.deletion;
        let mut blocks = if is_promoted {
            Some(BlockCheck::new(index, walker.schema().clone(), deletion)?)
        } else {
            None
        };
        let (end, rows, markers) = check_rows(walker, blocks.as_mut(), position, visitor)?;
        checked.partitions += 1;
        checked.rows += rows;
        checked.blocks += blocks.map_or(0, |blocks| blocks.count());
        checked.end = end;
        visitor.partition(&IndexedPartition {
            index_offset,
            key: &key,
            data_position: position,
            end,
            deletion,
            rows,
            markers,
        })?;
    }
}

/// Damage: an entry although the data has ended.
fn unmatched(entry: Option<&IndexEntry<'_>>, data_end: u64) -> Option<Damage> {
    let entry = entry?;
    let what = format!(
        "an entry for a partition at {}, the data ends at {data_end}",
        entry.data_position
    );
    Some(Damage::at(COMPONENT, entry.offset, what))
}

fn index_ends(index: &IndexReader, position: u64) -> Damage {
    let what = format!("the index ends before the partition that begins at {position}");
    Damage::at(COMPONENT, index.len(), what)
}

fn check_entry(entry: &IndexEntry<'_>, position: u64, key: &[u8]) -> Result<(), Damage> {
    let what = if entry.data_position != position {
        format!(
            "the entry says that its partition begins at {}, it begins at {position}",
            entry.data_position
        )
    } else if entry.key != key {
        format!(
            "the entry has the key {}, the partition at {position} has {}",
            Hex(entry.key),
            Hex(key)
        )
    } else {
        return Ok(());
    };
    Err(Damage::at(COMPONENT, entry.offset, what))
}

/// Reads the rest of a partition; returns where it ends, and how many rows and markers it has.
fn check_rows<R: Read, V: BigVisitor>(
    walker: &mut Walker<R>,
    mut blocks: Option<&mut BlockCheck<'_>>,
    start: u64,
    visitor: &mut V,
) -> Result<(u64, u64, u64), Error> {
    loop {
        let Some(event) = walker.next_with(visitor)? else {
            // A walker ends between partitions only.
            return Err(Damage::whole("Data.db", "the data ends within a partition").into());
        };
        visitor.event(&event);
        match event {
            Event::Row(row) => {
                if let Some(blocks) = &mut blocks {
                    blocks.row(row.position - start, row.end - start, row.clustering)?;
                }
            }
            Event::Marker(marker) => {
                if let Some(blocks) = &mut blocks {
                    blocks.open(marker.starts);
                    blocks.row(marker.position - start, marker.end - start, marker.bound)?;
                }
            }
            Event::End(end) => {
                if let Some(blocks) = &mut blocks {
                    blocks.finish(&end)?;
                }
                return Ok((end.end, end.rows, end.markers));
            }
            Event::Partition(_) | Event::StaticRow(_) => {}
        }
    }
}

/// The first bytes of a key or clustering, in hexadecimal.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl std::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const SHOWN: usize = 32;
        for byte in self.0.iter().take(SHOWN) {
            write!(f, "{byte:02x}")?;
        }
        match self.0.len() {
            0 => f.write_str("(empty)"),
            len if len > SHOWN => write!(f, "… ({len} bytes)"),
            _ => Ok(()),
        }
    }
}
