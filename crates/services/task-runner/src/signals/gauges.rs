//! The gauges of the task-runner: which there are, and how they follow from what is stored.
//!
//! Labels are clusters, schedules, kinds and states, of which there are few; never a task, a table or a backup.

use std::collections::{BTreeMap, BTreeSet};

use chassis::prometheus::{Gauge, Gauges};
use jiff::Timestamp;
use model::ClusterName;
use schedule::ScheduleState;

use super::Seen;
use crate::engine::{EndedTask, TaskRecord};
use crate::retention::Retained;

const fn gauge(name: &'static str, help: &'static str) -> Gauge {
    Gauge { name, help }
}

pub(super) const STATE_READ: Gauge = gauge(
    "ringkeep_state_read_timestamp_seconds",
    "When this task-runner last read the state that its other gauges come from.",
);
const UNREADABLE: Gauge = gauge(
    "ringkeep_state_unreadable_entries",
    "Entries of the state that cannot be read, and are left out of the other gauges.",
);
const REGISTERED: Gauge = gauge(
    "ringkeep_cluster_registered",
    "1 for each cluster that is registered.",
);
const LAST_GOOD_BACKUP: Gauge = gauge(
    "ringkeep_cluster_last_good_backup_start_timestamp_seconds",
    "When the last backup of the cluster that succeeded was started: later writes are not in it.",
);
const LAST_END: Gauge = gauge(
    "ringkeep_task_last_end_timestamp_seconds",
    "When the last task of the kind that came to this end has ended.",
);
const LAST_DURATION: Gauge = gauge(
    "ringkeep_task_last_duration_seconds",
    "How long that task took, from its creation to its end.",
);
const UNFINISHED: Gauge = gauge(
    "ringkeep_tasks_unfinished",
    "Tasks that have not ended, by state.",
);
const OLDEST: Gauge = gauge(
    "ringkeep_task_oldest_created_timestamp_seconds",
    "When the oldest task of the kind that has not ended was created.",
);
const PROGRESS: Gauge = gauge(
    "ringkeep_task_progress_timestamp_seconds",
    "The oldest of the times at which each task of the kind that runs last made progress.",
);
const PAUSED: Gauge = gauge(
    "ringkeep_task_paused_timestamp_seconds",
    "Since when the task of the kind is paused that has been for longest.",
);
const WAITING: Gauge = gauge(
    "ringkeep_task_waiting_timestamp_seconds",
    "Since when the task of the kind waits for its turn that has waited for longest.",
);
const UNACCEPTED: Gauge = gauge(
    "ringkeep_restores_unaccepted",
    "Restores in place that have succeeded and are neither accepted nor rolled back.",
);
const UNACCEPTED_SINCE: Gauge = gauge(
    "ringkeep_restore_unaccepted_timestamp_seconds",
    "When the oldest of them has ended.",
);
const AGENTS: Gauge = gauge("ringkeep_agents", "Agents of the cluster.");
const AGENTS_UNREACHABLE: Gauge = gauge(
    "ringkeep_agents_unreachable",
    "Agents that did not reply at the last search for leftovers.",
);
const RETENTION_POLICIES: Gauge = gauge(
    "ringkeep_retention_policies",
    "Retention policies of the cluster and its schedules.",
);
const RETENTION_REFUSED: Gauge = gauge(
    "ringkeep_retention_refused_backups",
    "Backups that the last retention was to delete, and whose deletion was refused.",
);
const SCHEDULE_LAST_GOOD: Gauge = gauge(
    "ringkeep_schedule_last_good_backup_start_timestamp_seconds",
    "When the last backup of the schedule that succeeded was started.",
);
const SCHEDULE_NEXT: Gauge = gauge(
    "ringkeep_schedule_next_start_timestamp_seconds",
    "When the next run may start, jitter and window included; in the past if it has not started yet.",
);
const SCHEDULE_RUNNING: Gauge = gauge(
    "ringkeep_schedule_running",
    "1 while a run of the schedule has not ended.",
);
const SCHEDULE_FAILURES: Gauge = gauge(
    "ringkeep_schedule_failed_runs",
    "Runs since the last good one that failed, were cancelled, were refused or could not start in time.",
);
const SCHEDULE_PAUSED: Gauge = gauge(
    "ringkeep_schedule_paused",
    "1 while the schedule is paused.",
);
const SCHEDULE_PAUSED_SINCE: Gauge = gauge(
    "ringkeep_schedule_paused_timestamp_seconds",
    "When the pause began.",
);
const SCHEDULE_OBJECTIVE: Gauge = gauge(
    "ringkeep_schedule_objective_seconds",
    "How much the schedule may lose at most.",
);
const SCHEDULE_BROKEN: Gauge = gauge(
    "ringkeep_schedule_objective_broken",
    "1 while a restore would lose more than that.",
);

/// All gauges at one moment.
pub(super) fn gauges(seen: &Seen, now: Timestamp) -> Gauges {
    let mut gauges = Gauges::default();
    gauges.set(STATE_READ, &[], seconds(now));
    gauges.set(UNREADABLE, &[], seen.unreadable.len() as f64);
    let known: BTreeSet<&ClusterName> = seen.clusters.iter().map(|cluster| &cluster.name).collect();
    for ended in &seen.ended {
        if known.contains(&ended.cluster) {
            of_ended(&mut gauges, ended);
        }
    }
    of_unfinished(&mut gauges, &seen.unfinished);
    of_clusters(&mut gauges, seen);
    for retention in &seen.retention {
        of_retention(&mut gauges, retention);
    }
    for state in &seen.schedules {
        of_schedule(&mut gauges, state, now);
    }
    gauges
}

/// What is left of them once the state could not be read for a while.
pub(super) fn of_unread(read_at: Timestamp) -> Gauges {
    let mut gauges = Gauges::default();
    gauges.set(STATE_READ, &[], seconds(read_at));
    gauges
}

fn of_ended(gauges: &mut Gauges, ended: &EndedTask) {
    let (kind, state) = (ended.kind.as_str(), ended.state.as_str());
    let labels = [
        ("cluster", ended.cluster.as_str()),
        ("kind", kind),
        ("state", state),
    ];
    gauges.set(LAST_END, &labels, seconds(ended.finished_at));
    let took = ended.finished_at.duration_since(ended.created_at);
    gauges.set(LAST_DURATION, &labels, took.as_secs().max(0) as f64);
    if (kind, state) == ("backup", "succeeded") {
        gauges.set(LAST_GOOD_BACKUP, &labels[..1], seconds(ended.created_at));
    }
}

fn of_unfinished(gauges: &mut Gauges, records: &[TaskRecord]) {
    let mut counts: BTreeMap<(&str, &str, &str), u64> = BTreeMap::new();
    let mut oldest: BTreeMap<(Gauge, &str, &str), Timestamp> = BTreeMap::new();
    for record in records {
        let (cluster, kind) = (record.cluster.as_str(), record.kind.as_str());
        let state = record.state.as_str();
        *counts.entry((cluster, kind, state)).or_default() += 1;
        // A task that waits or is paused makes no progress, and need not.
        let at = match (&record.paused, &record.waiting) {
            (Some(paused), _) => (PAUSED, paused.since),
            (None, Some(waiting)) => (WAITING, waiting.since),
            (None, None) => {
                let progressed = record.progressed_at.unwrap_or(record.created_at);
                (PROGRESS, progressed)
            }
        };
        for (gauge, at) in [at, (OLDEST, record.created_at)] {
            let seen = oldest.entry((gauge, cluster, kind)).or_insert(at);
            *seen = at.min(*seen);
        }
    }
    for ((cluster, kind, state), count) in counts {
        let labels = [("cluster", cluster), ("kind", kind), ("state", state)];
        gauges.set(UNFINISHED, &labels, count as f64);
    }
    for ((gauge, cluster, kind), at) in oldest {
        let labels = [("cluster", cluster), ("kind", kind)];
        gauges.set(gauge, &labels, seconds(at));
    }
}

fn of_clusters(gauges: &mut Gauges, seen: &Seen) {
    for cluster in &seen.clusters {
        let labels = [("cluster", cluster.name.as_str())];
        gauges.set(REGISTERED, &labels, 1.0);
        gauges.set(AGENTS, &labels, cluster.agents.len() as f64);
        let unreachable = seen
            .unreachable
            .get(&cluster.name)
            .copied()
            .unwrap_or_default();
        gauges.set(AGENTS_UNREACHABLE, &labels, unreachable as f64);
        let of_cluster = seen
            .unaccepted
            .iter()
            .filter(|restore| restore.cluster == cluster.name);
        gauges.set(UNACCEPTED, &labels, of_cluster.clone().count() as f64);
        if let Some(since) = of_cluster.map(|restore| restore.since).min() {
            gauges.set(UNACCEPTED_SINCE, &labels, seconds(since));
        }
    }
}

fn of_retention(gauges: &mut Gauges, retention: &Retained) {
    let labels = [("cluster", retention.cluster.as_str())];
    gauges.set(RETENTION_POLICIES, &labels, retention.policies as f64);
    if let Some(refused) = retention.refused {
        gauges.set(RETENTION_REFUSED, &labels, refused as f64);
    }
}

fn of_schedule(gauges: &mut Gauges, state: &ScheduleState, now: Timestamp) {
    let schedule = &state.schedule;
    let labels = [
        ("cluster", schedule.cluster.as_str()),
        ("schedule", schedule.name.as_str()),
    ];
    let is_paused = schedule.is_paused(now);
    gauges.set(SCHEDULE_PAUSED, &labels, flag(is_paused));
    gauges.set(
        SCHEDULE_RUNNING,
        &labels,
        flag(state.progress.active.is_some()),
    );
    gauges.set(SCHEDULE_FAILURES, &labels, state.alarms.failures as f64);
    if let Some(since) = state.alarms.paused_at.filter(|_| is_paused) {
        gauges.set(SCHEDULE_PAUSED_SINCE, &labels, seconds(since));
    }
    if let Some(start) = state.last_good_start {
        gauges.set(SCHEDULE_LAST_GOOD, &labels, seconds(start));
    }
    if let Some(start) = state.next_start() {
        gauges.set(SCHEDULE_NEXT, &labels, seconds(start));
    }
    if let Some(objective) = schedule.objective {
        gauges.set(SCHEDULE_OBJECTIVE, &labels, objective.seconds as f64);
    }
    if let Some(is_broken) = state.objective_is_broken(now) {
        gauges.set(SCHEDULE_BROKEN, &labels, flag(is_broken));
    }
}

fn flag(is_set: bool) -> f64 {
    if is_set { 1.0 } else { 0.0 }
}

fn seconds(time: Timestamp) -> f64 {
    time.as_second() as f64
}
