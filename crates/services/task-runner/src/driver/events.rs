//! What reaches a driver while its steps run: reports of the steps, wishes of users, and the time.

use std::sync::Arc;

use model::task::StepState;
use state_store::StateError;
use tokio::time::Instant;

use super::{Driver, Leave, RENEW_EVERY, SAVE_EVERY};
use crate::board::{Command, View};
use crate::error::RunnerError;
use crate::record::Outcome;
use crate::steps::Event;
use crate::store::LEASE_TTL;

impl Driver {
    pub(super) fn note(&mut self, event: Event) {
        match event {
            Event::Progress { at, progress } => {
                let step = &mut self.record.task.steps[at];
                step.bytes_done = progress.bytes_done;
                step.bytes_total = progress.bytes_total;
                step.note = progress.note;
                step.error = String::new();
            }
            // A step may have ended before its last words come in.
            Event::Retrying { at, error } => {
                let step = &mut self.record.task.steps[at];
                if step.state == StepState::Running {
                    step.error = error;
                }
            }
        }
        self.unshown = true;
        self.unsaved = true;
    }

    pub(super) async fn tick(&mut self) -> Result<(), Leave> {
        if self.renewed_at.elapsed() >= RENEW_EVERY {
            self.renew().await?;
        }
        if self.unsaved && self.saved_at.elapsed() >= SAVE_EVERY {
            self.save().await?;
        }
        if self.unshown {
            self.show();
        }
        Ok(())
    }

    pub(super) async fn renew(&mut self) -> Result<(), Leave> {
        match self.core.services.tasks.renew(&self.fence).await {
            Ok(()) => {
                self.renewed_at = Instant::now();
                Ok(())
            }
            Err(error @ StateError::Fenced { .. }) => Err(error.into()),
            Err(error) if self.renewed_at.elapsed() >= LEASE_TTL => Err(error.into()),
            Err(error) => {
                tracing::warn!(task_id = %self.record.task.id, error = api::error::chain(&error), "lease not renewed");
                Ok(())
            }
        }
    }

    /// Does what a user wishes, and answers once that is on disk.
    pub(super) async fn obey(&mut self, command: Command) -> Result<(), Leave> {
        let Command::Cancel { answer } = command;
        let reply = match &self.record.ending {
            // It is ending as it is.
            Some(_) => Ok(self.current()),
            None if self.record.past_return => Err(past_return(&self.record)),
            None => {
                self.end(Outcome::Cancelled, "cancelled on request".to_owned(), true);
                for step in &mut self.record.task.steps {
                    if step.state == StepState::Running {
                        step.state = StepState::Cancelled;
                    }
                }
                self.save().await?;
                Ok(self.current())
            }
        };
        // Whoever asked may have hung up.
        let _ = answer.send(reply);
        Ok(())
    }

    fn current(&self) -> Arc<View> {
        self.seat.view.borrow().clone()
    }
}

pub(crate) fn past_return(record: &crate::record::TaskRecord) -> RunnerError {
    match record.is_restore() {
        true => RunnerError::RestorePastReturn(record.task.id),
        false => RunnerError::BackupPastReturn(record.task.id),
    }
}
