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
    let error = stop(&node.agent).await.unwrap_err();
    assert_eq!(error.reason(), "RESTART_TIMEOUT");
    assert!(error.to_string().contains("NORMAL"), "{error}");
    assert_eq!(*node.control.calls.lock().unwrap(), ["drain"]);
    node.control.go_down();
    stop(&node.agent).await.unwrap();
}
