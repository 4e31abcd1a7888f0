//! Claims: `claims/<cluster>` names the one task that may change a cluster.
//!
//! A claim of a task that has ended or does not exist counts for nothing, so a crash between the end of a task and the release
//! of its claim does no harm.

use model::{ClusterName, TaskId};
use serde::{Deserialize, Serialize};
use state_store::{Expected, Fence, StateError};

use super::documents::{decode, encode};
use super::store::TaskStore;
use super::task::TaskRecord;
use crate::error::RunnerError;

/// How often claims are tried while others change them at the same time.
const CLAIM_TRIES: usize = 10;

#[derive(Debug, Serialize, Deserialize)]
struct Claim {
    task: TaskId,
}

fn claim_key(cluster: &ClusterName) -> String {
    format!("claims/{cluster}")
}

impl TaskStore {
    /// Fails if a live task has the cluster.
    pub async fn check_free(&self, cluster: &ClusterName) -> Result<(), RunnerError> {
        let Some(entry) = self.store.get(&claim_key(cluster)).await? else {
            return Ok(());
        };
        let claim: Claim = decode(entry)?;
        match self.live(claim.task).await? {
            None => Ok(()),
            Some(record) => Err(self.busy(record).await),
        }
    }

    async fn live(&self, id: TaskId) -> Result<Option<TaskRecord>, RunnerError> {
        let record = self.get(id).await?.map(|stored| stored.record);
        Ok(record.filter(|record| !record.state.is_final()))
    }

    /// Why the cluster of this task is not free, and, if the task only waits, what it waits for.
    async fn busy(&self, record: TaskRecord) -> RunnerError {
        let retrying = match self.load(record.clone()).await {
            Ok(task) => task.retrying(),
            Err(_) => None,
        };
        RunnerError::ClusterBusy {
            may_cancel: !record.past_point_of_no_return,
            cluster: record.cluster,
            task: record.id,
            retrying,
        }
    }

    /// Claims the cluster for a task that is in the store already, under its lease. Succeeds if the task has it.
    pub async fn claim(
        &self,
        cluster: &ClusterName,
        task: TaskId,
        lease: &Fence,
    ) -> Result<(), RunnerError> {
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
                    if let Some(record) = self.live(claim.task).await? {
                        return Err(self.busy(record).await);
                    }
                    Expected::Version(version)
                }
            };
            let value = encode(&key, &Claim { task })?;
            match self.store.put(&key, value, expected, Some(lease)).await {
                Ok(_) => return Ok(()),
                Err(StateError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(RunnerError::ClaimContended(cluster.clone()))
    }

    /// Releases a claim if the task has it, under the task's lease: a driver that was stopped for long must not release what
    /// a later driver of the same task has.
    pub async fn unclaim(
        &self,
        cluster: &ClusterName,
        task: TaskId,
        lease: &Fence,
    ) -> Result<(), RunnerError> {
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
            .delete(&key, Expected::Version(version), Some(lease))
            .await
        {
            Ok(()) | Err(StateError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
