//! Writes the records and statuses of tasks, in transactions that the store can take.

use state_store::{Expected, Fence, StateError, Write};

use super::{TaskStore, status_key, task_key, unfinished_key};
use crate::engine::documents::encode;
use crate::engine::queue::Unfinished;
use crate::engine::task::{LiveTask, TaskRecord};

/// Operations of one transaction, and the JSON text of their values.
pub(super) const BATCH_WRITES_MAX: usize = state_store::TRANSACTION_OPERATIONS_MAX;
const BATCH_BYTES_MAX: usize = state_store::TRANSACTION_BYTES_MAX / 2;
/// Operations that write a record.
const RECORD_WRITES: usize = 2;
/// Those that its end adds, besides an event.
const END_WRITES: usize = 2;

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

    /// Writes the record of a task that ends with this write, alone.
    pub async fn save_end(
        &self,
        record: &TaskRecord,
        expected: Expected,
        fence: &Fence,
    ) -> Result<u64, StateError> {
        let mut writes = self.record_writes(record, expected)?;
        writes.extend(self.end_writes(record)?);
        self.store.write(&writes, Some(fence)).await
    }

    pub(in crate::engine) fn record_writes(
        &self,
        record: &TaskRecord,
        expected: Expected,
    ) -> Result<Vec<Write>, StateError> {
        let key = task_key(record.id);
        let value = encode(&key, record)?;
        let index = unfinished_key(record.id);
        let entry = encode(&index, &Unfinished::from(record))?;
        Ok(vec![
            Write::put(key, value, expected),
            match record.state.is_final() {
                true => Write::delete(index, Expected::Anything),
                false => Write::put(index, entry, Expected::Anything),
            },
        ])
    }

    /// The statuses of these steps, in parts that fit into one transaction each beside the record, its end and an event; at least
    /// one part.
    pub fn batches(
        &self,
        task: &LiveTask,
        steps: impl IntoIterator<Item = usize>,
    ) -> Result<Vec<Vec<Write>>, StateError> {
        let of_end = if task.record.state.is_final() {
            END_WRITES
        } else {
            0
        };
        let beside = RECORD_WRITES + of_end + self.outbox.size();
        let mut batches = vec![Vec::new()];
        let mut bytes = 0;
        for at in steps {
            let key = status_key(task.record.id, at);
            let value = encode(&key, &task.statuses[at])?;
            let size = value.to_string().len();
            let full = |batch: &Vec<Write>| batch.len() == BATCH_WRITES_MAX - beside;
            if batches.last().is_some_and(full) || bytes + size > BATCH_BYTES_MAX {
                batches.push(Vec::new());
                bytes = 0;
            }
            bytes += size;
            if let Some(batch) = batches.last_mut() {
                batch.push(Write::put(key, value, Expected::Anything));
            }
        }
        Ok(batches)
    }

    /// Writes statuses, in one transaction after the other, each with the record at the version that the one before gave it. So
    /// a transaction that was given up, and is carried out late, is refused once a later one has been. Returns the record's
    /// version.
    pub async fn write_batches(
        &self,
        record: &TaskRecord,
        mut expected: Expected,
        batches: Vec<Vec<Write>>,
        fence: &Fence,
    ) -> Result<u64, StateError> {
        let mut version = 0;
        for batch in batches {
            let mut writes = self.record_writes(record, expected)?;
            writes.extend(batch);
            version = self.store.write(&writes, Some(fence)).await?;
            expected = Expected::Version(version);
        }
        Ok(version)
    }

    /// Writes a task as it is: its record and the statuses of these steps. Returns the record's version.
    pub async fn save(
        &self,
        task: &LiveTask,
        expected: Expected,
        steps: impl IntoIterator<Item = usize>,
        fence: &Fence,
    ) -> Result<u64, StateError> {
        let batches = self.batches(task, steps)?;
        self.write_batches(&task.record, expected, batches, fence)
            .await
    }
}
