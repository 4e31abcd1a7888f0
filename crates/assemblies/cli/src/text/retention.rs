//! Retention policies, their verdicts and their runs.

use model::task::{RetentionOutcome, RetentionReport};
use plan::TextTable;
use retention::{Period, Policy};
use views::retention::{PolicyStateView, RetentionDryRunView, RetentionView};

use super::dash;
use crate::human;

/// What a policy keeps, in words.
fn rules(policy: &Policy) -> String {
    let mut rules = Vec::new();
    if policy.last > 0 {
        rules.push(format!("the last {}", policy.last));
    }
    if policy.days > 0 {
        rules.push(format!("{} days", policy.days));
    }
    for period in Period::ALL {
        match policy.of(period) {
            0 => {}
            number => rules.push(format!("one of each of {number} {period}s")),
        }
    }
    if policy.keep_all {
        return "keeps all".to_owned();
    }
    format!(
        "keeps {}, never less than {}; what failed or is damaged for {} days; {}",
        rules.join(", "),
        human::count(policy.floor.into(), "good backup"),
        policy.failed_days,
        policy.zone
    )
}

pub fn policy_text(state: &PolicyStateView) -> String {
    let of = match &state.schedule {
        None => format!("cluster {}", state.cluster),
        Some(schedule) => format!("schedule {schedule}"),
    };
    format!("{of}: {}\n", rules(&state.policy))
}

pub fn text(view: &RetentionView) -> String {
    let mut text: String = view.policies.iter().map(policy_text).collect();
    if view.policies.is_empty() {
        text = format!("cluster {} has no retention policy\n", view.cluster);
    }
    if view.runs.is_empty() {
        return text;
    }
    let mut table = TextTable::new(&[
        "STARTED", "AFTER", "STATE", ">DELETED", ">REFUSED", ">FREED", "TASK",
    ]);
    for run in &view.runs {
        table.row([
            human::time(&run.started_at),
            dash(run.after.as_deref()),
            run.state.to_owned(),
            run.deleted_backups.to_string(),
            run.refused_backups.to_string(),
            human::bytes(run.freed_bytes),
            run.task_id.clone(),
        ]);
    }
    format!("{text}\n{}", table.render())
}

pub fn dry_run_text(view: &RetentionDryRunView) -> String {
    let mut table = TextTable::new(&["NAME", "POLICY OF", ">UPLOADED", "VERDICT", "WHY"]);
    for backup in &view.backups {
        let of = match &backup.schedule {
            None => "the cluster".to_owned(),
            Some(schedule) => format!("schedule {schedule}"),
        };
        table.row([
            backup.name.clone(),
            of,
            human::bytes(backup.uploaded_bytes),
            backup.verdict.to_owned(),
            backup.reasons.join("; "),
        ]);
    }
    let going = view.backups.iter().filter(|backup| backup.verdict == "go");
    format!(
        "{}\n{} of {} would go, {} freed; nothing was deleted\n",
        table.render(),
        going.count(),
        view.backups.len(),
        human::bytes(view.freed_bytes)
    )
}

/// What a task that applies retention has done.
pub fn report_text(report: &RetentionReport) -> String {
    format!(
        "{}{} deleted, {} freed, {} kept\n",
        entries_text(report),
        human::count(report.count(RetentionOutcome::Deleted), "backup"),
        human::bytes(report.freed_bytes()),
        report.kept
    )
}

/// What a task that collects garbage has done.
pub fn collected_text(report: &RetentionReport) -> String {
    format!(
        "{}{} freed\n",
        entries_text(report),
        human::bytes(report.freed_bytes())
    )
}

fn entries_text(report: &RetentionReport) -> String {
    if report.entries.is_empty() {
        return String::new();
    }
    let mut table = TextTable::new(&["BACKUP", "OUTCOME", ">FREED", "WHY"]);
    for entry in &report.entries {
        let why = match entry.outcome {
            RetentionOutcome::Refused => &entry.detail,
            _ => &entry.why,
        };
        table.row([
            entry.backup.to_string(),
            entry.outcome.as_str().to_owned(),
            human::bytes(entry.bytes),
            why.clone(),
        ]);
    }
    format!("{}\n", table.render())
}
