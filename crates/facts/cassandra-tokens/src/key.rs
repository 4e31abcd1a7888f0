//! A partition key with its token: what SSTables are ordered by.

use std::cmp::Ordering;

use super::{Partitioner, Token};

/// Ordered by token, then by the bytes of the key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DecoratedKey {
    /// The token of `key` under the partitioner of the table.
    pub token: Token,
    /// The partition key as Data.db and Index.db have it: one value, or a composite of several.
    pub key: Vec<u8>,
}

impl DecoratedKey {
    /// Computes the token of a serialized partition key.
    pub fn new(partitioner: &Partitioner, key: &[u8]) -> Self {
        Self {
            token: partitioner.token(key),
            key: key.to_vec(),
        }
    }

    /// Compares with a key whose token is known, without owning it.
    pub fn cmp_key(&self, token: &Token, key: &[u8]) -> Ordering {
        self.token
            .cmp(token)
            .then_with(|| self.key.as_slice().cmp(key))
    }
}
