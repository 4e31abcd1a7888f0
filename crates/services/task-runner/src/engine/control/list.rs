//! Lists tasks, in pages.

use std::sync::Arc;

use model::ClusterName;

use crate::engine::active::View;
use crate::engine::runner::Engine;
use crate::engine::task::{LiveTask, TaskRecord};
use crate::error::RunnerError;

/// Tasks of one page, and steps of all of them, so that a page fits into a message whatever the tasks are.
const PAGE_TASKS_MAX: usize = 100;
const PAGE_STEPS_MAX: usize = 20_000;

/// Some tasks, newest first.
pub(crate) struct TaskPage {
    pub views: Vec<Arc<View>>,
    /// Where the next page starts; none: this was the last.
    pub next: Option<String>,
}

/// A page of the tasks of a cluster, or of all clusters, newest first.
pub(crate) async fn list(
    engine: &Engine,
    cluster: Option<&ClusterName>,
    page_size: usize,
    after: Option<String>,
) -> Result<TaskPage, RunnerError> {
    let limit = match page_size {
        0 => PAGE_TASKS_MAX,
        size => size.min(PAGE_TASKS_MAX),
    };
    let mut page = TaskPage {
        views: Vec::new(),
        next: after,
    };
    let mut steps = 0;
    loop {
        let found = engine.context.tasks.records(page.next.as_deref()).await?;
        for record in found.records {
            if cluster.is_some_and(|cluster| record.cluster != *cluster) {
                continue;
            }
            let id = record.id;
            let Some(view) = view_of(engine, record).await? else {
                continue;
            };
            steps += view.task.steps.len();
            page.views.push(view);
            if page.views.len() == limit || steps >= PAGE_STEPS_MAX {
                page.next = Some(crate::engine::store::task_key(id));
                return Ok(page);
            }
        }
        page.next = found.next;
        if page.next.is_none() {
            return Ok(page);
        }
    }
}

/// None if the task was forgotten since its record was read. One whose steps cannot be read is shown without them, so that it
/// does not hide the others.
async fn view_of(engine: &Engine, record: TaskRecord) -> Result<Option<Arc<View>>, RunnerError> {
    let id = record.id;
    if let Some(view) = engine.active.view(id) {
        return Ok(Some(view));
    }
    let tasks = &engine.context.tasks;
    match tasks.load(record.clone()).await {
        Ok(task) => Ok(Some(View::of(&task))),
        Err(error @ RunnerError::State(_)) => Err(error),
        Err(_) if tasks.get(id).await?.is_none() => Ok(None),
        Err(error) => {
            tracing::error!(task_id = %id, error = api::error::chain(&error), "task cannot be read");
            Ok(Some(View::of(&LiveTask::new(record, Vec::new()))))
        }
    }
}
