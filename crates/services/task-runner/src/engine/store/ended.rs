//! What is kept of the last tasks that ended, so that nothing has to look through all tasks for it.
//!
//! - `ended/<cluster>/<kind>/<state>`: the last task of a kind that came to this end; of a cluster a fixed number.
//! - `unaccepted/<id>`: restores in place that have succeeded and are neither accepted nor rolled back.
//!
//! Both are written in the transaction that ends the task, so that they hold whatever dies.

use jiff::Timestamp;
use model::task::{TaskKind, TaskState};
use model::{BackupRef, ClusterName, TaskId};
use serde::{Deserialize, Serialize};
use state_store::{Expected, StateError, Write};

use super::TaskStore;
use crate::engine::documents::{Unreadable, decode_readable, encode};
use crate::engine::task::TaskRecord;
use crate::error::RunnerError;
use crate::events::Event;

const ENDED: &str = "ended/";
const UNACCEPTED: &str = "unaccepted/";

/// A task as it is remembered after it was forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EndedTask {
    pub task: TaskId,
    pub kind: TaskKind,
    pub state: TaskState,
    pub cluster: ClusterName,
    #[serde(default)]
    pub backup: Option<BackupRef>,
    pub created_at: Timestamp,
    pub finished_at: Timestamp,
}

/// A restore in place that waits for a user to accept it or to roll it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unaccepted {
    pub cluster: ClusterName,
    pub since: Timestamp,
}

fn of_cluster(cluster: &ClusterName) -> String {
    format!("{ENDED}{cluster}/")
}

pub(super) fn unaccepted_key(restore: TaskId) -> String {
    format!("{UNACCEPTED}{restore}")
}

/// Whether a task that accepts a restore or rolls it back leaves nothing to decide.
fn ends_restore(record: &TaskRecord) -> bool {
    let replaced = record.state == TaskState::Cancelled && record.past_point_of_no_return;
    record.state == TaskState::Succeeded || replaced
}

impl TaskStore {
    /// What the end of a task writes beside its record. Only for the write that ends it: a record that has ended may be written
    /// again later, when another task is the last one.
    pub fn end_writes(&self, record: &TaskRecord) -> Result<Vec<Write>, StateError> {
        let mut writes = Vec::new();
        writes.extend(self.ended_write(record, Expected::Anything)?);
        writes.extend(self.unaccepted_write(record, Expected::Anything)?);
        if let Some(restore) = record.restore
            && ends_restore(record)
        {
            writes.push(Write::delete(unaccepted_key(restore), Expected::Anything));
        }
        if let Some(event) = Event::ended(record) {
            writes.extend(self.outbox.writes(&event)?);
        }
        Ok(writes)
    }

    /// Notes the last task of its kind that came to this end; none if it has not ended.
    pub fn ended_write(
        &self,
        record: &TaskRecord,
        expected: Expected,
    ) -> Result<Option<Write>, StateError> {
        let Some(finished_at) = record.finished_at else {
            return Ok(None);
        };
        let (kind, state) = (record.kind.as_str(), record.state.as_str());
        let key = format!("{}{kind}/{state}", of_cluster(&record.cluster));
        let ended = EndedTask {
            task: record.id,
            kind: record.kind,
            state: record.state,
            cluster: record.cluster.clone(),
            backup: record.backup.clone(),
            created_at: record.created_at,
            finished_at,
        };
        let value = encode(&key, &ended)?;
        Ok(Some(Write::put(key, value, expected)))
    }

    /// Notes a restore that waits for a user; none if it is not one that has succeeded in place.
    pub fn unaccepted_write(
        &self,
        record: &TaskRecord,
        expected: Expected,
    ) -> Result<Option<Write>, StateError> {
        let Some(since) = record.finished_at else {
            return Ok(None);
        };
        if !record.in_place || record.state != TaskState::Succeeded {
            return Ok(None);
        }
        let key = unaccepted_key(record.id);
        let cluster = record.cluster.clone();
        let value = encode(&key, &Unaccepted { cluster, since })?;
        Ok(Some(Write::put(key, value, expected)))
    }

    /// Whether a restore is known, and no task has accepted it or rolled it back.
    pub async fn waits_for_user(&self, restore: TaskId) -> Result<bool, RunnerError> {
        let ends = self.ends_of(restore).await?;
        Ok(!ends.iter().any(ends_restore) && self.get(restore).await?.is_some())
    }

    pub async fn forget_unaccepted(&self, restore: TaskId) -> Result<(), StateError> {
        let key = unaccepted_key(restore);
        self.store.delete(&key, Expected::Anything, None).await
    }

    /// The last tasks of each cluster, kind and end, if they can be read.
    pub async fn ended(&self, unreadable: &mut Unreadable) -> Result<Vec<EndedTask>, StateError> {
        let entries = self.store.list(ENDED).await?;
        Ok(decode_readable(entries, unreadable))
    }

    pub async fn unaccepted(
        &self,
        unreadable: &mut Unreadable,
    ) -> Result<Vec<Unaccepted>, StateError> {
        let entries = self.store.list(UNACCEPTED).await?;
        Ok(decode_readable(entries, unreadable))
    }

    /// Forgets the last tasks of a cluster. Best effort: what stays is shown of no cluster, and of one that is registered again
    /// under the name it is still true.
    pub async fn forget_ended(&self, cluster: &ClusterName) -> Result<(), StateError> {
        let entries = self.store.list(&of_cluster(cluster)).await?;
        let deletes: Vec<Write> = entries
            .iter()
            .map(|entry| Write::delete(&entry.key, Expected::Anything))
            .collect();
        if deletes.is_empty() {
            return Ok(());
        }
        self.store.write(&deletes, None).await.map(drop)
    }
}
