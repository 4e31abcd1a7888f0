use std::fs;

use super::*;
use crate::swap;
use crate::swap::tests::{staged, targets};
use crate::testing::{FakeNode, Misbehaviour};

/// A node whose tables are swapped, and which is up again.
async fn swapped() -> FakeNode {
    let mut node = staged().await;
    swap::swap(&node.agent, "r1", &targets()).await.unwrap();
    node.agent.cassandra.start_command = vec!["true".into()];
    *node.control.mode.lock().unwrap() = Ok("NORMAL".to_owned());
    node.cql.set(
        "SELECT bootstrapped FROM system.local",
        serde_json::json!([{ "bootstrapped": "COMPLETED" }]),
    );
    node
}

#[tokio::test]
async fn a_node_that_has_opened_everything_is_started() {
    let node = swapped().await;
    start(&node.agent, "r1", &targets()).await.unwrap();
    start(&node.agent, "r1", &targets()).await.unwrap();
}

#[tokio::test]
async fn an_sstable_that_cassandra_did_not_open_fails_the_start() {
    let node = swapped().await;
    node.control.misbehave(Misbehaviour::OpensAllButOne);
    let error = start(&node.agent, "r1", &targets()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DataLoss);
    assert_eq!(
        error.to_string(),
        "Cassandra is up and has opened 1 SSTables of table `ks.full`, which has 2 in its folders; the old files are kept in the staging folder of restore `r1`"
    );
    node.control.behave();
    start(&node.agent, "r1", &targets()).await.unwrap();
}

#[tokio::test]
async fn a_count_during_a_compaction_says_nothing() {
    let mut node = swapped().await;
    let log = node
        .table("full", 1, 0)
        .0
        .join("nb_txn_compaction_5a1c395e.log");
    fs::write(&log, "ADD").unwrap();
    node.agent.cassandra.start_timeout_seconds = 0;
    let error = start(&node.agent, "r1", &targets()).await.unwrap_err();
    assert_eq!(error.reason(), "SSTABLES_NOT_COUNTED", "{error}");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "it is tried again");
    node.agent.cassandra.start_timeout_seconds = 600;
    let ended = async {
        tokio::task::yield_now().await;
        fs::remove_file(&log).unwrap();
    };
    let targets = targets();
    let (started, ()) = tokio::join!(start(&node.agent, "r1", &targets), ended);
    started.unwrap();
}
