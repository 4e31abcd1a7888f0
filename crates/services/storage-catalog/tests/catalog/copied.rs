//! Full backups that are connected by copies inside the store: damage that is found in one is not copied on.

use std::collections::BTreeSet;

use api::pb::storage_catalog::{BackupState, VerifyLevel};
use blob_store::BlobStore;

use crate::world::{
    FULL_FILES, World, backup, memory_world, node_manifest, object_key, task, wire_ref,
};

/// A full backup whose files descend from those of another one.
async fn copy(world: &World, name: &str, first: &str, number: u128) {
    let begun = world.begin(name, None, task(number)).await.expect("begins");
    assert!(!begun.copy_from.is_empty());
    for node in [1, 2] {
        let mut manifest = node_manifest(name, None, node, FULL_FILES);
        for file in &mut manifest.tables[0].files {
            file.copied_from = Some(first.parse().expect("a name"));
        }
        world.upload(&manifest, FULL_FILES).await;
    }
    world.commit(name, task(number)).await.expect("commits");
}

async fn source(world: &World, name: &str, number: u128) -> String {
    let begun = world.begin(name, None, task(number)).await.expect("begins");
    begun.copy_from
}

#[tokio::test]
async fn none_that_is_connected_with_damage_by_copies_is_copied_from_until_it_was_read() {
    let (memory, world) = memory_world();
    world.full("first", task(1)).await;
    copy(&world, "a", "first", 2).await;
    copy(&world, "b", "first", 3).await;
    let listed = world.list().await;
    for summary in &listed {
        let is_first = summary.backup == wire_ref("first");
        let expected = if is_first {
            vec![]
        } else {
            vec!["first".to_owned()]
        };
        assert_eq!(summary.copied_from, expected);
    }
    let sources: BTreeSet<_> = ["a", "b", "first"].map(str::to_owned).into();
    assert!(sources.contains(&source(&world, "c", 4).await));

    let rotten = object_key(&backup("b"), 1, FULL_FILES[0].name);
    memory.delete(&rotten).await.expect("deletes");
    world.put(&rotten, "First rows").await;
    let report = world.verify("b", VerifyLevel::Objects).await;
    assert_eq!(report.expect("verifies").damage.len(), 1);
    assert_eq!(source(&world, "d", 5).await, "");

    world
        .verify("a", VerifyLevel::Objects)
        .await
        .expect("verifies");
    assert_eq!(source(&world, "e", 6).await, "a");
    assert_eq!(world.state("b").await, Some(BackupState::Complete));
}
