//! What a kind of task must bring along: its policies in [`Kind`], and the work of one task in [`Job`].

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use model::plan::StepKind;
use model::task::{TaskKind, TaskState};
use model::{Finding, Selection, TableRef, TaskId};

use super::need::Need;
use super::step::{Output, StepRun};
use super::step_error::StepError;
use super::task::{LiveTask, TaskRecord};
use crate::context::Context;
use crate::error::RunnerError;

/// All kinds of tasks that this runner knows.
pub(crate) type Kinds = HashMap<TaskKind, Arc<dyn Kind>>;

/// What the engine must know of a step before it starts it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct StepTraits {
    /// The limit on steps that move data counts it.
    pub moves_data: bool,
    /// It only tidies up: if it fails, the task succeeds all the same, with a finding.
    pub best_effort: bool,
    /// Once it has started, the task can only go forward.
    pub point_of_no_return: bool,
    /// Each try starts from the beginning.
    pub starts_over: bool,
    /// It leaves something outside that must be undone if the task is given up.
    pub makes_something: bool,
}

/// What users may do with a task of a kind, and what happens then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    /// It needs something of the task's cluster: all of it, unless its record says what.
    pub claims_cluster: bool,
    /// A task that is refused its cluster when it is adopted undoes what it had made.
    pub undo_without_claim: bool,
    /// A task that has failed can still be cancelled, which undoes what it had made.
    pub cancel_after_failure: bool,
}

impl Policy {
    /// What a task of this kind needs of its cluster.
    pub fn need(self, record: &TaskRecord) -> Option<Need> {
        let need = || record.need.clone().unwrap_or(Need::Whole);
        self.claims_cluster.then(need)
    }
}

/// A kind of task.
#[async_trait]
pub(crate) trait Kind: Send + Sync + 'static {
    fn policy(&self) -> Policy;

    fn traits(&self, step: StepKind) -> StepTraits;

    /// The kinds of steps in which data is moved within the limits of the task; none if its limits mean nothing.
    fn limited_steps(&self) -> &'static [StepKind] {
        &[]
    }

    /// Loads what the steps of a task share.
    async fn open(
        &self,
        context: &Context,
        record: &TaskRecord,
    ) -> Result<Arc<dyn Job>, RunnerError>;

    /// Whether a task that is paused now keeps what it has of its cluster, because others could harm it or be harmed by it.
    fn must_keep_cluster(&self, _task: &LiveTask) -> bool {
        true
    }

    /// Whether a task whose retries have run out may be paused by itself where it is. Not if its cluster would stay closed to
    /// scheduled backups until a person comes, although little is lost if it fails.
    fn may_pause_by_itself(&self, _task: &LiveTask) -> bool {
        true
    }

    /// Whether a task that does not keep its cluster has read all of it that it will: what others do since is not in it.
    fn has_read_cluster(&self, _task: &LiveTask) -> bool {
        false
    }

    /// Whether a task that waits for its turn holds something outside meanwhile; undoing it releases that.
    fn holds_while_waiting(&self) -> bool {
        false
    }

    /// Keeps what the task will need from being deleted until its turn. May run again.
    async fn hold(&self, _context: &Context, _record: &TaskRecord) -> Result<(), StepError> {
        Ok(())
    }

    /// Why a task that is past its point of no return cannot be cancelled.
    fn past_point_of_no_return(&self, id: TaskId) -> RunnerError;

    /// Fails if a task that has ended cannot be resumed, by what its record says.
    fn check_resumable(&self, record: &TaskRecord) -> Result<(), RunnerError>;

    /// Fails with [`RunnerError::Superseded`] or [`RunnerError::NoWayBack`] if other tasks have since made a resume harmful.
    async fn check_superseded(
        &self,
        _context: &Context,
        _kinds: &Kinds,
        _record: &TaskRecord,
    ) -> Result<(), RunnerError> {
        Ok(())
    }

    /// Whether other tasks have since done all that a resume of a failed task could still do: then it may be cancelled even
    /// past its point of no return.
    async fn is_replaced(
        &self,
        _context: &Context,
        _kinds: &Kinds,
        _record: &TaskRecord,
    ) -> Result<bool, RunnerError> {
        Ok(false)
    }

    /// Whether, of the tasks that have ended, `candidate` is the only one that keeps `waiting`, a failed task of this kind,
    /// from being resumed: then it must not be forgotten.
    async fn is_last_guard(
        &self,
        _context: &Context,
        _kinds: &Kinds,
        _waiting: &TaskRecord,
        _candidate: &TaskRecord,
        _others: &[&TaskRecord],
    ) -> Result<bool, RunnerError> {
        Ok(false)
    }

    /// Releases what a task that has ended, and is not to be resumed, may still hold in the bucket. May run again.
    async fn release(&self, _context: &Context, _record: &TaskRecord) -> Result<(), StepError> {
        Ok(())
    }

    /// Whether a task that has ended must not be forgotten yet, because users may still go on from it.
    async fn must_keep(
        &self,
        _context: &Context,
        _record: &TaskRecord,
    ) -> Result<bool, RunnerError> {
        Ok(false)
    }

    /// Tasks of this kind that something else still refers to, and that must not be forgotten yet. Asked once for all tasks
    /// that are about to be.
    async fn referred_to(&self, _context: &Context) -> Result<BTreeSet<TaskId>, RunnerError> {
        Ok(BTreeSet::new())
    }

    /// The tables that a task has changed or saved, if it has come that far.
    async fn touched(
        &self,
        _context: &Context,
        _record: &TaskRecord,
    ) -> Result<Touched, RunnerError> {
        Ok(Touched::Nothing)
    }

    /// What a task that has ended has found or done beyond its findings: writes it into the view.
    async fn add_result(
        &self,
        _context: &Context,
        _task: &LiveTask,
        _view: &mut model::task::Task,
    ) -> Result<(), RunnerError> {
        Ok(())
    }
}

/// Tables that a task has to do with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Touched {
    Nothing,
    Selected(Selection),
    Tables {
        /// Whose data it has brought.
        loaded: BTreeSet<TableRef>,
        /// The loaded ones, and views over them.
        all: BTreeSet<TableRef>,
    },
    /// It is not known which.
    Unknown,
}

/// What a step that failed for good means for its task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Whether what the task made is undone at once.
    pub clean: bool,
    /// What a user can do next, behind the task's error; empty if nothing.
    pub what_next: String,
}

/// What came of undoing.
pub(crate) enum Undone {
    /// Everything that could be undone was; what is left over is in the findings.
    Done(Vec<Finding>),
    /// The step of this kind has succeeded after all: there is nothing to give up, and the task goes on.
    Succeeded(StepKind),
}

/// One task of a kind, with what its steps share.
#[async_trait]
pub(crate) trait Job: Send + Sync + 'static {
    /// Runs a step once. It may have run before, wholly or in part.
    async fn run(&self, step: &StepRun) -> Result<Output, StepError>;

    /// What the failure of a step that is not best effort means.
    fn failure(&self, _task: &LiveTask, _step: StepKind, _error: &StepError) -> Failure {
        Failure {
            clean: false,
            what_next: String::new(),
        }
    }

    /// What users must know while the task is paused where it is now; empty if nothing.
    fn while_paused(&self, _task: &LiveTask) -> String {
        String::new()
    }

    /// The finding for a best-effort step that was given up.
    fn given_up(&self, _task: &LiveTask, _at: usize, _error: &StepError) -> Finding {
        unreachable!("a kind that has steps of best effort knows what they leave")
    }

    /// Whether a step that has succeeded is run again when the task is adopted.
    fn runs_again(&self, _task: &LiveTask, _step: StepKind) -> bool {
        false
    }

    /// Findings of a task that has succeeded.
    fn closing(&self) -> Vec<Finding> {
        Vec::new()
    }

    /// What a task that has failed, and was not undone, leaves behind that a user must know of; all of it, if it was ended
    /// by force.
    fn left_over(&self, _task: &LiveTask, _forced: bool) -> Vec<Finding> {
        Vec::new()
    }

    /// Undoes what a task that is given up has made, as well as it can be undone. May run again.
    async fn undo(
        &self,
        _context: &Context,
        _kinds: &Kinds,
        _task: &LiveTask,
        _reason: &str,
    ) -> Undone {
        Undone::Done(Vec::new())
    }
}

impl Touched {
    /// Whether it has to do with any of these tables.
    pub fn meets(&self, tables: &BTreeSet<TableRef>) -> bool {
        match self {
            Self::Nothing => false,
            Self::Unknown => true,
            Self::Selected(selection) => tables
                .iter()
                .any(|table| selection.contains(&table.keyspace, &table.table)),
            Self::Tables { all, .. } => !all.is_disjoint(tables),
        }
    }
}

/// For kinds whose tasks can be resumed once they have ended without success.
pub(crate) fn check_ended(record: &TaskRecord) -> Result<(), RunnerError> {
    let (why, hint) = match record.state {
        TaskState::Succeeded => ("it has succeeded", "there is nothing left to do"),
        TaskState::Pending | TaskState::Running => {
            ("it is running", "watch it with `ringkeep task watch`")
        }
        TaskState::Failed | TaskState::Cancelled | TaskState::Paused => return Ok(()),
    };
    Err(RunnerError::not_resumable(record.id, why, hint))
}
