//! What came of a step, and what that means for its task.

use model::TaskId;
use model::task::StepState;

use super::pause::Pausing;
use super::{Driver, Exit};
use crate::engine::step::Output;
use crate::engine::step_error::StepError;
use crate::engine::task::Outcome;

/// Text of an error that is kept. Statuses are written often, and many in one transaction.
const ERROR_BYTES_MAX: usize = 4 << 10;

impl Driver {
    /// Writes what came of a step.
    pub(super) async fn settle(
        &mut self,
        at: usize,
        result: Result<Output, StepError>,
    ) -> Result<(), Exit> {
        self.dirty.insert(at);
        match result {
            Ok(output) => {
                let mut task = self.task.write();
                let status = &mut task.statuses[at];
                status.state = StepState::Succeeded;
                status.note = String::new();
                status.error = String::new();
                status.bytes_done = status.bytes_done.max(status.bytes_total);
                status.output = output.value.or(status.output.take());
                status.findings = output.findings;
                self.graph.settle(at);
                drop(task);
                self.note_progress();
            }
            Err(error) => self.fail(at, &error),
        }
        self.save().await
    }

    /// What a failed step means for the task.
    fn fail(&mut self, at: usize, error: &StepError) {
        let mut task = self.task.write();
        let status = &mut task.statuses[at];
        status.state = StepState::Failed;
        status.note = String::new();
        status.error = shortened(error.text());
        if self.traits(&task, at).best_effort {
            let finding = self.job.given_up(&task, at, error);
            task.statuses[at].findings.push(finding);
            task.record.untidy = true;
            self.record_is_dirty = true;
            self.graph.settle(at);
            return;
        }
        let step = &task.steps[at];
        let id = task.record.id;
        let place = match step.node.as_str() {
            "" => format!("step `{}`", step.id),
            node => format!("step `{}` on node {node}", step.id),
        };
        let may_pause = task.record.pauses && self.kind.may_pause_by_itself(&task);
        if may_pause && error.is_retryable() {
            // Whatever dies now, the step runs again.
            task.statuses[at].state = StepState::Pending;
            drop(task);
            return self.pause_for(&place, id, error);
        }
        let failure = self.job.failure(&task, step.kind, error);
        drop(task);
        let code = if error.is_outdated() {
            "PLAN_OUTDATED: "
        } else {
            ""
        };
        let text = shortened(error.text());
        let reason = format!("{code}{place} failed: {text}{}", failure.what_next);
        self.end(Outcome::Failed, reason, failure.clean);
        self.cancel_steps(&[StepState::Running]);
    }

    /// The retries of a step ran out: another try may help once the cause is gone.
    fn pause_for(&mut self, place: &str, id: TaskId, error: &StepError) {
        let text = shortened(error.text());
        let what_next = match self.record().past_point_of_no_return {
            true => format!("go on with `ringkeep task resume {id}` once the cause is gone"),
            false => format!(
                "go on with `ringkeep task resume {id}` once the cause is gone, or give up with `ringkeep task cancel {id}`"
            ),
        };
        let why = format!("retries of {place} ran out: {text}; {what_next}");
        match &mut self.pausing {
            Some(pausing) => pausing.why = why,
            None => {
                self.pausing = Some(Pausing {
                    why,
                    gave_up: true,
                    replies: Vec::new(),
                });
            }
        }
    }
}

pub(super) fn shortened(mut text: String) -> String {
    if text.len() > ERROR_BYTES_MAX {
        text.truncate(text.floor_char_boundary(ERROR_BYTES_MAX));
        text.push('…');
    }
    text
}
