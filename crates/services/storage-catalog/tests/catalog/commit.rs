//! Committing.

use api::pb::storage_catalog::BackupState;
use api::pb::types::{HeldReplicas, MissingNode, Schema, SchemaEntry, SchemaKind};
use bucket::envelope::{DocumentKind, seal};
use bucket::keys;
use model::TableId;
use model::manifest::NodeManifest;
use uuid::Uuid;

use crate::world::{
    FULL_FILES, File, World, backup, file, host, memory_world, node_manifest, object_key, refused,
    task,
};

#[tokio::test]
async fn a_committed_backup_is_complete_with_its_figures() {
    let (_, world) = memory_world();
    world.full("f1", task(1)).await;
    world.differential("d1", "f1", task(2)).await;
    let got = world.get("d1").await.expect("gets");
    let summary = got.summary.expect("a summary");
    assert_eq!(summary.state(), BackupState::Complete);
    assert_eq!(summary.base, "f1");
    assert_eq!((summary.nodes, summary.sstables), (2, 4));
    // Two nodes with "first rows" of the base and "third rows" of its own.
    assert_eq!((summary.bytes, summary.uploaded_bytes), (40, 20));
    assert_eq!(got.tables.len(), 1);
    assert_eq!(got.tables[0].formats, ["big-nb"]);
    assert!(got.coverage.expect("coverage").complete);
    assert_eq!(got.snapshot_spread_ms, 7);
    assert_eq!(got.ring.len(), 2);
    assert_eq!(world.list().await.len(), 2);
}

#[tokio::test]
async fn committing_again_answers_the_same_and_another_task_is_refused() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    let keys = memory.keys();
    let first = world.get("f1").await.expect("gets");
    assert_eq!(world.commit("f1", task(1)).await.expect("again"), first);
    assert_eq!(memory.keys(), keys);
    refused(world.commit("f1", task(2)).await, "BACKUP_EXISTS");
}

#[tokio::test]
async fn committing_releases_the_base_and_the_reference_holds_it_instead() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    world.differential("d1", "f1", task(2)).await;
    assert!(!memory.keys().iter().any(|key| key.contains("/pins/")));
    let error = refused(world.delete("f1").await, "BACKUP_IS_BASE");
    assert!(error.message.contains("prod/d1"), "{error}");
    assert_eq!(world.state("f1").await, Some(BackupState::Complete));
}

#[tokio::test]
async fn what_was_not_begun_or_was_given_up_is_not_committed() {
    let (_, world) = memory_world();
    refused(world.commit("b1", task(1)).await, "BACKUP_NOT_BEGUN");
    world.begin("b1", None, task(1)).await.expect("begins");
    world.upload_all("b1", None, FULL_FILES).await;
    refused(world.commit("b1", task(2)).await, "OTHER_TASK");
    world.abandon("b1", task(1)).await.expect("gives up");
    refused(world.commit("b1", task(1)).await, "BACKUP_GIVEN_UP");
    assert_eq!(world.state("b1").await, Some(BackupState::Failed));
}

#[tokio::test]
async fn a_missing_member_of_the_ring_is_named() {
    let (_, world) = memory_world();
    world.begin("b1", None, task(1)).await.expect("begins");
    world.upload_all("b1", None, FULL_FILES).await;
    let mut request = World::commit_request("b1", task(1));
    request.host_ids.pop();
    let error = refused(world.commit_with(request).await, "BACKUP_INCOMPLETE");
    assert!(error.message.contains("10.0.0.2"), "{error}");
    let mut request = World::commit_request("b1", task(1));
    request.ring.pop();
    refused(world.commit_with(request).await, "NODES_DISAGREE");
    world
        .commit("b1", task(1))
        .await
        .expect("commits when all are there");
}

#[tokio::test]
async fn a_member_that_the_backup_is_made_without_is_named_and_kept() {
    let (_, world) = memory_world();
    world.begin("b1", None, task(1)).await.expect("begins");
    world
        .upload(&node_manifest("b1", None, 1, FULL_FILES), FULL_FILES)
        .await;
    let missing = |number: u128| MissingNode {
        host_id: host(number).to_string(),
        address: format!("10.0.0.{number}"),
        reason: "Cassandra is down".into(),
    };
    let mut request = World::commit_request("b1", task(1));
    request.host_ids.pop();
    request.held = vec![HeldReplicas {
        keyspace: "ks".into(),
        datacenter: "dc1".into(),
        replicas: 2,
        held_ppm: vec![0, 1_000_000, 0],
    }];
    // One that is no member, and one that is there.
    for wrong in [vec![missing(2), missing(9)], vec![missing(1), missing(2)]] {
        request.missing = wrong;
        refused(world.commit_with(request.clone()).await, "NODES_DISAGREE");
    }
    request.missing = vec![missing(2)];
    world.commit_with(request.clone()).await.expect("commits");
    let got = world.get("b1").await.expect("gets");
    assert_eq!((got.missing, got.held), (request.missing, request.held));
    let coverage = got.coverage.expect("coverage");
    assert_eq!(
        (
            coverage.ring_nodes,
            coverage.backed_up_nodes,
            coverage.complete
        ),
        (2, 1, false)
    );
    let summary = got.summary.expect("a summary");
    assert_eq!((summary.nodes, summary.ring_nodes), (1, 2));
    let covers = summary.covers.expect("what it covers");
    assert_eq!(covers.missing, [host(2).to_string()]);
}

#[tokio::test]
async fn a_schema_with_another_table_of_the_name_is_refused() {
    let (_, world) = memory_world();
    world.begin("b1", None, task(1)).await.expect("begins");
    world.upload_all("b1", None, FULL_FILES).await;
    let table = node_manifest("b1", None, 1, FULL_FILES).tables[0].clone();
    let mut request = World::commit_request("b1", task(1));
    let schema = |id: TableId| Schema {
        version: "v2".into(),
        entries: vec![SchemaEntry {
            keyspace: table.keyspace.clone(),
            kind: SchemaKind::Table as i32,
            name: table.table.clone(),
            base_table: String::new(),
            cql: vec![format!("CREATE TABLE x (a int PRIMARY KEY) WITH ID = {id}")],
        }],
    };
    request.schema = Some(schema(TableId(Uuid::from_u128(0xdead))));
    let error = refused(world.commit_with(request.clone()).await, "NODES_DISAGREE");
    assert!(error.message.contains("made again"), "{error}");
    request.schema = Some(schema(table.id));
    world.commit_with(request).await.expect("commits");
}

#[tokio::test]
async fn a_missing_node_manifest_is_named() {
    let (_, world) = memory_world();
    world.begin("b1", None, task(1)).await.expect("begins");
    world
        .upload(&node_manifest("b1", None, 1, FULL_FILES), FULL_FILES)
        .await;
    let error = refused(world.commit("b1", task(1)).await, "BACKUP_INCOMPLETE");
    assert!(error.message.contains(&host(2).to_string()), "{error}");
    assert_eq!(world.state("b1").await, Some(BackupState::Running));
}

#[tokio::test]
async fn a_missing_or_short_object_is_named() {
    let (memory, world) = memory_world();
    world.full("f1", task(1)).await;
    world
        .begin("d1", Some("f1"), task(2))
        .await
        .expect("begins");
    world
        .upload_all("d1", Some("f1"), &World::differential_files("f1"))
        .await;
    let own = object_key(&backup("d1"), 2, "nb-3-big-Data.db");
    let bases = object_key(&backup("f1"), 1, "nb-1-big-Data.db");
    for (key, content) in [(own, "third rows"), (bases, "first rows")] {
        memory.overwrite(&key, "short");
        let error = refused(world.commit("d1", task(2)).await, "BACKUP_INCOMPLETE");
        assert!(
            error.message.contains(&key) && error.message.contains("5 bytes"),
            "{error}"
        );
        world.store.delete(&key).await.expect("deletes");
        let error = refused(world.commit("d1", task(2)).await, "BACKUP_INCOMPLETE");
        assert!(
            error.message.contains(&key) && error.message.contains("missing"),
            "{error}"
        );
        memory.overwrite(&key, content);
    }
    world
        .commit("d1", task(2))
        .await
        .expect("commits when all is there");
}

type Bend = fn(&mut NodeManifest);

/// Commits a full backup of which the second node's manifest was bent.
async fn commit_bent(bend: impl Fn(&mut NodeManifest)) -> api::RemoteError {
    let (memory, world) = memory_world();
    world.begin("b1", None, task(1)).await.expect("begins");
    world.upload_all("b1", None, FULL_FILES).await;
    let mut manifest = node_manifest("b1", None, 2, FULL_FILES);
    bend(&mut manifest);
    let key = keys::node_manifest(&backup("b1"), &host(2));
    memory.overwrite(
        &key,
        seal(DocumentKind::NodeManifest, &manifest)
            .expect("seals")
            .0,
    );
    let error = world.commit("b1", task(1)).await.expect_err("bent");
    assert_eq!(world.state("b1").await, Some(BackupState::Running));
    error
}

#[tokio::test]
async fn nodes_that_do_not_fit_together_are_refused() {
    let bends: [(&str, Bend); 6] = [
        ("another table id", |node| {
            node.tables[0].id = TableId(Uuid::from_u128(9))
        }),
        ("a table less", |node| node.tables.clear()),
        ("other tokens", |node| node.member.tokens = vec!["5".into()]),
        ("another partitioner", |node| {
            node.partitioner = "Random".into()
        }),
        ("a file that is none of an SSTable", |node| {
            node.tables[0].files[0].name = "ks-t-ka-1-Data.db".into();
        }),
        ("another product", |node| {
            node.release = "dse 6.8.38".parse().expect("release")
        }),
    ];
    for (what, bend) in bends {
        assert_eq!(commit_bent(bend).await.reason, "NODES_DISAGREE", "{what}");
    }
}

#[tokio::test]
async fn a_node_manifest_of_another_node_or_backup_is_not_believed() {
    let bends: [fn(&mut NodeManifest); 2] = [
        |node| node.member.host_id = host(7),
        |node| node.backup = backup("b2"),
    ];
    for bend in bends {
        assert_eq!(commit_bent(bend).await.reason, "MANIFEST_DAMAGED");
    }
}

#[tokio::test]
async fn a_node_manifest_that_leads_elsewhere_is_refused() {
    let bends: [(&str, Bend); 6] = [
        ("a file outside its folder", |node| {
            node.tables[0].files[0].name = "nb-1-big-x/../../../../jvm.options".into();
        }),
        ("an index outside its folder", |node| {
            node.tables[0].files[0].index = Some("../x".into());
        }),
        ("a keyspace that is a path", |node| {
            node.tables[0].keyspace = "a/b".into();
        }),
        ("a foreign object", |node| {
            node.tables[0].files[0].object = object_key(&backup("b2"), 2, "nb-1-big-Data.db");
        }),
        ("a reference without a base", |node| {
            node.tables[0].files[0].from = Some("f9".parse().expect("name"));
        }),
        ("a hash that is none", |node| {
            node.tables[0].files[0].blake3 = "abc".into()
        }),
    ];
    for (what, bend) in bends {
        let error = commit_bent(bend).await;
        assert_eq!(error.reason, "MANIFEST_DAMAGED", "{what}");
        let key = keys::node_manifest(&backup("b1"), &host(2));
        assert!(error.message.contains(&key), "{what}: {error}");
    }
}

#[tokio::test]
async fn an_intent_of_another_backup_is_not_believed() {
    let (memory, world) = memory_world();
    world.begin("b1", None, task(1)).await.expect("begins");
    world.begin("b2", None, task(1)).await.expect("begins");
    world.upload_all("b1", None, FULL_FILES).await;
    let other = keys::intent(&backup("b2"));
    let other = world.store.get(&other, 1 << 20).await.expect("an intent");
    memory.overwrite(&keys::intent(&backup("b1")), other);
    refused(world.commit("b1", task(1)).await, "MANIFEST_DAMAGED");
}

#[tokio::test]
async fn a_differential_may_refer_to_its_base_only() {
    let (_, world) = memory_world();
    world.full("f1", task(1)).await;
    world.full("f2", task(2)).await;
    world
        .begin("d1", Some("f2"), task(3))
        .await
        .expect("begins");
    let files = [
        File {
            from: Some("f1"),
            ..FULL_FILES[0]
        },
        file("nb-3-big-Data.db", "x"),
    ];
    world.upload_all("d1", Some("f2"), &files).await;
    let error = refused(world.commit("d1", task(3)).await, "MANIFEST_DAMAGED");
    assert!(error.message.contains("not the base"), "{error}");
}

#[tokio::test]
async fn the_lowest_release_is_the_backups() {
    let (memory, world) = memory_world();
    world.begin("b1", None, task(1)).await.expect("begins");
    world.upload_all("b1", None, FULL_FILES).await;
    let mut manifest = node_manifest("b1", None, 2, FULL_FILES);
    manifest.release = "cassandra 4.1.10".parse().expect("release");
    let key = keys::node_manifest(&backup("b1"), &host(2));
    memory.overwrite(
        &key,
        seal(DocumentKind::NodeManifest, &manifest)
            .expect("seals")
            .0,
    );
    let committed = world.commit("b1", task(1)).await.expect("commits");
    let release = committed
        .summary
        .and_then(|summary| summary.release)
        .expect("a release");
    assert_eq!(release.version, "4.1.9");
}
