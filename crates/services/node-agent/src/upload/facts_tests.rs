use std::fs;

use model::manifest::{Expiring, Hazard, key_fingerprint};

use super::tests::{take, upload_as};
use super::*;
use crate::testing::{FakeNode, fixture};

/// A node that holds this table of a real Cassandra.
fn node(table: &str) -> FakeNode {
    let node = FakeNode::new(1, "4.1.9");
    node.tables(&["real"]);
    node.table("real", 1, 0).copy(&fixture(table));
    node
}

fn facts(manifest: &NodeManifest) -> &[SstableFacts] {
    &manifest.tables[0].sstables
}

#[tokio::test]
async fn the_manifest_tells_of_every_sstable_and_of_no_index() {
    let node = node("big-nb/indexes/by_colour");
    let manifest = node.back_up("b1", None).await;
    let files = &manifest.tables[0].files;
    assert!(files.iter().any(|file| file.index.is_some()));
    let [one] = facts(&manifest) else {
        panic!("{:?}", facts(&manifest))
    };
    let own = files.iter().filter(|file| file.index.is_none());
    assert_eq!(one.bytes, own.map(|file| file.bytes).sum::<u64>());
    assert!(one.first_token.is_some() && one.last_token.is_some());
    assert_eq!((&one.partitioner, &one.encryption), (&None, &None));
    assert!(one.cells > Some(0));
    assert!(manifest.keys.is_empty());
}

#[tokio::test]
async fn what_is_to_be_known_beforehand_is_in_the_manifest() {
    let expiring = node("big-nb/layouts/expiring").back_up("b1", None).await;
    let [one] = facts(&expiring) else { panic!() };
    let taken_at = expiring.snapshot_taken_at.as_second() as u64;
    assert!(!one.expiring.is_empty());
    assert!(one.expiring.iter().all(|point| point.at_seconds > taken_at));
    let collections = node("big-ma/layouts/collections").back_up("b1", None).await;
    assert_eq!(
        facts(&collections)[0].hazards,
        [Hazard::Tuples, Hazard::UnfrozenType]
    );
    let random = node("big-nb/random_partitioner/simple");
    let random = random.back_up("b1", None).await;
    let partitioner = facts(&random)[0].partitioner.as_deref();
    assert_eq!(partitioner, Some("RandomPartitioner"));
}

#[tokio::test]
async fn a_differential_takes_the_facts_of_what_it_knows_from_its_base() {
    let node = node("big-nb/layouts/simple");
    let full = node.back_up("b1", None).await;
    assert_eq!(facts(&full).len(), 2);
    // A base with facts that no reading would give.
    let mut base = full.clone();
    let taken_at = full.snapshot_taken_at.as_second() as u64;
    base.tables[0].sstables[0].cells = Some(4242);
    base.tables[0].sstables[1].cells = Some(4343);
    base.tables[0].sstables[1].expiring = [taken_at, taken_at + 1]
        .map(|at_seconds| Expiring {
            at_seconds,
            cells: 1,
        })
        .to_vec();
    let key = bucket::keys::node_manifest(&base.backup, &FakeNode::host_id(1));
    node.put_manifest(&key, &base);
    node.commit("b1").await;

    // One of them is another now, though it has its name and its size.
    let statistics = node.table("real", 1, 0).0.join("nb-1-big-Statistics.db");
    let rewritten = crate::testing::statistics("nb-1-big", "other");
    fs::remove_file(&statistics).unwrap();
    fs::write(&statistics, rewritten).unwrap();
    node.table("real", 1, 0).sstable("nb-9-big", "new");
    let differential = node.back_up("b2", Some("b1")).await;
    let [changed, known, new] = facts(&differential) else {
        panic!("{:?}", facts(&differential))
    };
    assert_eq!(known.cells, Some(4343));
    assert_eq!(known.expiring.len(), 1, "what has expired is no news");
    assert_ne!(changed.cells, Some(4242));
    assert_eq!(new.name, "nb-9-big");
    assert!(new.first_token.is_some());
}

#[tokio::test]
async fn damage_that_is_kept_hides_facts_and_fails_nothing() {
    let node = node("big-nb/layouts/simple");
    let statistics = node.table("real", 1, 0).0.join("nb-1-big-Statistics.db");
    fs::write(&statistics, "noise").unwrap();
    take(&node).await;
    let (work, ..) = Work::new();
    let keep = Upload {
        keep_damaged: true,
        ..node.upload("b1", None)
    };
    upload(&node.agent, &keep, &work).await.unwrap();
    let manifest = node.manifest("b1").await;
    let [damaged, whole] = facts(&manifest) else {
        panic!()
    };
    assert_eq!(damaged.first_token, None);
    assert!(damaged.bytes > 0 && whole.first_token.is_some());
}

/// Makes a table's SSTable look encrypted under this key.
fn encrypt(node: &FakeNode, key: &str) {
    let path = node
        .table("real", 1, 0)
        .0
        .join("nb-1-big-CompressionInfo.db");
    let before = fs::read(&path).unwrap();
    let name_len = usize::from(u16::from_be_bytes([before[0], before[1]]));
    let mut bytes = Vec::new();
    let mut put = |text: &str| {
        bytes.extend((text.len() as u16).to_be_bytes());
        bytes.extend(text.as_bytes());
        if text == "Encryptor" {
            bytes.extend(1_u32.to_be_bytes());
        }
    };
    for text in ["Encryptor", "system_key_file", key] {
        put(text);
    }
    bytes.extend(&before[2 + name_len + 4..]);
    fs::write(&path, bytes).unwrap();
}

#[tokio::test]
async fn keys_of_encrypted_sstables_are_known_by_fingerprint_only() {
    const KEY: &str = "AES/ECB/PKCS5Padding:128:c2VjcmV0IG9mIHRoZSBrZXk=";
    for (name, known) in [("key_one", true), ("gone", false), ("../key_one", false)] {
        let mut node = node("big-nb/compression/lz4");
        encrypt(&node, name);
        let keys = node.root.path().join("keys/inner");
        fs::create_dir_all(&keys).unwrap();
        fs::write(keys.join("key_one"), KEY).unwrap();
        fs::write(node.root.path().join("keys/key_one"), KEY).unwrap();
        node.agent.node.settings.system_key_directory = Some(keys);
        take(&node).await;
        upload_as(&node, "b1").await.unwrap();
        let manifest = node.manifest("b1").await;
        let encryption = facts(&manifest)[0].encryption.as_ref().unwrap();
        assert_eq!(
            (encryption.compressor.as_str(), encryption.key.as_str()),
            ("Encryptor", name)
        );
        let [key] = manifest.keys.as_slice() else {
            panic!("{:?}", manifest.keys)
        };
        let expected = key_fingerprint(&FakeNode::backup("b1"), KEY.as_bytes());
        assert_eq!(
            (key.name.as_str(), &key.fingerprint),
            (name, &known.then_some(expected))
        );
        assert!(
            !serde_json::to_string(&manifest)
                .unwrap()
                .contains("c2VjcmV0")
        );
    }
}
