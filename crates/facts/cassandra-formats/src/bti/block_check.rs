//! Checks a partition's row index, alone and against the rows of Data.db.

use super::ROWS;
use super::rows::{BlockWalk, DeletionTime, RowIndexEntry, Rows};
use crate::error::{Damage, Result};

/// Blocks that ascend within `len` bytes, as many as the entry counts.
pub(super) fn check_alone(rows: &Rows, entry: &RowIndexEntry, len: u64) -> Result<()> {
    let mut blocks = rows.blocks(entry);
    let mut previous = None;
    let mut count = 0;
    while let Some(block) = blocks.next()? {
        if block.offset >= len || previous.is_some_and(|previous| previous >= block.offset) {
            let what = format!(
                "a block begins {} bytes into a partition of {len}, expected behind {}",
                block.offset,
                previous.unwrap_or(0)
            );
            return Err(Damage::at(ROWS, block.position, what).into());
        }
        previous = Some(block.offset);
        count += 1;
    }
    counted(entry, count)
}

fn counted(entry: &RowIndexEntry, found: u64) -> Result<()> {
    // The end of the rows is stored as a block too, but not counted.
    if found == entry.block_count + 1 {
        return Ok(());
    }
    let what = format!(
        "a row index counts {} blocks, its trie has {} with the end",
        entry.block_count, found
    );
    Err(Damage::at(ROWS, entry.position, what).into())
}

/// Takes the rows and markers of a partition in order and compares them with the beginnings of the blocks.
pub struct BlockCheck<'a> {
    blocks: BlockWalk<'a>,
    entry: &'a RowIndexEntry,
    /// Offset in the partition, open deletion, offset in Rows.db.
    next: Option<(u64, Option<DeletionTime>, u64)>,
    found: u64,
    is_first: bool,
}

impl<'a> BlockCheck<'a> {
    /// Prepares to compare the row index that `entry` describes.
    pub fn new(rows: &'a Rows, entry: &'a RowIndexEntry) -> Result<Self> {
        let mut check = Self {
            blocks: rows.blocks(entry),
            entry,
            next: None,
            found: 0,
            is_first: true,
        };
        check.advance()?;
        Ok(check)
    }

    fn advance(&mut self) -> Result<()> {
        let block = self.blocks.next()?;
        self.next = block.map(|block| (block.offset, block.open, block.position));
        self.found += u64::from(self.next.is_some());
        Ok(())
    }

    /// A row or marker begins at `offset` of its partition; `open` is the range deletion that is open before it.
    pub fn unfiltered(&mut self, offset: u64, open: Option<DeletionTime>) -> Result<()> {
        let is_first = std::mem::take(&mut self.is_first);
        match self.next {
            Some((next, found, at)) if next == offset => {
                if found != open {
                    let what = format!("a block begins in {found:?}, expected {open:?}");
                    return Err(Damage::at(ROWS, at, what).into());
                }
                self.advance()
            }
            Some((next, _, at)) if next < offset || is_first => {
                let what = format!(
                    "a block begins {next} bytes into the partition, where no row begins: the next is at {offset}"
                );
                Err(Damage::at(ROWS, at, what).into())
            }
            _ => Ok(()),
        }
    }

    /// The rows end at `offset` of their partition.
    pub fn finish(mut self, offset: u64) -> Result<()> {
        match self.next {
            Some((next, None, _)) if next == offset => {
                self.advance()?;
                while self.next.is_some() {
                    self.advance()?;
                }
                counted(self.entry, self.found)
            }
            next => {
                let found =
                    next.map_or_else(|| "nowhere".to_owned(), |(next, ..)| format!("at {next}"));
                let what = format!("the last block ends {found}, the rows at {offset}");
                Err(Damage::at(ROWS, self.entry.position, what).into())
            }
        }
    }
}
