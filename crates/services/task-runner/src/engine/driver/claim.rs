//! What a driver makes sure of before it runs steps: that its task has the cluster, and that newer tasks do not forbid it.

use std::sync::Arc;

use super::{Driver, Exit};
use crate::engine::task::Outcome;
use crate::error::RunnerError;

/// Whether a task has its cluster.
pub(super) enum Claimed {
    /// It has, or it needs none.
    Free,
    /// Another task has it, and this one is on its way to its end.
    Busy,
}

impl Driver {
    /// Claims what the task needs of its cluster. From then on agents refuse the drivers that had it before.
    pub(super) async fn claim_cluster(&mut self) -> Result<Claimed, Exit> {
        let policy = self.kind.policy();
        let record = self.record();
        let Some(need) = policy.need(&record) else {
            return Ok(Claimed::Free);
        };
        let (cluster, id) = (&record.cluster, record.id);
        let tasks = self.engine.context.tasks.clone();
        let claimed = loop {
            match tasks.claim(cluster, id, &need, &self.fence).await {
                // Doing it again is safe: if it was written, the task has it.
                Err(error @ RunnerError::State(_)) => self.wait_for_store(error).await?,
                claimed => break claimed,
            }
        };
        match claimed {
            Ok(need) => {
                let fences = tasks.fences_of_claim(cluster, id, &need, &self.fence);
                let fences = fences.await?;
                self.context = Arc::new(self.engine.context.under(fences));
                Ok(Claimed::Free)
            }
            Err(error @ RunnerError::ClusterBusy { .. }) => {
                if record.ending.is_none() {
                    self.end(
                        Outcome::Failed,
                        error.to_string(),
                        policy.undo_without_claim,
                    );
                    self.save().await?;
                }
                Ok(Claimed::Busy)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A resume looks for newer tasks only after it has written that the task goes on; if the runner dies in between, it
    /// leaves a task that must not go on.
    pub(super) async fn check_superseded(&mut self) -> Result<(), Exit> {
        let record = self.record();
        if record.ending.is_some() || record.first_ended.is_none() {
            return Ok(());
        }
        let engine = self.engine.clone();
        let checked = self
            .kind
            .check_superseded(&engine.context, &engine.kinds, &record)
            .await;
        match checked {
            Err(error @ (RunnerError::Superseded { .. } | RunnerError::NoWayBack { .. })) => {
                // What is only pinned and staged is of no use to any resume.
                let is_superseded = matches!(error, RunnerError::Superseded { .. });
                let clean = is_superseded && !self.kind.must_keep_cluster(&self.task.read());
                self.end(Outcome::Failed, error.to_string(), clean);
                self.save().await
            }
            checked => Ok(checked?),
        }
    }
}
