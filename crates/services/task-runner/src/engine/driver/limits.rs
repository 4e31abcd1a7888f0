//! Changes the limits of a task while it is driven.

use std::sync::Arc;

use model::task::{StepLimits, StepState};

use super::{Driver, Exit};
use crate::engine::active::View;
use crate::engine::task::AskedLimits;
use crate::error::RunnerError;
use crate::events::Event;

impl Driver {
    /// Keeps the limits, and hands them to the steps that run. What comes of it on each node shows in the steps.
    pub(super) async fn set_limits(
        &mut self,
        asked: &AskedLimits,
    ) -> Result<Result<Arc<View>, RunnerError>, Exit> {
        let record = self.record();
        if record.ending.is_some() {
            let why = "it is on its way to its end";
            return Ok(Err(RunnerError::LimitsRefused(record.id, why)));
        }
        let mut changed = record.clone();
        if !changed.change_limits(asked) {
            return Ok(Ok(self.current()));
        }
        let limits = changed.limits;
        let is_new = record.limits != limits;
        self.change_record(|record| *record = changed);
        if is_new {
            let now = (self.engine.context.clock)();
            self.announced = Some(Event::limits_changed(&self.record(), now));
        }
        // Also if they are as before: a call that an agent has refused is made again.
        self.ask_again();
        self.save().await?;
        self.limits.send_replace(limits);
        Ok(Ok(self.current()))
    }

    /// Notes of the steps that run that their agents are asked now. One that has failed is not waited for: its agent is asked
    /// before its next try.
    fn ask_again(&mut self) {
        let limited = self.kind.limited_steps();
        let mut task = self.task.write();
        for at in 0..task.steps.len() {
            let status = &mut task.statuses[at];
            if status.state != StepState::Running {
                continue;
            }
            match status.error.is_empty() {
                true => task.open_limits(at, limited),
                false => status.limits = None,
            }
            self.dirty.insert(at);
        }
    }

    /// Notes what an agent has made of the limits, unless they have changed since.
    pub(super) fn note_limits(&mut self, at: usize, limits: StepLimits) {
        let mut task = self.task.write();
        let is_of_now = task.record.limits == Some(limits.asked);
        let status = &mut task.statuses[at];
        if is_of_now && status.state == StepState::Running {
            status.limits = Some(limits);
        }
    }
}
