//! Checks Partitions.db and Rows.db against each other and, partition by partition, against Data.db.

use std::ops::Range;

use super::block_check::check_alone;
use super::partitions::{PartitionWalk, Partitions, Target};
use super::rows::{RowIndexEntry, Rows};
use super::{PARTITIONS, ROWS};
use crate::error::{Damage, Result};

/// What a key's leaf must look like, as far as the partitioner is known.
#[derive(Debug, Clone, Copy, Default)]
pub struct KeyShape {
    /// The lowest byte of the second half of the key's 128-bit Murmur3 hash, whatever the partitioner.
    pub hash: Option<u8>,
    /// What the key's byte-comparable form begins with: [`token_prefix`](super::token_prefix).
    pub prefix: Option<[u8; 9]>,
}

/// A leaf, with its entry in Rows.db if it has one.
struct Located {
    prefix: Vec<u8>,
    hash: Option<u8>,
    /// Offset of the leaf in Partitions.db.
    position: u64,
    data_position: u64,
    entry: Option<RowIndexEntry>,
}

/// Takes the partitions of Data.db in order and compares each with the next one of the index.
pub struct IndexCheck<'a> {
    partitions: &'a Partitions,
    rows: &'a Rows,
    walk: PartitionWalk<'a>,
    /// The part of the uncompressed Data.db that exists: all of it, except in a zero-copy-streamed SSTable.
    data: Range<u64>,
    is_slice: bool,
    leaves: u64,
    previous_data: Option<u64>,
    rows_end: u64,
    last_key: Option<Vec<u8>>,
}

impl<'a> IndexCheck<'a> {
    /// Prepares a check; `data_len` is the length of the uncompressed Data.db.
    pub fn new(partitions: &'a Partitions, rows: &'a Rows, data_len: u64) -> Self {
        Self {
            partitions,
            rows,
            walk: partitions.walk(),
            data: 0..data_len,
            is_slice: false,
            leaves: 0,
            previous_data: None,
            rows_end: 0,
            last_key: None,
        }
    }

    /// For a zero-copy-streamed SSTable: its index is that of the whole original, of which only these positions exist.
    pub fn within(mut self, data: Range<u64>) -> Self {
        self.data = data;
        self.is_slice = true;
        self
    }

    /// The next partition of Data.db. Returns its row index, if it has one: [`Rows::blocks`] and [`BlockCheck`](super::BlockCheck).
    pub fn partition(
        &mut self,
        data_position: u64,
        key: &[u8],
        shape: &KeyShape,
    ) -> Result<Option<RowIndexEntry>> {
        let located = self.next()?.ok_or_else(|| {
            Damage::whole(
                PARTITIONS,
                format!("the partition at {data_position} of Data.db is not in the index"),
            )
        })?;
        if located.data_position != data_position {
            return Err(Damage::at(
                PARTITIONS,
                located.position,
                format!(
                    "a leaf leads to {} of Data.db, where the next partition is at {data_position}",
                    located.data_position
                ),
            )
            .into());
        }
        self.compare(&located, key, shape)?;
        Ok(located.entry)
    }

    fn compare(&mut self, located: &Located, key: &[u8], shape: &KeyShape) -> Result<()> {
        let wrong = |what: String| Err(Damage::at(PARTITIONS, located.position, what).into());
        if let (Some(found), Some(expected)) = (located.hash, shape.hash)
            && found != expected
        {
            return wrong(format!(
                "the hash of a key is {found:#04x}, expected {expected:#04x}"
            ));
        }
        let prefix = shape.prefix.unwrap_or_default();
        let known = shape.prefix.map_or(0, |prefix| prefix.len());
        let len = located.prefix.len().min(known);
        if located.prefix.get(..len) != prefix.get(..len) {
            return wrong("the path to a leaf is not that of its key's token".to_owned());
        }
        if let Some(entry) = located.entry.as_ref().filter(|entry| entry.key != key) {
            return Err(Damage::at(
                ROWS,
                entry.position,
                format!(
                    "a row index has another key than {} of Data.db",
                    located.data_position
                ),
            )
            .into());
        }
        if self.leaves == 1 && !self.is_slice && key != self.partitions.first_key() {
            return Err(Damage::whole(PARTITIONS, "the first key is not that of Data.db").into());
        }
        self.last_key = Some(key.to_vec());
        Ok(())
    }

    /// The next leaf whose partition is in the data that exists.
    fn next(&mut self) -> Result<Option<Located>> {
        loop {
            let Some(located) = self.next_leaf()? else {
                return Ok(None);
            };
            if self.data.contains(&located.data_position) {
                return Ok(Some(located));
            }
            if !self.is_slice {
                return Err(Damage::at(
                    PARTITIONS,
                    located.position,
                    format!(
                        "a leaf leads to {} of Data.db, which ends at {}",
                        located.data_position, self.data.end
                    ),
                )
                .into());
            }
        }
    }

    fn next_leaf(&mut self) -> Result<Option<Located>> {
        let Some(leaf) = self.walk.next()? else {
            return Ok(None);
        };
        let (position, target) = (leaf.position, leaf.target);
        let mut located = Located {
            prefix: leaf.prefix.to_vec(),
            hash: leaf.hash,
            position,
            data_position: 0,
            entry: None,
        };
        self.leaves += 1;
        match target {
            Target::Data(data_position) => located.data_position = data_position,
            Target::Rows(at) => {
                if at < self.rows_end || at >= self.rows.len() {
                    let what = format!(
                        "a leaf leads to {at} of Rows.db, expected from {} to {}",
                        self.rows_end,
                        self.rows.len()
                    );
                    return Err(Damage::at(PARTITIONS, position, what).into());
                }
                let entry = self.rows.entry(at)?;
                self.rows_end = entry.end;
                located.data_position = entry.data_position;
                located.entry = Some(entry);
            }
        }
        if self
            .previous_data
            .is_some_and(|previous| previous >= located.data_position)
        {
            let what = format!(
                "a leaf leads to {} of Data.db, which is not behind the one before",
                located.data_position
            );
            return Err(Damage::at(PARTITIONS, position, what).into());
        }
        self.previous_data = Some(located.data_position);
        Ok(Some(located))
    }

    /// Call it when Data.db has no more partitions.
    pub fn finish(mut self) -> Result<()> {
        if let Some(located) = self.next()? {
            return Err(Damage::at(
                PARTITIONS,
                located.position,
                "a leaf is left behind the last partition of Data.db",
            )
            .into());
        }
        let wrong = |component, what: String| Err(Damage::whole(component, what).into());
        if self.leaves != self.partitions.count() {
            return wrong(
                PARTITIONS,
                format!(
                    "the footer counts {} partitions, the trie has {}",
                    self.partitions.count(),
                    self.leaves
                ),
            );
        }
        if self.rows_end != self.rows.len() {
            return wrong(
                ROWS,
                format!(
                    "the last row index ends at {}, the file at {}",
                    self.rows_end,
                    self.rows.len()
                ),
            );
        }
        match self.last_key {
            Some(last) if !self.is_slice && last != self.partitions.last_key() => {
                wrong(PARTITIONS, "the last key is not that of Data.db".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// Checks an index without a pass over Data.db: `key_at` gives the key at a position and its shape, or `None` if
/// Data.db should not be read there. Each row index is checked to ascend within its partition.
pub fn check_index(
    mut check: IndexCheck<'_>,
    mut key_at: impl FnMut(u64) -> Result<Option<(Vec<u8>, KeyShape)>>,
) -> Result<()> {
    let mut open: Option<RowIndexEntry> = None;
    let end = check.data.end;
    loop {
        let located = check.next()?;
        let next = located
            .as_ref()
            .map_or(end, |located| located.data_position);
        if let Some(entry) = open.take() {
            check_alone(check.rows, &entry, next.saturating_sub(entry.data_position))?;
        }
        let Some(mut located) = located else {
            return check.finish();
        };
        match key_at(located.data_position)? {
            Some((key, shape)) => check.compare(&located, &key, &shape)?,
            None => {
                // The keys of the footer cannot be compared either.
                check.last_key = None;
            }
        }
        open = located.entry.take();
    }
}
