//! Changes the limits of a task while it is driven.

use std::sync::Arc;

use model::task::{LimitsChange, StepLimits, StepState};

use super::{Driver, Exit};
use crate::engine::active::View;
use crate::error::RunnerError;
use crate::events::Event;

impl Driver {
    /// Keeps the limits, and hands them to the steps that run. What comes of it on each node shows in the steps.
    pub(super) async fn set_limits(
        &mut self,
        change: LimitsChange,
    ) -> Result<Result<Arc<View>, RunnerError>, Exit> {
        let record = self.record();
        if record.ending.is_some() {
            let why = "it is on its way to its end";
            return Ok(Err(RunnerError::LimitsRefused(record.id, why)));
        }
        let limits = change.of(record.limits.unwrap_or_default());
        if record.limits != Some(limits) {
            self.change_record(|record| record.limits = Some(limits));
            let now = (self.engine.context.clock)();
            self.announced = Some(Event::limits_changed(&self.record(), now));
        }
        // Also if they are as before: a call that an agent has refused is made again.
        self.ask_again();
        self.save().await?;
        self.limits.send_replace(Some(limits));
        Ok(Ok(self.current()))
    }

    /// Notes of the steps that run that their agents are asked now.
    fn ask_again(&mut self) {
        let limited = self.kind.limited_steps();
        let mut task = self.task.write();
        for at in 0..task.steps.len() {
            if task.statuses[at].state == StepState::Running {
                task.open_limits(at, limited);
                self.dirty.insert(at);
            }
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
