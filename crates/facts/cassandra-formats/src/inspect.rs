//! What an SSTable is, from its small components.

use crate::bti::Partitions;
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

/// Facts of one SSTable; `None` where its format does not record one, or where it is encrypted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// `None` for an SSTable that is not compressed.
    pub compressor: Option<String>,
    /// Without its package.
    pub partitioner: Option<String>,
    pub first_key: Option<Vec<u8>>,
    pub last_key: Option<Vec<u8>>,
    /// As Cassandra writes tokens.
    pub first_token: Option<String>,
    pub last_token: Option<String>,
    /// Microseconds since 1970.
    pub min_timestamp: Option<i64>,
    pub max_timestamp: Option<i64>,
    /// Seconds since 1970; `None` too where nothing is deleted or expires.
    pub min_local_deletion_time: Option<i64>,
    pub max_local_deletion_time: Option<i64>,
    pub uncompressed_bytes: Option<u64>,
    /// CRC32 of Data.db, as Digest.crc32 tells it.
    pub digest: Option<u32>,
    pub rows: Option<i64>,
    pub level: Option<i32>,
    /// Milliseconds since 1970; 0 where it was not repaired.
    pub repaired_at: Option<i64>,
    pub originating_host_id: Option<String>,
}

/// Reads the small components. Damage in one of them is the error; `verify` tells all there is.
pub fn inspect(components: &dyn Components, descriptor: &Descriptor) -> Result<Facts> {
    let version = known(descriptor)?;
    let bytes = read_whole(components, STATISTICS, STATISTICS_BYTES_MAX)?
        .ok_or_else(|| Damage::whole(STATISTICS, "the component is missing"))?;
    let statistics = Statistics::parse(&bytes, version)?;
    facts(components, version, Some(&statistics))
}

/// The version, if its layout is known.
pub(crate) fn known(descriptor: &Descriptor) -> Result<Version> {
    Version::known(&descriptor.format).ok_or_else(|| {
        Error::unsupported(
            DATA,
            format!("{} is not a version that is known here", descriptor.format),
        )
    })
}

/// What is known with the statistics that could be read.
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
    facts.partitioner = Some(class.rsplit('.').next().unwrap_or(class).to_owned());
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

/// First and last key, from the cheapest component that tells the truth of them.
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

/// Summary.db may be missing; Cassandra builds it anew. Then Index.db is read to its end.
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
