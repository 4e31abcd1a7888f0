//! What users do with tasks: look, watch, cancel, resume.

mod resume;

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, BoxStream, Stream, StreamExt};
use model::task::{TaskEvent, TaskState, next_state};
use model::{ClusterName, TaskId};
use state_store::{Change, Expected, Fence, StateError};
use tokio::sync::watch;

use crate::board::View;
use crate::core::Core;
use crate::driver::events::past_return;
use crate::error::RunnerError;
use crate::record::{Ending, Outcome, TaskRecord};
use crate::store::{Stored, task_key};
use crate::superseded;

pub(crate) use resume::resume;

/// A driver that has just left is looked for again this often before its task is said to be elsewhere.
const LEASE_TRIES: usize = 20;
const LEASE_PAUSE: Duration = Duration::from_millis(50);
/// How often a watcher of a task that is not driven here looks whether it is now.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// All tasks, newest first.
pub(crate) async fn list(
    core: &Core,
    cluster: Option<&ClusterName>,
) -> Result<Vec<Arc<View>>, RunnerError> {
    let records = core.services.tasks.list().await?;
    let newest_first = records.into_iter().rev();
    Ok(newest_first
        .filter(|record| cluster.is_none_or(|cluster| record.task.cluster == *cluster))
        .map(|record| view_of(core, &record))
        .collect())
}

/// A driver knows more than the disk does.
fn view_of(core: &Core, record: &TaskRecord) -> Arc<View> {
    core.board
        .view(record.task.id)
        .unwrap_or_else(|| View::of(&record.task))
}

pub(crate) async fn get(core: &Core, id: TaskId) -> Result<Arc<View>, RunnerError> {
    if let Some(view) = core.board.view(id) {
        return Ok(view);
    }
    Ok(View::of(&core.load(id).await?.record.task))
}

/// Stops a task at a safe point. A failed restore that has replaced nothing is given up: its staging and its pin go.
pub(crate) async fn cancel(core: Arc<Core>, id: TaskId) -> Result<Arc<View>, RunnerError> {
    for _ in 0..LEASE_TRIES {
        if let Some(answer) = core.board.cancel(id).await {
            return answer;
        }
        let state = core.load(id).await?.record.task.state;
        match state {
            TaskState::Cancelled => return get(&core, id).await,
            TaskState::Succeeded => return Err(RunnerError::TaskEnded { id, state }),
            TaskState::Failed | TaskState::Pending | TaskState::Running | TaskState::Paused => {}
        }
        match core.services.tasks.acquire(id, &core.holder).await {
            Ok(fence) => return give_up(&core, id, fence).await,
            // Its driver is about to enter or has just left.
            Err(StateError::LeaseHeld { .. }) => tokio::time::sleep(LEASE_PAUSE).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(RunnerError::DrivenElsewhere(id))
}

/// Sends a task that nobody drives to its end as cancelled. A failed restore that has begun to replace data has nothing
/// left to do once others have brought all of its tables.
async fn give_up(core: &Arc<Core>, id: TaskId, fence: Fence) -> Result<Arc<View>, RunnerError> {
    let is_replaced = match core.load(id).await {
        Ok(stored) => superseded::is_replaced(&core.services, &stored.record).await,
        Err(error) => Err(error),
    };
    let is_replaced = match is_replaced {
        Ok(is_replaced) => is_replaced,
        Err(error) => return let_go(core, Err(error), fence).await,
    };
    let any = async |_: &TaskRecord| Ok(());
    let changed = change(core, id, &fence, any, |record| {
        let state = record.task.state;
        if state == TaskState::Failed {
            if record.is_restore() && record.past_return && !is_replaced {
                return Err(past_return(record));
            }
            if !record.holds_on() {
                return Err(RunnerError::TaskEnded { id, state });
            }
            record.task.state = resumed(record)?;
            note_end(record);
        } else if state.is_final() {
            return Err(RunnerError::TaskEnded { id, state });
        } else if record.ending.is_some() {
            return Ok(());
        } else if record.past_return {
            return Err(past_return(record));
        }
        record.ending = Some(Ending {
            outcome: Outcome::Cancelled,
            reason: "cancelled on request".to_owned(),
            clean: true,
        });
        Ok(())
    });
    let_go(core, changed.await, fence).await
}

fn resumed(record: &TaskRecord) -> Result<TaskState, RunnerError> {
    next_state(record.task.state, TaskEvent::Resume).map_err(|error| RunnerError::NotResumable {
        id: record.task.id,
        why: error.to_string(),
        hint: "watch it with `ringkeep task watch`",
    })
}

/// The task goes on; when it ended for the first time is what newer tasks are compared with.
fn note_end(record: &mut TaskRecord) {
    let ended = record.task.finished_at.take();
    record.first_ended = record.first_ended.or(ended);
}

/// Changes a task that nobody drives, with its cluster claimed for it. What may refuse the change is asked last, when no
/// other task can run on the cluster; then everything is as it was.
async fn change(
    core: &Arc<Core>,
    id: TaskId,
    fence: &Fence,
    check: impl AsyncFnOnce(&TaskRecord) -> Result<(), RunnerError>,
    change: impl FnOnce(&mut TaskRecord) -> Result<(), RunnerError>,
) -> Result<Stored, RunnerError> {
    let tasks = &core.services.tasks;
    let Stored {
        mut record,
        version,
    } = core.load(id).await?;
    let before = record.clone();
    change(&mut record)?;
    // The task is live on disk before it claims, for the same reason as a new one.
    let version = tasks
        .save(&record, Expected::Version(version), fence)
        .await?;
    let claimed = match tasks.claim(&record.task.cluster, id).await {
        Ok(()) => check(&record).await,
        Err(error) => Err(error),
    };
    if let Err(error) = claimed {
        tasks
            .save(&before, Expected::Version(version), fence)
            .await?;
        // The claim of a task that has ended counts for nothing, so that one that stays does no harm.
        tasks.unclaim(&before.task.cluster, id).await.ok();
        return Err(error);
    }
    Ok(Stored { record, version })
}

async fn let_go(
    core: &Arc<Core>,
    changed: Result<Stored, RunnerError>,
    fence: Fence,
) -> Result<Arc<View>, RunnerError> {
    let stored = match changed {
        Ok(stored) => stored,
        Err(error) => {
            core.services.tasks.release(&fence).await;
            return Err(error);
        }
    };
    let view = View::of(&stored.record.task);
    core.drive(stored, fence).await?;
    Ok(view)
}

/// The task now, and again at each change that there is time to see; ends after a final state.
pub(crate) async fn watch_task(
    core: Arc<Core>,
    id: TaskId,
) -> Result<impl Stream<Item = Result<Arc<View>, RunnerError>>, RunnerError> {
    get(&core, id).await?;
    let watcher = Watcher {
        changes: core.services.store.watch(&task_key(id)).await?,
        core,
        id,
        driven: None,
        shown: None,
        ended: false,
    };
    Ok(stream::unfold(watcher, |mut watcher| async move {
        if watcher.ended {
            return None;
        }
        let item = watcher.next().await;
        watcher.ended = match &item {
            Ok(view) => view.task.state.is_final(),
            Err(_) => true,
        };
        Some((item, watcher))
    }))
}

struct Watcher {
    core: Arc<Core>,
    id: TaskId,
    /// What the task's driver shows, while there is one here.
    driven: Option<watch::Receiver<Arc<View>>>,
    /// What the store says of it, for the time between drivers.
    changes: BoxStream<'static, Change>,
    shown: Option<Arc<View>>,
    ended: bool,
}

impl Watcher {
    async fn next(&mut self) -> Result<Arc<View>, RunnerError> {
        loop {
            if self.driven.is_none() {
                self.driven = self.core.board.subscribe(self.id);
                if let Some(driven) = &mut self.driven {
                    let view = driven.borrow_and_update().clone();
                    return Ok(self.show(view));
                }
                // Only now, as the driver may have left and written the end before.
                let view = View::of(&self.core.load(self.id).await?.record.task);
                let news = self
                    .shown
                    .as_ref()
                    .is_none_or(|shown| shown.task != view.task);
                if news {
                    return Ok(self.show(view));
                }
            }
            self.wait().await?;
            if let Some(driven) = &mut self.driven {
                let view = driven.borrow_and_update().clone();
                return Ok(self.show(view));
            }
        }
    }

    fn show(&mut self, view: Arc<View>) -> Arc<View> {
        self.shown = Some(view.clone());
        view
    }

    /// Waits until there may be something new.
    async fn wait(&mut self) -> Result<(), RunnerError> {
        if let Some(driven) = &mut self.driven {
            if driven.changed().await.is_err() {
                self.driven = None;
            }
            return Ok(());
        }
        let change = tokio::select! {
            () = self.core.drain.cancelled() => return Err(RunnerError::ShuttingDown),
            change = tokio::time::timeout(LOOK_AGAIN, self.changes.next()) => change,
        };
        if let Ok(None) = change {
            // The store can no longer watch. The task is still read every so often.
            self.changes = stream::pending().boxed();
        }
        Ok(())
    }
}
