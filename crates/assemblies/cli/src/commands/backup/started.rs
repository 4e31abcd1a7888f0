//! A task on a backup that was started.

use api::pb::types::BackupRef;
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;

/// A task on a backup that was started: what `--no-wait` shows.
#[derive(Debug, Serialize)]
pub(super) struct Started {
    pub task_id: String,
    backup: String,
    cluster: String,
    /// What the task does with the backup.
    #[serde(skip)]
    verb: &'static str,
}

impl Started {
    pub fn new(task_id: String, backup: Option<BackupRef>, verb: &'static str) -> Self {
        let backup = backup.unwrap_or_default();
        Self {
            task_id,
            backup: backup.name,
            cluster: backup.cluster,
            verb,
        }
    }

    /// The result of a command that does not wait.
    pub fn show(&self, context: &mut Context) -> Result<(), Failure> {
        let watch = format!("watch it with `ringkeep task watch {}`", self.task_id);
        context.screen.talk(&watch);
        context.screen.result(self, |started, _| started.sentence())
    }

    /// What is waited for.
    pub fn talk(&self, context: &mut Context) {
        context.screen.talk(&self.sentence());
    }

    fn sentence(&self) -> String {
        let (id, verb) = (&self.task_id, self.verb);
        format!("task {id} {verb} backup {}/{}", self.cluster, self.backup)
    }
}
