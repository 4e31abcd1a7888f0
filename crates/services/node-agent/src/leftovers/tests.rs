use std::fs;

use model::{Selection, TableRef};
use uuid::Uuid;

use super::*;
use crate::restore::RestoreRecord;
use crate::swap::tests::{live, staged, targets};
use crate::testing::FakeNode;

fn task(number: u128) -> TaskId {
    TaskId(Uuid::from_u128(number))
}

async fn found(node: &FakeNode) -> Vec<(LeftoverKind, TaskId)> {
    let found = list(&node.agent).await.unwrap();
    found.iter().map(|it| (it.kind, it.task)).collect()
}

async fn cleared(node: &FakeNode, kind: LeftoverKind, task: TaskId) -> ClearedLeftover {
    let one = Clear {
        leftovers: vec![(kind, task)],
        live: BTreeSet::new(),
    };
    clear(&node.agent, one).await.remove(0)
}

#[tokio::test]
async fn a_snapshot_of_a_task_is_found_and_goes_and_others_stay() {
    let node = FakeNode::new(2, "4.1.9");
    node.tables(&["full"]);
    node.table("full", 1, 0).sstable("nb-1-big", "one");
    let mine = tag(task(1));
    for name in [mine.as_str(), "ringkeep-nightly"] {
        snapshot::take(&node.agent, name, &Selection::default())
            .await
            .unwrap();
    }
    let of_the_operator = node.table("full", 1, 0).0.join("snapshots/nightly");
    fs::create_dir_all(of_the_operator).unwrap();
    let listed = list(&node.agent).await.unwrap();
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert!(listed[0].bytes > 0);
    assert_eq!(found(&node).await, [(LeftoverKind::Snapshot, task(1))]);
    let gone = cleared(&node, LeftoverKind::Snapshot, task(1)).await;
    assert_eq!(gone.kept_because, None);
    assert_eq!(gone.freed_bytes, listed[0].bytes);
    assert_eq!(found(&node).await, []);
    let snapshots = node.table("full", 1, 0).0.join("snapshots");
    assert_eq!(fs::read_dir(snapshots).unwrap().count(), 2);
    let again = cleared(&node, LeftoverKind::Snapshot, task(1)).await;
    assert_eq!(again.kept_because, None, "what is not there is gone");
}

#[tokio::test]
async fn what_lives_or_is_worked_on_stays() {
    let node = FakeNode::new(1, "4.1.9");
    let root = node
        .agent
        .folders
        .restore_roots(&task(1).to_string())
        .unwrap();
    fs::create_dir_all(root[0].join("x")).unwrap();
    let name = (LeftoverKind::Staged, task(1));
    let clear_with = async |live: &[TaskId]| {
        let request = Clear {
            leftovers: vec![name],
            live: live.iter().copied().collect(),
        };
        clear(&node.agent, request).await.remove(0).kept_because
    };
    let kept = clear_with(&[task(1)]).await.unwrap();
    assert!(kept.contains("resumed"), "{kept}");
    let name_of_lock = on_restore(&task(1).to_string());
    let held = node.agent.locks.lock(name_of_lock.as_str()).await;
    let kept = clear_with(&[]).await.unwrap();
    assert!(kept.contains("at work"), "{kept}");
    drop(held);
    assert_eq!(found(&node).await, [name]);
    assert_eq!(clear_with(&[]).await, None);
    assert!(!root[0].exists());
}

/// A node with a staged restore of task 1.
async fn staged_by_a_task() -> FakeNode {
    let node = staged().await;
    let restore = Uuid::from_u128(1).to_string();
    let folders = &node.agent.folders;
    for (from, to) in [
        (
            folders.restore_roots("r1").unwrap(),
            folders.restore_roots(&restore).unwrap(),
        ),
        (
            vec![folders.restore_journal("r1")],
            vec![folders.restore_journal(&restore)],
        ),
    ] {
        from.iter()
            .zip(&to)
            .for_each(|(from, to)| fs::rename(from, to).unwrap());
    }
    node
}

#[tokio::test]
async fn what_a_rollback_could_not_delete_at_its_end_is_no_old_files() {
    let node = staged_by_a_task().await;
    let restore = Uuid::from_u128(1).to_string();
    swap::swap(&node.agent, &restore, &targets()).await.unwrap();
    assert_eq!(found(&node).await, [(LeftoverKind::OldFiles, task(1))]);
    swap::swap_back(&node.agent, &restore).await.unwrap();
    assert_eq!(found(&node).await, [(LeftoverKind::Staged, task(1))]);
    let gone = cleared(&node, LeftoverKind::Staged, task(1)).await;
    assert_eq!(gone.kept_because, None);
    assert_eq!(found(&node).await, []);
    assert_eq!(live(&node), ["newer", "unwanted"]);
}

#[tokio::test]
async fn old_files_go_only_by_their_own_kind_and_never_in_the_middle_of_a_swap() {
    let node = staged_by_a_task().await;
    let restore = Uuid::from_u128(1).to_string();
    let folders = &node.agent.folders;
    assert_eq!(found(&node).await, [(LeftoverKind::Staged, task(1))]);
    let half = RestoreRecord::Aside {
        table: FakeNode::table_id(1),
        files: None,
    };
    let path = folders.restore_journal(&restore);
    let before = fs::read(&path).unwrap();
    let (journal, _) = RestoreState::open(folders, &restore).await.unwrap();
    journal.append(&half).await.unwrap();
    let listed = list(&node.agent).await.unwrap();
    assert!(listed[0].half_swapped && listed[0].kind == LeftoverKind::OldFiles);
    let kept = cleared(&node, LeftoverKind::OldFiles, task(1)).await;
    assert!(kept.kept_because.unwrap().contains("only copy"));
    fs::write(&path, before).unwrap();

    swap::swap(&node.agent, &restore, &targets()).await.unwrap();
    let listed = list(&node.agent).await.unwrap();
    assert_eq!(listed[0].kind, LeftoverKind::OldFiles);
    assert!(!listed[0].half_swapped && listed[0].bytes > 0);
    let kept = cleared(&node, LeftoverKind::Staged, task(1)).await;
    assert!(kept.kept_because.unwrap().contains("old files"));
    let gone = cleared(&node, LeftoverKind::OldFiles, task(1)).await;
    assert_eq!(gone.kept_because, None);
    assert_eq!(found(&node).await, []);
    let live = node
        .agent
        .folders
        .data
        .live_files(&TableRef::new("ks", "full"), &FakeNode::table_id(1));
    assert!(!live.unwrap().is_empty(), "what is live stays");
}
