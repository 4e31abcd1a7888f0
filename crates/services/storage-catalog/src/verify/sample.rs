//! Which files a verification of one part reads.

use cassandra_formats::parse_file_name;
use model::Sample;
use model::manifest::{NodeManifest, StoredFile, TableFiles};

/// Whether a file is in the part that is read: all files of an SSTable are in the same one. Without a sample all are read.
pub fn has(
    sample: Option<Sample>,
    manifest: &NodeManifest,
    table: &TableFiles,
    file: &StoredFile,
) -> bool {
    sample.is_none_or(|sample| sample.has(hash(manifest, table, file)))
}

/// Depends on nothing that changes from one verification to the next, nor from a backup to a differential on it.
fn hash(manifest: &NodeManifest, table: &TableFiles, file: &StoredFile) -> u64 {
    let sstable = match parse_file_name(&file.name) {
        Ok((descriptor, _)) => descriptor.to_string(),
        Err(_) => file.name.clone(),
    };
    let index = file.index.as_deref().unwrap_or_default();
    let node = manifest.member.host_id;
    let name = format!("{node}/{}/{index}/{sstable}", table.id);
    let hash = blake3::hash(name.as_bytes());
    let (first, _) = hash.as_bytes().split_at(8);
    first
        .iter()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}
