use api::ServiceError;

use super::*;
use crate::testing::FakeNode;

fn command(script: &str) -> Vec<String> {
    ["sh", "-c", script].map(String::from).into()
}

/// A node whose start command is this, and which has a second to start.
fn node(script: &str) -> FakeNode {
    let mut node = FakeNode::new(1, "4.1.9");
    node.agent.cassandra.start_command = command(script);
    node.agent.cassandra.stop_command = command("true");
    node.agent.cassandra.start_timeout_seconds = 1;
    node
}

#[tokio::test]
async fn without_a_command_nothing_is_stopped_or_started() {
    let node = FakeNode::new(1, "4.1.9");
    for result in [stop(&node.agent).await, start(&node.agent).await] {
        assert_eq!(result.unwrap_err().reason(), "CANNOT_RESTART");
    }
    assert!(node.control.calls.lock().unwrap().is_empty(), "nor drained");
}

#[tokio::test]
async fn a_command_that_fails_repeats_its_last_words() {
    let node = node("echo 'out of memory' >&2; exit 3");
    let error = start(&node.agent).await.unwrap_err();
    assert_eq!(error.reason(), "COMMAND_FAILED");
    assert!(
        error.to_string().ends_with("exit status: 3: out of memory"),
        "{error}"
    );
}

#[tokio::test]
async fn a_start_that_fails_is_tried_again_because_a_seed_may_be_late() {
    let folder = testkit::folder();
    let marks = folder.path().join("marks");
    let script = format!("echo x >> {0}; [ $(wc -l < {0}) -ge 3 ]", marks.display());
    let mut node = node(&script);
    node.agent.cassandra.start_timeout_seconds = 60;
    let question = "SELECT bootstrapped FROM system.local";
    let path = marks.clone();
    let up = async {
        while std::fs::read_to_string(&path)
            .unwrap_or_default()
            .lines()
            .count()
            < 3
        {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        node.cql.set(
            question,
            serde_json::json!([{ "bootstrapped": "COMPLETED" }]),
        );
    };
    let (started, ()) = tokio::join!(start(&node.agent), up);
    started.unwrap();
    assert_eq!(std::fs::read_to_string(&marks).unwrap().lines().count(), 3);
}

#[tokio::test]
async fn a_command_that_succeeds_is_no_evidence_that_cassandra_is_up() {
    let node = node("true");
    let error = start(&node.agent).await.unwrap_err();
    assert_eq!(error.reason(), "RESTART_TIMEOUT");
    assert!(error.to_string().contains("bootstrap"), "{error}");
}

#[tokio::test]
async fn a_command_that_stays_in_the_foreground_is_not_waited_for() {
    let node = node("exec sleep 30");
    let answer = serde_json::json!([{ "bootstrapped": "COMPLETED" }]);
    let question = "SELECT bootstrapped FROM system.local";
    let up = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        node.cql.set(question, answer);
    };
    let (started, ()) = tokio::join!(start(&node.agent), up);
    started.unwrap();
}

#[tokio::test]
async fn a_node_is_drained_before_it_is_stopped_and_must_be_down_then() {
    let node = node("true");
    node.segment(SEGMENT);
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
    let log = node.agent.yaml.commitlog_directory.display().to_string();
    node.agent.cassandra.start_command =
        command(&format!("touch {log}/CommitLog-7-$$.log {switch}"));
    node.agent.cassandra.stop_command = command(&format!("rm -f {switch}"));
    node.segment(SEGMENT);
    node.cql.set(
        "SELECT bootstrapped FROM system.local",
        serde_json::json!([{ "bootstrapped": "COMPLETED" }]),
    );
    node.control.go_down();
    node
}

/// Stops the node while it follows its switch; answers what Cassandra was told meanwhile.
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
    assert_eq!(calls, ["drain"], "somebody had started it since");
}

#[tokio::test]
async fn a_node_that_was_not_drained_and_does_not_start_is_left_with_what_to_do() {
    let mut node = down_with_writes();
    node.agent.cassandra.start_command = command("echo 'out of memory' >&2; exit 3");
    let (stopped, calls) = stop_switched(&node).await;
    let error = stopped.unwrap_err();
    assert_eq!(error.reason(), "NOT_DRAINED");
    assert!(calls.is_empty(), "{calls:?}");
    let said = api::error::chain(&error);
    let log = node.agent.yaml.commitlog_directory.display().to_string();
    assert!(
        said.contains(&log) && said.ends_with("out of memory"),
        "{said}"
    );
    assert!(error.hint().unwrap().contains(&log), "{error}");
    std::fs::remove_file(node.segment(SEGMENT)).unwrap();
    let (stopped, _) = stop_switched(&node).await;
    stopped.expect("the commit log was moved away, as the hint says");
}
