//! What reaches a driver while its steps run: reports of the steps, commands of users, and the time.

use std::sync::Arc;

use model::task::StepState;

use super::settle::shortened;
use super::{Driver, Exit, SAVE_EVERY};
use crate::engine::active::{Command, View};
use crate::engine::step::Event;
use crate::engine::task::{Ending, Outcome};
use crate::error::RunnerError;
use crate::signals;

impl Driver {
    pub(super) fn note(&mut self, event: Event) {
        let mut task = self.task.write();
        let mut has_progressed = false;
        // A step may have ended before its last report comes in.
        let at = match event {
            Event::Progress {
                at,
                progress,
                further,
            } => {
                let kind = task.steps[at].kind;
                let status = &mut task.statuses[at];
                if status.state == StepState::Running {
                    signals::count_bytes(kind, status.bytes_done, progress.bytes_done);
                    has_progressed = further;
                    status.bytes_done = progress.bytes_done;
                    status.bytes_total = progress.bytes_total;
                    status.note = shortened(progress.note);
                    status.error = String::new();
                }
                at
            }
            Event::Retrying { at, error } => {
                let status = &mut task.statuses[at];
                if status.state == StepState::Running {
                    status.error = shortened(error);
                }
                at
            }
            Event::Limits { at, limits } => {
                drop(task);
                self.note_limits(at, limits);
                self.dirty.insert(at);
                self.unshown = true;
                return;
            }
        };
        drop(task);
        self.dirty.insert(at);
        self.unshown = true;
        if has_progressed {
            self.note_progress();
        }
    }

    /// Saved with the next status, so that a task that gets nowhere can be told from one that does, by any runner.
    pub(super) fn note_progress(&mut self) {
        let now = (self.engine.context.clock)();
        self.change_record(|record| record.progressed_at = Some(now));
    }

    pub(super) async fn tick(&mut self) -> Result<(), Exit> {
        self.keep_lease().await?;
        let is_unsaved = self.record_is_dirty || !self.dirty.is_empty();
        if is_unsaved && self.saved_at.elapsed() >= SAVE_EVERY {
            self.save().await?;
        }
        if self.unshown {
            self.show();
        }
        Ok(())
    }

    /// Does what a user asked for, and replies once that is on disk.
    pub(super) async fn handle(&mut self, command: Command) -> Result<(), Exit> {
        let (result, reply) = match command {
            Command::Pause { why, reply } => {
                self.ask_to_pause(why, reply);
                return Ok(());
            }
            Command::Cancel { reply } => (self.cancel().await?, reply),
            Command::SetLimits { asked, reply } => (self.set_limits(&asked).await?, reply),
            Command::EndByForce { reply } => (self.end_by_force().await?, reply),
        };
        // The client that asked may have disconnected.
        let _ = reply.send(result);
        Ok(())
    }

    async fn cancel(&mut self) -> Result<Result<Arc<View>, RunnerError>, Exit> {
        let record = self.record();
        Ok(if record.ending.is_some() {
            // It is ending as it is.
            Ok(self.current())
        } else if record.past_point_of_no_return {
            Err(self.kind.past_point_of_no_return(record.id))
        } else {
            let undo = record.may_have_made();
            self.end(Outcome::Cancelled, "cancelled on request".to_owned(), undo);
            self.cancel_steps(&[StepState::Running]);
            self.save().await?;
            Ok(self.current())
        })
    }

    /// Whatever the task is at, undoing included, it stops there.
    async fn end_by_force(&mut self) -> Result<Result<Arc<View>, RunnerError>, Exit> {
        let ending = Ending::by_force(&self.record());
        self.change_record(|record| record.ending = Some(ending));
        self.cancel_steps(&[StepState::Running]);
        self.save().await?;
        Ok(Ok(self.current()))
    }

    pub(super) fn current(&self) -> Arc<View> {
        self.slot.view.borrow().clone()
    }
}
