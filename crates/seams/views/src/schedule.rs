//! When scheduled backups run.

use model::Zone;
use schedule::{Cron, Run};
use serde::Serialize;

/// The next runs of a schedule, as they come if each of them succeeds.
#[derive(Debug, Clone, Serialize)]
pub struct SchedulePreviewView {
    /// The expression.
    pub cron: String,
    /// What it means, in words.
    pub described: String,
    /// The IANA name of the time zone.
    pub zone: String,
    /// In their order.
    pub runs: Vec<RunView>,
    /// The most seconds of writes that a restore could lose; null if fewer than two runs are to come.
    pub worst_loss_seconds: Option<u64>,
    /// The objective, in seconds, if there is one.
    pub objective_seconds: Option<u64>,
}

/// A backup that a schedule makes.
#[derive(Debug, Clone, Serialize)]
pub struct RunView {
    /// RFC 3339 in UTC: when the expression matches.
    pub due: String,
    /// RFC 3339 in UTC: when it may start, after jitter and within the window.
    pub starts_at: String,
    /// `starts_at` as clocks of the zone show it, RFC 3339.
    pub starts_at_local: String,
    /// `full` or `differential`.
    pub kind: &'static str,
    /// The name of the backup.
    pub backup: String,
}

impl SchedulePreviewView {
    /// Of an expression in a zone.
    pub fn new(cron: &Cron, zone: &Zone, runs: &[Run]) -> Self {
        Self {
            cron: cron.to_string(),
            described: cron.describe(),
            zone: zone.to_string(),
            runs: runs.iter().map(|run| RunView::new(run, zone)).collect(),
            worst_loss_seconds: None,
            objective_seconds: None,
        }
    }
}

impl RunView {
    fn new(run: &Run, zone: &Zone) -> Self {
        let local = zone.at(run.starts_at);
        Self {
            due: run.due.to_string(),
            starts_at: run.starts_at.to_string(),
            starts_at_local: local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            kind: run.kind.as_str(),
            backup: run.backup.to_string(),
        }
    }
}
