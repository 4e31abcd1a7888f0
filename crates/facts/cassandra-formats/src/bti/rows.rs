//! Rows.db: for each wide partition a trie from separators of its rows to blocks of rows, and an entry behind it.

use super::trie::{Leaf, TrieWalk};
use super::{ROWS, ints};
use crate::bytes::{Cursor, uvint};
use crate::error::{Damage, Error, Result};
use crate::source::ReadAt;
use crate::version::Version;

/// The most bytes that follow an entry's key: two long integers of variable length, a count and a deletion time.
const ENTRY_TAIL: u64 = 9 + 9 + 5 + 12;
/// Payload bit: a deletion is open where the block begins.
const OPEN_DELETION: u8 = 8;

/// A deletion of a partition or of a range of rows. "Not deleted" is its absence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeletionTime {
    /// Microseconds, as the client's timestamps.
    pub marked_for_delete_at: i64,
    /// Seconds since 1970; before `da` signed in the file.
    pub local_deletion_time: u32,
}

impl DeletionTime {
    fn read(cursor: &mut Cursor<'_>, version: Version) -> Result<Option<Self>, Damage> {
        if !version.has_uint_deletion_time() {
            let local = cursor.u32("the local deletion time")?;
            let marked = cursor.i64("the time of deletion")?;
            let live = marked == i64::MIN && local == i32::MAX as u32;
            return Ok((!live).then_some(Self {
                marked_for_delete_at: marked,
                local_deletion_time: local,
            }));
        }
        let mut flags = cursor.clone();
        match flags.u8("a deletion time")? {
            0x80 => {
                *cursor = flags;
                Ok(None)
            }
            0x81.. => Err(cursor.damage("a deletion time has unknown flags")),
            _ => Ok(Some(Self {
                marked_for_delete_at: cursor.i64("the time of deletion")?,
                local_deletion_time: cursor.u32("the local deletion time")?,
            })),
        }
    }
}

/// The entry of a partition in Rows.db.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowIndexEntry {
    /// The entry's offset; its trie is before it.
    pub position: u64,
    /// The serialized partition key.
    pub key: Vec<u8>,
    /// Where the partition begins in the uncompressed Data.db.
    pub data_position: u64,
    /// The offset of its trie's root node.
    pub root: u64,
    /// How many blocks of rows it has.
    pub block_count: u64,
    /// The deletion of the whole partition.
    pub deletion: Option<DeletionTime>,
    /// Where the entry ends, and the next partition's trie may begin.
    pub end: u64,
    /// The bytes behind the data position: root, count, deletion.
    pub(super) tail: Vec<u8>,
    /// How many bytes the data position takes.
    pub(super) data_position_len: usize,
}

/// An open Rows.db, which is empty if no partition is wide.
pub struct Rows {
    source: Box<dyn ReadAt>,
    version: Version,
}

impl Rows {
    /// Reads nothing yet. `source` may be empty.
    pub fn open(source: Box<dyn ReadAt>, version: Version) -> Self {
        Self { source, version }
    }

    /// The component's length in bytes.
    pub fn len(&self) -> u64 {
        self.source.len()
    }

    /// Whether no partition has a row index.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn read(&self, position: u64, len: u64) -> Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
        self.source
            .read_exact_at(position, &mut bytes)
            .map_err(|error| Error::read(ROWS, error))?;
        Ok(bytes)
    }

    /// The entry that a partition's [`Target::Rows`](super::Target::Rows) leads to.
    pub fn entry(&self, position: u64) -> Result<RowIndexEntry> {
        let left = self.len().saturating_sub(position);
        let key_len =
            Cursor::at(ROWS, &self.read(position, left.min(2))?, position).u16("a key")?;
        let bytes = self.read(position, left.min(2 + u64::from(key_len) + ENTRY_TAIL))?;
        let mut cursor = Cursor::at(ROWS, &bytes, position);
        let key = cursor.u16_bytes("a key")?.to_vec();
        let base = cursor.offset();
        let data_position_len = uvint(cursor.rest()).map_or(0, |(_, len)| len);
        let data_position = cursor.uvint("the partition's position")?;
        let tail_start = cursor.position();
        let root_at = cursor.clone();
        let delta = cursor.vint("the root's distance")?;
        let root = base
            .checked_add_signed(delta)
            .filter(|root| *root < position)
            .ok_or_else(|| {
                root_at.damage(format!(
                    "the root is {delta} bytes from {base}, expected before {position}"
                ))
            })?;
        let count_at = cursor.clone();
        let block_count = cursor.uvint("the count of blocks")?;
        if block_count == 0 || block_count > i32::MAX as u64 {
            return Err(count_at
                .damage(format!("{block_count} blocks of rows, expected 1 at least"))
                .into());
        }
        let deletion = DeletionTime::read(&mut cursor, self.version)?;
        Ok(RowIndexEntry {
            position,
            key,
            data_position,
            root,
            block_count,
            deletion,
            end: cursor.offset(),
            tail: bytes
                .get(tail_start..cursor.position())
                .unwrap_or(&[])
                .to_vec(),
            data_position_len,
        })
    }

    /// The blocks of a partition's rows in order. The last one is not counted by the entry: it marks where the rows
    /// end.
    pub fn blocks(&self, entry: &RowIndexEntry) -> BlockWalk<'_> {
        BlockWalk {
            trie: TrieWalk::new(ROWS, &*self.source, entry.root, entry.position),
            version: self.version,
        }
    }
}

/// Where a block of rows begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block<'w> {
    /// A separator: above all rows before the block and not above its own.
    pub separator: &'w [u8],
    /// From the partition's beginning in the uncompressed Data.db.
    pub offset: u64,
    /// The range deletion that is open before its first row.
    pub open: Option<DeletionTime>,
    /// Offset of the block's node in Rows.db.
    pub position: u64,
}

/// An iterator over blocks that borrows from itself; see [`Rows::blocks`].
pub struct BlockWalk<'a> {
    trie: TrieWalk<'a>,
    version: Version,
}

impl BlockWalk<'_> {
    /// The next block, or `None` behind the end of the rows. An error ends the walk.
    #[allow(clippy::should_implement_trait)] // The block borrows from the walk.
    pub fn next(&mut self) -> Result<Option<Block<'_>>> {
        let version = self.version;
        match self.trie.next()? {
            Some(leaf) => block(leaf, version).map(Some).map_err(Error::from),
            None => Ok(None),
        }
    }

    /// The lowest offset of all nodes that were visited.
    pub(super) fn lowest(&self) -> u64 {
        self.trie.lowest()
    }
}

fn block(leaf: Leaf<'_>, version: Version) -> Result<Block<'_>, Damage> {
    let mut cursor = Cursor::at(ROWS, leaf.payload, leaf.payload_position);
    let len = usize::from(leaf.payload_bits & !OPEN_DELETION);
    let start = cursor.clone();
    let offset = ints::get(cursor.take(len, "a block's offset")?)
        .and_then(|offset| u64::try_from(offset).ok())
        .ok_or_else(|| start.damage("a block's offset is negative or has no bytes"))?;
    let open = match leaf.payload_bits & OPEN_DELETION {
        0 => None,
        _ => DeletionTime::read(&mut cursor, version)?,
    };
    Ok(Block {
        separator: leaf.path,
        offset,
        open,
        position: leaf.position,
    })
}
