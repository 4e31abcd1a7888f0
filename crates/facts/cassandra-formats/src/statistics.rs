//! Statistics.db: what the writer knew about the whole SSTable, in four parts (`MetadataComponent` of Cassandra).

pub mod clustering;
pub mod commit_log;
mod derived;
mod envelope;
pub mod header;
pub mod histogram;
pub mod sketch;
pub mod stats;
pub mod validation;
pub mod zero_copy;

use crate::STATISTICS;
use crate::bytes::Cursor;
use crate::error::{Damage, Error};
use crate::version::Version;
use envelope::Part;
use header::SerializationHeader;
use sketch::Sketch;
use stats::StatsMetadata;
use validation::ValidationMetadata;

/// The whole component, parsed.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    /// The part called VALIDATION.
    pub validation: ValidationMetadata,
    /// The part called COMPACTION: an estimator of how many keys there are, as it is stored. See [`Statistics::sketch`].
    pub cardinality: Vec<u8>,
    /// The part called STATS.
    pub stats: StatsMetadata,
    /// The part called HEADER.
    pub header: SerializationHeader,
}

impl Statistics {
    /// Parses the component. Each part is read to its last byte, and compared with its checksum if the version has one.
    pub fn parse(bytes: &[u8], version: Version) -> Result<Self, Error> {
        let mut parts = envelope::split(bytes, version)?;
        let [validation, compaction, stats, header] = &mut parts;
        Ok(Self {
            validation: whole(validation, "the validation metadata", |cursor| {
                ValidationMetadata::parse(cursor)
            })?,
            cardinality: whole(compaction, "the compaction metadata", |cursor| {
                Ok(cursor.i32_bytes("cardinality")?.to_vec())
            })?,
            stats: whole(stats, "the stats metadata", |cursor| {
                StatsMetadata::parse(cursor, version)
            })?,
            header: whole(header, "the serialization header", |cursor| {
                SerializationHeader::parse(cursor)
            })?,
        })
    }

    /// The component's bytes, the same that were parsed.
    pub fn encode(&self, version: Version) -> Vec<u8> {
        let mut parts: [Part; 4] = Default::default();
        let [validation, compaction, stats, header] = &mut parts;
        self.validation.encode(validation);
        compaction.extend_from_slice(&(self.cardinality.len() as u32).to_be_bytes());
        compaction.extend_from_slice(&self.cardinality);
        self.stats.encode(stats, version);
        self.header.encode(header);
        envelope::join(&parts, version)
    }

    /// Parses [`cardinality`](Self::cardinality).
    pub fn sketch(&self) -> Result<Sketch, Damage> {
        Sketch::parse(&self.cardinality)
    }
}

fn whole<T>(
    part: &mut Cursor<'_>,
    of: &str,
    parse: impl FnOnce(&mut Cursor<'_>) -> Result<T, Damage>,
) -> Result<T, Damage> {
    let parsed = parse(part)?;
    part.finish(of)?;
    Ok(parsed)
}

#[cfg(test)]
mod tests;
