//! The fences under which a driver calls agents: `fences/<cluster>` is written for each of its claims.
//!
//! A task's lease alone is not enough: of a task that was ended by force while its runner was paused, agents may never hear a
//! higher number. So each driver that has the cluster to itself also has a number of the cluster, which is higher than those of
//! all drivers before. It is the version of the store that the write makes, which grows over the whole store.
//!
//! There are two such numbers. A backup that starts beside an online restore must not make agents refuse the restore, so it has
//! only the number of backups (`fences/<cluster>/backups`). An online restore has only that of the cluster, because a backup may
//! start beside it; all others have both. Late calls of a backup that began beside a restore and was ended by force are not
//! refused while the next restore runs: they touch nothing but its own snapshots, which are found as leftovers.

use api::fence::Fences;
use model::{ClusterName, TaskId};
use serde::{Deserialize, Serialize};
use state_store::{Expected, Fence, StateError};
use uuid::Uuid;

use super::documents::{decode, encode};
use super::need::Need;
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

fn key_of_backups(cluster: &ClusterName) -> String {
    format!("fences/{cluster}/backups")
}

/// The fences of the caller that has the lease of a task.
pub(crate) fn of_task(task: TaskId, lease: &Fence) -> Fences {
    Fences::of_task(task, lease.token)
}

impl TaskStore {
    /// Fences for a task that has claimed what it needs: higher than all before of this cluster that it may run into.
    pub async fn fences_of_claim(
        &self,
        cluster: &ClusterName,
        task: TaskId,
        need: &Need,
        lease: &Fence,
    ) -> Result<Fences, RunnerError> {
        let mut fences = of_task(task, lease);
        let is_beside = match need {
            Need::Backup(_) => self.claims(cluster).await?.has_restore_beside(task),
            Need::Restore(_) | Need::Whole => false,
        };
        if !is_beside {
            let (id, number) = self.next_fence(key(cluster), cluster, lease).await?;
            fences = fences.and_cluster(id, number);
        }
        if !matches!(need, Need::Restore(_)) {
            let key = key_of_backups(cluster);
            let (id, number) = self.next_fence(key, cluster, lease).await?;
            fences = fences.and_cluster(id, number);
        }
        Ok(fences)
    }

    async fn next_fence(
        &self,
        key: String,
        cluster: &ClusterName,
        lease: &Fence,
    ) -> Result<(Uuid, u64), RunnerError> {
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
                Ok(number) => return Ok((registration.id, number)),
                Err(StateError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(RunnerError::ClaimContended(cluster.clone()))
    }

    /// The next registration of a cluster of this name counts for itself.
    pub async fn forget_fences(&self, cluster: &ClusterName) -> Result<(), RunnerError> {
        for key in [key(cluster), key_of_backups(cluster)] {
            self.store.delete(&key, Expected::Anything, None).await?;
        }
        Ok(())
    }
}
