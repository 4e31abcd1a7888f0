//! The part called VALIDATION: what must agree with the node that opens the SSTable.

use crate::bytes::Cursor;
use crate::error::Damage;

/// The contents of the part called VALIDATION.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidationMetadata {
    /// The partitioner's class name, with its package.
    pub partitioner: String,
    /// The false-positive chance that Filter.db was built for, from 0 to 1.
    pub bloom_filter_fp_chance: f64,
}

impl ValidationMetadata {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Damage> {
        Ok(Self {
            partitioner: cursor.utf("partitioner")?,
            bloom_filter_fp_chance: cursor.f64("bloom filter's false-positive chance")?,
        })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let name = self.partitioner.as_bytes();
        out.extend_from_slice(&(name.len() as u16).to_be_bytes());
        out.extend_from_slice(name);
        out.extend_from_slice(&self.bloom_filter_fp_chance.to_be_bytes());
    }
}
