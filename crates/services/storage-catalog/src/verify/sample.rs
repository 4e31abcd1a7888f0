//! Which files a verification of one part reads.

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

/// docs/format.md has the definition. It never changes: results of other releases say which part they have read.
fn hash(manifest: &NodeManifest, table: &TableFiles, file: &StoredFile) -> u64 {
    let sstable = match file.name.rsplit_once('-') {
        Some((sstable, _)) => sstable,
        None => &file.name,
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

#[cfg(test)]
mod tests {
    use model::manifest::{NodeManifest, TableFiles};
    use model::{Sample, SampleParts};

    use super::*;

    fn manifest(files: &[(&str, Option<&str>)]) -> NodeManifest {
        let files = files.iter().map(|(name, index)| {
            serde_json::json!({"name": name, "index": index, "bytes": 1, "blake3": "", "object": "o"})
        });
        let manifest = serde_json::json!({
            "backup": {"cluster": "prod", "name": "full"},
            "kind": "full",
            "base": null,
            "member": {
                "host_id": "0a1b2c3d-0000-4000-8000-000000000001",
                "address": "127.0.0.1",
                "datacenter": "dc1",
                "rack": "r1",
                "tokens": []
            },
            "release": {"product": "cassandra", "version": "4.1.9"},
            "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
            "snapshot_tag": "t",
            "snapshot_taken_at": "2026-01-01T00:00:00Z",
            "tables": [{
                "keyspace": "shop",
                "table": "orders",
                "id": "11111111-2222-3333-4444-555555555555",
                "view_of": null,
                "files": files.collect::<Vec<_>>()
            }]
        });
        serde_json::from_value(manifest).expect("a manifest")
    }

    fn hashes(manifest: &NodeManifest) -> Vec<u64> {
        let table: &TableFiles = &manifest.tables[0];
        let files = table.files.iter();
        files.map(|file| hash(manifest, table, file)).collect()
    }

    #[test]
    fn the_split_is_that_of_every_release() {
        let manifest = manifest(&[
            ("nb-12-big-Data.db", None),
            ("nb-12-big-Data.db", Some("by_day")),
            ("da-3g9z_0abc_1x0y-bti-Data.db", None),
            ("schema.cql", None),
        ]);
        let expected = [
            0xf73be88446d82096,
            0xc7f18a2f600210ad,
            0x6cc759ebbb6faa68,
            0x48fdbdc51a9c2f16,
        ];
        assert_eq!(hashes(&manifest), expected);
    }

    #[test]
    fn the_files_of_an_sstable_are_in_one_part() {
        let manifest = manifest(&[
            ("nb-12-big-Data.db", None),
            ("nb-12-big-SAI+aa+by_day+TermsData.db", None),
            ("nb-12-big-TOC.txt", None),
            ("nb-1-big-Data.db", None),
        ]);
        let hashes = hashes(&manifest);
        assert_eq!(hashes[0], hashes[1]);
        assert_eq!(hashes[0], hashes[2]);
        assert_ne!(hashes[0], hashes[3]);
        let table = &manifest.tables[0];
        let of = SampleParts::new(1000).expect("parts");
        let part = (hashes[0] % 1000) as u32 + 1;
        assert!(has(
            Some(Sample { part, of }),
            &manifest,
            table,
            &table.files[0]
        ));
        assert!(has(None, &manifest, table, &table.files[0]));
    }
}
