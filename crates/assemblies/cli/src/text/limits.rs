//! Limits of tasks.

use plan::TextTable;
use views::task::{LimitsView, TaskStepView, TaskView};

use super::dash;
use crate::human;

/// A task with the limits that it was just given.
pub fn text(task: &TaskView) -> String {
    let limits = task.limits.as_ref().map_or("no limits".into(), line);
    let mut text = format!("task {} has {limits}\n", task.id);
    if let Some(in_force) = in_force(task) {
        text.push('\n');
        text.push_str(&in_force);
    }
    text
}

/// What is in force where data is moved now; none if no step runs within limits.
pub fn in_force(task: &TaskView) -> Option<String> {
    let mut steps = limited(task).peekable();
    steps.peek()?;
    let mut table = TextTable::new(&["LIMITED ON", ">BANDWIDTH", ">FILES", "NOTE"]);
    for step in steps {
        let limits = step.limits.as_ref();
        let in_force = limits.and_then(|limits| limits.in_force.as_ref());
        let note = limits.and_then(|limits| limits.error.clone());
        let waits = || "its agent has not replied yet".to_owned();
        table.row([
            place(step),
            in_force.map_or_else(|| dash(None), bandwidth),
            in_force.map_or_else(|| dash(None), files),
            match (in_force, note) {
                (Some(_), _) => String::new(),
                (None, note) => note.unwrap_or_else(waits),
            },
        ]);
    }
    Some(table.render())
}

/// `50.0 MiB/s, 2 files at a time`.
pub fn line(limits: &LimitsView) -> String {
    match (limits.bandwidth_bytes_per_second, limits.parallel_files) {
        (None, None) => "no limits".to_owned(),
        (Some(_), None) => format!("a limit of {}", bandwidth(limits)),
        (None, Some(_)) => format!("a limit of {} at a time", file_count(limits)),
        (Some(_), Some(_)) => {
            let files = file_count(limits);
            format!("limits of {} and {files} at a time", bandwidth(limits))
        }
    }
}

/// The node of a step; only a verification is none's.
fn place(step: &TaskStepView) -> String {
    let node = step.node.clone();
    node.unwrap_or_else(|| "storage-catalog".to_owned())
}

/// The nodes at work now on which the limits are not in force.
pub fn not_in_force(task: &TaskView) -> Vec<String> {
    let missing = limited(task).filter(|step| {
        let limits = step.limits.as_ref();
        limits.is_some_and(|limits| limits.in_force.is_none())
    });
    missing.map(place).collect()
}

/// Steps that run within the limits of the task, or should.
fn limited(task: &TaskView) -> impl Iterator<Item = &TaskStepView> {
    let steps = task.steps.iter();
    steps.filter(|step| step.state == "running" && step.limits.is_some())
}

fn bandwidth(limits: &LimitsView) -> String {
    match limits.bandwidth_bytes_per_second {
        None => "no limit".to_owned(),
        Some(bytes) => format!("{}/s", human::bytes(bytes)),
    }
}

fn files(limits: &LimitsView) -> String {
    limits
        .parallel_files
        .map_or("no limit".to_owned(), |files| files.to_string())
}

fn file_count(limits: &LimitsView) -> String {
    human::count(limits.parallel_files.unwrap_or_default().into(), "file")
}
