//! Decides and deletes, one backup after the other.
//!
//! Before each deletion everything is read and decided again, and what is about to go is written down at the version that this
//! run has last written: a run that has lost its place, or its lease, cannot write it and deletes nothing. The
//! storage-catalog then deletes only the backup that was meant, only while the good ones are there by which it may go, and only if
//! it can begin while this runner's lease lasts: a runner that is held up after it has written may reach it once more when
//! another one has the task. The policies are read once more after the write, because that is when a change of them is too late.

use std::collections::BTreeSet;

use api::ErrorKind;
use model::plan::StepKind;
use model::task::{Progress, RetentionEntry, RetentionOutcome, RetentionReport};
use model::{BackupName, BackupState, ClusterName, Finding};
use plan::codes;
use retention::{KeepReason, PastRun, Policies, Ruled, Verdict};
use schedule::ScheduleName;
use state_store::StateError;

use super::REPORT;
use super::finish::{Found, delete, finish, may_begin_for, not_after};
use crate::engine::{Output, StepError, StepRun};
use crate::error::RunnerError;
use crate::kinds::undo::follow_up;
use crate::retention::store::{self, Deleting, StoredNow};
use crate::retention::{self as retained, Decision, decide_now, list};

/// The policies that the task has begun with, among its documents.
const POLICIES: &str = "policies";

/// Applies the policies of the task's cluster.
pub(super) async fn apply(step: &StepRun) -> Result<Output, StepError> {
    let mut run = Run::open(step).await?;
    run.finish_earlier().await?;
    while run.delete_next().await? {}
    run.end().await
}

/// A run as far as it has come.
struct Run<'a> {
    step: &'a StepRun,
    cluster: ClusterName,
    now: StoredNow,
    past: PastRun,
    report: RetentionReport,
    /// Not tried again.
    refused: BTreeSet<BackupName>,
    findings: Vec<Finding>,
    /// That the task has begun with: if they change, it ends.
    policies: Option<Policies>,
    leap_noted: bool,
}

impl<'a> Run<'a> {
    async fn open(step: &'a StepRun) -> Result<Self, StepError> {
        let cluster = step.cluster();
        let now = store::now(&step.context, &cluster).await?;
        let now = now.ok_or_else(|| StepError::incomplete("no run of retention is noted"))?;
        check_own(step, &now)?;
        let past = store::past_run(&step.context, &cluster, step.task_id()).await?;
        let past = past.ok_or_else(|| StepError::incomplete("the run is not in the history"))?;
        Ok(Self {
            step,
            now,
            past,
            report: step.document(REPORT).await?.unwrap_or_default(),
            refused: BTreeSet::new(),
            findings: Vec::new(),
            policies: step.document(POLICIES).await?,
            leap_noted: false,
            cluster,
        })
    }

    /// Finishes what this run, or one before it, has begun to delete.
    async fn finish_earlier(&mut self) -> Result<(), StepError> {
        let Some(deleting) = self.now.now.deleting.clone() else {
            return Ok(());
        };
        let mut found = self.finish(&deleting).await?;
        if matches!(found, Found::Untouched) && !self.still_goes(&deleting).await? {
            // It must not be reported as kept while an earlier request to delete it may still arrive.
            tokio::time::sleep(may_begin_for(&self.step.context, &deleting)).await;
            found = self.finish(&deleting).await?;
        }
        let name = &deleting.name;
        match found {
            Found::Untouched | Found::Refused => {}
            Found::Gone => self.settle(name, |entry| entry.outcome = RetentionOutcome::Deleted),
            Found::Finished(deletion) => self.settle(name, |entry| {
                entry.outcome = RetentionOutcome::Deleted;
                (entry.objects, entry.bytes) = (deletion.objects, deletion.bytes);
            }),
        }
        self.note(None).await
    }

    async fn finish(&self, deleting: &Deleting) -> Result<Found, StepError> {
        let on_progress = |progress| self.step.report(progress);
        finish(&self.step.context, &self.cluster, deleting, &on_progress).await
    }

    /// Whether a backup that was to go goes by what there is now, too: then it does not matter which request deletes it.
    async fn still_goes(&self, deleting: &Deleting) -> Result<bool, StepError> {
        let decision = match decide_now(&self.step.context, &self.cluster, |_| false).await {
            Err(RunnerError::RetentionNotSet { .. }) => return Ok(false),
            decided => decided?,
        };
        let begun_with = self.policies.as_ref();
        let is_meant =
            |ruled: &&Ruled| ruled.name == deleting.name && ruled.started_at == deleting.started_at;
        let mut going = Policies::going(&decision.ruled, &decision.backups).into_iter();
        let unchanged = begun_with.is_none_or(|policies| *policies == decision.policies);
        Ok(unchanged && going.any(|ruled| is_meant(&ruled)))
    }

    /// Decides, and deletes the first backup that goes. Returns whether there may be another one.
    async fn delete_next(&mut self) -> Result<bool, StepError> {
        let refused = &self.refused;
        let stays = |backup: &retention::Backup| refused.contains(&backup.name);
        let decided = decide_now(&self.step.context, &self.cluster, stays).await;
        let decision = match decided {
            // The last policy was removed meanwhile.
            Err(RunnerError::RetentionNotSet { .. }) => {
                self.keep_all_but(|_| false);
                return Ok(false);
            }
            decided => decided?,
        };
        if !self.goes_by(&decision.policies).await? {
            self.end_by_change();
            return Ok(false);
        }
        self.note_leap(&decision);
        let going = Policies::going(&decision.ruled, &decision.backups);
        self.take(&decision, &going);
        let Some(next) = going.first() else {
            return Ok(false);
        };
        let deleting = Deleting {
            name: next.name.clone(),
            started_at: next.started_at,
            relies_on: next.relied_on.clone(),
            not_after: not_after(&self.step.context, self.step.lease_left()),
        };
        self.note(Some(deleting.clone())).await?;
        if !self.is_as_decided(&decision.policies).await? {
            self.end_by_change();
            return Ok(false);
        }
        self.show(&deleting.name, going.len());
        let on_progress = |_: Progress| self.show(&deleting.name, going.len());
        let deleted = delete(&self.step.context, &self.cluster, &deleting, &on_progress).await;
        self.settle_deletion(&deleting.name, deleted).await?;
        Ok(true)
    }

    async fn settle_deletion(
        &mut self,
        name: &BackupName,
        deleted: Result<model::task::Deletion, StepError>,
    ) -> Result<(), StepError> {
        match deleted {
            Ok(deletion) => self.settle(name, |entry| {
                entry.outcome = RetentionOutcome::Deleted;
                (entry.objects, entry.bytes) = (deletion.objects, deletion.bytes);
            }),
            Err(StepError::Remote(error)) if error.kind == ErrorKind::NotFound => {
                self.settle(name, |entry| entry.outcome = RetentionOutcome::Gone);
            }
            Err(error) if !error.is_refusal() || !self.is_untouched(name).await? => {
                return Err(error);
            }
            Err(error) => {
                let why = error.text();
                self.refused.insert(name.clone());
                self.findings.push(self.refusal(name, &why));
                self.settle(name, |entry| {
                    entry.outcome = RetentionOutcome::Refused;
                    entry.detail = why;
                });
            }
        }
        Ok(())
    }

    /// Whether a backup is in the list and its deletion has not begun: only then it stays for certain.
    async fn is_untouched(&self, name: &BackupName) -> Result<bool, StepError> {
        let listed = list(&self.step.context, &self.cluster).await?;
        let mut listed = listed.iter();
        let found = listed.find(|summary| summary.backup.name == *name);
        Ok(found.is_some_and(|it| it.state.is_some_and(|state| state != BackupState::Deleting)))
    }

    fn refusal(&self, name: &BackupName, why: &str) -> Finding {
        follow_up(
            codes::RETENTION_REFUSED,
            &format!("{}/{name}", self.cluster),
            format!("the backup stays: {why}"),
            format!(
                "nothing is lost; `ringkeep retention preview {}` shows what goes next time",
                self.cluster
            ),
        )
    }

    /// Whether these are the policies that the task has begun with, in whichever process.
    async fn goes_by(&mut self, policies: &Policies) -> Result<bool, StepError> {
        if let Some(begun_with) = &self.policies {
            return Ok(begun_with == policies);
        }
        self.step.put_document(POLICIES, policies).await?;
        self.policies = Some(policies.clone());
        Ok(true)
    }

    /// Whether the policies are still these.
    async fn is_as_decided(&self, policies: &Policies) -> Result<bool, StepError> {
        match retained::policies(&self.step.context, &self.cluster).await {
            Err(RunnerError::RetentionNotSet { .. }) => Ok(false),
            now => Ok(now? == *policies),
        }
    }

    fn end_by_change(&mut self) {
        self.keep_all_but(|_| false);
        let finding = self.policies_changed();
        self.findings.push(finding);
    }

    fn policies_changed(&self) -> Finding {
        let cluster = &self.cluster;
        follow_up(
            codes::RETENTION_REFUSED,
            cluster.as_str(),
            "the policies were changed while they were applied, so the run has ended".to_owned(),
            format!(
                "see what goes now with `ringkeep retention preview {cluster}`, and start another run"
            ),
        )
    }

    /// Reports once if backups stay because their dates have leapt.
    fn note_leap(&mut self, decision: &Decision) {
        let leapt = |ruled: &&Ruled| match &ruled.verdict {
            Verdict::Keep(reasons) => reasons.contains(&KeepReason::ClockLeapt),
            Verdict::Go(_) => false,
        };
        let stay = decision.ruled.iter().filter(leapt).count();
        if stay == 0 || self.leap_noted {
            return;
        }
        self.leap_noted = true;
        self.findings.push(follow_up(
            codes::RETENTION_CLOCK,
            self.cluster.as_str(),
            format!(
                "{stay} backups that no rule keeps stay: between the dates of two backups there is a gap that no earlier gap explains, so a clock may have been wrong"
            ),
            "compare the dates in `ringkeep backup list` with when the backups were made; if no clock was wrong, they go by themselves once the backups after the gap span the days of the policy".to_owned(),
        ));
    }

    /// Takes a decision into the report: what goes now, and what was to go and is kept.
    fn take(&mut self, decision: &Decision, going: &[&Ruled]) {
        self.keep_all_but(|entry| going.iter().any(|ruled| ruled.name == entry.backup));
        for ruled in going {
            let Verdict::Go(why) = &ruled.verdict else {
                continue;
            };
            let entry = RetentionEntry {
                backup: ruled.name.clone(),
                schedule: ruled
                    .schedule
                    .as_ref()
                    .map(ScheduleName::to_string)
                    .unwrap_or_default(),
                why: why.to_string(),
                outcome: RetentionOutcome::Pending,
                detail: String::new(),
                objects: 0,
                bytes: 0,
            };
            let mut known = self.report.entries.iter_mut();
            match known.find(|known| known.backup == entry.backup) {
                Some(known) => *known = entry,
                None => self.report.entries.push(entry),
            }
        }
        self.report.kept = (decision.ruled.len() - going.len()) as u64;
    }

    fn keep_all_but(&mut self, goes: impl Fn(&RetentionEntry) -> bool) {
        for entry in &mut self.report.entries {
            if entry.outcome == RetentionOutcome::Pending && !goes(entry) {
                entry.outcome = RetentionOutcome::Kept;
            }
        }
    }

    fn settle(&mut self, name: &BackupName, change: impl FnOnce(&mut RetentionEntry)) {
        let mut entries = self.report.entries.iter_mut();
        if let Some(entry) = entries.find(|entry| entry.backup == *name) {
            change(entry);
        }
    }

    /// Writes down what has become of the backups, and which one goes now. Fails if another run has taken this one's place.
    async fn note(&mut self, deleting: Option<Deleting>) -> Result<(), StepError> {
        self.step.put_document(REPORT, &self.report).await?;
        self.past.deleted = self.report.count(RetentionOutcome::Deleted);
        self.past.refused = self.report.count(RetentionOutcome::Refused);
        self.past.freed_bytes = self.report.freed_bytes();
        self.now.now.deleting = deleting;
        let writes = [
            store::write_now(&self.cluster, &self.now)?,
            store::write_run(&self.cluster, &self.past)?,
        ];
        match self.step.write(&writes).await {
            Ok(version) => {
                self.now.version = Some(version);
                Ok(())
            }
            // Another run's write, or an earlier one of this run whose reply was lost.
            Err(StateError::Conflict { .. }) => {
                let now = store::now(&self.step.context, &self.cluster).await?;
                let now = now.ok_or_else(|| StepError::incomplete("no run is noted"))?;
                check_own(self.step, &now)?;
                Err(StepError::unavailable(
                    "the state of the run was written meanwhile",
                ))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn show(&self, name: &BackupName, left: usize) {
        let done = self.report.entries.len().saturating_sub(left);
        self.step.report(Progress {
            items_done: done as u64,
            items_total: self.report.entries.len() as u64,
            note: format!("{} {name}", StepKind::Delete),
            ..Progress::default()
        });
    }

    async fn end(mut self) -> Result<Output, StepError> {
        self.past.finished_at = Some((self.step.context.clock)());
        self.note(None).await?;
        Ok(Output {
            value: None,
            findings: self.findings,
        })
    }
}

fn check_own(step: &StepRun, now: &StoredNow) -> Result<(), StepError> {
    if now.now.task == step.task_id() {
        return Ok(());
    }
    Err(StepError::Replaced { by: now.now.task })
}
