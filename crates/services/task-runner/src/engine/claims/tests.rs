//! Two tasks that want one cluster at the same moment.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use model::task::{Paused, TaskKind, TaskState};
use state_store::{RedbStore, StateStore};
use uuid::Uuid;

use super::*;
use crate::engine::need::Keyspaces;
use crate::engine::queue::RunningLimits;
use crate::events::Outbox;

const LEASE_TTL: Duration = Duration::from_secs(60);

/// A record of a backup that runs, and its lease.
async fn backup_on(tasks: &TaskStore, cluster: &ClusterName) -> (TaskRecord, u64, Fence) {
    let id = TaskId(Uuid::now_v7());
    let fence = tasks.acquire(id, "test").await.expect("free");
    let record = TaskRecord::new(id, TaskKind::Backup, cluster.clone(), Timestamp::now());
    let saved = tasks.save_record(&record, Expected::Absent, &fence).await;
    (record, saved.expect("saved"), fence)
}

#[tokio::test]
async fn a_claim_that_was_left_over_does_not_let_two_tasks_have_a_cluster() {
    let store = RedbStore::in_memory(Arc::new(Timestamp::now)).await;
    let store = Arc::new(store.expect("open"));
    let tasks = TaskStore::new(store.clone(), LEASE_TTL, Outbox::default());
    let cluster: ClusterName = "shop".parse().expect("a name");
    let (mut paused, version, fence) = backup_on(&tasks, &cluster).await;
    let claimed = tasks.claim(&cluster, paused.id, &Need::Whole, &fence).await;
    claimed.expect("free");
    let running = paused.clone();
    // It gives its cluster up, and dies before its claim is gone.
    paused.state = TaskState::Paused;
    paused.paused = Some(Paused {
        since: Timestamp::now(),
        why: "on request".to_owned(),
        gave_up: false,
        keeps_cluster: false,
    });
    let expected = Expected::Version(version);
    let saved = tasks.save_record(&paused, expected, &fence).await;
    let version = saved.expect("saved");
    let (other, _, others_lease) = backup_on(&tasks, &cluster).await;
    // The other one has seen that the cluster is free, and is about to write that it has it.
    let seen = tasks.claims(&cluster).await.expect("claims");
    assert!(seen.holders.is_empty());
    let late = seen
        .with(&cluster, other.id, &Need::Whole)
        .expect("a write");
    let expected = Expected::Version(version);
    let saved = tasks.save_record(&running, expected, &fence).await;
    saved.expect("resumed");
    let claimed = tasks
        .claim(&cluster, running.id, &Need::Whole, &fence)
        .await;
    claimed.expect("it has it again");
    let written = store.write(&[late], Some(&others_lease)).await;
    assert!(
        matches!(written, Err(StateError::Conflict { .. })),
        "both have it: {written:?}"
    );
}

#[tokio::test]
async fn what_a_task_has_is_kept_if_an_earlier_release_has_dropped_it_from_its_record() {
    let store = RedbStore::in_memory(Arc::new(Timestamp::now)).await;
    let tasks = TaskStore::new(Arc::new(store.expect("open")), LEASE_TTL, Outbox::default());
    let cluster: ClusterName = "shop".parse().expect("a name");
    let (record, _, fence) = backup_on(&tasks, &cluster).await;
    let need = Need::Backup(Keyspaces::new(&["a".to_owned()]));
    let claim = async |need: &Need| tasks.claim(&cluster, record.id, need, &fence).await;
    assert_eq!(claim(&need).await.expect("free"), need);
    assert_eq!(claim(&Need::Whole).await.expect("it has it"), need);
}

#[tokio::test]
async fn a_task_that_asks_for_its_turn_does_not_wait_long_for_others_that_ask() {
    let store = RedbStore::in_memory(Arc::new(Timestamp::now)).await;
    let tasks = TaskStore::new(Arc::new(store.expect("open")), LEASE_TTL, Outbox::default());
    let cluster: ClusterName = "shop".parse().expect("a name");
    let (record, _, fence) = backup_on(&tasks, &cluster).await;
    let _asks_for_ever = tasks.asking.lock().await;
    let patience = Duration::from_millis(1);
    let limits = RunningLimits::default();
    let asked = tasks.admit(record.id, limits, patience, &fence).await;
    assert!(matches!(asked, Err(RunnerError::TurnsContended)));
}
