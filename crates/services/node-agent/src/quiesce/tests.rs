use std::sync::atomic::Ordering;

use api::{ErrorKind, ServiceError};
use cassandra_node::control::ClientProtocol;
use cassandra_node::testing::Misbehaviour;
use cassandra_node::truncation::TruncationRecord;
use jiff::SignedDuration;
use serde_json::json;

use super::*;
use crate::restore::RestoreRecord;
use crate::swap::tests::{staged, targets};
use crate::testing::FakeNode;

const READ: &str = "SELECT truncated_at FROM system.local";

/// A node that is up, with a staged restore.
async fn up() -> FakeNode {
    let node = staged().await;
    *node.control.mode.lock().unwrap() = Ok("NORMAL".to_owned());
    let bootstrapped = json!([{ "bootstrapped": "COMPLETED" }]);
    node.cql
        .set("SELECT bootstrapped FROM system.local", bootstrapped);
    node
}

fn in_seconds(node: &FakeNode, seconds: i64) -> Timestamp {
    (node.agent.clock)() + SignedDuration::from_secs(seconds)
}

/// The record that a table gets which had none.
fn fresh(cutoff: Timestamp) -> TruncationRecord {
    TruncationRecord::until(None, cutoff.as_millisecond())
}

/// Has the node return this record for all tables.
fn returns(node: &FakeNode, record: TruncationRecord) {
    let ids = targets().into_iter().map(|target| target.target_id);
    let map: serde_json::Map<_, _> = ids
        .map(|id| (id.0.to_string(), record.blob().into()))
        .collect();
    node.cql.set(READ, json!([{ "truncated_at": map }]));
}

async fn state(node: &FakeNode) -> RestoreState {
    let opened = RestoreState::open(&node.agent.folders, "r1").await;
    opened.unwrap().1
}

#[tokio::test]
async fn every_table_gets_a_record_with_the_cutoff_and_what_was_there_is_kept_for_the_way_back() {
    let node = up().await;
    let cutoff = in_seconds(&node, 30);
    returns(&node, fresh(cutoff));
    let marked = mark_truncated(&node.agent, "r1", &targets(), cutoff).await;
    marked.unwrap();
    let executed = node.cql.executed.lock().unwrap().join("\n");
    for target in targets() {
        let entry = format!("{}: {}", target.target_id.0, fresh(cutoff).blob());
        assert!(executed.contains(&entry), "{executed}");
    }
    assert_eq!(state(&node).await.marked.len(), 2);
}

#[tokio::test]
async fn a_record_that_does_not_come_back_is_not_believed() {
    let node = up().await;
    let cutoff = in_seconds(&node, 30);
    let error = mark_truncated(&node.agent, "r1", &targets(), cutoff).await;
    assert_eq!(error.unwrap_err().reason(), "TRUNCATION_RECORD_LOST");
}

#[tokio::test]
async fn a_missing_grant_is_named_before_anything_stops() {
    let node = up().await;
    let cutoff = in_seconds(&node, 30);
    let entries: Vec<String> = targets()
        .iter()
        .map(|target| format!("{}: {}", target.target_id.0, fresh(cutoff).blob()))
        .collect();
    *node.cql.refuses.lock().unwrap() = Some(format!(
        "UPDATE system.local SET truncated_at = truncated_at + {{{}}} WHERE key = 'local'",
        entries.join(", ")
    ));
    let error = mark_truncated(&node.agent, "r1", &targets(), cutoff).await;
    let error = error.unwrap_err();
    assert_eq!(error.reason(), "TRUNCATION_RECORD_REFUSED");
    assert_eq!(
        error.kind(),
        ErrorKind::FailedPrecondition,
        "no retry helps"
    );
    assert!(error.hint().unwrap().contains("SUPERUSER = true"));
}

#[tokio::test]
async fn a_cutoff_must_be_near_and_not_too_near() {
    let node = up().await;
    for (seconds, reason) in [
        (-1, "CUTOFF_TOO_LATE"),
        (4, "CUTOFF_TOO_LATE"),
        (1_000, "CUTOFF_TOO_FAR"),
    ] {
        let cutoff = in_seconds(&node, seconds);
        let marked = mark_truncated(&node.agent, "r1", &targets(), cutoff).await;
        assert_eq!(marked.unwrap_err().reason(), reason, "{seconds}");
        let cut = cut_clients_off(&node.agent, cutoff).await;
        assert_eq!(cut.unwrap_err().reason(), reason, "{seconds}");
    }
    assert!(node.cql.executed.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn clients_are_cut_off_and_the_cutoff_is_waited_for() {
    let node = up().await;
    let started = tokio::time::Instant::now();
    let cutoff = in_seconds(&node, 30);
    cut_clients_off(&node.agent, cutoff).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(30));
    assert!(node.control.served.lock().unwrap().is_empty());
    node.control
        .served
        .lock()
        .unwrap()
        .insert(ClientProtocol::Native);
    node.control.misbehave(Misbehaviour::KeepsClients);
    let error = cut_clients_off(&node.agent, cutoff).await.unwrap_err();
    assert_eq!(error.reason(), "CLIENTS_STILL_SERVED");
}

#[tokio::test]
async fn the_way_back_lets_clients_in_and_puts_the_records_of_before_back() {
    let node = up().await;
    let before = TruncationRecord::until(None, 7);
    returns(&node, before);
    for seconds in [30, 40] {
        let cutoff = in_seconds(&node, seconds);
        // The fake returns what was there, whatever is written.
        let lost = mark_truncated(&node.agent, "r1", &targets(), cutoff).await;
        assert_eq!(lost.unwrap_err().reason(), "TRUNCATION_RECORD_LOST");
        returns(
            &node,
            TruncationRecord::until(Some(before), cutoff.as_millisecond()),
        );
    }
    clients::cut_off(&node.agent.node).await.unwrap();
    node.cql.executed.lock().unwrap().clear();
    let_clients_in(&node.agent, "r1").await.unwrap();
    assert!(!node.control.served.lock().unwrap().is_empty());
    let executed = node.cql.executed.lock().unwrap().join("\n");
    assert_eq!(executed.matches(&before.blob()).count(), 2, "{executed}");
    assert!(state(&node).await.marked.is_empty());
    node.cql.executed.lock().unwrap().clear();
    let_clients_in(&node.agent, "r1").await.unwrap();
    assert!(node.cql.executed.lock().unwrap().is_empty(), "it is done");
}

#[tokio::test]
async fn a_table_that_was_truncated_since_keeps_its_record() {
    let node = up().await;
    let (journal, _) = RestoreState::open(&node.agent.folders, "r1").await.unwrap();
    for target in targets() {
        let mark = RestoreRecord::Marked {
            table: target.target_id,
            before: None,
            cutoff_ms: 5,
        };
        journal.append(&mark).await.unwrap();
    }
    returns(&node, TruncationRecord::until(None, 6));
    let_clients_in(&node.agent, "r1").await.unwrap();
    assert!(node.cql.executed.lock().unwrap().is_empty());
    assert!(node.process.begun.lock().unwrap().is_empty(), "it was up");
    assert!(node.process.is_supported.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_node_that_is_down_with_restored_files_is_not_started() {
    let node = staged().await;
    let swapped = swap::swap(&node.agent, "r1", &targets()).await;
    swapped.unwrap();
    let cutoff = in_seconds(&node, 30);
    let marked = mark_truncated(&node.agent, "r1", &targets(), cutoff).await;
    marked.expect("its records of before the swap hold on");
    assert!(node.process.begun.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_node_that_is_down_with_this_restores_records_is_not_started() {
    let node = up().await;
    node.process.is_supported.store(true, Ordering::SeqCst);
    let cutoff = in_seconds(&node, 30);
    returns(&node, fresh(cutoff));
    let mark = async |cutoff| mark_truncated(&node.agent, "r1", &targets(), cutoff).await;
    mark(cutoff).await.unwrap();
    node.control.go_down();
    node.cql.executed.lock().unwrap().clear();
    mark(in_seconds(&node, 40)).await.unwrap();
    assert!(node.process.begun.lock().unwrap().is_empty());
    assert!(node.cql.executed.lock().unwrap().is_empty());
    crate::restart::stop(&node.agent, "r1")
        .await
        .expect("it has nothing to replay");
    assert!(node.process.begun.lock().unwrap().is_empty());
}
