//! What came of a step, and what that means for its task.

use model::task::StepState;

use super::{Driver, Leave};
use crate::cleanup;
use crate::record::{Job, Outcome, Output, Work};
use crate::step_error::StepError;

impl Driver {
    /// Writes down what came of a step.
    pub(super) async fn settle(
        &mut self,
        at: usize,
        result: Result<Output, StepError>,
    ) -> Result<(), Leave> {
        let step = &mut self.record.task.steps[at];
        step.note = String::new();
        match result {
            Ok(output) => {
                step.state = StepState::Succeeded;
                step.error = String::new();
                step.bytes_done = step.bytes_done.max(step.bytes_total);
                self.record.apply(output);
            }
            Err(error) => {
                step.state = StepState::Failed;
                step.error = error.text();
                self.fail(at, &error);
            }
        }
        self.save().await?;
        Ok(())
    }

    /// What a failed step means for the task.
    fn fail(&mut self, at: usize, error: &StepError) {
        let step = &self.record.task.steps[at];
        if step.work.is_best_effort() {
            let finding = cleanup::given_up(&self.record, at, error);
            self.record.task.findings.push(finding);
            return;
        }
        let place = match step.node.as_str() {
            "" => format!("step `{}`", step.id),
            node => format!("step `{}` on node {node}", step.id),
        };
        let clean = match &self.record.job {
            // What the catalog has refused to begin is not there to be given up.
            Job::Backup(_) => !(step.work == Work::Begin && error.is_refusal()),
            // Everything that is staged stays for a resume, unless no resume can use it.
            Job::Restore(_) => matches!(error, StepError::PlanOutdated { .. }),
        };
        let next = self.what_next(clean);
        let code = match error {
            StepError::PlanOutdated { .. } => "PLAN_OUTDATED: ",
            _ => "",
        };
        let reason = format!("{code}{place} failed: {}{next}", error.text());
        self.end(Outcome::Failed, reason, clean);
        for step in &mut self.record.task.steps {
            if step.state == StepState::Running {
                step.state = StepState::Cancelled;
            }
        }
    }

    fn what_next(&self, clean: bool) -> String {
        let id = self.record.task.id;
        let stopped = self
            .record
            .was_attempted(|work| matches!(work, Work::Stop { .. }));
        match (&self.record.job, clean) {
            (Job::Backup(_), _) => "; make a new backup once the cause is gone".to_owned(),
            (Job::Restore(_), true) => String::new(),
            (Job::Restore(_), false) if self.record.past_return => {
                let down = match stopped {
                    true => ", until which Cassandra may be down on nodes",
                    false => "",
                };
                format!("; go on with `ringkeep task resume {id}`{down}")
            }
            (Job::Restore(_), false) => {
                let starts = match stopped {
                    true => ", which starts Cassandra again if it was stopped",
                    false => "",
                };
                format!(
                    "; nothing was replaced yet: go on with `ringkeep task resume {id}`, or give up with `ringkeep task cancel {id}`{starts}"
                )
            }
        }
    }
}
