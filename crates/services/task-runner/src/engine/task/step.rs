//! A step of a task, and what has become of it.

use model::Finding;
use model::plan::StepKind;
use model::task::{StepLimits, StepState};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A step of a task. Never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TaskStep {
    pub id: String,
    pub kind: StepKind,
    /// The node's address; empty for a step of the whole cluster.
    pub node: String,
    /// Places of the steps that it waits for.
    pub after: Vec<usize>,
}

/// What has become of a step so far. A step without a status of its own is pending.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StepStatus {
    pub state: StepState,
    /// Whether it was ever started. A resume sets steps back to pending, and what they did stays to be undone.
    #[serde(default)]
    pub attempted: bool,
    #[serde(default)]
    pub bytes_done: u64,
    #[serde(default)]
    pub bytes_total: u64,
    /// The last error; a running step that has one is being retried.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// What it is doing now, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// What has become of the task's limits on its node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<StepLimits>,
    /// What it found out that later steps need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

impl Default for StepStatus {
    fn default() -> Self {
        Self {
            state: StepState::Pending,
            attempted: false,
            bytes_done: 0,
            bytes_total: 0,
            error: String::new(),
            note: String::new(),
            limits: None,
            output: None,
            findings: Vec::new(),
        }
    }
}
