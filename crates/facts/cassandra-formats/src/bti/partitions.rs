//! Partitions.db: a trie from the shortest prefixes that distinguish partitions to the position of each.

use super::trie::{Leaf, TrieWalk};
use super::{PARTITIONS, ints};
use crate::bytes::Cursor;
use crate::error::{Damage, Error, Result};
use crate::source::ReadAt;

/// Position of the first key, count of partitions, position of the root.
const FOOTER: u64 = 24;
/// Two keys, each behind its two-byte length.
const KEYS_MAX: u64 = 2 * (2 + u16::MAX as u64);
/// Payload bits from here on mean that a byte of the key's hash comes first.
pub(super) const HAS_HASH: u8 = 8;

/// Where a partition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Its rows have an index; this is the offset of its entry in Rows.db.
    Rows(u64),
    /// It has no index of rows; this is where it begins in the uncompressed Data.db.
    Data(u64),
}

impl Target {
    fn from_stored(stored: i64) -> Self {
        match u64::try_from(stored) {
            Ok(position) => Self::Rows(position),
            Err(_) => Self::Data((!stored) as u64),
        }
    }

    /// `None` for a position beyond any file.
    pub(super) fn stored(self) -> Option<i64> {
        match self {
            Self::Rows(position) => i64::try_from(position).ok(),
            Self::Data(position) => i64::try_from(position).ok().map(|position| !position),
        }
    }
}

/// A leaf of the partition index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionEntry<'w> {
    /// The part of the key's byte-comparable form that distinguishes it from its neighbours.
    pub prefix: &'w [u8],
    /// The lowest byte of the key's hash, if it is stored.
    pub hash: Option<u8>,
    /// Where the partition is found.
    pub target: Target,
    /// Offset of the leaf's node.
    pub position: u64,
}

/// The bytes with which a key's byte-comparable form begins, from its Murmur3 token.
pub fn token_prefix(token: i64) -> [u8; 9] {
    let mut prefix = [0x40; 9];
    // With the sign bit flipped, unsigned order is signed order.
    prefix[1..].copy_from_slice(&((token as u64) ^ (1 << 63)).to_be_bytes());
    prefix
}

/// An open Partitions.db.
pub struct Partitions {
    source: Box<dyn ReadAt>,
    first_key: Vec<u8>,
    last_key: Vec<u8>,
    count: u64,
    root: u64,
    /// Where the trie ends and the first key begins.
    trie_end: u64,
}

impl Partitions {
    /// Reads the footer and the two keys. Fails if they do not fit the component's length.
    pub fn open(source: Box<dyn ReadAt>) -> Result<Self> {
        let len = source.len();
        let read = |from: u64, to: u64| {
            let mut bytes = vec![0; usize::try_from(to - from).unwrap_or(0)];
            source
                .read_exact_at(from, &mut bytes)
                .map(|()| bytes)
                .map_err(|error| Error::read(PARTITIONS, error))
        };
        let footer = len.checked_sub(FOOTER).ok_or_else(|| {
            Damage::whole(
                PARTITIONS,
                format!("the footer has {FOOTER} bytes, the file has {len}"),
            )
        })?;
        let bytes = read(footer, len)?;
        let mut cursor = Cursor::at(PARTITIONS, &bytes, footer);
        let trie_end = position(&mut cursor, footer, "the position of the first key")?;
        let count = position(&mut cursor, i64::MAX as u64, "the count of partitions")?;
        let root = position(&mut cursor, trie_end, "the position of the root")?;
        if footer - trie_end > KEYS_MAX {
            return Err(Damage::at(
                PARTITIONS,
                footer,
                format!(
                    "the keys are at {trie_end}, farther before the footer than two keys are long"
                ),
            )
            .into());
        }
        let bytes = read(trie_end, footer)?;
        let mut cursor = Cursor::at(PARTITIONS, &bytes, trie_end);
        let first_key = cursor.u16_bytes("the first key")?.to_vec();
        let last_key = cursor.u16_bytes("the last key")?.to_vec();
        cursor.finish("the last key")?;
        Ok(Self {
            source,
            first_key,
            last_key,
            count,
            root,
            trie_end,
        })
    }

    /// The first key of the SSTable. In a zero-copy-streamed SSTable it is that of the whole original.
    pub fn first_key(&self) -> &[u8] {
        &self.first_key
    }

    /// The last key of the SSTable, as [`first_key`](Self::first_key).
    pub fn last_key(&self) -> &[u8] {
        &self.last_key
    }

    /// The number of partitions in the footer.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The offset of the trie's root node.
    pub fn root(&self) -> u64 {
        self.root
    }

    /// All partitions in order.
    pub fn walk(&self) -> PartitionWalk<'_> {
        PartitionWalk {
            trie: TrieWalk::new(PARTITIONS, &*self.source, self.root, self.trie_end),
        }
    }

    /// The partitions from the first one on that may not be below `bound`, for example a [`token_prefix`]. If a
    /// prefix is too short to decide, the caller must read the key in Data.db.
    pub fn walk_from(&self, bound: &[u8]) -> PartitionWalk<'_> {
        PartitionWalk {
            trie: self.walk().trie.from(bound),
        }
    }
}

/// A number of the footer, which must be below `limit`.
fn position(cursor: &mut Cursor<'_>, limit: u64, of: &str) -> Result<u64, Damage> {
    let start = cursor.clone();
    let value = cursor.i64(of)?;
    u64::try_from(value)
        .ok()
        .filter(|value| *value < limit)
        .ok_or_else(|| start.damage(format!("{of} is {value}, expected less than {limit}")))
}

/// An iterator over partitions that borrows from itself; see [`Partitions::walk`].
pub struct PartitionWalk<'a> {
    trie: TrieWalk<'a>,
}

impl PartitionWalk<'_> {
    /// The next partition, or `None` at the end. An error ends the walk.
    #[allow(clippy::should_implement_trait)] // The entry borrows from the walk.
    pub fn next(&mut self) -> Result<Option<PartitionEntry<'_>>> {
        match self.trie.next()? {
            Some(leaf) => entry(leaf).map(Some).map_err(Error::from),
            None => Ok(None),
        }
    }
}

fn entry(leaf: Leaf<'_>) -> Result<PartitionEntry<'_>, Damage> {
    let bits = leaf.payload_bits;
    let (hash_len, len) = match bits.checked_sub(HAS_HASH) {
        Some(more) => (1, usize::from(more) + 1),
        None => (0, usize::from(bits)),
    };
    let stored = leaf
        .payload
        .get(hash_len..hash_len + len)
        .and_then(ints::get)
        .ok_or_else(|| {
            Damage::at(
                PARTITIONS,
                leaf.payload_position,
                "a partition's position crosses the end of its page",
            )
        })?;
    Ok(PartitionEntry {
        prefix: leaf.path,
        hash: leaf.payload.first().copied().filter(|_| hash_len == 1),
        target: Target::from_stored(stored),
        position: leaf.position,
    })
}
