//! What all parts of the engine share, and the one place where it starts work of its own.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use model::TaskId;
use model::plan::PlanStep;
use model::task::{TaskKind, Waiting};
use serde::Serialize;
use state_store::{Expected, Fence};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::active::ActiveTasks;
use super::admission::Admission;
use super::driver::Driver;
use super::graph::steps_of;
use super::kind::{Kind, Kinds};
use super::need::Need;
use super::recovery;
use super::requests;
use super::store::Stored;
use super::task::TaskRecord;
use crate::context::Context;
use crate::error::RunnerError;

/// What all parts of the engine share.
pub(crate) struct Engine {
    pub context: Arc<Context>,
    pub kinds: Kinds,
    pub active: ActiveTasks,
    /// Tasks of schedules that callers create at this moment.
    pub by_hand: Mutex<BTreeSet<TaskId>>,
    /// This runner's name in leases.
    pub holder: String,
    /// Ends all work at the next safe point.
    pub drain: CancellationToken,
    /// Ends all work at once, as a crash would.
    kill: CancellationToken,
    tracker: TaskTracker,
}

/// A task that is about to be created.
pub(crate) struct NewTask<'a> {
    pub record: TaskRecord,
    pub steps: &'a [PlanStep],
}

impl Engine {
    pub fn new(
        context: Context,
        kinds: Kinds,
        holder: String,
        shutdown: &CancellationToken,
    ) -> Self {
        Self {
            context: Arc::new(context),
            kinds,
            active: ActiveTasks::default(),
            by_hand: Mutex::default(),
            holder,
            drain: shutdown.child_token(),
            kill: CancellationToken::new(),
            tracker: TaskTracker::new(),
        }
    }

    /// Adopts all unfinished tasks, now and from time to time, until the runner drains.
    pub fn start(self: &Arc<Self>) {
        self.spawn(recovery::recovery_loop(self.clone()));
        self.spawn(requests::requests_loop(self.clone()));
    }

    /// Starts work that this runner owns: draining waits for it.
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

    /// Runs work to completion even if the client that asked for it disconnects: a half-applied change is worse.
    pub async fn run_to_completion<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, RunnerError>> + Send + 'static,
    ) -> Result<T, RunnerError> {
        if self.drain.is_cancelled() {
            return Err(RunnerError::ShuttingDown);
        }
        let (sender, result) = oneshot::channel();
        self.spawn(async move {
            // A client that has disconnected does not wait for the result.
            let _ = sender.send(work.await);
        });
        result.await.unwrap_or(Err(RunnerError::Fault))
    }

    pub fn kind(&self, kind: TaskKind) -> Result<&Arc<dyn Kind>, RunnerError> {
        self.kinds.get(&kind).ok_or(RunnerError::UnknownKind(kind))
    }

    /// Drives a task under a lease that was just taken. Without a driver the lease is given back.
    pub async fn drive(self: &Arc<Self>, stored: Stored, fence: Fence) -> Result<(), RunnerError> {
        match Driver::open(self.clone(), stored, fence.clone()).await {
            Ok(driver) => {
                self.spawn(driver.drive());
                Ok(())
            }
            Err(error) => {
                self.context.tasks.release(&fence).await;
                Err(error)
            }
        }
    }

    /// Drives a task that was just created. It is on disk, so if it cannot be driven now, it is adopted later.
    pub async fn drive_new(self: &Arc<Self>, stored: Stored, fence: Fence) {
        let id = stored.record.id;
        if let Err(error) = self.drive(stored, fence).await {
            tracing::error!(task_id = %id, error = api::error::chain(&error), "new task waits to be adopted");
        }
    }

    /// Writes a new task under its new lease with its steps and documents, and gives it its turn. If another task has its
    /// cluster, and it does not wait for that, nothing is left behind. One that waits is returned as such.
    pub async fn create<D: Serialize>(
        &self,
        new: NewTask<'_>,
        documents: &[(&str, &D)],
    ) -> Result<(Stored, Fence), RunnerError> {
        let steps = steps_of(new.steps).map_err(RunnerError::PlanNotUnderstood)?;
        let tasks = &self.context.tasks;
        let record = self.before_its_turn(new.record)?;
        let id = record.id;
        let fence = tasks.acquire(id, &self.holder).await?;
        // An id that was named before may be in use since: what is there must not be written over.
        if tasks.get(id).await?.is_some() {
            tasks.release(&fence).await;
            return Err(RunnerError::TaskExists(id));
        }
        let written = async {
            let announced = tasks.announce(id, &fence).await?;
            for (name, document) in documents {
                tasks.put_document(id, name, *document, &fence).await?;
            }
            tasks.put_steps(id, &steps, &fence).await?;
            // The record before its claim: so a claim without a task is always one that is left over.
            let version = tasks.create(&record, announced, &fence).await?;
            self.first_turn(Stored { record, version }, &fence).await
        };
        match written.await {
            Ok(stored) => Ok((stored, fence)),
            Err(error) => {
                tasks.remove(id, &fence).await?;
                tasks.release(&fence).await;
                Err(error)
            }
        }
    }

    /// A new task, waiting for its turn if it may have to.
    fn before_its_turn(&self, mut record: TaskRecord) -> Result<TaskRecord, RunnerError> {
        if self.kind(record.kind)?.policy().claims_cluster {
            record.need.get_or_insert(Need::Whole);
        }
        if record.need.is_none() && self.context.config.running_limits().are_none() {
            record.waiting = None;
            return Ok(record);
        }
        let since = record.created_at;
        Ok(match record.waiting {
            Some(_) => record,
            None => record.waits_since(since),
        })
    }

    async fn first_turn(&self, stored: Stored, fence: &Fence) -> Result<Stored, RunnerError> {
        let record = &stored.record;
        if record.waiting.is_none() {
            return Ok(stored);
        }
        let tasks = &self.context.tasks;
        let limits = self.context.config.running_limits();
        // Nothing renews the lease meanwhile.
        let patience = tasks.lease_ttl() / 4;
        match tasks.admit(record.id, limits, patience, fence).await? {
            Admission::Now(stored) => Ok(*stored),
            Admission::Later(Waiting {
                task: Some(other), ..
            }) if !record.waits_for_cluster => Err(tasks.busy_with(&record.cluster, other).await?),
            Admission::Later(_) if record.waits_for_cluster => Ok(stored),
            Admission::Later(waiting) => self.wait_for_place(stored, waiting, fence).await,
        }
    }

    /// A task that waits for a place among those that run also waits if another takes its cluster meanwhile: its caller was
    /// told that it has been accepted.
    async fn wait_for_place(
        &self,
        stored: Stored,
        waiting: Waiting,
        fence: &Fence,
    ) -> Result<Stored, RunnerError> {
        let record = TaskRecord {
            waits_for_cluster: true,
            waiting: Some(waiting),
            ..stored.record
        };
        let expected = Expected::Version(stored.version);
        let tasks = &self.context.tasks;
        let version = tasks.save_record(&record, expected, fence).await?;
        Ok(Stored { record, version })
    }

    /// Forgets a task that has come to nothing.
    pub async fn discard(&self, record: &TaskRecord, fence: &Fence) -> Result<(), RunnerError> {
        let tasks = &self.context.tasks;
        tasks.unclaim(&record.cluster, record.id, fence).await?;
        tasks.remove(record.id, fence).await?;
        tasks.release(fence).await;
        Ok(())
    }

    /// The record of a task that exists.
    pub async fn load(&self, id: TaskId) -> Result<Stored, RunnerError> {
        let stored = self.context.tasks.get(id).await?;
        stored.ok_or(RunnerError::UnknownTask(id))
    }

    /// Lets all work come to a safe point, and waits for it.
    pub async fn drained(&self) {
        self.drain.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }

    /// Ends all work where it is.
    pub async fn killed(&self) {
        self.drain.cancel();
        self.kill.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}
