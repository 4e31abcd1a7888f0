//! What a restore plan needs to know about an SSTable: its place on the ring, what expires when, how it is encrypted,
//! and what some releases read wrong. Only small components are read.

mod expiring;
mod types;

use crate::class::simple_name;
use crate::compression_info::CompressionInfo;
use crate::descriptor::Descriptor;
use crate::error::{Error, Result};
use crate::inspect::{keys, known};
use crate::layout::{open, read_whole};
use crate::source::Components;
use crate::statistics::Statistics;
use crate::version::{Format, Version};
use crate::{COMPRESSION_INFO, DATA, STATISTICS, STATISTICS_BYTES_MAX};

pub use expiring::Expiring;

/// The key of a table whose options name none.
const SYSTEM_KEY: &str = "system_key";
/// The compressor's option that names the key.
const SYSTEM_KEY_OPTION: &str = "system_key_file";

/// Facts for planning. What cannot be known, because the SSTable is encrypted, damaged or of an unknown version, is
/// `None`, empty or false.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanFacts {
    /// The token of the first key, as Cassandra writes tokens.
    pub first_token: Option<String>,
    /// The token of the last key.
    pub last_token: Option<String>,
    /// The partitioner's class name without its package.
    pub partitioner: Option<String>,
    /// How many cells and rows expire when, ascending by time.
    pub expiring: Vec<Expiring>,
    /// How many cells and rows there are, including the expiring ones.
    pub cells: Option<u64>,
    /// How its chunks are encrypted; `None` if they are not.
    pub encryption: Option<EncryptedBy>,
    /// Whether it is zero-copy-streamed, and so a slice of a larger SSTable.
    pub is_zero_copy_slice: bool,
    /// Whether a type of the header is or contains a tuple.
    pub has_tuples: bool,
    /// Whether it has counter shards from before Cassandra 2.1.
    pub has_legacy_counter_shards: bool,
    /// Whether a user-defined type is unfrozen in the header, of a version whose headers may have lost the word
    /// `frozen`.
    pub has_unfrozen_type: bool,
}

/// What encrypts an SSTable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncryptedBy {
    /// The encrypting compressor's class name without its package.
    pub compressor: String,
    /// The name of the system key.
    pub key: String,
}

/// Reads the small components. Damage only makes facts unknown; the only error is a source that fails. What expired
/// up to `after_seconds` (since 1970) is left out of [`PlanFacts::expiring`].
pub fn plan_facts(
    components: &dyn Components,
    descriptor: &Descriptor,
    after_seconds: u64,
) -> Result<PlanFacts> {
    let mut facts = PlanFacts::default();
    let Some(version) = readable(known(descriptor))? else {
        return Ok(facts);
    };
    facts.encryption = readable(encryption(components, version))?.flatten();
    let statistics = readable(read_whole(components, STATISTICS, STATISTICS_BYTES_MAX))?.flatten();
    let Some(bytes) = statistics else {
        return Ok(facts);
    };
    let Some(statistics) = readable(Statistics::parse(&bytes, version))? else {
        return Ok(facts);
    };
    let class = &statistics.validation.partitioner;
    facts.partitioner = Some(simple_name(class).to_owned());
    facts.expiring = expiring::expiring(&statistics.stats, version, after_seconds);
    facts.cells = Some(expiring::cells(&statistics));
    facts.is_zero_copy_slice = statistics.covered().is_some();
    facts.has_legacy_counter_shards = statistics.stats.has_legacy_counter_shards;
    facts.has_tuples = types::all(&statistics.header).any(types::has_tuple);
    facts.has_unfrozen_type =
        lost_frozen(version) && types::all(&statistics.header).any(types::has_unfrozen_user_type);
    if let Some(partitioner) = statistics.partitioner()
        && partitioner.order_is_known()
        && let Some(Some((first, last))) = readable(keys(components, version, &statistics))?
    {
        let (first, last) = (partitioner.token(&first), partitioner.token(&last));
        // An encrypted index may by chance parse as keys, but hardly as keys in order.
        if first <= last {
            facts.first_token = Some(first.to_string());
            facts.last_token = Some(last.to_string());
        }
    }
    Ok(facts)
}

/// Turns damaged and unsupported bytes into `None`.
fn readable<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::Damaged(_) | Error::Unsupported { .. }) => Ok(None),
        Err(error @ (Error::Read { .. } | Error::Write { .. })) => Err(error),
    }
}

fn encryption(components: &dyn Components, version: Version) -> Result<Option<EncryptedBy>> {
    let Some(source) = open(components, COMPRESSION_INFO)? else {
        return Ok(None);
    };
    let data_len = open(components, DATA)?.map_or(0, |data| data.len());
    let info = CompressionInfo::open(source, version, data_len)?;
    let compressor = simple_name(info.compressor.name());
    // Encryptor, EncryptingLZ4Compressor, EncryptingSnappyCompressor, EncryptingDeflateCompressor.
    if !compressor.starts_with("Encrypt") {
        return Ok(None);
    }
    let option = info
        .parameters
        .iter()
        .find(|(name, _)| name == SYSTEM_KEY_OPTION);
    Ok(Some(EncryptedBy {
        compressor: compressor.to_owned(),
        key: option.map_or(SYSTEM_KEY, |(_, value)| value).to_owned(),
    }))
}

/// Whether the version is one of Cassandra 3.x, which wrote frozen types into some headers as unfrozen ones.
fn lost_frozen(version: Version) -> bool {
    version.format() == Format::Big
        && !version.has_statistics_checksums()
        && !version.has_originating_host_id()
}
