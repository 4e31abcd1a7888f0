//! A task that accepts a restore or rolls it back.

use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::view::finding;
use crate::view::task::TaskView;
use crate::wait;

/// A task that was started for a restore: what the command shows.
#[derive(Debug, Serialize)]
pub(super) struct Started {
    task_id: String,
    restore: String,
    /// Null unless it was waited for.
    task: Option<TaskView>,
    /// What the task does with the restore.
    #[serde(skip)]
    verb: &'static str,
}

impl Started {
    pub fn new(task_id: String, restore: String, verb: &'static str) -> Self {
        Self {
            task_id,
            restore,
            task: None,
            verb,
        }
    }

    /// Shows the task, once it has ended if that is wanted.
    pub async fn show(mut self, wait: bool, context: &mut Context) -> Result<(), Failure> {
        if !wait {
            let watch = format!("watch it with `ringkeep task watch {}`", self.task_id);
            context.screen.talk(&watch);
            return context
                .screen
                .result(&self, |started, _| started.sentence());
        }
        let sentence = self.sentence();
        context.screen.talk(sentence.trim_end());
        let ended = wait::until_final(&self.task_id, context).await?;
        self.task = Some(TaskView::from(&ended));
        context.screen.result(&self, |started, paint| {
            let task = started.task.as_ref();
            let findings = task.map_or(String::new(), |task| finding::text(&task.findings, paint));
            let state = task.map_or("", |task| task.state);
            format!("task {} {state}\n{findings}", started.task_id)
        })?;
        wait::verdict(&ended)
    }

    fn sentence(&self) -> String {
        let (id, verb) = (&self.task_id, self.verb);
        format!("task {id} {verb} restore {}\n", self.restore)
    }
}
