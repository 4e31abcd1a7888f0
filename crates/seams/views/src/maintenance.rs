//! Maintenance that was started by a command or a document.

use serde::Serialize;

use crate::task::TaskView;

/// A maintenance task that was started by a command.
#[derive(Debug, Clone, Serialize)]
pub struct MaintenanceStartedView {
    /// A UUID.
    pub task_id: String,
    /// The cluster that it works on.
    pub cluster: String,
    /// As it ended; null unless it was waited for.
    pub task: Option<TaskView>,
}

/// A document that was applied.
#[derive(Debug, Clone, Serialize)]
pub struct AppliedView {
    /// `CassandraTask` or `K8ssandraTask`.
    pub kind: &'static str,
    /// Null if it has none.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// The registered cluster that it was meant for.
    pub cluster: String,
    /// Its task, a UUID.
    pub task_id: String,
    /// It was applied before, and nothing was started.
    pub existed: bool,
    /// As it ended; null unless it was waited for.
    pub task: Option<TaskView>,
}
