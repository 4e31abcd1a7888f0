//! A task on a backup that was started.

use api::clients::StartedTask;
use model::TaskId;
use views::started::TaskStartedView;

use crate::context::Context;
use crate::failure::Failure;

/// A task on a backup that was started.
#[derive(Debug)]
pub(super) struct Started {
    pub task: TaskId,
    /// What `--no-wait` shows.
    view: TaskStartedView,
    /// What the task does with the backup.
    verb: &'static str,
}

impl Started {
    pub fn new(started: &StartedTask, verb: &'static str) -> Self {
        Self {
            task: started.task,
            view: TaskStartedView::new(started.task, &started.backup),
            verb,
        }
    }

    /// The result of a command that does not wait.
    pub fn show(&self, context: &mut Context) -> Result<(), Failure> {
        let watch = format!("watch it with `ringkeep task watch {}`", self.task);
        context.screen.talk(&watch);
        context.screen.result(&self.view, |_, _| self.sentence())
    }

    /// What is waited for.
    pub fn talk(&self, context: &mut Context) {
        context.screen.talk(&self.sentence());
    }

    fn sentence(&self) -> String {
        let (id, verb, view) = (self.task, self.verb, &self.view);
        format!("task {id} {verb} backup {}/{}", view.cluster, view.backup)
    }
}
