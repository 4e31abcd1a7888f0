//! Damage at the source, in SSTables that a real Cassandra has written.

use std::fs;
use std::path::PathBuf;

use api::ServiceError;
use blob_store::testing::Fault;
use cassandra_formats::Version;
use cassandra_formats::compression_info::CompressionInfo;
use model::manifest::{KeptDamage, NodeManifest};

use super::tests::{check_bucket, take};
use super::*;
use crate::testing::{FakeNode, TableFolder, fixture};

/// Has chunks of few bytes, so that a chunk can be told from the file.
const TINY_CHUNKS: &str = "big-nb/compression/tiny_chunks";

/// A node with one table of real data.
fn node(table: &str) -> FakeNode {
    let node = FakeNode::new(1, "4.1.9");
    node.tables(&["real"]);
    folder(&node).copy(&fixture(table));
    node
}

/// One that packs its small files, and one that does not.
fn both(table: &str) -> [FakeNode; 2] {
    [node(table), node(table).unpacked()]
}

fn folder(node: &FakeNode) -> TableFolder {
    node.table("real", 1, 0)
}

/// Rewrites a component in the table's folder.
fn bend(node: &FakeNode, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
    let path = folder(node).0.join(name);
    let mut bytes = fs::read(&path).unwrap();
    change(&mut bytes);
    fs::remove_file(&path).unwrap();
    fs::write(&path, bytes).unwrap();
    path
}

fn flip(at: usize) -> impl FnOnce(&mut Vec<u8>) {
    move |bytes| bytes[at] ^= 1
}

async fn upload_with(
    node: &FakeNode,
    backup: &str,
    base: Option<&str>,
    keep_damaged: bool,
) -> Result<Summary, UploadError> {
    let (work, ..) = Work::new();
    let asked = Upload {
        keep_damaged,
        ..node.upload(backup, base)
    };
    upload(&node.agent, &asked, &work).await
}

/// Damage fails the upload, and the error has all these words.
async fn check_refused(node: &FakeNode, words: &[&str]) {
    take(node).await;
    let error = upload_with(node, "b1", None, false).await.unwrap_err();
    assert_eq!(error.reason(), "SSTABLE_DAMAGED", "{error}");
    let hint = error.hint().unwrap();
    assert!(hint.contains("--keep-damaged"), "{hint}");
    let text = error.to_string();
    let host = FakeNode::host_id(1).to_string();
    for word in [&["`ks.real`", host.as_str()], words].concat() {
        assert!(text.contains(word), "{text} should have {word}");
    }
}

/// Damage is kept and noted; the manifest that says so.
async fn check_kept(node: &FakeNode) -> NodeManifest {
    take(node).await;
    let summary = upload_with(node, "b1", None, true).await.unwrap();
    let manifest = node.manifest("b1").await;
    check_bucket(node, &manifest).await;
    assert_eq!(summary.damaged_sstables, 1, "{:?}", manifest.damaged);
    manifest
}

/// Where the chunk begins that a byte of Data.db is in.
fn chunk_of(node: &FakeNode, at: u64) -> u64 {
    let read = |component: &str| {
        let name = format!("nb-1-big-{component}");
        fs::read(folder(node).0.join(name)).unwrap()
    };
    let (descriptor, _) = cassandra_formats::parse_file_name("nb-1-big-Data.db").unwrap();
    let version = Version::known(&descriptor.format).unwrap();
    let data_len = read("Data.db").len() as u64;
    let info = read("CompressionInfo.db");
    let mut info = CompressionInfo::open(Box::new(info), version, data_len).unwrap();
    let chunks = (0..info.chunk_count).map(|index| info.chunk(index).unwrap().offset);
    chunks.take_while(|offset| *offset <= at).last().unwrap()
}

#[tokio::test]
async fn what_a_real_cassandra_wrote_is_sound() {
    for table in [
        TINY_CHUNKS,
        "big-nb/compression/none",
        "big-nb/indexes/by_colour",
        "big-me/layouts/simple",
        "bti-da/layouts/wide",
    ] {
        let node = node(table);
        let manifest = node.back_up("b1", None).await;
        check_bucket(&node, &manifest).await;
        assert_eq!(manifest.damaged, [], "{table}");
    }
}

#[tokio::test]
async fn a_flipped_bit_in_data_is_named_with_its_chunk() {
    for node in both(TINY_CHUNKS) {
        let chunk = chunk_of(&node, 3000);
        assert!(chunk > 0);
        bend(&node, "nb-1-big-Data.db", flip(3000));
        let place = format!("Data.db at byte {chunk}: chunk ");
        check_refused(&node, &["/nb-1-big-Data.db`", &place]).await;
    }
}

#[tokio::test]
async fn a_truncated_index_and_damaged_statistics_are_named() {
    for node in both(TINY_CHUNKS) {
        let path = folder(&node).0.join("nb-1-big-Index.db");
        let whole = fs::read(&path).unwrap();
        bend(&node, "nb-1-big-Index.db", |bytes| bytes.truncate(200));
        check_refused(&node, &["Index.db at byte", "ends within an entry"]).await;
        fs::write(path, whole).unwrap();
        bend(&node, "nb-1-big-Statistics.db", flip(900));
        snapshot::clear(&node.agent, "ringkeep-tag").await.unwrap();
        check_refused(&node, &["Statistics.db at byte", "the checksum of STATS"]).await;
    }
}

#[tokio::test]
async fn damage_of_an_index_is_that_of_the_index() {
    for node in both("big-me/indexes/by_colour") {
        bend(&node, ".colours/me-1-big-Data.db", flip(20));
        let manifest = check_kept(&node).await;
        let damage = &manifest.damaged[0];
        assert_eq!(damage.index.as_deref(), Some("colours"));
        assert_eq!(damage.file_name(), "me-1-big-Data.db");
        assert_eq!(damage.place(), "ks.real.colours");
    }
}

#[tokio::test]
async fn kept_damage_is_noted_and_outlives_a_restart_of_the_agent() {
    // The first call looks for the manifest, the next put a pack or each of eight components, the last writes the manifest.
    for (node, last_call) in both(TINY_CHUNKS).into_iter().zip([3, 10]) {
        let chunk = chunk_of(&node, 3000);
        bend(&node, "nb-1-big-Data.db", flip(3000));
        take(&node).await;
        node.store.set(Fault::DieBefore(last_call));
        assert!(upload_with(&node, "b1", None, true).await.is_err());
        node.store.set(Fault::DieBefore(100));
        let summary = upload_with(&node, "b1", None, true).await.unwrap();
        assert_eq!(node.store.calls(), 2, "nothing is uploaded again");
        assert_eq!(summary.damaged_sstables, 1);

        let manifest = node.manifest("b1").await;
        check_bucket(&node, &manifest).await;
        let whole = |damage: &&KeptDamage| damage.offset.is_none();
        let (digest, chunks): (Vec<_>, Vec<_>) = manifest.damaged.iter().partition(whole);
        assert_eq!(
            (digest.len(), chunks.len()),
            (1, 1),
            "{:?}",
            manifest.damaged
        );
        assert_eq!(chunks[0].offset, Some(chunk));
        assert_eq!(chunks[0].place(), "ks.real");
        assert_eq!(chunks[0].file_name(), "nb-1-big-Data.db");
        assert!(digest[0].what.contains("Digest.crc32"), "{digest:?}");
    }
}

#[tokio::test]
async fn a_differential_takes_over_what_is_known_of_its_base() {
    for node in both(TINY_CHUNKS) {
        bend(&node, "nb-1-big-Data.db", flip(3000));
        let full = check_kept(&node).await;
        node.commit("b1").await;
        let error = upload_with(&node, "b2", Some("b1"), false).await;
        assert_eq!(error.unwrap_err().reason(), "SSTABLE_DAMAGED");
        upload_with(&node, "b3", Some("b1"), true).await.unwrap();
        let differential = node.manifest("b3").await;
        assert_eq!(differential.damaged, full.damaged);
        let files = differential.tables.iter().flat_map(|table| &table.files);
        assert!(files.into_iter().all(|file| file.from.is_some()));
    }
}

#[tokio::test]
async fn what_was_kept_once_is_refused_where_it_is_not_to_be_kept() {
    for (node, last_call) in both(TINY_CHUNKS).into_iter().zip([3, 10]) {
        bend(&node, "nb-1-big-Digest.crc32", |bytes| bytes.clear());
        take(&node).await;
        node.store.set(Fault::DieBefore(last_call));
        assert!(upload_with(&node, "b1", None, true).await.is_err());
        node.store.heal();
        let error = upload_with(&node, "b1", None, false).await.unwrap_err();
        assert_eq!(error.reason(), "SSTABLE_DAMAGED", "{error}");
    }
}

#[tokio::test]
async fn an_unknown_version_is_checked_by_its_digest_alone() {
    let node = FakeNode::new(1, "4.1.9");
    node.tables(&["real"]);
    for component in ["Index.db", "Statistics.db"] {
        let name = format!("zz-1-big-{component}");
        fs::write(folder(&node).0.join(name), "from the future").unwrap();
    }
    let data = "rows of the future";
    fs::write(folder(&node).0.join("zz-1-big-Data.db"), data).unwrap();
    let digest = |text: String| fs::write(folder(&node).0.join("zz-1-big-Digest.crc32"), text);
    digest((crc32fast::hash(data.as_bytes()) ^ 1).to_string()).unwrap();
    check_refused(&node, &["zz-1-big", "Digest.crc32"]).await;
    digest(crc32fast::hash(data.as_bytes()).to_string()).unwrap();
    let manifest = node.back_up("b1", None).await;
    assert_eq!(manifest.damaged, []);
}

#[tokio::test]
async fn an_unknown_version_is_uploaded_unchecked() {
    let node = FakeNode::new(1, "4.1.9");
    node.tables(&["real"]);
    for component in ["Data.db", "Index.db", "Statistics.db", "Digest.crc32"] {
        let name = format!("zz-1-big-{component}");
        fs::write(folder(&node).0.join(name), "from the future").unwrap();
    }
    let manifest = node.back_up("b1", None).await;
    check_bucket(&node, &manifest).await;
    assert_eq!(manifest.damaged, []);
}
