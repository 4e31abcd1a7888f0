//! How tasks come into the store and go from it: announced, created, removed.

use model::TaskId;
use serde_json::Value;
use state_store::{Direction, Expected, Fence, StateError, Write};

use super::ended::unaccepted_key;
use super::write::BATCH_WRITES_MAX;
use super::{
    CREATING, TaskStore, UNFINISHED, creating_key, end_key, statuses_of, task_key, unfinished_key,
};
use crate::engine::documents::{PARTS_PER_PAGE, decode, documents_of};
use crate::engine::task::TaskRecord;
use crate::error::RunnerError;

impl TaskStore {
    /// Notes that a task is about to be created, so that what is written for it is found if the runner dies before its record
    /// is there. Returns the version of that note.
    pub async fn announce(&self, id: TaskId, fence: &Fence) -> Result<u64, StateError> {
        let key = creating_key(id);
        self.store
            .put(&key, Value::Null, Expected::Anything, Some(fence))
            .await
    }

    /// Writes the record of a task that was announced: from now on it exists. Returns the record's version. Refused once the
    /// task was removed: a write whose reply was lost may come late, and would make a task without documents.
    pub async fn create(
        &self,
        record: &TaskRecord,
        announced: u64,
        fence: &Fence,
    ) -> Result<u64, StateError> {
        let mut writes = self.record_writes(record, Expected::Absent)?;
        let note = creating_key(record.id);
        writes.push(Write::delete(note, Expected::Version(announced)));
        if let Some(restore) = record.restore {
            let key = end_key(restore, record.id);
            writes.push(Write::put(key, Value::Null, Expected::Anything));
        }
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

    /// The tasks that have not ended, oldest first.
    pub async fn unfinished(&self) -> Result<Vec<TaskId>, RunnerError> {
        let entries = self.store.list(UNFINISHED).await?;
        let ids = entries
            .iter()
            .map(|entry| entry.key[UNFINISHED.len()..].parse());
        Ok(ids.flatten().collect())
    }

    /// Forgets a task with everything that it has. Its record goes first, so that no reader finds a task without its documents;
    /// until these are gone, too, the task counts as one that was announced, and a removal that was cut short is found.
    pub async fn remove(&self, id: TaskId, fence: &Fence) -> Result<(), StateError> {
        let mut writes = vec![
            Write::put(creating_key(id), Value::Null, Expected::Anything),
            Write::delete(task_key(id), Expected::Anything),
            Write::delete(unfinished_key(id), Expected::Anything),
            Write::delete(unaccepted_key(id), Expected::Anything),
        ];
        let entry = self.store.get(&task_key(id)).await?;
        let record = entry.and_then(|entry| decode::<TaskRecord>(entry).ok());
        if let Some(restore) = record.and_then(|record| record.restore) {
            writes.push(Write::delete(end_key(restore, id), Expected::Anything));
        }
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
}
