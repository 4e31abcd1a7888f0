//! Writes the records and statuses of tasks, in transactions that the store can take.

use serde_json::Value;
use state_store::{Expected, Fence, StateError, Write};

use super::{TaskStore, status_key, task_key, unfinished_key};
use crate::engine::documents::encode;
use crate::engine::task::{LiveTask, TaskRecord};

/// Operations of one transaction, and the JSON text of their values.
pub(super) const BATCH_WRITES_MAX: usize = state_store::TRANSACTION_OPERATIONS_MAX;
const BATCH_BYTES_MAX: usize = state_store::TRANSACTION_BYTES_MAX / 2;

impl TaskStore {
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

    pub(super) fn record_writes(
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
}
