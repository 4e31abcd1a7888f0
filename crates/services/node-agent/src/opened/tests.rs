use std::fs;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use super::*;
use crate::swap;
use crate::swap::tests::{staged, targets};
use crate::testing::{FakeNode, Misbehaviour};

/// A node whose tables are swapped, and which is up again.
async fn swapped() -> FakeNode {
    let node = staged().await;
    swap::swap(&node.agent, "r1", &targets()).await.unwrap();
    node.process.is_supported.store(true, Ordering::SeqCst);
    *node.control.mode.lock().unwrap() = Ok("NORMAL".to_owned());
    node.cql.set(
        "SELECT bootstrapped FROM system.local",
        serde_json::json!([{ "bootstrapped": "COMPLETED" }]),
    );
    node.control.calls.lock().unwrap().clear();
    node
}

#[tokio::test]
async fn a_node_that_has_opened_everything_is_started() {
    let node = swapped().await;
    start(&node.agent, "r1", &targets()).await.unwrap();
    start(&node.agent, "r1", &targets()).await.unwrap();
}

#[tokio::test]
async fn a_start_waits_until_the_node_sees_the_others_but_not_for_ever() {
    let mut node = swapped().await;
    let other = ["10.0.0.2".parse().unwrap()];
    node.control.unsettled.lock().unwrap().down = other.into();
    let tables = targets();
    let starting = start(&node.agent, "r1", &tables);
    let comes_up = async {
        while node.control.unsettled_calls.load(Ordering::SeqCst) < 3 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        node.control.unsettled.lock().unwrap().down.clear();
    };
    let (started, ()) = tokio::join!(starting, comes_up);
    started.unwrap();
    node.control.unsettled.lock().unwrap().down = other.into();
    node.agent.node.settings.start_timeout_seconds = 0;
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

/// The log of a compaction of table `full`.
fn log_of(node: &FakeNode, lines: &str) -> PathBuf {
    let folder = node.table("full", 1, 0).0;
    let log = folder.join("nb_txn_compaction_5a1c395e.log");
    fs::write(&log, lines).unwrap();
    log
}

fn counts(node: &FakeNode) -> Vec<String> {
    node.control.calls.lock().unwrap().clone()
}

/// The name of a Data component of table `full`, without its end.
fn an_sstable(node: &FakeNode) -> String {
    let folders = &node.agent.folders;
    let target = &targets()[0];
    let files = folders.data.live_files(&target.table, &target.target_id);
    let own = files.unwrap().into_iter().find(|file| file.is_own_data());
    own.unwrap().descriptor.to_string()
}

#[tokio::test]
async fn a_table_that_never_comes_to_rest_is_opened_if_all_that_is_settled_is_counted() {
    let node = swapped().await;
    log_of(&node, "ADD:[/d/nb-77-big-,0,8][1]\n");
    start(&node.agent, "r1", &targets()).await.unwrap();
    let looks = counts(&node).len() as u32;
    assert_eq!(looks, RESTLESS_LOOKS_MAX + 1);
    node.control.misbehave(Misbehaviour::OpensAllButOne);
    let error = start(&node.agent, "r1", &targets()).await.unwrap_err();
    assert_eq!(error.reason(), "SSTABLES_NOT_OPENED", "{error}");
    // Then it may be the one that is being compacted.
    let record = format!("remove:[/d/{},0,8][1]\n", an_sstable(&node));
    log_of(&node, &record);
    start(&node.agent, "r1", &targets()).await.unwrap();
}

#[tokio::test]
async fn a_moment_of_rest_counts_more_than_what_a_compaction_would_excuse() {
    let node = swapped().await;
    node.control.misbehave(Misbehaviour::OpensAllButOne);
    let record = format!("remove:[/d/{},0,8][1]\n", an_sstable(&node));
    let log = log_of(&node, &record);
    let ended = async {
        tokio::task::yield_now().await;
        fs::remove_file(&log).unwrap();
    };
    let targets = targets();
    let (started, ()) = tokio::join!(start(&node.agent, "r1", &targets), ended);
    assert_eq!(started.unwrap_err().reason(), "SSTABLES_NOT_OPENED");
}

#[tokio::test]
async fn a_loss_in_a_late_table_is_found_whatever_the_time_and_the_other_tables() {
    let mut node = swapped().await;
    node.agent.node.settings.start_timeout_seconds = 0;
    log_of(&node, "ADD:[/d/nb-77-big-,0,8][1]\n");
    node.table("gone", 2, 0).sstable("nb-1-big", "since");
    node.control.misbehave(Misbehaviour::OpensAllButOne);
    let error = start(&node.agent, "r1", &targets()).await.unwrap_err();
    assert!(error.to_string().contains("`ks.gone`"), "{error}");
    assert_eq!(error.reason(), "SSTABLES_NOT_OPENED");
}

#[tokio::test]
async fn only_tables_that_do_not_agree_are_counted_again() {
    let node = swapped().await;
    node.table("gone", 2, 0).sstable("nb-1-big", "since");
    log_of(&node, "");
    start(&node.agent, "r1", &targets()).await.unwrap();
    let counts = counts(&node);
    assert_eq!(counts[0], "tablestats ks.full ks.gone");
    assert_eq!(counts.len() as u32, RESTLESS_LOOKS_MAX + 1);
    assert!(counts[1..].iter().all(|call| call == "tablestats ks.full"));
}
