//! On a bucket that lets nothing be deleted, backups are made, listed and verified all the same.

use std::sync::Arc;

use api::pb::storage_catalog::{BackupState, VerifyLevel};
use blob_store::testing::{Memory, WriteOnce};

use crate::world::{World, refused, task};

#[tokio::test]
async fn backups_live_on_a_bucket_under_retention() {
    let world = World::on(Arc::new(WriteOnce(Arc::new(Memory::default()))));
    world.full("f1", task(1)).await;
    world.differential("d1", "f1", task(2)).await;
    world.begin("x1", None, task(3)).await.expect("begins");
    world.abandon("x1", task(3)).await.expect("gives up");
    world.pin("d1", task(4)).await.expect("pins");
    world
        .unpin("d1", task(4))
        .await
        .expect("releases as far as the bucket lets it");
    let states: Vec<_> = world
        .list()
        .await
        .iter()
        .map(|summary| summary.state())
        .collect();
    assert_eq!(
        states,
        [
            BackupState::Failed,
            BackupState::Complete,
            BackupState::Complete
        ]
    );
    for name in ["f1", "d1"] {
        assert!(
            world
                .verify(name, VerifyLevel::Objects)
                .await
                .expect("verifies")
                .ok
        );
    }
}

#[tokio::test]
async fn a_refused_deletion_does_not_cost_the_backup() {
    let world = World::on(Arc::new(WriteOnce(Arc::new(Memory::default()))));
    world.full("f1", task(1)).await;
    for _ in 0..2 {
        let error = refused(world.delete("f1").await, "STORE_REFUSES_DELETE");
        assert!(error.hint.is_some());
    }
    assert_eq!(world.state("f1").await, Some(BackupState::Complete));
    world.pin("f1", task(2)).await.expect("can still be pinned");
    world.assert_complete_is_whole().await;
}
