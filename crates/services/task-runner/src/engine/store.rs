//! Tasks in the state store.
//!
//! - `tasks/<id>`: the record of a task, written only by the holder of the lease of the same name.
//! - `steps/<id>/<place>`: the status of each step that is not as it was planned.
//! - `documents/<id>/<name>/<part>`: the task's steps, and what its kind needs; never changed once the task depends on them.
//! - `unfinished/<id>`: an index of the tasks that have not ended, with what their turns depend on, changed together with their
//!   records.
//! - `ends/<restore>/<id>`: an index of the tasks that accept a restore in place or roll it back.
//! - [`ended`]: the last tasks of each kind that ended, and restores in place that wait for a user.
//! - `creating/<id>`: tasks that have documents and no record: they are being created or removed.

mod ended;
mod lifecycle;
mod write;

use std::sync::Arc;
use std::time::Duration;

use model::{Finding, TaskId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use state_store::{Direction, Fence, StateError, StateStore};
use tokio::sync::{Mutex, Notify};

use super::documents::{self, decode};
use super::task::{LiveTask, StepStatus, TaskRecord, TaskStep};
use crate::error::RunnerError;
use crate::events::Outbox;

pub(crate) use ended::{EndedTask, Unaccepted};

/// Records and statuses are small.
const PAGE_ENTRIES: usize = 200;

const TASKS: &str = "tasks/";
pub(super) const UNFINISHED: &str = "unfinished/";
const CREATING: &str = "creating/";
const ENDS: &str = "ends/";
/// Documents of every task.
const STEPS: &str = "steps";
const FINDINGS: &str = "findings";

/// Keeps tasks.
#[derive(Clone)]
pub(crate) struct TaskStore {
    pub(super) store: Arc<dyn StateStore>,
    lease_ttl: Duration,
    /// Where the beginnings and ends of tasks go.
    pub outbox: Outbox,
    /// Notified when tasks that wait here may have their turn.
    pub(super) turns: Arc<Notify>,
    /// Held while this process asks for a turn.
    pub(super) asking: Arc<Mutex<()>>,
}

/// A record with the version that it was read or written at.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub record: TaskRecord,
    pub version: u64,
}

/// A document of a task whose record was read before.
pub(crate) enum Kept<T> {
    Document(T),
    /// The task exists without it.
    Lost,
    /// The task no longer exists.
    Forgotten,
}

/// Records of some tasks, newest first.
pub(crate) struct RecordPage {
    pub records: Vec<TaskRecord>,
    /// Where the next page starts.
    pub next: Option<String>,
}

pub(crate) fn task_key(id: TaskId) -> String {
    format!("{TASKS}{id}")
}

fn unfinished_key(id: TaskId) -> String {
    format!("{UNFINISHED}{id}")
}

fn creating_key(id: TaskId) -> String {
    format!("{CREATING}{id}")
}

fn ends_of(restore: TaskId) -> String {
    format!("{ENDS}{restore}/")
}

fn end_key(restore: TaskId, id: TaskId) -> String {
    format!("{}{id}", ends_of(restore))
}

fn statuses_of(id: TaskId) -> String {
    format!("steps/{id}/")
}

/// Padded, so that keys sort as numbers.
fn status_key(id: TaskId, at: usize) -> String {
    format!("{}{at:06}", statuses_of(id))
}

impl TaskStore {
    pub fn new(store: Arc<dyn StateStore>, lease_ttl: Duration, outbox: Outbox) -> Self {
        Self {
            store,
            lease_ttl,
            outbox,
            turns: Arc::default(),
            asking: Arc::default(),
        }
    }

    /// A runner that does not renew its lease for this long loses its task to any other.
    pub fn lease_ttl(&self) -> Duration {
        self.lease_ttl
    }

    pub async fn get(&self, id: TaskId) -> Result<Option<Stored>, RunnerError> {
        let Some(entry) = self.store.get(&task_key(id)).await? else {
            return Ok(None);
        };
        let version = entry.version;
        let record = decode(entry)?;
        Ok(Some(Stored { record, version }))
    }

    /// The task with all of its steps.
    pub async fn load(&self, record: TaskRecord) -> Result<LiveTask, RunnerError> {
        let id = record.id;
        let steps: Vec<TaskStep> = self.required_document(id, STEPS).await?;
        let mut statuses = vec![StepStatus::default(); steps.len()];
        let prefix = statuses_of(id);
        let mut after: Option<String> = None;
        loop {
            let page = self
                .page(&prefix, after.as_deref(), Direction::Ascending)
                .await?;
            after = page.entries.last().map(|entry| entry.key.clone());
            for entry in page.entries {
                let at = entry.key[prefix.len()..].parse::<usize>().ok();
                if let Some(status) = at.and_then(|at| statuses.get_mut(at)) {
                    *status = decode(entry)?;
                }
            }
            if !page.more {
                break;
            }
        }
        let findings = match record.has_findings {
            true => self.document(id, FINDINGS).await?.unwrap_or_default(),
            false => Vec::new(),
        };
        Ok(LiveTask {
            record,
            steps: Arc::new(steps),
            statuses,
            findings,
        })
    }

    async fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        direction: Direction,
    ) -> Result<state_store::Page, StateError> {
        self.store
            .page(prefix, after, PAGE_ENTRIES, direction)
            .await
    }

    /// What is kept of a task under this name: nothing more if the task was forgotten since its record was read.
    pub async fn document_of<T: DeserializeOwned>(
        &self,
        record: &TaskRecord,
        name: &str,
    ) -> Result<Kept<T>, RunnerError> {
        if let Some(document) = self.document(record.id, name).await? {
            return Ok(Kept::Document(document));
        }
        match self.get(record.id).await? {
            Some(_) => Ok(Kept::Lost),
            None => Ok(Kept::Forgotten),
        }
    }

    /// A page of all tasks, newest first. A record that cannot be read is left out with an error in the log, so that it does
    /// not hide the others.
    pub async fn records(&self, after: Option<&str>) -> Result<RecordPage, RunnerError> {
        let page = self.page(TASKS, after, Direction::Descending).await?;
        let last = page.entries.last().map(|entry| entry.key.clone());
        let next = last.filter(|_| page.more);
        let mut records = Vec::with_capacity(page.entries.len());
        for entry in page.entries {
            let key = entry.key.clone();
            match decode(entry) {
                Ok(record) => records.push(record),
                Err(error) => tracing::error!(
                    key,
                    error = api::error::chain(&error),
                    "task cannot be read"
                ),
            }
        }
        Ok(RecordPage { records, next })
    }

    /// All tasks, oldest first.
    pub async fn all_records(&self) -> Result<Vec<TaskRecord>, RunnerError> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let page = self.records(after.as_deref()).await?;
            all.extend(page.records);
            after = page.next;
            if after.is_none() {
                all.reverse();
                return Ok(all);
            }
        }
    }

    /// The tasks that accept a restore in place or roll it back, oldest first.
    pub async fn ends_of(&self, restore: TaskId) -> Result<Vec<TaskRecord>, RunnerError> {
        let prefix = ends_of(restore);
        let mut ends = Vec::new();
        for entry in self.store.list(&prefix).await? {
            let Ok(id) = entry.key[prefix.len()..].parse() else {
                continue;
            };
            // One without a record was forgotten since.
            ends.extend(self.get(id).await?.map(|stored| stored.record));
        }
        ends.sort_by_key(|record| record.id.0);
        Ok(ends)
    }

    /// Writes the steps of a task that is about to be created.
    pub async fn put_steps(
        &self,
        id: TaskId,
        steps: &[TaskStep],
        fence: &Fence,
    ) -> Result<(), StateError> {
        self.put_document(id, STEPS, steps, fence).await
    }

    /// Writes the findings of a task as a whole; they count once its record says that it has some.
    pub async fn put_findings(
        &self,
        id: TaskId,
        findings: &[Finding],
        fence: &Fence,
    ) -> Result<(), StateError> {
        self.put_document(id, FINDINGS, findings, fence).await
    }

    pub async fn acquire(&self, id: TaskId, holder: &str) -> Result<Fence, StateError> {
        let lease = task_key(id);
        self.store.acquire(&lease, holder, self.lease_ttl).await
    }

    pub async fn renew(&self, fence: &Fence) -> Result<(), StateError> {
        self.store.renew(fence, self.lease_ttl).await
    }

    /// Best effort: a lease that is not given back runs out.
    pub async fn release(&self, fence: &Fence) {
        if let Err(error) = self.store.release(fence).await {
            tracing::warn!(
                lease = fence.lease,
                error = api::error::chain(&error),
                "lease not given back"
            );
        }
    }

    /// A document without which the task cannot be carried out.
    pub async fn required_document<T: DeserializeOwned>(
        &self,
        id: TaskId,
        name: &'static str,
    ) -> Result<T, RunnerError> {
        let document = self.document(id, name).await?;
        document.ok_or(RunnerError::DocumentLost { id, name })
    }

    /// Keeps what is large and belongs to a task. Writing it again changes nothing that was acted on.
    pub async fn put_document<T: Serialize + ?Sized>(
        &self,
        id: TaskId,
        name: &str,
        document: &T,
        fence: &Fence,
    ) -> Result<(), StateError> {
        documents::put(self.store.as_ref(), id, name, document, fence).await
    }

    pub async fn document<T: DeserializeOwned>(
        &self,
        id: TaskId,
        name: &str,
    ) -> Result<Option<T>, RunnerError> {
        documents::get(self.store.as_ref(), id, name).await
    }
}

#[cfg(test)]
mod tests;
