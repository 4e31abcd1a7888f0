//! What a plan wants to know of an SSTable before anybody reads it: where it lies on the ring, what of it expires, how it
//! is encrypted, and what of it not every release reads right. Small components only.

mod expiring;
mod types;

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

/// Where a table's options name no key, it is this one.
const SYSTEM_KEY: &str = "system_key";
/// The compressor's option that names the key.
const SYSTEM_KEY_OPTION: &str = "system_key_file";

/// `None`, and nothing, for what the SSTable does not tell, being encrypted, damaged or of an unknown version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanFacts {
    /// As Cassandra writes tokens.
    pub first_token: Option<String>,
    pub last_token: Option<String>,
    /// Without its package.
    pub partitioner: Option<String>,
    /// What may expire, by when; ascending.
    pub expiring: Vec<Expiring>,
    /// Cells and rows, of which the expiring ones are a part.
    pub cells: Option<u64>,
    pub encryption: Option<EncryptedBy>,
    /// A part of a larger SSTable that DSE streamed without copying.
    pub is_zero_copy_slice: bool,
    pub has_tuples: bool,
    pub has_legacy_counter_shards: bool,
    /// A user-defined type stands unfrozen in the header of a version whose headers lost that word.
    pub has_unfrozen_type: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncryptedBy {
    /// Without its package.
    pub compressor: String,
    /// The name of the system key.
    pub key: String,
}

/// Reads the small components. Damage hides what it damages and is no error here; a source that fails is one.
/// `after_seconds` is the time since 1970 up to which what has expired is no news.
pub fn plan_facts(
    components: &dyn Components,
    descriptor: &Descriptor,
    after_seconds: u64,
) -> Result<PlanFacts> {
    let mut facts = PlanFacts::default();
    let Some(version) = told(known(descriptor))? else {
        return Ok(facts);
    };
    facts.encryption = told(encryption(components, version))?.flatten();
    let statistics = told(read_whole(components, STATISTICS, STATISTICS_BYTES_MAX))?.flatten();
    let Some(bytes) = statistics else {
        return Ok(facts);
    };
    let Some(statistics) = told(Statistics::parse(&bytes, version))? else {
        return Ok(facts);
    };
    let class = &statistics.validation.partitioner;
    facts.partitioner = Some(simple_name(class).to_owned());
    facts.expiring = expiring::expiring(&statistics.stats, version, after_seconds);
    facts.cells = Some(expiring::cells(&statistics));
    facts.is_zero_copy_slice = statistics.covered().is_some();
    facts.has_legacy_counter_shards = statistics.stats.has_legacy_counter_shards;
    facts.has_tuples = types::of(&statistics.header).any(types::has_tuple);
    facts.has_unfrozen_type =
        lost_frozen(version) && types::of(&statistics.header).any(types::has_unfrozen_user_type);
    if let Some(partitioner) = statistics.partitioner()
        && partitioner.order_is_known()
        && let Some(Some((first, last))) = told(keys(components, version, &statistics))?
    {
        let (first, last) = (partitioner.token(&first), partitioner.token(&last));
        // An index that is encrypted may by chance read as keys, but hardly as keys in order.
        if first <= last {
            facts.first_token = Some(first.to_string());
            facts.last_token = Some(last.to_string());
        }
    }
    Ok(facts)
}

/// What is wrong with the bytes only means that they do not tell.
fn told<T>(result: Result<T>) -> Result<Option<T>> {
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

/// The versions of Cassandra 3.x, which wrote frozen types into some headers as if they were not.
fn lost_frozen(version: Version) -> bool {
    version.format() == Format::Big
        && !version.has_statistics_checksums()
        && !version.has_originating_host_id()
}

fn simple_name(class: &str) -> &str {
    class.rsplit('.').next().unwrap_or(class)
}
