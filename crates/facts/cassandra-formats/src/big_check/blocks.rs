//! The row index of one partition against its rows.

use std::sync::Arc;

use super::Hex;
use crate::data::{DeletionTime, PartitionEnd, Schema};
use crate::error::{Damage, Error};
use crate::index::{COMPONENT, IndexReader};
use crate::promoted::PromotedReader;

/// Follows the rows of a partition through the blocks of its row index.
pub(super) struct BlockCheck<'i> {
    reader: PromotedReader<'i>,
    /// Where the row index begins in Index.db.
    at: u64,
    /// No row of the block has been seen yet.
    is_fresh: bool,
    open: Option<DeletionTime>,
}

impl<'i> BlockCheck<'i> {
    pub(super) fn new(
        index: &'i mut IndexReader,
        schema: Arc<Schema>,
        deletion: DeletionTime,
    ) -> Result<Self, Error> {
        let at = index.promoted().0.offset();
        let mut reader = PromotedReader::new(index, schema)?;
        if reader.deletion() != deletion {
            let what = format!(
                "the row index has {:?} as its partition's, which is {deletion:?}",
                reader.deletion()
            );
            return Err(Damage::at(COMPONENT, at, what).into());
        }
        reader.next_block()?;
        Ok(Self {
            reader,
            at,
            is_fresh: true,
            open: None,
        })
    }

    pub(super) fn count(&self) -> u64 {
        self.reader.count()
    }

    /// The range that is open from here on.
    pub(super) fn open(&mut self, open: Option<DeletionTime>) {
        self.open = open;
    }

    /// A row or marker; `start` and `end` count from the partition's start.
    pub(super) fn row(&mut self, start: u64, end: u64, clustering: &[u8]) -> Result<(), Error> {
        let block = self.reader.block();
        if self.is_fresh {
            if block.offset != start {
                return Err(self.wrong("begins", block.offset, start));
            }
            if block.first != clustering {
                return Err(self.wrong("begins", Hex(&block.first), Hex(clustering)));
            }
            self.is_fresh = false;
        }
        // The end of the last one is checked at the partition's end.
        if self.reader.is_last() || end < block.end() {
            return Ok(());
        }
        if block.end() != end {
            return Err(self.wrong("ends", block.end(), end));
        }
        self.check_end(clustering)?;
        self.reader.next_block()?;
        self.is_fresh = true;
        Ok(())
    }

    fn check_end(&self, clustering: &[u8]) -> Result<(), Error> {
        let block = self.reader.block();
        if block.last != clustering {
            return Err(self.wrong("ends", Hex(&block.last), Hex(clustering)));
        }
        if block.open != self.open {
            let what = format!(
                "behind the block {:?} is open, expected {:?}",
                block.open, self.open
            );
            return Err(Damage::at(COMPONENT, block.at, what).into());
        }
        Ok(())
    }

    pub(super) fn finish(&mut self, end: &PartitionEnd<'_>) -> Result<(), Error> {
        if self.reader.header_len() != end.header_len {
            let what = format!(
                "the row index says that the partition's first row is {} bytes behind its start, it is {}",
                self.reader.header_len(),
                end.header_len
            );
            return Err(Damage::at(COMPONENT, self.at, what).into());
        }
        let block = self.reader.block();
        if self.is_fresh || !self.reader.is_last() {
            let what = "a block of which the partition has no rows";
            return Err(Damage::at(COMPONENT, block.at, what).into());
        }
        // The last byte ends the partition.
        let len = end.end.saturating_sub(end.position);
        if block.end() != len && block.end() != len.saturating_sub(1) {
            return Err(self.wrong("ends", block.end(), len));
        }
        self.check_end(end.last)?;
        self.reader.next_block()?;
        Ok(())
    }

    fn wrong(
        &self,
        what: &str,
        found: impl std::fmt::Display,
        expected: impl std::fmt::Display,
    ) -> Error {
        let what = format!("the block {what} at {found}, its rows at {expected}");
        Damage::at(COMPONENT, self.reader.block().at, what).into()
    }
}
