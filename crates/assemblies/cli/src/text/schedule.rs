//! Schedules.

use plan::TextTable;
use views::schedule::{PastRunView, ScheduleShownView, ScheduleView};

use super::dash;
use crate::human;
use crate::screen::{Colour, Paint};

pub fn list_text(schedules: &[ScheduleView], paint: &Paint) -> String {
    let mut table = TextTable::new(&[
        "CLUSTER",
        "SCHEDULE",
        "CRON",
        "ZONE",
        "FULL",
        "NEXT DUE",
        "STATE",
        "LAST GOOD",
    ]);
    for schedule in schedules {
        table.row([
            schedule.cluster.clone(),
            schedule.schedule.clone(),
            schedule.cron.clone(),
            schedule.zone.clone(),
            schedule.full.clone(),
            dash(schedule.next_due.as_deref()),
            state(schedule).to_owned(),
            last_good(schedule),
        ]);
    }
    let mut text = table.render();
    for schedule in schedules {
        if let Some(broken) = broken(schedule, paint) {
            text.push_str(&format!(
                "{}/{}: {broken}\n",
                schedule.cluster, schedule.schedule
            ));
        }
    }
    text
}

fn state(schedule: &ScheduleView) -> &'static str {
    if schedule.task_id.is_some() {
        "running"
    } else if schedule.paused {
        "paused"
    } else if schedule.waiting_due.is_some() {
        "waiting"
    } else {
        "idle"
    }
}

fn last_good(schedule: &ScheduleView) -> String {
    match schedule.last_good_age_seconds {
        Some(age) => format!("{} ago", human::seconds(age)),
        None => "-".to_owned(),
    }
}

/// What is wrong with the objective, if something is.
fn broken(schedule: &ScheduleView, paint: &Paint) -> Option<String> {
    let objective = human::seconds(schedule.objective_seconds?);
    let what = match schedule.objective? {
        "met" => return None,
        "no-backup" => "there is no backup yet",
        _ => "the last good backup is older",
    };
    let word = paint.word(Colour::Red, "OBJECTIVE BROKEN");
    Some(format!(
        "{word}: writes of at most {objective} may be lost, but {what}"
    ))
}

pub fn text(schedule: &ScheduleView, paint: &Paint) -> String {
    let mut text = format!(
        "schedule {} of cluster {}: {} ({}), {}\n",
        schedule.schedule, schedule.cluster, schedule.cron, schedule.described, schedule.zone
    );
    text.push_str(&format!("full: {}\n", full(schedule)));
    text.push_str(&format!(
        "next due {}\n",
        dash(schedule.next_due.as_deref())
    ));
    if let Some(window) = &schedule.window {
        text.push_str(&format!("starts within {window}\n"));
    }
    if schedule.paused {
        let until = match &schedule.pause_until {
            Some(until) => format!(", until {until}"),
            None => String::new(),
        };
        let reason = schedule.pause_reason.as_deref().unwrap_or_default();
        let word = paint.word(Colour::Yellow, "paused");
        text.push_str(&format!("{word}: {reason}{until}\n"));
    }
    if let Some(due) = &schedule.waiting_due {
        text.push_str(&format!("the run that was due {due} waits\n"));
    }
    if let Some(task) = &schedule.task_id {
        text.push_str(&format!("task {task} makes a backup now\n"));
    }
    if let Some(broken) = broken(schedule, paint) {
        text.push_str(&format!("{broken}\n"));
    }
    text
}

fn full(schedule: &ScheduleView) -> String {
    match schedule.full.as_str() {
        "full" => "every backup".to_owned(),
        "differential" => "only if there is none to build on".to_owned(),
        days => format!("the first backup on {days}"),
    }
}

pub fn shown_text(shown: &ScheduleShownView, paint: &Paint) -> String {
    let mut text = text(&shown.schedule, paint);
    if !shown.next.is_empty() {
        let mut table = TextTable::new(&["TO COME", "KIND", "BACKUP"]);
        for run in &shown.next {
            table.row([
                run.starts_at_local.clone(),
                run.kind.to_owned(),
                run.backup.clone(),
            ]);
        }
        text.push_str(&format!("\n{}", table.render()));
    }
    if !shown.past.is_empty() {
        let mut table = TextTable::new(&["DUE", "KIND", "OUTCOME", "BACKUP", "DETAIL"]);
        for run in &shown.past {
            table.row([
                due(run),
                dash(run.kind),
                run.outcome.to_owned(),
                dash(run.backup.as_deref()),
                dash(run.detail.as_deref()),
            ]);
        }
        text.push_str(&format!("\n{}", table.render()));
    }
    text
}

fn due(run: &PastRunView) -> String {
    if run.runs > 1 {
        format!("{} runs until {}", run.runs, run.last_due)
    } else {
        run.first_due.clone()
    }
}
