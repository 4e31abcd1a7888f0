use std::fs;

use api::ServiceError;

use super::back::back_files;
use super::tests::{dying, live, picture_of, staged, targets};
use super::*;
use crate::restore;
use crate::testing::FakeNode;

/// What is in the live folders, by path.
fn live_picture(node: &FakeNode) -> std::collections::BTreeMap<String, String> {
    let mut picture = picture_of(node);
    picture.retain(|path, _| path.starts_with("data"));
    picture
}

async fn finish_reason(node: &FakeNode) -> Option<&'static str> {
    let finished = restore::finish(&node.agent, "r1", false).await;
    finished.err().map(|error| error.reason())
}

#[tokio::test]
async fn old_files_come_back_exactly_and_the_restored_ones_go_with_the_end() {
    let node = staged().await;
    let before = live_picture(&node);
    swap(&node.agent, "r1", &targets()).await.unwrap();
    // Cassandra has written since.
    let written = node.table("full", 1, 0);
    written.sstable("nb-9-big", "since");
    for _ in 0..2 {
        swap_back(&node.agent, "r1").await.unwrap();
        assert_eq!(live_picture(&node), before);
    }
    let error = swap(&node.agent, "r1", &targets()).await.unwrap_err();
    assert_eq!(error.reason(), "ROLLED_BACK");
    assert_eq!(finish_reason(&node).await, None);
    assert_eq!(live_picture(&node), before);
    assert!(!node.root.path().join("ringkeep-staging/r1").exists());
    let error = swap_back(&node.agent, "r1").await.unwrap_err();
    assert_eq!(error.reason(), "NOTHING_KEPT");
}

#[tokio::test]
async fn a_rollback_killed_at_any_rename_ends_the_same_and_is_never_finished_half_done() {
    for at in 1.. {
        for after in [false, true] {
            let node = staged().await;
            let before = live_picture(&node);
            swap(&node.agent, "r1", &targets()).await.unwrap();
            let (rename, _) = dying(at, after);
            let died = back_files(&node.agent.folders, "r1", rename).await.is_err();
            if !died {
                assert!(at > 20, "only {at} renames");
                return;
            }
            let state = RestoreState::open(&node.agent.folders, "r1").await.unwrap();
            if !state.1.restored_aside.is_empty() {
                let refused = finish_reason(&node).await;
                assert_eq!(refused, Some("SWAP_UNFINISHED"), "{at} {after}");
            }
            swap_back(&node.agent, "r1").await.unwrap();
            assert_eq!(live_picture(&node), before, "{at} {after}");
        }
    }
}

#[tokio::test]
async fn a_swap_that_was_killed_at_any_rename_can_be_rolled_back() {
    for at in 1.. {
        for after in [false, true] {
            let node = staged().await;
            let before = live_picture(&node);
            let (rename, _) = dying(at, after);
            let swapped = swap_files(&node.agent.folders, "r1", &targets(), rename).await;
            if swapped.is_ok() {
                assert!(at > 20, "only {at} renames");
                return;
            }
            swap_back(&node.agent, "r1").await.unwrap();
            assert_eq!(live_picture(&node), before, "{at} {after}");
            assert_eq!(finish_reason(&node).await, None, "{at} {after}");
            assert_eq!(live_picture(&node), before, "{at} {after}");
        }
    }
}

#[tokio::test]
async fn old_files_are_deleted_only_if_that_is_asked_for() {
    let node = staged().await;
    swap(&node.agent, "r1", &targets()).await.unwrap();
    assert_eq!(finish_reason(&node).await, Some("OLD_FILES_KEPT"));
    restore::finish(&node.agent, "r1", true).await.unwrap();
    assert_eq!(live(&node), ["one", "two"]);
    assert!(!node.root.path().join("ringkeep-staging/r1").exists());
}

#[tokio::test]
async fn nothing_is_moved_if_an_old_file_is_missing() {
    let node = staged().await;
    swap(&node.agent, "r1", &targets()).await.unwrap();
    let old = node.root.path().join("ringkeep-staging/r1/old");
    fs::remove_dir_all(old).unwrap();
    let before = live_picture(&node);
    let error = swap_back(&node.agent, "r1").await.unwrap_err();
    assert_eq!(error.reason(), "OLD_FILES_LOST");
    assert_eq!(live_picture(&node), before);
    assert_eq!(live(&node), ["one", "two"]);
}

#[tokio::test]
async fn a_running_cassandra_is_never_swapped_back_under() {
    let node = staged().await;
    swap(&node.agent, "r1", &targets()).await.unwrap();
    *node.control.mode.lock().unwrap() = Ok("DRAINED".to_owned());
    let error = swap_back(&node.agent, "r1").await.unwrap_err();
    assert_eq!(error.reason(), "CASSANDRA_RUNNING");
    assert_eq!(live(&node), ["one", "two"]);
}
