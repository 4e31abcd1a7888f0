//! Claims: `claims/<cluster>` names the tasks that have something of a cluster, and what each of them needs of it.
//!
//! A claim of a task that has ended or does not exist counts for nothing, so a crash between the end of a task and the release
//! of its claim does no harm. The same holds for a paused task that does not keep its cluster.

use model::{ClusterName, TaskId};
use serde::{Deserialize, Serialize};
use state_store::{Expected, Fence, StateError, Write};

use super::documents::{decode, encode};
use super::need::Need;
use super::queue::HolderNow;
use super::store::TaskStore;
use super::task::TaskRecord;
use crate::error::RunnerError;

/// How often claims are tried while others change them at the same time.
pub(super) const CLAIM_TRIES: usize = 10;

/// As it is written. Of one holder there is also `task`, by which earlier releases know whose the cluster is. If several
/// share it there is none, so that an earlier release reads nothing rather than half of it.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Claim {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    task: Option<TaskId>,
    #[serde(default)]
    holders: Vec<Holder>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    task: TaskId,
    need: Need,
}

/// The claims on a cluster that count, and the version at which they were read.
pub(super) struct Claims {
    pub holders: Vec<HolderNow>,
    expected: Expected,
}

fn claim_key(cluster: &ClusterName) -> String {
    format!("claims/{cluster}")
}

impl Claim {
    fn holders(self) -> Vec<Holder> {
        match self.task {
            // Written by an earlier release.
            Some(task) if self.holders.is_empty() => vec![Holder {
                task,
                need: Need::Whole,
            }],
            _ => self.holders,
        }
    }

    fn of(holders: Vec<Holder>) -> Self {
        let task = match holders.as_slice() {
            [only] => Some(only.task),
            _ => None,
        };
        Self { task, holders }
    }
}

impl Claims {
    /// What the task has.
    fn need_of(&self, task: TaskId) -> Option<&Need> {
        let mut holders = self.holders.iter();
        let mine = holders.find(|holder| holder.task == task);
        mine.map(|holder| &holder.need)
    }

    /// The task that keeps another one from starting.
    fn in_the_way(&self, task: TaskId, need: &Need) -> Option<TaskId> {
        let mut others = self.holders.iter().filter(|holder| holder.task != task);
        let found = others.find(|holder| !need.may_start_beside(&holder.need));
        found.map(|holder| holder.task)
    }

    /// Whether an online restore of another task has the cluster as well.
    pub fn has_restore_beside(&self, task: TaskId) -> bool {
        let mut others = self.holders.iter().filter(|holder| holder.task != task);
        others.any(|holder| matches!(holder.need, Need::Restore(_)))
    }

    /// The write by which a task joins them. What no longer counts goes with it.
    pub fn with(
        &self,
        cluster: &ClusterName,
        task: TaskId,
        need: &Need,
    ) -> Result<Write, StateError> {
        let others = self.holders.iter().filter(|holder| holder.task != task);
        let mut holders: Vec<Holder> = others.map(Holder::from).collect();
        holders.push(Holder {
            task,
            need: need.clone(),
        });
        let key = claim_key(cluster);
        let value = encode(&key, &Claim::of(holders))?;
        Ok(Write::put(key, value, self.expected))
    }

    /// The write by which a task leaves them.
    fn without(&self, cluster: &ClusterName, task: TaskId) -> Result<Write, StateError> {
        let others = self.holders.iter().filter(|holder| holder.task != task);
        let holders: Vec<Holder> = others.map(Holder::from).collect();
        let key = claim_key(cluster);
        if holders.is_empty() {
            return Ok(Write::delete(key, self.expected));
        }
        let value = encode(&key, &Claim::of(holders))?;
        Ok(Write::put(key, value, self.expected))
    }
}

impl From<&HolderNow> for Holder {
    fn from(holder: &HolderNow) -> Self {
        Self {
            task: holder.task,
            need: holder.need.clone(),
        }
    }
}

impl TaskStore {
    /// Fails if a live task has the cluster beside which a task that needs this may not start.
    pub async fn check_free(&self, cluster: &ClusterName, need: &Need) -> Result<(), RunnerError> {
        let claims = self.claims(cluster).await?;
        match claims.in_the_way(TaskId(uuid::Uuid::nil()), need) {
            None => Ok(()),
            Some(task) => Err(self.busy_with(cluster, task).await?),
        }
    }

    /// The claims that count.
    pub(super) async fn claims(&self, cluster: &ClusterName) -> Result<Claims, RunnerError> {
        let Some(entry) = self.store.get(&claim_key(cluster)).await? else {
            return Ok(Claims {
                holders: Vec::new(),
                expected: Expected::Absent,
            });
        };
        let expected = Expected::Version(entry.version);
        let mut holders = Vec::new();
        for Holder { task, need } in decode::<Claim>(entry)?.holders() {
            if let Some(record) = self.holding(task).await? {
                let kind = record.kind;
                holders.push(HolderNow { task, kind, need });
            }
        }
        Ok(Claims { holders, expected })
    }

    /// The record of a task whose claims count.
    async fn holding(&self, id: TaskId) -> Result<Option<TaskRecord>, RunnerError> {
        let record = self.get(id).await?.map(|stored| stored.record);
        Ok(record.filter(TaskRecord::may_hold_cluster))
    }

    /// Why a cluster is not free, and, if the task that has it only waits, what it waits for.
    pub(super) async fn busy_with(
        &self,
        cluster: &ClusterName,
        task: TaskId,
    ) -> Result<RunnerError, RunnerError> {
        let Some(stored) = self.get(task).await? else {
            // It was forgotten a moment ago.
            return Ok(RunnerError::ClaimContended(cluster.clone()));
        };
        let record = stored.record;
        let retrying = if let Some(paused) = &record.paused {
            Some(format!("it is paused: {}", paused.why))
        } else if let Some(waiting) = &record.waiting {
            Some(waiting.why.clone())
        } else {
            let task = self.load(record.clone()).await.ok();
            task.and_then(|task| task.retrying())
        };
        Ok(RunnerError::ClusterBusy {
            may_cancel: !record.past_point_of_no_return,
            cluster: record.cluster,
            task: record.id,
            retrying,
        })
    }

    /// Claims what a task needs that is in the store already and had its turn before, under its lease. Succeeds if the task has
    /// it. Returns what it has: an earlier release that drove the task may have dropped the need from its record.
    pub async fn claim(
        &self,
        cluster: &ClusterName,
        task: TaskId,
        need: &Need,
        lease: &Fence,
    ) -> Result<Need, RunnerError> {
        for _ in 0..CLAIM_TRIES {
            let claims = self.claims(cluster).await?;
            let need = match claims.need_of(task) {
                Some(held) => held,
                None => match claims.in_the_way(task, need) {
                    Some(other) => return Err(self.busy_with(cluster, other).await?),
                    None => need,
                },
            };
            // Also if the task has it: the claim may be one that was left over when the task was paused, and another task may
            // have read since that it does not count. Only one of the two writes succeeds.
            let write = claims.with(cluster, task, need)?;
            match self.store.write(&[write], Some(lease)).await {
                Ok(_) => return Ok(need.clone()),
                Err(StateError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(RunnerError::ClaimContended(cluster.clone()))
    }

    /// Releases what the task has, under the task's lease: a driver that was stopped for long must not release what a later
    /// driver of the same task has.
    pub async fn unclaim(
        &self,
        cluster: &ClusterName,
        task: TaskId,
        lease: &Fence,
    ) -> Result<(), RunnerError> {
        let released = self.try_unclaim(cluster, task, lease).await;
        // Those that wait here look again, whatever has come of it.
        self.turns.notify_waiters();
        released
    }

    async fn try_unclaim(
        &self,
        cluster: &ClusterName,
        task: TaskId,
        lease: &Fence,
    ) -> Result<(), RunnerError> {
        for _ in 0..CLAIM_TRIES {
            let Some(entry) = self.store.get(&claim_key(cluster)).await? else {
                return Ok(());
            };
            let is_named = decode::<Claim>(entry)?
                .holders()
                .iter()
                .any(|holder| holder.task == task);
            if !is_named {
                return Ok(());
            }
            let claims = self.claims(cluster).await?;
            let write = claims.without(cluster, task)?;
            match self.store.write(&[write], Some(lease)).await {
                Ok(_) => return Ok(()),
                Err(StateError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // A claim of a task that has ended counts for nothing.
        Ok(())
    }
}

#[cfg(test)]
mod tests;
