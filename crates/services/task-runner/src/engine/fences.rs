//! The fences under which a driver calls agents: `fences/<cluster>` is written for each of its claims.
//!
//! A task's lease alone is not enough: of a task that was ended by force while its runner was paused, agents may never hear a
//! higher number. So each driver that has the cluster to itself also has a number of the cluster, which is higher than those of
//! all drivers before. It is the version of the store that the write makes, which grows over the whole store.

use api::fence::Fences;
use model::{ClusterName, TaskId};
use serde::{Deserialize, Serialize};
use state_store::{Expected, Fence, StateError};
use uuid::Uuid;

use super::documents::{decode, encode};
use super::store::TaskStore;
use crate::error::RunnerError;

/// How often the write is tried while another changes the same.
const TRIES: usize = 10;

/// Made with each registration of the cluster, so that the numbers of another store are never compared with these.
#[derive(Debug, Serialize, Deserialize)]
struct Registration {
    id: Uuid,
}

fn key(cluster: &ClusterName) -> String {
    format!("fences/{cluster}")
}

/// The fences of the caller that has the lease of a task.
pub(crate) fn of_task(task: TaskId, lease: &Fence) -> Fences {
    Fences::of_task(task, lease.token)
}

impl TaskStore {
    /// Fences for a task that has its cluster to itself: higher than all before of this cluster.
    pub async fn fences_of_claim(
        &self,
        cluster: &ClusterName,
        task: TaskId,
        lease: &Fence,
    ) -> Result<Fences, RunnerError> {
        let key = key(cluster);
        for _ in 0..TRIES {
            let (registration, expected) = match self.store.get(&key).await? {
                None => (Registration { id: Uuid::now_v7() }, Expected::Absent),
                Some(entry) => {
                    let version = entry.version;
                    (decode(entry)?, Expected::Version(version))
                }
            };
            let value = encode(&key, &registration)?;
            match self.store.put(&key, value, expected, Some(lease)).await {
                Ok(number) => return Ok(of_task(task, lease).and_cluster(registration.id, number)),
                Err(StateError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(RunnerError::ClaimContended(cluster.clone()))
    }

    /// The next registration of a cluster of this name counts for itself.
    pub async fn forget_fences(&self, cluster: &ClusterName) -> Result<(), RunnerError> {
        let key = key(cluster);
        Ok(self.store.delete(&key, Expected::Anything, None).await?)
    }
}
