//! The end of a task: undoing what it made if it is given up, and writing its last state.

use model::task::{StepState, TaskEvent};
use state_store::StateError;
use tokio::task::JoinSet;

use super::settle::shortened;
use super::{Driver, Exit, ticks};
use crate::engine::kind::Undone;
use crate::engine::task::{Ending, Outcome};
use crate::error::RunnerError;

impl Driver {
    /// Undoes what the task has made, while the lease is kept alive.
    pub(super) async fn clean_up(&mut self, ending: Ending) -> Result<(), Exit> {
        let mut undoing = JoinSet::new();
        let (job, engine) = (self.job.clone(), self.engine.clone());
        let context = self.context.clone();
        let task = self.task.read().clone();
        let lease = self.lease.clone();
        undoing.spawn(async move {
            let undoing = job.undo(&context, &engine.kinds, &task, &ending.reason);
            lease.guard(undoing).await
        });
        let mut ticks = ticks();
        let drain = self.engine.drain.clone();
        let undone = loop {
            tokio::select! {
                biased;
                () = drain.cancelled() => return Err(Exit::Drained),
                Some(ended) = undoing.join_next() => match ended {
                    Ok(undone) => break undone,
                    Err(_) => return Err(RunnerError::Fault.into()),
                },
                Some(command) = self.slot.commands.recv() => {
                    self.handle(command).await?;
                    if self.ending().is_some_and(|ending| ending.forced) {
                        return Ok(());
                    }
                }
                _ = ticks.tick() => self.tick().await?,
            }
        };
        match undone {
            Undone::Done(findings) => {
                let untidy = !findings.is_empty();
                self.add_findings(findings);
                self.change_record(|record| {
                    record.cleaned = true;
                    record.untidy |= untidy;
                });
                self.save_findings().await?;
            }
            Undone::Succeeded(kind) => {
                self.change_record(|record| record.ending = None);
                let mut task = self.task.write();
                for at in 0..task.steps.len() {
                    if task.steps[at].kind == kind {
                        task.statuses[at].state = StepState::Succeeded;
                        task.statuses[at].error = String::new();
                        self.dirty.insert(at);
                        self.graph.settle(at);
                    }
                }
            }
        }
        self.save().await
    }

    /// Writes the last state. After this the cluster is free.
    pub(super) async fn finish(&mut self) -> Result<(), Exit> {
        let ending = self.ending();
        let event = match &ending {
            None => TaskEvent::Finish,
            Some(ending) if ending.outcome == Outcome::Failed => TaskEvent::Fail,
            Some(_) => TaskEvent::Cancel,
        };
        if event == TaskEvent::Cancel {
            self.cancel_steps(&[StepState::Pending, StepState::Running]);
        }
        match &ending {
            None => self.add_findings(self.job.closing()),
            Some(ending) if event == TaskEvent::Fail && !self.record().cleaned => {
                let left = self.job.left_over(&self.task.read(), ending.forced);
                self.add_findings(left);
            }
            Some(_) => {}
        }
        self.save_findings().await?;
        self.save().await?;
        // The record alone, last: with it the task leaves the index of unfinished ones.
        self.move_to(event)?;
        let now = (self.engine.context.clock)();
        self.change_record(|record| {
            record.finished_at = Some(now);
            record.waiting = None;
            match ending {
                Some(ending) => {
                    record.untidy |= ending.forced;
                    record.error = ending.reason;
                }
                None => record.cleaned = true,
            }
        });
        self.save().await?;
        let record = self.record();
        let tasks = &self.engine.context.tasks;
        let unclaimed = tasks.unclaim(&record.cluster, record.id, &self.fence);
        if let Err(error) = unclaimed.await {
            // The claim of a task that has ended counts for nothing.
            tracing::warn!(task_id = %record.id, error = api::error::chain(&error), "claim not given up");
        }
        Ok(())
    }

    /// Ends a task as failed that can no longer be written as it is: what is on disk stays, and the rest is lost.
    pub(super) async fn end_unsaved(&mut self, error: &StateError) -> Result<(), Exit> {
        let tasks = self.engine.context.tasks.clone();
        let id = self.record().id;
        let stored = self.engine.load(id).await?;
        self.version = stored.version;
        let kept = tasks.load(stored.record).await?;
        *self.task.write() = kept;
        self.dirty.clear();
        let error = api::error::chain(error);
        tracing::error!(task_id = %id, error, "task cannot be written and is ended");
        let reason = format!("what the task has come to could not be kept: {error}");
        self.end(Outcome::Failed, shortened(reason), false);
        self.finish().await
    }

    /// Those that are not there yet: a task may come to its end twice, if the runner dies in between.
    pub(super) fn add_findings(&mut self, findings: Vec<model::Finding>) {
        let mut task = self.task.write();
        for finding in findings {
            if !task.findings.contains(&finding) {
                task.findings.push(finding);
            }
        }
    }

    pub(super) fn cancel_steps(&mut self, states: &[StepState]) {
        let mut task = self.task.write();
        for (at, status) in task.statuses.iter_mut().enumerate() {
            if states.contains(&status.state) {
                status.state = StepState::Cancelled;
                self.dirty.insert(at);
            }
        }
    }

    /// Findings may be many, so they are a document beside the record.
    pub(super) async fn save_findings(&mut self) -> Result<(), Exit> {
        let findings = self.task.read().findings.clone();
        if findings.is_empty() {
            return Ok(());
        }
        let (tasks, record) = (self.engine.context.tasks.clone(), self.record());
        while let Err(error) = tasks.put_findings(record.id, &findings, &self.fence).await {
            self.wait_for_store(error.into()).await?;
        }
        if !record.has_findings {
            self.change_record(|record| record.has_findings = true);
        }
        Ok(())
    }
}
