//! Tasks in the state store.
//!
//! - `tasks/<id>`: the record of a task, written only by the holder of the lease of the same name.
//! - `steps/<id>/<place>`: the status of each step that is not as it was planned.
//! - `documents/<id>/<name>/<part>`: the task's steps, and what its kind needs; never changed once the task depends on them.
//! - `unfinished/<id>`: an index of the tasks that have not ended, changed together with their records.
//! - `creating/<id>`: tasks that have documents and no record: they are being created or removed.

use std::sync::Arc;
use std::time::Duration;

use model::TaskId;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use state_store::{Direction, Expected, Fence, StateError, StateStore, Write};

use super::documents::{self, PARTS_PER_PAGE, decode, documents_of, encode};
use super::task::{LiveTask, StepStatus, TaskRecord, TaskStep};
use crate::error::RunnerError;

/// A runner that does not renew its lease for this long loses its task to any other.
pub(crate) const LEASE_TTL: Duration = Duration::from_secs(60);
/// Operations of one transaction, and the JSON text of their values.
const BATCH_WRITES_MAX: usize = state_store::TRANSACTION_OPERATIONS_MAX;
const BATCH_BYTES_MAX: usize = state_store::TRANSACTION_BYTES_MAX / 2;
/// Records and statuses are small.
const PAGE_ENTRIES: usize = 200;

const TASKS: &str = "tasks/";
const UNFINISHED: &str = "unfinished/";
const CREATING: &str = "creating/";
/// Documents of every task.
const STEPS: &str = "steps";
const FINDINGS: &str = "findings";

/// Keeps tasks.
#[derive(Clone)]
pub(crate) struct TaskStore {
    pub(super) store: Arc<dyn StateStore>,
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

fn statuses_of(id: TaskId) -> String {
    format!("steps/{id}/")
}

/// Padded, so that keys sort as numbers.
fn status_key(id: TaskId, at: usize) -> String {
    format!("{}{at:06}", statuses_of(id))
}

impl TaskStore {
    pub fn new(store: Arc<dyn StateStore>) -> Self {
        Self { store }
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
        let steps: Option<Vec<TaskStep>> = self.document(id, STEPS).await?;
        let steps = steps.ok_or(RunnerError::StepsLost(id))?;
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

    /// The tasks that have not ended, oldest first.
    pub async fn unfinished(&self) -> Result<Vec<TaskId>, RunnerError> {
        let entries = self.store.list(UNFINISHED).await?;
        let ids = entries
            .iter()
            .map(|entry| entry.key[UNFINISHED.len()..].parse());
        Ok(ids.flatten().collect())
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
    pub async fn put_findings(&self, task: &LiveTask, fence: &Fence) -> Result<(), StateError> {
        self.put_document(task.record.id, FINDINGS, &task.findings, fence)
            .await
    }

    /// Writes a record alone, and with it whether the task is among the unfinished ones.
    pub async fn save_record(
        &self,
        record: &TaskRecord,
        expected: Expected,
        fence: &Fence,
    ) -> Result<u64, StateError> {
        let writes = self.record_writes(record, expected)?;
        self.store.write(&writes, Some(fence)).await
    }

    fn record_writes(
        &self,
        record: &TaskRecord,
        expected: Expected,
    ) -> Result<Vec<Write>, StateError> {
        let key = task_key(record.id);
        let value = encode(&key, record)?;
        let index = unfinished_key(record.id);
        Ok(vec![
            Write::put(key, value, expected),
            match record.state.is_final() {
                true => Write::delete(index, Expected::Anything),
                false => Write::put(index, Value::Null, Expected::Anything),
            },
        ])
    }

    /// The transactions that write the statuses of these steps, and before them the record if that is to be written, too. The
    /// record and the first of the statuses are always in one.
    pub fn batches(
        &self,
        task: &LiveTask,
        record_at: Option<Expected>,
        steps: impl IntoIterator<Item = usize>,
    ) -> Result<Vec<Vec<Write>>, StateError> {
        let mut batches = vec![match record_at {
            Some(expected) => self.record_writes(&task.record, expected)?,
            None => Vec::new(),
        }];
        let mut bytes = 0;
        for at in steps {
            let key = status_key(task.record.id, at);
            let value = encode(&key, &task.statuses[at])?;
            let size = value.to_string().len();
            let full = |batch: &Vec<Write>| batch.len() == BATCH_WRITES_MAX;
            if batches.last().is_some_and(full) || bytes + size > BATCH_BYTES_MAX {
                batches.push(Vec::new());
                bytes = 0;
            }
            bytes += size;
            if let Some(batch) = batches.last_mut() {
                batch.push(Write::put(key, value, Expected::Anything));
            }
        }
        batches.retain(|batch| !batch.is_empty());
        Ok(batches)
    }

    /// Writes transactions one after the other. Returns the version that the first of them gave.
    pub async fn write_batches(
        &self,
        batches: &[Vec<Write>],
        fence: &Fence,
    ) -> Result<Option<u64>, StateError> {
        let mut first = None;
        for batch in batches {
            let version = self.store.write(batch, Some(fence)).await?;
            first.get_or_insert(version);
        }
        Ok(first)
    }

    /// Writes a task as it is: its record and the statuses of these steps. Returns the record's version.
    pub async fn save(
        &self,
        task: &LiveTask,
        expected: Expected,
        steps: impl IntoIterator<Item = usize>,
        fence: &Fence,
    ) -> Result<u64, StateError> {
        let batches = self.batches(task, Some(expected), steps)?;
        let version = self.write_batches(&batches, fence).await?;
        Ok(version.unwrap_or_default())
    }

    /// Forgets a task with everything that it has. Its record goes first, so that no reader finds a task without its documents;
    /// until these are gone, too, the task counts as one that was announced, and a removal that was cut short is found.
    pub async fn remove(&self, id: TaskId, fence: &Fence) -> Result<(), StateError> {
        let writes = [
            Write::put(creating_key(id), Value::Null, Expected::Anything),
            Write::delete(task_key(id), Expected::Anything),
            Write::delete(unfinished_key(id), Expected::Anything),
        ];
        self.store.write(&writes, Some(fence)).await?;
        self.remove_all(&statuses_of(id), BATCH_WRITES_MAX, fence)
            .await?;
        self.remove_all(&documents_of(id), PARTS_PER_PAGE, fence)
            .await?;
        self.store
            .delete(&creating_key(id), Expected::Anything, Some(fence))
            .await
    }

    async fn remove_all(
        &self,
        prefix: &str,
        at_once: usize,
        fence: &Fence,
    ) -> Result<(), StateError> {
        loop {
            let page = self
                .store
                .page(prefix, None, at_once, Direction::Ascending)
                .await?;
            let keys = page.entries.into_iter().map(|entry| entry.key);
            let writes: Vec<Write> = keys
                .map(|key| Write::delete(key, Expected::Anything))
                .collect();
            if writes.is_empty() {
                return Ok(());
            }
            self.store.write(&writes, Some(fence)).await?;
        }
    }

    pub async fn acquire(&self, id: TaskId, holder: &str) -> Result<Fence, StateError> {
        self.store.acquire(&task_key(id), holder, LEASE_TTL).await
    }

    pub async fn renew(&self, fence: &Fence) -> Result<(), StateError> {
        self.store.renew(fence, LEASE_TTL).await
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

    /// Notes that a task is about to be created, so that what is written for it is found if the runner dies before its record
    /// is there.
    pub async fn announce(&self, id: TaskId, fence: &Fence) -> Result<(), StateError> {
        let key = creating_key(id);
        self.store
            .put(&key, Value::Null, Expected::Anything, Some(fence))
            .await?;
        Ok(())
    }

    /// Writes the record of a task that was announced: from now on it exists. Returns the record's version.
    pub async fn create(&self, record: &TaskRecord, fence: &Fence) -> Result<u64, StateError> {
        let mut writes = self.record_writes(record, Expected::Absent)?;
        writes.push(Write::delete(creating_key(record.id), Expected::Anything));
        self.store.write(&writes, Some(fence)).await
    }

    /// Tasks that were announced and not created.
    pub async fn announced(&self) -> Result<Vec<TaskId>, RunnerError> {
        let entries = self.store.list(CREATING).await?;
        let ids = entries
            .iter()
            .map(|entry| entry.key[CREATING.len()..].parse());
        Ok(ids.flatten().collect())
    }
}

#[cfg(test)]
mod tests;
