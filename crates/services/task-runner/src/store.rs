//! Tasks, their orders and the claims on clusters, as they lie in the state store.
//!
//! `tasks/<id>` is written by the holder of the lease of the same name and by nobody else. `claims/<cluster>` names the
//! one task that may touch the cluster; a claim of a task that has ended or does not exist counts for nothing, so a
//! crash between ending a task and giving up its claim does no harm.

mod documents;

use std::sync::Arc;
use std::time::Duration;

use model::{ClusterName, TaskId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use state_store::{Entry, Expected, Fence, StateError, StateStore};

use crate::error::RunnerError;
use crate::record::TaskRecord;

/// A driver that has not renewed its lease for this long has lost its task: recovery takes it up, here or elsewhere.
pub(crate) const LEASE_TTL: Duration = Duration::from_secs(60);
/// How often claims are tried where others change them at the same time.
const CLAIM_TRIES: usize = 10;

const TASKS: &str = "tasks/";

#[derive(Debug, Serialize, Deserialize)]
struct Claim {
    task: TaskId,
}

#[derive(Clone)]
pub(crate) struct TaskStore {
    store: Arc<dyn StateStore>,
}

/// A record with the version that it was read or written at.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub record: TaskRecord,
    pub version: u64,
}

pub(crate) fn task_key(id: TaskId) -> String {
    format!("{TASKS}{id}")
}

fn document_key(id: TaskId, name: &str) -> String {
    format!("documents/{id}/{name}")
}

pub(crate) fn decode<T: DeserializeOwned>(entry: Entry) -> Result<T, RunnerError> {
    serde_json::from_value(entry.value).map_err(|source| RunnerError::Unreadable {
        key: entry.key,
        source,
    })
}

pub(crate) fn encode<T: Serialize>(key: &str, value: &T) -> Result<serde_json::Value, StateError> {
    serde_json::to_value(value).map_err(|source| StateError::NotJson {
        key: key.to_owned(),
        source,
    })
}

impl TaskStore {
    pub fn new(store: Arc<dyn StateStore>) -> Self {
        Self { store }
    }

    pub async fn get(&self, id: TaskId) -> Result<Option<Stored>, RunnerError> {
        match self.store.get(&task_key(id)).await? {
            Some(entry) => {
                let version = entry.version;
                let record = decode(entry)?;
                Ok(Some(Stored { record, version }))
            }
            None => Ok(None),
        }
    }

    /// All tasks, oldest first. One that cannot be read is left out with a word in the log, so that it does not hide
    /// the others.
    pub async fn list(&self) -> Result<Vec<TaskRecord>, RunnerError> {
        let entries = self.store.list(TASKS).await?;
        let mut records = Vec::with_capacity(entries.len());
        for entry in entries {
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
        Ok(records)
    }

    pub async fn save(
        &self,
        record: &TaskRecord,
        expected: Expected,
        fence: &Fence,
    ) -> Result<u64, StateError> {
        let key = task_key(record.task.id);
        let value = encode(&key, record)?;
        self.store.put(&key, value, expected, Some(fence)).await
    }

    /// Forgets a task and its documents.
    pub async fn remove(&self, id: TaskId, fence: &Fence) -> Result<(), StateError> {
        self.store
            .delete(&task_key(id), Expected::Anything, Some(fence))
            .await?;
        for entry in self.store.list(&document_key(id, "")).await? {
            self.store
                .delete(&entry.key, Expected::Anything, Some(fence))
                .await?;
        }
        Ok(())
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

    /// Writes what is large and belongs to a task. Writing it again changes nothing that has been acted on.
    pub async fn put_document<T: Serialize>(
        &self,
        id: TaskId,
        name: &str,
        document: &T,
        fence: &Fence,
    ) -> Result<(), StateError> {
        documents::put(&*self.store, &document_key(id, name), document, fence).await
    }

    pub async fn document<T: DeserializeOwned>(
        &self,
        id: TaskId,
        name: &str,
    ) -> Result<Option<T>, RunnerError> {
        documents::get(&*self.store, &document_key(id, name)).await
    }

    /// The task that may touch the cluster now, if any.
    pub async fn claimed_by(&self, cluster: &ClusterName) -> Result<Option<TaskId>, RunnerError> {
        let Some(entry) = self.store.get(&claim_key(cluster)).await? else {
            return Ok(None);
        };
        let claim: Claim = decode(entry)?;
        Ok(self.is_live(claim.task).await?.then_some(claim.task))
    }

    async fn is_live(&self, id: TaskId) -> Result<bool, RunnerError> {
        let stored = self.get(id).await?;
        Ok(stored.is_some_and(|stored| !stored.record.task.state.is_final()))
    }

    /// Claims the cluster for a task that is in the store already. Succeeds where the task has it.
    pub async fn claim(&self, cluster: &ClusterName, task: TaskId) -> Result<(), RunnerError> {
        let key = claim_key(cluster);
        for _ in 0..CLAIM_TRIES {
            let expected = match self.store.get(&key).await? {
                None => Expected::Absent,
                Some(entry) => {
                    let version = entry.version;
                    let claim: Claim = decode(entry)?;
                    if claim.task == task {
                        return Ok(());
                    }
                    if self.is_live(claim.task).await? {
                        return Err(RunnerError::ClusterBusy {
                            cluster: cluster.clone(),
                            task: claim.task,
                        });
                    }
                    Expected::Version(version)
                }
            };
            let value = encode(&key, &Claim { task })?;
            match self.store.put(&key, value, expected, None).await {
                Ok(_) => return Ok(()),
                Err(StateError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StateError::Conflict { key }.into())
    }

    /// Gives up a claim where the task has it.
    pub async fn unclaim(&self, cluster: &ClusterName, task: TaskId) -> Result<(), RunnerError> {
        let key = claim_key(cluster);
        let Some(entry) = self.store.get(&key).await? else {
            return Ok(());
        };
        let version = entry.version;
        let claim: Claim = decode(entry)?;
        if claim.task != task {
            return Ok(());
        }
        match self
            .store
            .delete(&key, Expected::Version(version), None)
            .await
        {
            Ok(()) | Err(StateError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn claim_key(cluster: &ClusterName) -> String {
    format!("claims/{cluster}")
}
