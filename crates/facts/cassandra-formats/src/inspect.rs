//! Facts about an SSTable, from its small components.

use crate::bti::Partitions;
use crate::class::simple_name;
use crate::compression_info::CompressionInfo;
use crate::descriptor::Descriptor;
use crate::digest::parse_digest;
use crate::error::{Damage, Error, Result};
use crate::index::IndexReader;
use crate::layout::{open, read_whole};
use crate::source::Components;
use crate::statistics::Statistics;
use crate::summary::Summary;
use crate::version::{Format, Version};
use crate::{
    COMPRESSION_INFO, DATA, DIGEST, DIGEST_BYTES_MAX, INDEX, PARTITIONS, STATISTICS,
    STATISTICS_BYTES_MAX, SUMMARY,
};
use cassandra_tokens::Token;

/// Facts about one SSTable; a fact is `None` if the format does not record it, or if it is encrypted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// The compressor's simple class name; `None` for an SSTable that is not compressed.
    pub compressor: Option<String>,
    /// The partitioner's class name without its package.
    pub partitioner: Option<String>,
    /// The first partition key, serialized.
    pub first_key: Option<Vec<u8>>,
    /// The last partition key, serialized.
    pub last_key: Option<Vec<u8>>,
    /// The token of the first key, as Cassandra writes tokens.
    pub first_token: Option<String>,
    /// The token of the last key.
    pub last_token: Option<String>,
    /// The earliest timestamp of a write, in microseconds since 1970.
    pub min_timestamp: Option<i64>,
    /// The latest timestamp of a write, in microseconds since 1970.
    pub max_timestamp: Option<i64>,
    /// The earliest local deletion time, in seconds since 1970; `None` also if nothing is deleted or expires.
    pub min_local_deletion_time: Option<i64>,
    /// The latest local deletion time, in seconds since 1970.
    pub max_local_deletion_time: Option<i64>,
    /// The length of the uncompressed rows in bytes.
    pub uncompressed_bytes: Option<u64>,
    /// The CRC32 of Data.db according to Digest.crc32.
    pub digest: Option<u32>,
    /// How many rows the writer counted, static rows included.
    pub rows: Option<i64>,
    /// The level of levelled compaction; 0 for other strategies.
    pub level: Option<i32>,
    /// When it was repaired, in milliseconds since 1970; 0 if it was not.
    pub repaired_at: Option<i64>,
    /// The host id of the node that wrote it, as a UUID.
    pub originating_host_id: Option<String>,
}

/// Reads the small components (and Index.db, if there is no Summary.db). Fails at the first damage;
/// [`verify`](crate::verify::verify) reports all of it.
pub fn inspect(components: &dyn Components, descriptor: &Descriptor) -> Result<Facts> {
    let version = known(descriptor)?;
    let bytes = read_whole(components, STATISTICS, STATISTICS_BYTES_MAX)?
        .ok_or_else(|| Damage::whole(STATISTICS, "the component is missing"))?;
    let statistics = Statistics::parse(&bytes, version)?;
    facts(components, version, Some(&statistics))
}

/// The version of an SSTable; fails if its layout is unknown.
pub(crate) fn known(descriptor: &Descriptor) -> Result<Version> {
    Version::known(&descriptor.format).ok_or_else(|| {
        Error::unsupported(
            DATA,
            format!("{} is not a version that is known here", descriptor.format),
        )
    })
}

/// Collects the facts, with the statistics that could be read.
pub(crate) fn facts(
    components: &dyn Components,
    version: Version,
    statistics: Option<&Statistics>,
) -> Result<Facts> {
    let mut facts = Facts::default();
    let data_len = open(components, DATA)?.map(|data| data.len());
    facts.uncompressed_bytes = data_len;
    if let Some(source) = open(components, COMPRESSION_INFO)? {
        let covered = statistics.and_then(Statistics::covered);
        let data_len = data_len.unwrap_or(0);
        let info = match covered {
            None => CompressionInfo::open(source, version, data_len)?,
            Some(covered) => CompressionInfo::open_slice(source, version, data_len, covered)?,
        };
        facts.compressor = Some(info.compressor.name().to_owned());
        facts.uncompressed_bytes = Some(info.uncompressed_here());
    }
    if let Some(bytes) = read_whole(components, DIGEST, DIGEST_BYTES_MAX)? {
        facts.digest = Some(parse_digest(&bytes)?);
    }
    let Some(statistics) = statistics else {
        return Ok(facts);
    };
    let stats = &statistics.stats;
    let class = &statistics.validation.partitioner;
    facts.partitioner = Some(simple_name(class).to_owned());
    facts.min_timestamp = Some(stats.min_timestamp);
    facts.max_timestamp = Some(stats.max_timestamp);
    facts.min_local_deletion_time = deletion_time(stats.min_local_deletion_time);
    facts.max_local_deletion_time = deletion_time(stats.max_local_deletion_time);
    facts.rows = Some(stats.total_rows);
    facts.level = Some(stats.sstable_level);
    facts.repaired_at = Some(stats.repaired_at);
    facts.originating_host_id = stats.originating_host_id.map(uuid);
    if let Some((first, last)) = keys(components, version, statistics)? {
        if let Some(partitioner) = statistics.partitioner() {
            let token = |key: &[u8]| -> Token { partitioner.token(key) };
            facts.first_token = Some(token(&first).to_string());
            facts.last_token = Some(token(&last).to_string());
        }
        (facts.first_key, facts.last_key) = (Some(first), Some(last));
    }
    Ok(facts)
}

fn deletion_time(seconds: i64) -> Option<i64> {
    (seconds != crate::statistics::stats::NO_DELETION_TIME).then_some(seconds)
}

fn uuid(bytes: [u8; 16]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

pub(crate) type Keys = (Vec<u8>, Vec<u8>);

/// First and last key, from the cheapest component that can be trusted for them.
pub(crate) fn keys(
    components: &dyn Components,
    version: Version,
    statistics: &Statistics,
) -> Result<Option<Keys>> {
    if let Some((first, last)) = statistics.keys() {
        return Ok(Some((first.to_vec(), last.to_vec())));
    }
    match version.format() {
        Format::Bti => {
            let Some(source) = open(components, PARTITIONS)? else {
                return Ok(None);
            };
            let partitions = Partitions::open(source)?;
            Ok(Some((
                partitions.first_key().to_vec(),
                partitions.last_key().to_vec(),
            )))
        }
        Format::Big => match open(components, SUMMARY)? {
            Some(source) => {
                let summary = Summary::open(source)?;
                Ok(Some((
                    summary.first_key().to_vec(),
                    summary.last_key().to_vec(),
                )))
            }
            None => keys_of_index(components),
        },
    }
}

/// If Summary.db is missing, which Cassandra would rebuild, Index.db is read to its end.
fn keys_of_index(components: &dyn Components) -> Result<Option<Keys>> {
    let Some(source) = open(components, INDEX)? else {
        return Ok(None);
    };
    let mut index = IndexReader::new(source);
    let mut keys: Option<Keys> = None;
    while let Some(entry) = index.next_entry()? {
        match &mut keys {
            None => keys = Some((entry.key.to_vec(), entry.key.to_vec())),
            Some((_, last)) => {
                last.clear();
                last.extend_from_slice(entry.key);
            }
        }
    }
    Ok(keys)
}
