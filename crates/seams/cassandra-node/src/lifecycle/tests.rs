use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::error::NodeError;
use crate::process::commands::Commands;
use crate::testing::FakeCassandra;

fn command(script: &str) -> Vec<String> {
    ["sh", "-c", script].map(String::from).into()
}

/// A node whose start command is this, and which has a second to start.
fn scripted(root: &Path, script: &str) -> FakeCassandra {
    let mut fake = FakeCassandra::new(root, 1, "4.1.9");
    let commands = Commands::new(command(script), command("true"), root.join("state"));
    fake.node.process = Arc::new(commands);
    fake.node.settings.start_timeout_seconds = 1;
    fake
}

fn root() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test]
async fn a_node_without_a_command_is_not_started() {
    let root = root();
    let fake = FakeCassandra::new(root.path(), 1, "4.1.9");
    let error = start(&fake.node).await.unwrap_err();
    assert_eq!(error.reason(), "CANNOT_RESTART");
}

#[tokio::test]
async fn a_command_that_fails_repeats_its_last_lines() {
    let root = root();
    let fake = scripted(root.path(), "echo 'out of memory' >&2; exit 3");
    let error = start(&fake.node).await.unwrap_err();
    assert_eq!(error.reason(), "COMMAND_FAILED");
    let text = error.to_string();
    assert!(text.ends_with("exit status: 3: out of memory"), "{text}");
}

#[tokio::test]
async fn a_start_that_fails_is_tried_again_because_a_seed_may_be_late() {
    let root = root();
    let fake = FakeCassandra::new(root.path(), 1, "4.1.9");
    fake.process.is_supported.store(true, Ordering::SeqCst);
    fake.process.failures.store(2, Ordering::SeqCst);
    start(&fake.node).await.unwrap();
    assert_eq!(*fake.process.begun.lock().unwrap(), [Action::Start; 3]);
    start(&fake.node).await.unwrap();
    assert_eq!(fake.process.begun.lock().unwrap().len(), 3, "it is up");
}

#[tokio::test]
async fn a_start_that_fails_each_time_fails_after_some_tries() {
    let root = root();
    let fake = FakeCassandra::new(root.path(), 1, "4.1.9");
    fake.process.is_supported.store(true, Ordering::SeqCst);
    fake.process.failures.store(u32::MAX, Ordering::SeqCst);
    let error = start(&fake.node).await.unwrap_err();
    assert_eq!(error.reason(), "COMMAND_FAILED");
    let tries = fake.process.begun.lock().unwrap().len();
    assert_eq!(tries, START_TRIES_MAX as usize);
}

#[tokio::test]
async fn a_command_that_succeeds_is_no_evidence_that_cassandra_is_up() {
    let root = root();
    let fake = scripted(root.path(), "true");
    let error = start(&fake.node).await.unwrap_err();
    assert_eq!(error.reason(), "RESTART_TIMEOUT");
    assert!(error.to_string().contains("bootstrap"), "{error}");
}

#[tokio::test]
async fn a_command_that_stays_in_the_foreground_is_not_waited_for() {
    let root = root();
    let up = root.path().join("up");
    let script = format!("touch {}; exec sleep 30", up.display());
    let mut fake = scripted(root.path(), &script);
    fake.node.settings.start_timeout_seconds = 60;
    let follow = async {
        while !up.exists() {
            tokio::task::yield_now().await;
        }
        let rows = json!([{ "bootstrapped": "COMPLETED" }]);
        fake.cql.set(BOOTSTRAPPED, rows);
    };
    let (started, ()) = tokio::join!(start(&fake.node), follow);
    started.unwrap();
}

#[tokio::test]
async fn a_node_is_stopped_only_when_it_is_down() {
    let root = root();
    let fake = scripted(root.path(), "true");
    let error = stop(&fake.node).await.unwrap_err();
    assert_eq!(error.reason(), "RESTART_TIMEOUT");
    assert!(error.to_string().contains("NORMAL"), "{error}");
    fake.control.go_down();
    stop(&fake.node).await.unwrap();
}

#[tokio::test]
async fn a_control_that_does_not_work_shows_nothing() {
    let root = root();
    let fake = FakeCassandra::new(root.path(), 1, "4.1.9");
    *fake.control.mode.lock().unwrap() = Err(ControlError::Unusable {
        why: "gone".into(),
        hint: "bring it back",
    });
    let error = check_down(&fake.node).await.unwrap_err();
    assert_eq!(error.reason(), "CONTROL_UNUSABLE");
    assert_eq!(error.hint().as_deref(), Some("bring it back"));
    *fake.control.mode.lock().unwrap() = Err(ControlError::Login {
        operation: "nodetool info".into(),
        why: "Authentication error".into(),
        hint: "log in",
    });
    let error = check_down(&fake.node).await.unwrap_err();
    assert_eq!(error.reason(), "CONTROL_LOGIN");
}

#[tokio::test]
async fn a_drained_process_is_stopped_before_it_is_started() {
    for mode in ["DRAINED", "DRAINING"] {
        let root = root();
        let fake = FakeCassandra::new(root.path(), 1, "4.1.9");
        fake.process.is_supported.store(true, Ordering::SeqCst);
        *fake.control.mode.lock().unwrap() = Ok(mode.to_owned());
        start(&fake.node).await.unwrap();
        let begun = fake.process.begun.lock().unwrap();
        assert_eq!(*begun, [Action::Stop, Action::Start], "{mode}");
    }
}
