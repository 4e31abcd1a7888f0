//! What a plan needs to know of SSTables, as the node manifests tell it.

use api::RemoteError;
use api::pb::storage_catalog::{self as pb, VerifyLevel};
use api::pb::types::{KeyFingerprint, Selection, TableRef};
use bucket::envelope::{DocumentKind, seal};
use bucket::keys;
use model::manifest::{self, SstableFacts};

use crate::world::{
    FULL_FILES, World, backup, host, memory_world, node_manifest, refused, task, wire_ref,
};

/// A full backup whose nodes each tell of one SSTable and of a key.
async fn backed_up(world: &World) {
    world.begin("f1", None, task(1)).await.expect("begins");
    for number in [1, 2] {
        let mut manifest = node_manifest("f1", None, number, FULL_FILES);
        manifest.tables[0].sstables = vec![SstableFacts {
            name: "nb-1-big".into(),
            bytes: 10 * number as u64,
            first_token: Some("-5".into()),
            last_token: Some("7".into()),
            ..SstableFacts::default()
        }];
        manifest.keys = vec![manifest::KeyFingerprint {
            name: "system_key".into(),
            fingerprint: Some("00ff".into()),
        }];
        world.upload(&manifest, FULL_FILES).await;
    }
    world.commit("f1", task(1)).await.expect("commits");
}

async fn listed(world: &World, table: &str) -> Result<Vec<pb::NodeSstables>, RemoteError> {
    let request = pb::ListSstablesRequest {
        backup: wire_ref("f1"),
        selection: Some(Selection {
            keyspaces: Vec::new(),
            tables: vec![TableRef {
                keyspace: "shop".into(),
                table: table.into(),
            }],
        }),
    };
    let mut client = world.client.clone();
    let mut stream = client.list_sstables(request).await?.into_inner();
    let mut nodes = Vec::new();
    while let Some(message) = stream.message().await? {
        nodes.push(message.node.expect("a node"));
    }
    Ok(nodes)
}

#[tokio::test]
async fn each_node_tells_of_its_sstables_and_keys() {
    let (_, world) = memory_world();
    backed_up(&world).await;
    let nodes = listed(&world, "orders").await.expect("a list");
    let bytes: Vec<(String, u64)> = nodes
        .iter()
        .map(|node| (node.host_id.clone(), node.tables[0].sstables[0].bytes))
        .collect();
    assert_eq!(
        bytes,
        [(host(1).to_string(), 10), (host(2).to_string(), 20)]
    );
    let facts = &nodes[0].tables[0].sstables[0];
    assert_eq!(facts.first_token.as_deref(), Some("-5"));
    assert_eq!(
        nodes[0].keys,
        [KeyFingerprint {
            name: "system_key".into(),
            fingerprint: "00ff".into(),
        }]
    );
}

#[tokio::test]
async fn tables_that_were_not_asked_for_are_left_out() {
    let (_, world) = memory_world();
    backed_up(&world).await;
    let nodes = listed(&world, "others").await.expect("a list");
    assert!(nodes.iter().all(|node| node.tables.is_empty()));
    assert_eq!(nodes.len(), 2);
}

#[tokio::test]
async fn a_node_manifest_that_is_not_the_committed_one_tells_nothing() {
    let (memory, world) = memory_world();
    backed_up(&world).await;
    let other = node_manifest("f1", None, 2, FULL_FILES);
    let sealed = seal(DocumentKind::NodeManifest, &other).expect("seals").0;
    memory.overwrite(&keys::node_manifest(&backup("f1"), &host(2)), sealed);
    let error = refused(listed(&world, "orders").await, "BACKUP_INCOMPLETE");
    assert!(
        error.message.contains("not the one that was committed"),
        "{}",
        error.message
    );
}

#[tokio::test]
async fn a_node_manifest_with_a_name_that_leads_elsewhere_tells_nothing() {
    let (memory, world) = memory_world();
    backed_up(&world).await;
    let mut other = node_manifest("f1", None, 2, FULL_FILES);
    other.tables[0].files[0].name = "nb-1-big-x/../../y".into();
    let sealed = seal(DocumentKind::NodeManifest, &other).expect("seals").0;
    let key = keys::node_manifest(&backup("f1"), &host(2));
    memory.overwrite(&key, sealed);
    let error = refused(listed(&world, "orders").await, "MANIFEST_DAMAGED");
    assert!(error.message.contains(&key), "{error}");
    let verify = world.verify("f1", VerifyLevel::Manifest);
    let report = verify.await.expect("verifies");
    assert!(!report.ok);
    let what = &report.damage[0].what;
    assert!(what.contains("not that of a file"), "{what}");
}
