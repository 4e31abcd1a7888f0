//! What all parts of the runner share, and the one place where it starts work of its own.

use std::sync::Arc;

use model::TaskId;
use state_store::{Expected, Fence};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::board::Board;
use crate::driver::Driver;
use crate::error::RunnerError;
use crate::order::{ORDER, Order};
use crate::record::TaskRecord;
use crate::services::Services;
use crate::store::Stored;

pub(crate) struct Core {
    pub services: Services,
    pub board: Board,
    /// Says this runner's name in leases.
    pub holder: String,
    /// Ends all work at the next safe point.
    pub drain: CancellationToken,
    /// Ends all work at once, as a crash would.
    kill: CancellationToken,
    tracker: TaskTracker,
}

impl Core {
    pub fn new(services: Services, holder: String, shutdown: &CancellationToken) -> Self {
        Self {
            services,
            board: Board::default(),
            holder,
            drain: shutdown.child_token(),
            kill: CancellationToken::new(),
            tracker: TaskTracker::new(),
        }
    }

    /// Starts work that this runner owns: it is waited for when draining.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let kill = self.kill.clone();
        self.tracker.spawn(async move {
            tokio::select! {
                biased;
                () = kill.cancelled() => {}
                () = work => {}
            }
        });
    }

    /// Runs work that must not stop half way because a client has hung up.
    pub async fn to_the_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, RunnerError>> + Send + 'static,
    ) -> Result<T, RunnerError> {
        if self.drain.is_cancelled() {
            return Err(RunnerError::ShuttingDown);
        }
        let (answer, answered) = oneshot::channel();
        self.spawn(async move {
            // A client that has hung up wants no answer.
            let _ = answer.send(work.await);
        });
        answered.await.unwrap_or(Err(RunnerError::Fault))
    }

    /// Takes up a task under a lease that was just taken.
    pub async fn drive(self: &Arc<Self>, stored: Stored, fence: Fence) -> Result<(), RunnerError> {
        let order = match self.order(&stored.record).await {
            Ok(order) => order,
            Err(error) => {
                // Without a driver nobody would give the lease back.
                self.services.tasks.release(&fence).await;
                return Err(error);
            }
        };
        let seat = self.board.enter(&stored.record.task);
        let driver = Driver::new(self.clone(), stored, order, fence, seat);
        self.spawn(driver.drive());
        Ok(())
    }

    async fn order(&self, record: &TaskRecord) -> Result<Order, RunnerError> {
        if !record.is_restore() {
            return Ok(Order::default());
        }
        let order = self.services.tasks.document(record.task.id, ORDER).await?;
        order.ok_or_else(|| {
            RunnerError::PlanNotUnderstood(format!("task {} has lost its order", record.task.id))
        })
    }

    /// Writes a new task, under its new lease, and claims its cluster. Where the cluster is busy nothing is left behind.
    pub async fn enlist(
        &self,
        record: TaskRecord,
        order: Option<&Order>,
    ) -> Result<(Stored, Fence), RunnerError> {
        let tasks = &self.services.tasks;
        let id = record.task.id;
        let fence = tasks.acquire(id, &self.holder).await?;
        if let Some(order) = order {
            tasks.put_document(id, ORDER, order, &fence).await?;
        }
        // The task before its claim: so a claim without a task is always one that is left over.
        let version = tasks.save(&record, Expected::Absent, &fence).await?;
        if let Err(error) = tasks.claim(&record.task.cluster, id).await {
            tasks.remove(id, &fence).await?;
            tasks.release(&fence).await;
            return Err(error);
        }
        Ok((Stored { record, version }, fence))
    }

    /// Forgets a task that has come to nothing.
    pub async fn delist(&self, record: &TaskRecord, fence: &Fence) -> Result<(), RunnerError> {
        let tasks = &self.services.tasks;
        tasks.unclaim(&record.task.cluster, record.task.id).await?;
        tasks.remove(record.task.id, fence).await?;
        tasks.release(fence).await;
        Ok(())
    }

    pub async fn load(&self, id: TaskId) -> Result<Stored, RunnerError> {
        let stored = self.services.tasks.get(id).await?;
        stored.ok_or(RunnerError::UnknownTask(id))
    }

    /// Lets all work come to a safe point, and waits for it.
    pub async fn drained(&self) {
        self.drain.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }

    pub async fn killed(&self) {
        self.drain.cancel();
        self.kill.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}
