//! What users do with tasks: list, watch, cancel, end by force, pause, resume.

mod cancel;
mod fail;
mod limits;
mod list;
mod pause;
mod resume;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use model::TaskId;
use model::task::{Task, TaskEvent, TaskState, Waiting, next_state};
use state_store::{Expected, Fence};

use super::active::View;
use super::runner::Engine;
use super::store::Stored;
use super::task::{LiveTask, TaskRecord};
use crate::error::RunnerError;

pub(crate) use cancel::cancel;
pub(crate) use fail::fail;
pub(crate) use limits::set_limits;
pub(crate) use list::list;
pub(crate) use pause::pause;
pub(crate) use resume::resume;
pub(crate) use watch::watch_task;

/// A driver that has just left is looked for again this often before its task is reported to be elsewhere.
const LEASE_TRIES: usize = 20;
const LEASE_PAUSE: Duration = Duration::from_millis(50);

/// The task as it is now.
pub(crate) async fn get(engine: &Engine, id: TaskId) -> Result<Arc<View>, RunnerError> {
    // A driver knows more than the disk does.
    let driven = engine.active.view(id);
    if let Some(view) = driven.filter(|view| !view.task.state.is_final()) {
        return Ok(view);
    }
    let record = engine.load(id).await?.record;
    let task = engine.context.tasks.load(record).await?;
    let mut view = task.view();
    add_result(engine, &task, &mut view).await?;
    Ok(Arc::new(View {
        task: view,
        eta_seconds: None,
    }))
}

/// Adds what a task has found or done beyond its findings, if it has ended.
async fn add_result(engine: &Engine, task: &LiveTask, view: &mut Task) -> Result<(), RunnerError> {
    if !task.record.state.is_final() {
        return Ok(());
    }
    let kind = engine.kind(task.record.kind)?;
    kind.add_result(&engine.context, task, view).await
}

fn resumed(record: &TaskRecord) -> Result<TaskState, RunnerError> {
    next_state(record.state, TaskEvent::Resume).map_err(|error| {
        let hint = "watch it with `ringkeep task watch`";
        RunnerError::not_resumable(record.id, error.to_string(), hint)
    })
}

/// The task goes on: what was found at its end no longer holds, and newer tasks are compared with when it ended for the
/// first time.
fn note_end(record: &mut TaskRecord, now: Timestamp) {
    let ended = record.finished_at.take();
    record.first_ended = record.first_ended.or(ended);
    record.progressed_at = Some(now);
    // What it had left is about to be used or undone.
    record.has_findings = false;
    record.untidy = false;
}

/// Changes the record of a task that has no driver, with what it needs of its cluster claimed for it, unless it has not had
/// its turn yet. What may refuse the change is checked last, when no other task can run on the cluster; then everything is as
/// it was. A task that is resumed may `wait` if another one has the cluster.
async fn change(
    engine: &Arc<Engine>,
    id: TaskId,
    fence: &Fence,
    wait: bool,
    check: impl AsyncFnOnce(&TaskRecord) -> Result<(), RunnerError>,
    change: impl FnOnce(&mut TaskRecord) -> Result<(), RunnerError>,
) -> Result<Stored, RunnerError> {
    let tasks = &engine.context.tasks;
    let Stored {
        mut record,
        version,
    } = engine.load(id).await?;
    let before = record.clone();
    change(&mut record)?;
    // The task is live on disk before it claims, for the same reason as a new one.
    let expected = Expected::Version(version);
    let mut version = tasks.save_record(&record, expected, fence).await?;
    let changed = async {
        let policy = engine.kind(record.kind)?.policy();
        if let (Some(need), None) = (policy.need(&record), &record.waiting) {
            let claimed = tasks.claim(&record.cluster, id, &need, fence).await;
            let gave_up = before
                .paused
                .as_ref()
                .is_some_and(|paused| !paused.keeps_cluster);
            let may_do_without = record.ending.is_some() && (policy.undo_without_claim || gave_up);
            match claimed {
                Err(RunnerError::ClusterBusy { .. }) if may_do_without => {}
                Err(RunnerError::ClusterBusy { task, .. }) if wait => {
                    check_may_wait(engine, &record, task).await?;
                    record.need.get_or_insert(need);
                    wait_again(&mut record, task, (engine.context.clock)());
                    let expected = Expected::Version(version);
                    version = tasks.save_record(&record, expected, fence).await?;
                }
                claimed => drop(claimed?),
            }
        }
        check(&record).await
    };
    if let Err(error) = changed.await {
        let expected = Expected::Version(version);
        tasks.save_record(&before, expected, fence).await?;
        if !before.may_hold_cluster() {
            // A claim that does not count does no harm if it stays.
            tasks.unclaim(&before.cluster, id, fence).await.ok();
        }
        return Err(error);
    }
    Ok(Stored { record, version })
}

/// What a task that waits has made can be undone, and is compared with what others do meanwhile. Neither holds for one that
/// has changed more than others may meet: no other task knows about it, and it has no claim under which it could be undone.
async fn check_may_wait(
    engine: &Engine,
    record: &TaskRecord,
    other: TaskId,
) -> Result<(), RunnerError> {
    let mut task = engine.context.tasks.load(record.clone()).await?;
    task.apply_reset();
    if !engine.kind(record.kind)?.must_keep_cluster(&task) {
        return Ok(());
    }
    let why = format!("task {other} has its cluster, and it may already have changed that");
    let hint = "resume it without `--queue` once the cluster is free";
    Err(RunnerError::not_resumable(record.id, why, hint))
}

/// A task that has had its turn waits for another one. What it has made stays.
fn wait_again(record: &mut TaskRecord, task: TaskId, now: Timestamp) {
    record.waits_for_cluster = true;
    record.had_turn = true;
    record.waiting = Some(Waiting {
        since: now,
        task: Some(task),
        kind: None,
        why: format!("it waits for task {task}"),
    });
}

/// Hands a changed task to a driver; returns the task as it was handed over.
async fn hand_to_driver(
    engine: &Arc<Engine>,
    changed: Result<Stored, RunnerError>,
    fence: Fence,
) -> Result<Arc<View>, RunnerError> {
    let loaded = match changed {
        Ok(stored) => {
            let task = engine.context.tasks.load(stored.record.clone()).await;
            task.map(|task| (stored, task))
        }
        Err(error) => Err(error),
    };
    match loaded {
        Ok((stored, mut task)) => {
            task.apply_reset();
            engine.drive(stored, fence).await?;
            Ok(View::of(&task))
        }
        Err(error) => {
            engine.context.tasks.release(&fence).await;
            Err(error)
        }
    }
}
