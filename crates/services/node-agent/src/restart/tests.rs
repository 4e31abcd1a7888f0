use api::ServiceError;

use cassandra_node::testing::Misbehaviour;

use super::*;
use crate::swap::tests::{staged, targets};
use crate::testing::FakeNode;

fn command(script: &str) -> Vec<String> {
    ["sh", "-c", script].map(String::from).into()
}

/// A node whose start command is this, and which has a second to start.
fn node(script: &str) -> FakeNode {
    let mut node = FakeNode::new(1, "4.1.9");
    node.commands(command(script), command("true"));
    node.agent.node.settings.start_timeout_seconds = 1;
    node
}

#[tokio::test]
async fn without_a_command_nothing_is_stopped() {
    let node = FakeNode::new(1, "4.1.9");
    let error = stop(&node.agent, "r1").await.unwrap_err();
    assert_eq!(error.reason(), "CANNOT_RESTART");
    assert!(node.control.calls.lock().unwrap().is_empty(), "nor drained");
}

#[tokio::test]
async fn a_node_is_drained_before_it_is_stopped_and_must_be_down_then() {
    let node = node("true");
    node.segment(SEGMENT);
    let error = stop(&node.agent, "r1").await.unwrap_err();
    assert_eq!(error.reason(), "NODE_NOT_QUIET");
    assert!(node.control.calls.lock().unwrap().is_empty(), "nor drained");
    node.control.served.lock().unwrap().clear();
    let error = stop(&node.agent, "r1").await.unwrap_err();
    assert_eq!(error.reason(), "RESTART_TIMEOUT");
    assert!(error.to_string().contains("NORMAL"), "{error}");
    assert_eq!(*node.control.calls.lock().unwrap(), ["drain"]);
    node.control.go_down();
    stop(&node.agent, "r1").await.unwrap();
}

const SEGMENT: &str = "CommitLog-7-1.log";

/// A node that is down, with a staged restore. Starting it would fail.
async fn down() -> FakeNode {
    let mut node = staged().await;
    node.commands(command("exit 3"), command("true"));
    node.control.go_down();
    node
}

/// A segment without parameters, and with this content.
fn write_segment(node: &FakeNode, name: &str, content: &[u8]) {
    let mut bytes = vec![0, 0, 0, 7];
    bytes.extend([1; 8]);
    bytes.extend([0, 2]);
    bytes.extend(b"{}");
    bytes.extend(content);
    std::fs::write(node.segment(name), bytes).unwrap();
}

#[tokio::test]
async fn a_node_that_is_down_is_stopped_if_it_has_nothing_to_replay_over_the_restored_tables() {
    let node = down().await;
    stop(&node.agent, "r1").await.expect("no segment");
    write_segment(&node, SEGMENT, b"a write to another table");
    stop(&node.agent, "r1").await.expect("none of its tables");
    let table = targets()[1].target_id;
    write_segment(&node, "CommitLog-7-2.log", table.0.as_bytes());
    let error = stop(&node.agent, "r1").await.unwrap_err();
    assert_eq!(error.reason(), "NOT_DRAINED");
    let log = node
        .agent
        .node
        .yaml
        .commitlog_directory
        .display()
        .to_string();
    assert!(error.to_string().contains(&log), "{error}");
    assert!(error.hint().unwrap().contains(&log), "{error}");
    drains::note_drained(&node.agent).await.unwrap();
    stop(&node.agent, "r1").await.expect("these were drained");
    write_segment(&node, "CommitLog-7-3.log", table.0.as_bytes());
    let error = stop(&node.agent, "r1").await.unwrap_err();
    assert_eq!(error.reason(), "NOT_DRAINED", "it was started since");
    let output = node.agent.folders.state.join("start-command.log");
    assert!(!output.exists(), "it was never started");
}

#[tokio::test]
async fn what_cannot_be_seen_is_not_believed_to_be_harmless() {
    let node = down().await;
    std::fs::write(node.segment(SEGMENT), "compressed, perhaps").unwrap();
    let error = stop(&node.agent, "r1").await.unwrap_err();
    assert_eq!(error.reason(), "NOT_DRAINED", "it cannot be searched");
    write_segment(&node, SEGMENT, b"");
    let error = stop(&node.agent, "another").await.unwrap_err();
    assert_eq!(error.reason(), "NOT_DRAINED", "its tables are not known");
    std::fs::remove_dir_all(&node.agent.node.yaml.commitlog_directory).unwrap();
    let error = stop(&node.agent, "r1").await.unwrap_err();
    assert_eq!(error.reason(), "NOT_DRAINED", "the folder is elsewhere");
    let error = stop(&node.agent, "../r1").await.unwrap_err();
    assert_eq!(error.reason(), "BAD_NAME");
}

#[tokio::test]
async fn a_node_that_goes_down_while_it_is_drained_is_not_believed_to_be_drained() {
    let node = down().await;
    write_segment(&node, SEGMENT, targets()[0].target_id.0.as_bytes());
    *node.control.mode.lock().unwrap() = Ok("NORMAL".to_owned());
    node.control.served.lock().unwrap().clear();
    node.control.misbehave(Misbehaviour::DiesInDrain);
    let error = stop(&node.agent, "r1").await.unwrap_err();
    assert_eq!(error.reason(), "NOT_DRAINED");
}
