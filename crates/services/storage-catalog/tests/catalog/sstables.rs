//! Verifying to the bottom, with tables that a real Cassandra has written.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use api::pb::storage_catalog::{Damage, VerifyLevel, VerifyReport};
use blob_store::testing::{Fault, Faulty, Memory};
use bucket::keys;
use model::manifest::{KeptDamage, NodeManifest, StoredFile};

use crate::world::{World, backup, host, memory_world, node_manifest, object_key, refused, task};

/// Has chunks of few bytes, so that a chunk can be told from the file.
pub const TINY_CHUNKS: &str = "big-nb/compression/tiny_chunks";
const DATA: &str = "nb-1-big-Data.db";

/// The components of a table by index and name, for example of `big-nb/layouts/simple`.
pub type Files = BTreeMap<(Option<String>, String), Vec<u8>>;

pub fn fixture(table: &str) -> Files {
    let fixtures = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../facts/cassandra-formats/tests/fixtures"
    );
    let mut files = Files::new();
    add(&Path::new(fixtures).join(table), None, &mut files);
    files
}

fn add(folder: &Path, index: Option<&str>, files: &mut Files) {
    let entries = fs::read_dir(folder).expect("a fixture");
    let paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.expect("a name");
        match name.strip_prefix('.') {
            Some(index) => add(&path, Some(index), files),
            None if cassandra_formats::parse_file_name(name).is_ok() => {
                let bytes = fs::read(&path).expect("a component");
                files.insert((index.map(str::to_owned), name.to_owned()), bytes);
            }
            None => {}
        }
    }
}

/// A full backup `f1` of two nodes that both hold these files; the manifests are bent before they are stored.
pub async fn back_up(world: &World, files: &Files, bend: impl Fn(&mut NodeManifest)) {
    world.begin("f1", None, task(1)).await.expect("begins");
    for number in [1, 2] {
        let mut manifest = node_manifest("f1", None, number, &[]);
        for ((index, name), bytes) in files {
            let place = match index {
                Some(index) => format!(".{index}/{name}"),
                None => name.clone(),
            };
            let object = object_key(&backup("f1"), number, &place);
            let stored = world.store.put(&object, bytes.clone().into()).await;
            stored.expect("put");
            manifest.tables[0].files.push(StoredFile {
                name: name.clone(),
                index: index.clone(),
                bytes: bytes.len() as u64,
                blake3: blake3::hash(bytes).to_hex().to_string(),
                object,
                offset: None,
                from: None,
                copied_from: None,
                source: None,
            });
        }
        bend(&mut manifest);
        let sealed = bucket::seal_document(&manifest).expect("seals");
        let key = keys::node_manifest(&manifest.backup, &host(number));
        world.store.put(&key, sealed.0.into()).await.expect("put");
    }
    world.commit("f1", task(1)).await.expect("commits");
}

async fn verify(world: &World, level: VerifyLevel) -> VerifyReport {
    world.verify("f1", level).await.expect("verifies")
}

/// What is there after one object of the first node was bent in the bucket.
async fn damage_after(name: &str, bend: impl FnOnce(&mut Vec<u8>)) -> Vec<Damage> {
    let (memory, world) = memory_world();
    let files = fixture(TINY_CHUNKS);
    back_up(&world, &files, |_| {}).await;
    let mut bytes = files[&(None, name.to_owned())].clone();
    bend(&mut bytes);
    memory.overwrite(&object_key(&backup("f1"), 1, name), bytes);
    let damage = verify(&world, VerifyLevel::Sstables).await.damage;
    for damage in &damage {
        assert_eq!(damage.node, host(1).to_string(), "{damage:?}");
        assert_eq!(damage.sstable, "nb-1-big", "{damage:?}");
    }
    damage
}

#[tokio::test]
async fn what_a_real_cassandra_wrote_is_sound() {
    for table in [
        TINY_CHUNKS,
        "big-nb/compression/none",
        "big-nb/indexes/by_colour",
        "big-me/layouts/wide",
        "bti-da/layouts/simple",
    ] {
        let (_, world) = memory_world();
        let files = fixture(table);
        back_up(&world, &files, |_| {}).await;
        let report = verify(&world, VerifyLevel::Sstables).await;
        assert_eq!(report.damage, [], "{table}");
        let bytes: usize = files.values().map(Vec::len).sum();
        assert_eq!(report.bytes_checked, 2 * bytes as u64, "{table}");
        assert_eq!(report.level(), VerifyLevel::Sstables);
    }
}

/// The same SSTable as a backup would have it whose rows nothing here can read.
fn encrypted(mut files: Files) -> Files {
    let info = files.get_mut(&(None, "nb-1-big-CompressionInfo.db".to_owned()));
    let info = info.expect("a compressed SSTable");
    let (known, other) = (b"LZ4Compressor", b"EncryptorOfMy");
    let at = info.windows(known.len()).position(|name| name == known);
    let at = at.expect("its compressor");
    info[at..at + other.len()].copy_from_slice(other);
    files
}

fn of_unknown_version(files: Files) -> Files {
    let renamed = files.into_iter().map(|((index, name), bytes)| {
        let name = name.replacen("nb-", "zz-", 1);
        ((index, name), bytes)
    });
    renamed.collect()
}

#[tokio::test]
async fn what_cannot_be_checked_is_counted_and_not_passed_off_as_sound() {
    let cases = [
        (fixture(TINY_CHUNKS), None),
        (
            encrypted(fixture(TINY_CHUNKS)),
            Some("EncryptorOfMy is not understood"),
        ),
        (
            of_unknown_version(fixture(TINY_CHUNKS)),
            Some("big-zz is not a version that is known here"),
        ),
        (fixture("big-nb/indexes/sasi"), Some("attached indexes")),
    ];
    for (files, reason) in cases {
        let (_, world) = memory_world();
        back_up(&world, &files, |_| {}).await;
        for level in [VerifyLevel::Manifest, VerifyLevel::Objects] {
            let report = verify(&world, level).await;
            assert_eq!(report.not_checked, [], "{level:?} asks for none of it");
        }
        let report = verify(&world, VerifyLevel::Sstables).await;
        assert_eq!(report.damage, [], "{reason:?}");
        let reasons: Vec<&str> = report
            .not_checked
            .iter()
            .map(|part| part.reason.as_str())
            .collect();
        assert_eq!(reasons.len(), usize::from(reason.is_some()), "{reasons:?}");
        for part in &report.not_checked {
            assert!(part.reason.contains(reason.unwrap()), "{part:?}");
            assert_eq!(part.sstables, report.sstables_checked, "{part:?}");
        }
    }
}

/// It was uploaded as it is: the hash is right, and the component by itself is, too.
#[tokio::test]
async fn a_filter_that_lacks_the_keys_of_the_rows_is_found() {
    let (_, world) = memory_world();
    let mut files = fixture("big-nb/layouts/wide");
    let name = "nb-1-big-Filter.db".to_owned();
    let filter = files.get_mut(&(None, name.clone())).expect("a filter");
    filter[8..].fill(0);
    back_up(&world, &files, |_| {}).await;
    let found = verify(&world, VerifyLevel::Objects).await.damage;
    assert_eq!(found, []);
    let found = verify(&world, VerifyLevel::Sstables).await.damage;
    for number in [1, 2] {
        let node = host(number).to_string();
        let object = object_key(&backup("f1"), number, &name);
        let of_node: Vec<_> = found.iter().filter(|damage| damage.node == node).collect();
        assert!(!of_node.is_empty());
        for damage in of_node {
            assert_eq!((&damage.object, &*damage.component), (&object, "Filter.db"));
            assert!(damage.what.contains("lacks"), "{damage:?}");
        }
    }
}

#[tokio::test]
async fn a_flipped_bit_is_told_by_its_hash_and_by_its_place() {
    let damage = damage_after(DATA, |bytes| bytes[3000] ^= 1).await;
    let object = object_key(&backup("f1"), 1, DATA);
    assert!(damage.iter().all(|damage| damage.object == object));
    assert!(damage.iter().all(|damage| damage.component == "Data.db"));
    let whole: Vec<&str> = damage
        .iter()
        .filter(|damage| damage.offset.is_none())
        .map(|damage| damage.what.as_str())
        .collect();
    assert_eq!(whole.len(), 2, "{damage:?}");
    assert!(whole.iter().any(|what| what.contains("BLAKE3")));
    assert!(whole.iter().any(|what| what.contains("Digest.crc32")));
    let chunk = damage.iter().find(|damage| damage.offset.is_some());
    let chunk = chunk.expect("a chunk");
    let offset = chunk.offset.expect("an offset");
    assert!((1..=3000).contains(&offset), "{chunk:?}");
    assert!(chunk.what.contains("CRC32"), "{chunk:?}");
}

#[tokio::test]
async fn each_component_is_checked() {
    for (name, at) in [
        ("nb-1-big-Statistics.db", 900),
        ("nb-1-big-Index.db", 1),
        ("nb-1-big-Digest.crc32", 0),
    ] {
        let damage = damage_after(name, |bytes| bytes[at] ^= 0x40).await;
        let of_it = damage.iter().filter(|damage| damage.object.ends_with(name));
        let found = of_it.filter(|damage| !damage.what.contains("BLAKE3"));
        assert_ne!(found.count(), 0, "{name}: {damage:?}");
    }
}

#[tokio::test]
async fn what_was_damaged_before_it_was_uploaded_is_found_by_its_own_checksums_only() {
    let (_, world) = memory_world();
    let mut files = fixture(TINY_CHUNKS);
    let data = files.get_mut(&(None, DATA.to_owned())).expect("data");
    data[3000] ^= 1;
    back_up(&world, &files, |_| {}).await;
    assert!(verify(&world, VerifyLevel::Objects).await.ok);
    let damage = verify(&world, VerifyLevel::Sstables).await.damage;
    // A chunk and the digest, on two nodes.
    assert_eq!(damage.len(), 4, "{damage:?}");
}

#[tokio::test]
async fn damage_that_was_kept_is_told_once_and_as_that() {
    let (_, world) = memory_world();
    let mut files = fixture(TINY_CHUNKS);
    let digest = files.get_mut(&(None, "nb-1-big-Digest.crc32".to_owned()));
    *digest.expect("a digest") = b"rubbish".to_vec();
    back_up(&world, &files, |_| {}).await;
    let found = verify(&world, VerifyLevel::Sstables).await.damage;
    assert_eq!(found.len(), 2, "{found:?}");

    let (_, world) = memory_world();
    let kept = KeptDamage {
        keyspace: found[0].keyspace.clone(),
        table: found[0].table.clone(),
        index: None,
        sstable: found[0].sstable.clone(),
        component: found[0].component.clone(),
        offset: found[0].offset,
        what: found[0].what.clone(),
    };
    let note = |manifest: &mut NodeManifest| manifest.damaged = vec![kept.clone()];
    back_up(&world, &files, note).await;
    assert!(verify(&world, VerifyLevel::Objects).await.ok);
    let damage = verify(&world, VerifyLevel::Sstables).await.damage;
    assert_eq!(damage.len(), 2, "{damage:?}");
    for damage in damage {
        assert!(damage.object.ends_with("nb-1-big-Digest.crc32"));
        assert!(damage.what.starts_with(&kept.what), "{}", damage.what);
        assert!(damage.what.contains("on the node"), "{}", damage.what);
    }

    let shown = world.get("f1").await.expect("a backup");
    assert_eq!(shown.summary.expect("a summary").damaged_sstables, 2);
    assert_eq!(shown.nodes[0].damaged_sstables, 1);
    assert_eq!(shown.nodes[0].damaged.len(), 1);
    assert_eq!(world.list().await[0].damaged_sstables, 2);
}

#[tokio::test]
async fn a_component_that_is_missing_is_told_and_the_others_are_checked_without_it() {
    let (_, world) = memory_world();
    back_up(&world, &fixture(TINY_CHUNKS), |_| {}).await;
    for component in ["CompressionInfo.db", "Statistics.db"] {
        let key = object_key(&backup("f1"), 1, &format!("nb-1-big-{component}"));
        world.store.delete(&key).await.expect("deletes");
    }
    let damage = verify(&world, VerifyLevel::Sstables).await.damage;
    assert_eq!(damage.len(), 2, "{damage:?}");
    assert!(damage.iter().all(|damage| damage.what.contains("missing")));
}

#[tokio::test]
async fn a_store_that_fails_is_no_damage() {
    let faulty = Arc::new(Faulty::new(Arc::new(Memory::default())));
    let world = World::on(faulty.clone());
    back_up(&world, &fixture(TINY_CHUNKS), |_| {}).await;
    let key = object_key(&backup("f1"), 1, "nb-1-big-CompressionInfo.db");
    faulty.set(Fault::Break(key, 4));
    let error = refused(
        world.verify("f1", VerifyLevel::Sstables).await,
        "STORE_UNAVAILABLE",
    );
    assert!(error.is_retryable());
}
