//! Pauses a task: it stays as it is, and no runner drives it until a user asks for it.

use std::sync::Arc;

use model::task::{Paused, StepState, TaskEvent};

use super::{Driver, Exit};
use crate::engine::active::{Reply, View};
use crate::error::RunnerError;
use crate::events::Event;

/// A pause that was asked for, until nothing of the task runs any more.
pub(super) struct Pausing {
    pub why: String,
    /// Whether the retries of a step ran out.
    pub gave_up: bool,
    /// Those who wait until it is paused.
    pub replies: Vec<Reply>,
}

impl Driver {
    /// Notes that a user asks for a pause; replies once it is on disk.
    pub(super) fn ask_to_pause(&mut self, why: String, reply: Reply) {
        if self.ending().is_some() {
            let id = self.record().id;
            let refused = Err(RunnerError::NotPausable(id, "it is on its way to its end"));
            // The client that asked may have disconnected.
            let _ = reply.send(refused);
            return;
        }
        match &mut self.pausing {
            Some(pausing) => pausing.replies.push(reply),
            None => {
                self.pausing = Some(Pausing {
                    why,
                    gave_up: false,
                    replies: vec![reply],
                });
            }
        }
    }

    /// Writes that the task is paused. Nothing of it may run any more. Never returns a success.
    pub(super) async fn pause_now(&mut self) -> Result<(), Exit> {
        let Some(pausing) = self.pausing.take() else {
            return Ok(());
        };
        self.set_back_running();
        let record = self.record();
        let needs_cluster = self.kind.policy().need(&record).is_some();
        let has_cluster = needs_cluster && record.waiting.is_none();
        let keeps_cluster = has_cluster && self.kind.must_keep_cluster(&self.task.read());
        let now = (self.engine.context.clock)();
        // A task that waits again may not have been set back yet.
        let mut task = self.task.read().clone();
        task.apply_reset();
        let why = match self.job.while_paused(&task) {
            also if also.is_empty() => pausing.why,
            also => format!("{}; {also}", pausing.why),
        };
        // As if it had failed here, until it goes on.
        let left = self.job.left_over(&task, false);
        self.add_findings(left);
        self.save_findings().await?;
        let has_read = has_cluster && self.kind.has_read_cluster(&self.task.read());
        self.move_to(TaskEvent::Pause)?;
        self.change_record(|record| {
            record.paused = Some(Paused {
                since: now,
                why,
                gave_up: pausing.gave_up,
                keeps_cluster,
            });
            if needs_cluster && !keeps_cluster {
                // A resume compares with what others have done since. Of a task that waits, too: those behind it overtake it.
                record.first_ended.get_or_insert(now);
            }
            if has_read && !keeps_cluster {
                record.read_at.get_or_insert(now);
            }
        });
        self.announced = Event::paused(&self.record());
        self.save().await?;
        if !keeps_cluster {
            let record = self.record();
            let tasks = &self.engine.context.tasks;
            let unclaimed = tasks.unclaim(&record.cluster, record.id, &self.fence);
            if let Err(error) = unclaimed.await {
                // The claim of a task that is paused like this counts for nothing.
                tracing::warn!(task_id = %record.id, error = api::error::chain(&error), "claim not given up");
            }
        }
        let view: Arc<View> = self.view();
        for reply in pausing.replies {
            // The client that asked may have disconnected.
            let _ = reply.send(Ok(view.clone()));
        }
        Err(Exit::Paused)
    }

    /// What was running runs again after a resume.
    fn set_back_running(&mut self) {
        let mut task = self.task.write();
        for (at, status) in task.statuses.iter_mut().enumerate() {
            if status.state == StepState::Running {
                status.state = StepState::Pending;
                self.dirty.insert(at);
            }
        }
    }
}
