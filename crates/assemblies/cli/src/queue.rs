//! `--queue` and `--priority`: how a task that is started takes its place among the others.

use model::task::{Priority, QueueOptions};

#[derive(Debug, Clone, Copy, clap::Args)]
pub struct QueueArgs {
    /// Waits for its turn if another task has the cluster; without it the command is refused then (CLUSTER_BUSY).
    /// `ringkeep task show` shows what it waits for.
    #[arg(long, help_heading = "When")]
    queue: bool,
    /// How soon it gets its turn if several tasks wait: highest, high, normal, low or lowest. An hour of waiting counts as much
    /// as one of them. By default high for restores, normal for backups, low for maintenance.
    #[arg(long, value_name = "PRIORITY", help_heading = "When")]
    priority: Option<Priority>,
}

impl QueueArgs {
    pub fn to_model(self) -> QueueOptions {
        QueueOptions {
            priority: self.priority,
            wait: self.queue,
        }
    }
}
