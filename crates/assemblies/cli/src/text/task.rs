//! Tasks and their steps.

use model::plan::StepKind;
use plan::TextTable;
use views::task::{TaskStepView, TaskView};

use super::{dash, finding, limits, retention, verify};
use crate::human;
use crate::screen::Paint;

/// A task on a whole cluster is about no backup.
fn backup_text(task: &TaskView) -> String {
    if task.backup.is_empty() {
        return dash(None);
    }
    format!("{}/{}", task.backup_cluster, task.backup)
}

pub fn list_text(tasks: &[TaskView]) -> String {
    let mut table = TextTable::new(&[
        "ID", "KIND", "STATE", ">DONE", "CLUSTER", "BACKUP", "CREATED", "FINISHED",
    ]);
    for task in tasks {
        table.row([
            task.id.clone(),
            task.kind.into(),
            state_text(task),
            percent(task.progress),
            task.cluster.clone(),
            backup_text(task),
            human::time(task.created_at.as_deref().unwrap_or_default()),
            human::time(task.finished_at.as_deref().unwrap_or_default()),
        ]);
    }
    table.render()
}

/// The state, and what a task waits for that has not had its turn.
fn state_text(task: &TaskView) -> String {
    let Some(waiting) = &task.waiting else {
        return task.state.to_owned();
    };
    match (&waiting.kind, &waiting.task_id) {
        (Some(kind), Some(id)) => format!("{}, waits for {kind} {id}", task.state),
        _ => format!("{}, waits for its turn", task.state),
    }
}

pub fn percent(progress: f64) -> String {
    // Rounded down: 100 % is shown only when all is done.
    format!("{:.0} %", (progress.clamp(0.0, 1.0) * 100.0).floor())
}

pub fn text(task: &TaskView, paint: &Paint) -> String {
    let left = match task.eta_seconds {
        Some(seconds) => format!(", {} left", human::seconds(seconds)),
        None => String::new(),
    };
    let mut text = format!(
        "task      {}\nkind      {}\ncluster   {}\nbackup    {}\nstate     {}, {}{left}\nattempt   {}\ncreated   {}\nfinished  {}\n",
        task.id,
        task.kind,
        task.cluster,
        backup_text(task),
        task.state,
        percent(task.progress),
        task.attempt,
        human::time(task.created_at.as_deref().unwrap_or_default()),
        human::time(task.finished_at.as_deref().unwrap_or_default()),
    );
    if let Some(priority) = task.priority {
        text.push_str(&format!("priority  {priority}\n"));
    }
    if let Some(waiting) = &task.waiting {
        let since = human::time(waiting.since.as_deref().unwrap_or_default());
        text.push_str(&format!("waits     since {since}: {}\n", waiting.why));
    }
    if let Some(paused) = &task.paused {
        let since = human::time(paused.since.as_deref().unwrap_or_default());
        text.push_str(&format!("paused    since {since}: {}\n", paused.why));
        if paused.keeps_cluster {
            text.push_str("          it keeps its cluster\n");
        }
    }
    if let Some(limits) = &task.limits {
        text.push_str(&format!("limits    {}\n", limits::line(limits)));
    }
    for job in &task.maintenance {
        text.push_str(&format!("does      {job}\n"));
    }
    if let Some(error) = &task.error {
        text.push_str(&format!("error     {error}\n"));
    }
    if !task.steps.is_empty() {
        text.push('\n');
        text.push_str(&steps_text(&task.steps));
    }
    if let Some(in_force) = limits::in_force(task) {
        text.push('\n');
        text.push_str(&in_force);
    }
    if !task.findings.is_empty() {
        text.push('\n');
        text.push_str(&finding::text(&task.findings, paint));
    }
    if let Some(report) = &task.verification {
        text.push('\n');
        text.push_str(&verify::text(report, paint));
    }
    if let Some(deletion) = &task.deletion {
        let objects = human::count(deletion.deleted_objects, "object");
        let freed = freed(deletion.freed_bytes, deletion.versions_remain);
        text.push_str(&format!("\n{objects} deleted, {freed}\n"));
    }
    if let Some(report) = &task.collection {
        text.push_str(&format!("\n{}", retention::collected_text(report)));
    }
    if let Some(report) = &task.retention {
        text.push_str(&format!("\n{}", retention::report_text(report)));
    }
    text
}

/// Barriers do nothing but wait, and are of no interest to people.
pub fn is_barrier(kind: &str) -> bool {
    kind == StepKind::Barrier.as_str()
}

fn steps_text(steps: &[TaskStepView]) -> String {
    let mut table = TextTable::new(&["STEP", "NODE", "STATE", ">DONE", ">OF", "NOTE"]);
    for step in steps.iter().filter(|step| !is_barrier(&step.kind)) {
        let size = |bytes| match step.bytes_total {
            0 => "-".to_owned(),
            _ => human::bytes(bytes),
        };
        table.row([
            step.id.clone(),
            dash(step.node.as_deref()),
            step.state.into(),
            size(step.bytes_done),
            size(step.bytes_total),
            note(step),
        ]);
    }
    table.render()
}

/// The last error, or what it is doing; and if the limits of its task are not in force there.
fn note(step: &TaskStepView) -> String {
    let note = step.error.as_ref().or(step.note.as_ref());
    let limits = step.limits.as_ref().filter(|_| step.state == "running");
    let without = limits.and_then(|limits| limits.error.as_ref());
    let without = without.map(|error| format!("limits not in force: {error}"));
    let notes: Vec<&str> = note
        .into_iter()
        .chain(&without)
        .map(String::as_str)
        .collect();
    notes.join("; ")
}

/// What a deletion has freed, in words.
pub fn freed(freed_bytes: u64, versions_remain: bool) -> String {
    if versions_remain {
        "nothing freed: the bucket keeps versions, which a lifecycle rule for noncurrent versions removes".to_owned()
    } else {
        format!("{} freed", human::bytes(freed_bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn barriers_are_left_out_of_the_steps_that_people_read() {
        let step = |kind: &str| TaskStepView {
            id: format!("{kind}-n1"),
            kind: kind.to_owned(),
            node: None,
            state: "succeeded",
            bytes_done: 0,
            bytes_total: 0,
            error: None,
            note: None,
            limits: None,
        };
        let text = steps_text(&[step("load"), step("barrier"), step("views")]);
        let ids: Vec<&str> = text
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        assert_eq!(ids, ["STEP", "load-n1", "views-n1"]);
    }
}
