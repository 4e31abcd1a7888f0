use api::ServiceError;

use std::time::Duration;

use super::*;
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
    let error = stop(&node.agent).await.unwrap_err();
    assert_eq!(error.reason(), "CANNOT_RESTART");
    assert!(node.control.calls.lock().unwrap().is_empty(), "nor drained");
}

#[tokio::test]
async fn a_node_is_drained_before_it_is_stopped_and_must_be_down_then() {
    let node = node("true");
    node.segment(SEGMENT);
    let error = stop(&node.agent).await.unwrap_err();
    assert_eq!(error.reason(), "NODE_NOT_QUIET");
    assert!(node.control.calls.lock().unwrap().is_empty(), "nor drained");
    node.control.served.lock().unwrap().clear();
    let error = stop(&node.agent).await.unwrap_err();
    assert_eq!(error.reason(), "RESTART_TIMEOUT");
    assert!(error.to_string().contains("NORMAL"), "{error}");
    assert_eq!(*node.control.calls.lock().unwrap(), ["drain"]);
    node.control.go_down();
    stop(&node.agent).await.unwrap();
}

const SEGMENT: &str = "CommitLog-7-1.log";

/// A node that is down with writes in its commit log. Its commands make and delete a file; it is up while that is there,
/// and begins a segment whenever it comes up.
fn down_with_writes() -> FakeNode {
    let mut node = node("true");
    let switch = node.root.path().join("up").display().to_string();
    let log = node
        .agent
        .node
        .yaml
        .commitlog_directory
        .display()
        .to_string();
    node.commands(
        command(&format!("touch {log}/CommitLog-7-$$.log {switch}")),
        command(&format!("rm -f {switch}")),
    );
    node.segment(SEGMENT);
    node.cql.set(
        "SELECT bootstrapped FROM system.local",
        serde_json::json!([{ "bootstrapped": "COMPLETED" }]),
    );
    node.control.go_down();
    node
}

/// Stops the node while it follows its switch; returns what was asked of Cassandra meanwhile.
async fn stop_switched(node: &FakeNode) -> (Result<(), RestartError>, Vec<String>) {
    let switch = node.root.path().join("up");
    let follow = async {
        loop {
            match switch.exists() {
                true => *node.control.mode.lock().unwrap() = Ok("NORMAL".to_owned()),
                false => node.control.go_down(),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let result = tokio::select! {
        result = stop(&node.agent) => result,
        () = follow => unreachable!("it follows for ever"),
    };
    let calls = std::mem::take(&mut *node.control.calls.lock().unwrap());
    (result, calls)
}

#[tokio::test]
async fn a_node_that_went_down_by_itself_is_started_to_be_drained_once() {
    let node = down_with_writes();
    let (stopped, calls) = stop_switched(&node).await;
    stopped.unwrap();
    assert_eq!(calls, ["drain"]);
    assert!(!node.root.path().join("up").exists(), "it is down again");
    let (stopped, calls) = stop_switched(&node).await;
    stopped.unwrap();
    assert!(calls.is_empty(), "its drain is remembered: {calls:?}");
    node.segment("CommitLog-7-later.log");
    let (stopped, calls) = stop_switched(&node).await;
    stopped.unwrap();
    assert_eq!(calls, ["drain"], "it was started since");
}

#[tokio::test]
async fn a_node_that_was_not_drained_and_does_not_start_is_left_with_what_to_do() {
    let mut node = down_with_writes();
    node.commands(command("echo 'out of memory' >&2; exit 3"), command("true"));
    let (stopped, calls) = stop_switched(&node).await;
    let error = stopped.unwrap_err();
    assert_eq!(error.reason(), "NOT_DRAINED");
    assert!(calls.is_empty(), "{calls:?}");
    let said = api::error::chain(&error);
    let log = node
        .agent
        .node
        .yaml
        .commitlog_directory
        .display()
        .to_string();
    assert!(
        said.contains(&log) && said.ends_with("out of memory"),
        "{said}"
    );
    assert!(error.hint().unwrap().contains(&log), "{error}");
    std::fs::remove_file(node.segment(SEGMENT)).unwrap();
    let (stopped, _) = stop_switched(&node).await;
    stopped.expect("the commit log was moved away, as the hint says");
}
