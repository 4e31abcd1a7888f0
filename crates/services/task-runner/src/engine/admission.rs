//! Gives a task its turn: in one transaction it takes what it needs of its cluster and is no longer among those that wait.
//!
//! All turns are given one after the other: each writes `turns`, at the version at which the decision was made. So the limits
//! hold over several task-runners, and no two tasks start that exclude each other.

use std::collections::BTreeSet;
use std::time::Duration;

use model::task::Waiting;
use model::{ClusterName, TaskId};
use serde_json::Value;
use state_store::{Expected, Fence, StateError, Write};
use tokio::time::timeout;
use uuid::Uuid;

use super::claims::CLAIM_TRIES;
use super::documents::decode;
use super::queue::{Phase, RunningLimits, Turn, Unfinished, turn};
use super::store::{Stored, TaskStore, UNFINISHED};
use crate::error::RunnerError;

const TURNS: &str = "turns";

/// What came of asking for a turn.
pub(crate) enum Admission {
    /// The task goes on, as it is on disk now.
    Now(Box<Stored>),
    Later(Waiting),
}

impl TaskStore {
    /// Whether it is the turn of a task that waits; if so, it is on disk when this returns. A task that has had its turn has it
    /// again. Others of this process that ask at the same moment are waited for for as long as `patience`: nothing renews the
    /// lease meanwhile.
    pub async fn admit(
        &self,
        id: TaskId,
        limits: RunningLimits,
        patience: Duration,
        lease: &Fence,
    ) -> Result<Admission, RunnerError> {
        // By design over the calls of the store: of this process only one asks at a time, so that they do not get into each
        // other's way.
        let Ok(_one_at_a_time) = timeout(patience, self.asking.lock()).await else {
            return Err(RunnerError::TurnsContended);
        };
        for _ in 0..CLAIM_TRIES {
            let stored = self.get(id).await?;
            let stored = stored.ok_or(RunnerError::UnknownTask(id))?;
            let Some(waiting) = stored.record.waiting.clone() else {
                return Ok(Admission::Now(Box::new(stored)));
            };
            let expected = match self.store.get(TURNS).await? {
                None => Expected::Absent,
                Some(entry) => Expected::Version(entry.version),
            };
            let all = self.unfinished_entries().await?;
            let mine = Unfinished::from(&stored.record);
            let claims = self.claims(&mine.cluster).await?;
            match turn(id, &mine, &all, &claims.holders, limits) {
                Turn::Now => {}
                later => {
                    let waiting = waits(waiting, &later);
                    return Ok(Admission::Later(waiting));
                }
            }
            let Stored {
                mut record,
                version,
            } = stored;
            record.waiting = None;
            let mut writes = self.record_writes(&record, Expected::Version(version))?;
            writes.push(Write::put(TURNS, Value::Null, expected));
            if let Some(need) = &mine.need {
                writes.push(claims.with(&mine.cluster, id, need)?);
            }
            match self.store.write(&writes, Some(lease)).await {
                Ok(version) => {
                    let stored = Stored { record, version };
                    return Ok(Admission::Now(Box::new(stored)));
                }
                Err(StateError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(RunnerError::TurnsContended)
    }

    /// Whether a task that does not wait for others of its cluster would be refused its turn now.
    pub async fn is_refused(&self, new: Unfinished) -> Result<bool, RunnerError> {
        let all = self.unfinished_entries().await?;
        let holders = self.claims(&new.cluster).await?.holders;
        // After those that have waited for as long.
        let id = TaskId(Uuid::max());
        let turn = turn(id, &new, &all, &holders, RunningLimits::default());
        Ok(matches!(turn, Turn::After { .. }))
    }

    /// The tasks that have not ended, oldest first, as their index has them.
    pub async fn unfinished_entries(&self) -> Result<Vec<(TaskId, Unfinished)>, RunnerError> {
        let mut found = Vec::new();
        for entry in self.store.list(UNFINISHED).await? {
            let id = entry.key[UNFINISHED.len()..].parse();
            let Ok(id) = id else {
                continue;
            };
            if let Ok(known) = decode::<Unfinished>(entry) {
                found.push((id, known));
                continue;
            }
            // Written by another release.
            match self.get(id).await {
                Ok(Some(stored)) => found.push((id, Unfinished::from(&stored.record))),
                Ok(None) => {}
                Err(error @ RunnerError::State(_)) => return Err(error),
                // It does not keep the others from running.
                Err(_) => {
                    tracing::error!(task_id = %id, "task cannot be read and has no place among those that wait")
                }
            }
        }
        Ok(found)
    }

    /// The tasks that are paused.
    pub async fn paused(&self) -> Result<BTreeSet<TaskId>, RunnerError> {
        let all = self.unfinished_entries().await?;
        let paused = all
            .into_iter()
            .filter(|(_, entry)| entry.phase == Phase::Paused);
        Ok(paused.map(|(id, _)| id).collect())
    }

    /// Fails if a task waits for the cluster or is paused on it.
    pub async fn check_none_waits(&self, cluster: &ClusterName) -> Result<(), RunnerError> {
        for (id, entry) in self.unfinished_entries().await? {
            let at_rest = entry.phase != Phase::Running && entry.need.is_some();
            if entry.cluster == *cluster && at_rest {
                return Err(self.busy_with(cluster, id).await?);
            }
        }
        Ok(())
    }
}

fn waits(before: Waiting, turn: &Turn) -> Waiting {
    let (task, kind, why) = match turn {
        Turn::Now => (None, None, before.why),
        Turn::After { task, kind } => {
            let why = format!("it waits for {} {task}", kind.as_str());
            (Some(*task), Some(*kind), why)
        }
        Turn::Full { why } => (None, None, format!("it waits, because {why}")),
    };
    Waiting {
        since: before.since,
        task,
        kind,
        why,
    }
}
