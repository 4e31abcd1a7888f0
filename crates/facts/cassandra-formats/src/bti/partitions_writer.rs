//! Writes a Partitions.db from known prefixes, such as those of the SSTable that is being sliced.

use std::io::Write;

use super::partitions::{HAS_HASH, Target};
use super::writer::TrieWriter;
use super::{PARTITIONS, ints};
use crate::error::{Error, Result};

/// Writes one Partitions.db.
pub struct PartitionsWriter<W> {
    trie: TrieWriter<W>,
    payload: Vec<u8>,
}

impl<W: Write> PartitionsWriter<W> {
    /// Writes to `out`, which must be at the beginning of the component.
    pub fn new(out: W) -> Self {
        Self {
            trie: TrieWriter::new(PARTITIONS, out),
            payload: Vec::new(),
        }
    }

    /// Adds a partition. Prefixes must ascend, and none may be the beginning of another partition's key. The prefixes
    /// of any SSTable do for some of its partitions, because they distinguish even more.
    pub fn push(&mut self, prefix: &[u8], hash: Option<u8>, target: Target) -> Result<()> {
        // Without a hash the bits are the number of position bytes; 8 more means that there is a hash.
        let stored = target
            .stored()
            .filter(|stored| hash.is_some() || ints::len(*stored) < 8)
            .ok_or_else(|| Error::unsupported(PARTITIONS, "a position behind all files"))?;
        let len = ints::len(stored) as u8;
        let bits = match hash {
            Some(_) => HAS_HASH + len - 1,
            None => len,
        };
        self.payload.clear();
        self.payload.extend(hash);
        ints::put(&mut self.payload, stored);
        self.trie.push(prefix, bits, &self.payload)
    }

    /// Writes the rest of the trie, the keys and the footer. Returns the output and its length.
    pub fn finish(self, first_key: &[u8], last_key: &[u8]) -> Result<(W, u64)> {
        let count = self.trie.count();
        let (mut out, trie_end, root) = self.trie.finish()?;
        let mut tail = Vec::new();
        for key in [first_key, last_key] {
            let len = u16::try_from(key.len())
                .map_err(|_| Error::unsupported(PARTITIONS, "a key of more than 65,535 bytes"))?;
            tail.extend_from_slice(&len.to_be_bytes());
            tail.extend_from_slice(key);
        }
        for number in [trie_end, count, root] {
            tail.extend_from_slice(&number.to_be_bytes());
        }
        out.write_all(&tail)
            .and_then(|()| out.flush())
            .map_err(|source| Error::Write {
                component: PARTITIONS.into(),
                source,
            })?;
        Ok((out, trie_end + tail.len() as u64))
    }
}
