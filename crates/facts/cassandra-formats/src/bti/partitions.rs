//! Partitions.db: a trie from the shortest prefixes that tell partitions apart to where each of them is.

use super::trie::{Leaf, TrieWalk};
use super::{PARTITIONS, ints};
use crate::bytes::Cursor;
use crate::error::{Damage, Error, Result};
use crate::source::ReadAt;

/// Position of the first key, count of partitions, position of the root.
const FOOTER: u64 = 24;
/// Two keys, each behind its two-byte length.
const KEYS_MAX: u64 = 2 * (2 + u16::MAX as u64);
/// Payload bits that say that a byte of the key's hash comes first.
pub(super) const HAS_HASH: u8 = 8;

/// Where a partition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Its rows have an index, whose entry is here in Rows.db.
    Rows(u64),
    /// It begins here in the uncompressed Data.db.
    Data(u64),
}

impl Target {
    fn of(stored: i64) -> Self {
        match u64::try_from(stored) {
            Ok(position) => Self::Rows(position),
            Err(_) => Self::Data((!stored) as u64),
        }
    }

    /// `None` for a position that no file reaches.
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
    /// As much of the key's byte-comparable form as tells it from its neighbours.
    pub prefix: &'w [u8],
    /// The lowest byte of the key's hash, where it is stored.
    pub hash: Option<u8>,
    pub target: Target,
    /// Offset of the leaf's node.
    pub position: u64,
}

/// The bytes that a Murmur3 token begins a key's byte-comparable form with.
pub fn token_prefix(token: i64) -> [u8; 9] {
    let mut prefix = [0x40; 9];
    // Unsigned order is signed order with the sign turned round.
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

    /// In a zero-copy slice of DSE these are the keys of the whole SSTable that was sliced.
    pub fn first_key(&self) -> &[u8] {
        &self.first_key
    }

    pub fn last_key(&self) -> &[u8] {
        &self.last_key
    }

    /// How many partitions the footer says there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn root(&self) -> u64 {
        self.root
    }

    /// All partitions in order.
    pub fn walk(&self) -> PartitionWalk<'_> {
        PartitionWalk {
            trie: TrieWalk::new(PARTITIONS, &*self.source, self.root, self.trie_end),
        }
    }

    /// From the first partition on that may not be below `bound`, for example a [`token_prefix`]: where a prefix is
    /// short, its key has to be looked at in Data.db.
    pub fn walk_from(&self, bound: &[u8]) -> PartitionWalk<'_> {
        PartitionWalk {
            trie: self.walk().trie.from(bound),
        }
    }
}

/// A number of the footer that is below `limit`, or the limit itself where that is a count's.
fn position(cursor: &mut Cursor<'_>, limit: u64, of: &str) -> Result<u64, Damage> {
    let start = cursor.clone();
    let value = cursor.i64(of)?;
    u64::try_from(value)
        .ok()
        .filter(|value| *value < limit)
        .ok_or_else(|| start.damage(format!("{of} is {value}, expected less than {limit}")))
}

pub struct PartitionWalk<'a> {
    trie: TrieWalk<'a>,
}

impl PartitionWalk<'_> {
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
        target: Target::of(stored),
        position: leaf.position,
    })
}
