//! Retention policies, their verdicts and what came of them.

use model::task::{RetentionEntry, RetentionOutcome, RetentionReport, TaskState};
use retention::{FAILED_DAYS_DEFAULT, PastRun, Policy, PolicyState, ShownVerdict};

use super::{
    ConversionError, all, all_into, parsed, parsed_optional, required, time, time_optional, word,
};
use crate::pb::task_runner as pb;

impl From<Policy> for pb::RetentionPolicy {
    fn from(policy: Policy) -> Self {
        Self {
            last: policy.last,
            days: policy.days,
            hourly: policy.hourly,
            daily: policy.daily,
            weekly: policy.weekly,
            monthly: policy.monthly,
            yearly: policy.yearly,
            floor: policy.floor,
            failed_days: Some(policy.failed_days),
            zone: policy.zone.into(),
            keep_all: policy.keep_all,
        }
    }
}

impl TryFrom<pb::RetentionPolicy> for Policy {
    type Error = ConversionError;

    /// Refuses a policy that may not be applied.
    fn try_from(policy: pb::RetentionPolicy) -> Result<Self, ConversionError> {
        let policy = Self {
            last: policy.last,
            days: policy.days,
            hourly: policy.hourly,
            daily: policy.daily,
            weekly: policy.weekly,
            monthly: policy.monthly,
            yearly: policy.yearly,
            floor: policy.floor,
            failed_days: policy.failed_days.unwrap_or(FAILED_DAYS_DEFAULT),
            zone: parsed_optional("policy.zone", &policy.zone)?.unwrap_or_default(),
            keep_all: policy.keep_all,
        };
        let checked = policy.check();
        checked.map_err(|error| ConversionError::invalid("policy", error))?;
        Ok(policy)
    }
}

impl From<PolicyState> for pb::RetentionState {
    fn from(state: PolicyState) -> Self {
        Self {
            cluster: state.cluster.into(),
            schedule: state.schedule.map(String::from).unwrap_or_default(),
            policy: Some(state.policy.into()),
            changed_at: time(state.changed_at),
        }
    }
}

impl TryFrom<pb::RetentionState> for PolicyState {
    type Error = ConversionError;

    fn try_from(state: pb::RetentionState) -> Result<Self, ConversionError> {
        Ok(Self {
            cluster: parsed("cluster", &state.cluster)?,
            schedule: parsed_optional("schedule", &state.schedule)?,
            policy: required("policy", state.policy)?.try_into()?,
            changed_at: parsed("changed_at", &state.changed_at)?,
        })
    }
}

impl From<PastRun> for pb::RetentionRun {
    fn from(run: PastRun) -> Self {
        Self {
            task_id: run.task.to_string(),
            started_at: time(run.started_at),
            finished_at: time_optional(run.finished_at),
            after: run.after.map(String::from).unwrap_or_default(),
            deleted_backups: run.deleted,
            freed_bytes: run.freed_bytes,
            refused_backups: run.refused,
            state: run
                .state
                .map_or(pb::TaskState::Unspecified, pb::TaskState::from) as i32,
        }
    }
}

impl TryFrom<pb::RetentionRun> for PastRun {
    type Error = ConversionError;

    fn try_from(run: pb::RetentionRun) -> Result<Self, ConversionError> {
        Ok(Self {
            task: parsed("task_id", &run.task_id)?,
            started_at: parsed("started_at", &run.started_at)?,
            finished_at: parsed_optional("finished_at", &run.finished_at)?,
            after: parsed_optional("after", &run.after)?,
            deleted: run.deleted_backups,
            freed_bytes: run.freed_bytes,
            refused: run.refused_backups,
            state: TaskState::try_from(run.state()).ok(),
        })
    }
}

impl From<ShownVerdict> for pb::RetentionVerdict {
    fn from(verdict: ShownVerdict) -> Self {
        Self {
            backup: verdict.backup.into(),
            goes: verdict.goes,
            reasons: verdict.reasons,
            uploaded_bytes: verdict.uploaded_bytes,
            schedule: verdict.schedule.map(String::from).unwrap_or_default(),
        }
    }
}

impl TryFrom<pb::RetentionVerdict> for ShownVerdict {
    type Error = ConversionError;

    fn try_from(verdict: pb::RetentionVerdict) -> Result<Self, ConversionError> {
        Ok(Self {
            backup: parsed("backup", &verdict.backup)?,
            goes: verdict.goes,
            reasons: verdict.reasons,
            uploaded_bytes: verdict.uploaded_bytes,
            schedule: parsed_optional("schedule", &verdict.schedule)?,
        })
    }
}

impl From<RetentionReport> for pb::RetentionReport {
    fn from(report: RetentionReport) -> Self {
        Self {
            entries: all_into(report.entries),
            kept_backups: report.kept,
        }
    }
}

impl TryFrom<pb::RetentionReport> for RetentionReport {
    type Error = ConversionError;

    fn try_from(report: pb::RetentionReport) -> Result<Self, ConversionError> {
        Ok(Self {
            entries: all(report.entries)?,
            kept: report.kept_backups,
        })
    }
}

impl From<RetentionEntry> for pb::RetentionReportEntry {
    fn from(entry: RetentionEntry) -> Self {
        let outcome = match entry.outcome {
            RetentionOutcome::Pending => pb::RetentionOutcome::Pending,
            RetentionOutcome::Deleted => pb::RetentionOutcome::Deleted,
            RetentionOutcome::Refused => pb::RetentionOutcome::Refused,
            RetentionOutcome::Gone => pb::RetentionOutcome::Gone,
            RetentionOutcome::Kept => pb::RetentionOutcome::Kept,
        };
        Self {
            backup: entry.backup.into(),
            schedule: entry.schedule,
            why: entry.why,
            outcome: outcome as i32,
            detail: entry.detail,
            deleted_objects: entry.objects,
            freed_bytes: entry.bytes,
        }
    }
}

impl TryFrom<pb::RetentionReportEntry> for RetentionEntry {
    type Error = ConversionError;

    fn try_from(entry: pb::RetentionReportEntry) -> Result<Self, ConversionError> {
        // An outcome of a newer task-runner is shown as one that is not known yet.
        let outcome = word::<pb::RetentionOutcome, _>(entry.outcome)?;
        Ok(Self {
            backup: parsed("entry.backup", &entry.backup)?,
            schedule: entry.schedule,
            why: entry.why,
            outcome: outcome.unwrap_or(RetentionOutcome::Pending),
            detail: entry.detail,
            objects: entry.deleted_objects,
            bytes: entry.freed_bytes,
        })
    }
}

impl TryFrom<pb::RetentionOutcome> for RetentionOutcome {
    type Error = ConversionError;

    fn try_from(outcome: pb::RetentionOutcome) -> Result<Self, ConversionError> {
        match outcome {
            pb::RetentionOutcome::Pending => Ok(Self::Pending),
            pb::RetentionOutcome::Deleted => Ok(Self::Deleted),
            pb::RetentionOutcome::Refused => Ok(Self::Refused),
            pb::RetentionOutcome::Gone => Ok(Self::Gone),
            pb::RetentionOutcome::Kept => Ok(Self::Kept),
            pb::RetentionOutcome::Unspecified => Err(ConversionError::missing("entry.outcome")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_survives_the_wire_and_one_that_keeps_nothing_is_refused() {
        let policy = Policy {
            last: 1,
            days: 2,
            hourly: 3,
            daily: 4,
            weekly: 5,
            monthly: 6,
            yearly: 7,
            floor: 8,
            failed_days: 0,
            zone: "Europe/Berlin".parse().expect("a zone"),
            keep_all: true,
        };
        let wire = pb::RetentionPolicy::from(policy.clone());
        assert_eq!(Policy::try_from(wire.clone()), Ok(policy));
        let without_floor = pb::RetentionPolicy { floor: 0, ..wire };
        let without_rules = pb::RetentionPolicy {
            floor: 2,
            ..pb::RetentionPolicy::default()
        };
        for wire in [without_floor, without_rules] {
            let error = Policy::try_from(wire).expect_err("a policy that may not be applied");
            assert_eq!(error.field, "policy");
        }
    }
}
