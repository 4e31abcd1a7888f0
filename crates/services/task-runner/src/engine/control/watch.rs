//! A task now, and again at each change.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, BoxStream, Stream, StreamExt};
use model::TaskId;
use state_store::Change;
use tokio::sync::watch;

use super::{add_result, get};
use crate::engine::active::View;
use crate::engine::runner::Engine;
use crate::engine::store::task_key;
use crate::error::RunnerError;

/// How often a watcher of a task without a driver here checks whether it has one now.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The task now, and again at each change that there is time to see; ends after a final state.
pub(crate) async fn watch_task(
    engine: Arc<Engine>,
    id: TaskId,
) -> Result<impl Stream<Item = Result<Arc<View>, RunnerError>>, RunnerError> {
    get(&engine, id).await?;
    let changes = engine.context.store.watch(&task_key(id)).await?;
    let watcher = Watcher {
        engine,
        id,
        driven: None,
        changes,
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
    engine: Arc<Engine>,
    id: TaskId,
    /// What the task's driver shows, while there is one here.
    driven: Option<watch::Receiver<Arc<View>>>,
    /// What the store reports of it, for the time between drivers.
    changes: BoxStream<'static, Change>,
    shown: Option<Arc<View>>,
    ended: bool,
}

impl Watcher {
    async fn next(&mut self) -> Result<Arc<View>, RunnerError> {
        loop {
            if self.driven.is_none() {
                self.driven = self.engine.active.subscribe(self.id);
                if let Some(driven) = &mut self.driven {
                    let view = driven.borrow_and_update().clone();
                    return self.show(view).await;
                }
                // Only now, as the driver may have left and written the end before.
                let view = get(&self.engine, self.id).await?;
                let is_news = self
                    .shown
                    .as_ref()
                    .is_none_or(|shown| shown.task != view.task);
                if is_news {
                    return self.show(view).await;
                }
            }
            self.wait().await?;
            if let Some(driven) = &mut self.driven {
                let view = driven.borrow_and_update().clone();
                return self.show(view).await;
            }
        }
    }

    /// A driver's last view lacks the task's result, which is on disk by then.
    async fn show(&mut self, view: Arc<View>) -> Result<Arc<View>, RunnerError> {
        let view = match view.task.state.is_final() {
            true => with_result(&self.engine, &view).await?,
            false => view,
        };
        self.shown = Some(view.clone());
        Ok(view)
    }

    /// Waits until there may be something new.
    async fn wait(&mut self) -> Result<(), RunnerError> {
        if let Some(driven) = &mut self.driven {
            if driven.changed().await.is_err() {
                self.driven = None;
            }
            return Ok(());
        }
        let changed = async {
            // A watch that has ended reports nothing more.
            if self.changes.next().await.is_none() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = self.engine.drain.cancelled() => Err(RunnerError::ShuttingDown),
            _ = tokio::time::timeout(LOOK_AGAIN, changed) => Ok(()),
        }
    }
}

async fn with_result(engine: &Engine, view: &View) -> Result<Arc<View>, RunnerError> {
    let Some(stored) = engine.context.tasks.get(view.task.id).await? else {
        // It was forgotten as soon as it had ended.
        return Ok(Arc::new(view.clone()));
    };
    let task = engine.context.tasks.load(stored.record).await?;
    let mut last = view.clone();
    add_result(engine, &task, &mut last.task).await?;
    Ok(Arc::new(last))
}
