//! Copies the row indexes of some partitions into a new Rows.db, with their partitions' new positions.
//!
//! All pointers of a trie are distances, so its bytes are valid at any other position, as long as no node crosses the
//! end of a page.

use std::io::{self, Write};

use super::ROWS;
use super::pages::PAGE;
use super::rows::{RowIndexEntry, Rows};
use crate::bytes::{put_uvint_padded, uvint_len};
use crate::error::{Damage, Error, Result};

const COPIED_AT_ONCE: u64 = 64 * 1024;

/// Writes a new Rows.db out of parts of another one.
pub struct RowsCopy<'a, W> {
    source: &'a Rows,
    out: W,
    len: u64,
    /// Where the previous partition's entry ends in the source.
    source_end: u64,
}

impl<'a, W: Write> RowsCopy<'a, W> {
    /// Prepares to write to `out`, which must be at the beginning of the new Rows.db.
    pub fn new(source: &'a Rows, out: W) -> Self {
        Self {
            source,
            out,
            len: 0,
            source_end: 0,
        }
    }

    /// Appends the index of the partition whose entry is at `position` in the source, and returns the new entry's
    /// position. Partitions must come in the source's order.
    pub fn copy(&mut self, entry: &RowIndexEntry, data_position: u64) -> Result<u64> {
        let from = self.trie_start(entry)?;
        self.align(from, entry.position)?;
        let mut at = from;
        while at < entry.position {
            let len = (entry.position - at).min(COPIED_AT_ONCE);
            let bytes = self.source.read(at, len)?;
            self.write(&bytes)?;
            at += len;
        }
        let position = self.len;
        let mut bytes = Vec::with_capacity(entry.key.len() + 64);
        // It was read behind a length of two bytes.
        bytes.extend_from_slice(&(entry.key.len() as u16).to_be_bytes());
        bytes.extend_from_slice(&entry.key);
        // As long as it was, so that what follows keeps its place in its page, and neighbours are copied without
        // padding.
        let len = uvint_len(data_position).max(entry.data_position_len);
        put_uvint_padded(&mut bytes, data_position, len);
        bytes.extend_from_slice(&entry.tail);
        self.write(&bytes)?;
        self.source_end = entry.end;
        Ok(position)
    }

    /// The first node of the entry's trie; everything between it and the entry belongs to the trie.
    fn trie_start(&self, entry: &RowIndexEntry) -> Result<u64> {
        let mut blocks = self.source.blocks(entry);
        while blocks.next()?.is_some() {}
        let from = blocks.lowest();
        if from < self.source_end {
            return Err(Damage::at(
                ROWS,
                from,
                format!(
                    "a row index reaches into the entry before it, which ends at {}",
                    self.source_end
                ),
            )
            .into());
        }
        Ok(from)
    }

    /// Pads the output so that the trie's pages end where they did, or so that a small trie lies in one page.
    fn align(&mut self, from: u64, to: u64) -> Result<()> {
        let len = to.saturating_sub(from);
        let phase = self.len % PAGE;
        let in_one_page = from % PAGE + len <= PAGE;
        let padding = match in_one_page {
            true if phase + len <= PAGE => 0,
            true => PAGE - phase,
            false => (PAGE + from % PAGE - phase) % PAGE,
        };
        self.write(&[0; PAGE as usize][..padding as usize])
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(write_error)?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Returns the output and its length.
    pub fn finish(mut self) -> Result<(W, u64)> {
        self.out.flush().map_err(write_error)?;
        Ok((self.out, self.len))
    }
}

fn write_error(source: io::Error) -> Error {
    Error::Write {
        component: ROWS.into(),
        source,
    }
}
