//! The status of a document, in the shape that Kubernetes has it.

use std::collections::BTreeMap;

use model::plan::StepKind;
use model::task::{ShownTask, ShownTaskStep, StepState, TaskState};
use serde_json::{Value, json};

/// The document with the status that its task has now.
pub fn with_status(mut document: Value, task: &ShownTask) -> Value {
    document["status"] = status(task);
    document
}

fn status(task: &ShownTask) -> Value {
    let kind = StepKind::Maintain.as_str();
    let steps: Vec<&ShownTaskStep> = task.steps.iter().filter(|it| it.kind == kind).collect();
    let count = |state| steps.iter().filter(|it| it.state == Some(state)).count();
    let mut status = json!({
        "active": count(StepState::Running),
        "succeeded": count(StepState::Succeeded),
        "failed": count(StepState::Failed),
        "conditions": conditions(task),
        "podStatuses": nodes(&steps),
    });
    for (name, at) in [
        ("startTime", task.created_at),
        ("completionTime", task.finished_at),
    ] {
        if let Some(at) = at {
            status[name] = json!(seconds(at));
        }
    }
    status
}

/// As Kubernetes writes times.
fn seconds(at: jiff::Timestamp) -> String {
    format!("{at:.0}")
}

/// Kubernetes calls a task complete that has come to its end, also if it has failed.
fn conditions(task: &ShownTask) -> Value {
    let is_final = task.is_final();
    let has_failed = is_final && task.state != Some(TaskState::Succeeded);
    let at = task.finished_at.or(task.created_at);
    let condition = |name: &str, holds: bool, reason: &str, message: &str| {
        let status = if holds { "True" } else { "False" };
        let mut condition = json!({ "type": name, "status": status, "reason": reason });
        if let Some(at) = at {
            condition["lastTransitionTime"] = json!(seconds(at));
        }
        condition["message"] = json!(message);
        condition
    };
    let state = task.state.map_or("Unknown", |state| match state {
        TaskState::Pending => "Pending",
        TaskState::Running => "Running",
        TaskState::Paused => "Paused",
        TaskState::Succeeded => "Succeeded",
        TaskState::Failed => "Failed",
        TaskState::Cancelled => "Cancelled",
    });
    let why = if has_failed { task.error.as_str() } else { "" };
    let paused = task.paused.as_ref().map_or("", |paused| &paused.why);
    json!([
        condition("Running", !task.is_at_rest(), state, paused),
        condition("Complete", is_final, state, ""),
        condition("Failed", has_failed, state, why),
    ])
}

/// What each node has come to with all jobs, by its address.
fn nodes(steps: &[&ShownTaskStep]) -> Value {
    let mut nodes: BTreeMap<&str, Vec<&ShownTaskStep>> = BTreeMap::new();
    for step in steps {
        nodes.entry(&step.node).or_default().push(step);
    }
    let nodes = nodes.into_iter().map(|(node, steps)| {
        let any = |state| steps.iter().any(|it| it.state == Some(state));
        let all = |state| steps.iter().all(|it| it.state == Some(state));
        let word = match () {
            () if any(StepState::Failed) => "ERROR",
            () if any(StepState::Running) => "RUNNING",
            () if all(StepState::Succeeded) => "COMPLETED",
            () => "WAITING",
        };
        let mut status = json!({ "status": word });
        if let Some(step) = steps.iter().find(|it| !it.error.is_empty()) {
            status["error"] = json!(step.error);
        }
        (node.to_owned(), status)
    });
    Value::Object(nodes.collect())
}
