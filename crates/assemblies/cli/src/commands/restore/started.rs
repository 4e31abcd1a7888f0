//! A task that accepts a restore or rolls it back.

use model::TaskId;
use views::started::RestoreTaskStartedView;
use views::task::TaskView;

use crate::context::Context;
use crate::failure::Failure;
use crate::text::finding;
use crate::wait;

/// A task that was started for a restore.
pub(super) struct Started {
    task: TaskId,
    /// What the task does with the restore.
    verb: &'static str,
    view: RestoreTaskStartedView,
}

impl Started {
    pub fn new(task: TaskId, restore: TaskId, verb: &'static str) -> Self {
        Self {
            task,
            verb,
            view: RestoreTaskStartedView::new(task, restore),
        }
    }

    /// Shows the task, once it has ended if that is wanted.
    pub async fn show(mut self, wait: bool, context: &mut Context) -> Result<(), Failure> {
        let sentence = self.sentence();
        if !wait {
            let watch = format!("watch it with `ringkeep task watch {}`", self.task);
            context.screen.talk(&watch);
            return context.screen.result(&self.view, |_, _| sentence);
        }
        context.screen.talk(sentence.trim_end());
        let ended = wait::until_final(self.task, context).await?;
        self.view.task = Some(TaskView::from(&ended));
        context.screen.result(&self.view, |started, paint| {
            let task = started.task.as_ref();
            let findings = task.map_or(String::new(), |task| finding::text(&task.findings, paint));
            let state = task.map_or("", |task| task.state);
            format!("task {} {state}\n{findings}", started.task_id)
        })?;
        wait::verdict(&ended)
    }

    fn sentence(&self) -> String {
        let (id, verb) = (self.task, self.verb);
        format!("task {id} {verb} restore {}\n", self.view.restore)
    }
}
