//! Collecting garbage: one step, in which the storage-catalog deletes what is of no use under one name after the other, and
//! pins are released that tasks hold which have ended.

mod pins;

use std::collections::BTreeSet;
use std::sync::Arc;

use api::clients::DeleteBackup;
use api::{ErrorKind, RemoteError};
use async_trait::async_trait;
use model::plan::StepKind;
use model::task::{
    Deletion, Progress, RetentionEntry, RetentionOutcome, RetentionReport, Task, TaskKind,
};
use model::{ClusterName, CollectionPlan, Garbage, GarbageKind, TaskId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::context::Context;
use crate::engine::{
    Engine, Job, Kind, LiveTask, NewTask, Output, Policy, StepError, StepRun, StepTraits,
    TaskRecord, check_ended,
};
use crate::error::RunnerError;
use pins::Holder;

/// The name of its request among its documents.
const SPEC: &str = "collection";
/// What was found and what became of it.
const REPORT: &str = "report";

/// What a collection goes by, besides what it finds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Spec {
    /// Tasks that are known to be lost: their pins are released.
    #[serde(default)]
    lost_tasks: BTreeSet<TaskId>,
}

/// What is of no use under a cluster, now.
pub(crate) async fn plan(
    context: &Context,
    cluster: &ClusterName,
) -> Result<CollectionPlan, RunnerError> {
    let garbage = context.catalog.find_garbage(cluster).await;
    let garbage = garbage.map_err(RunnerError::remote("storage-catalog"))?;
    let (stale_pins, unknown_pins) = pins::of_ended_tasks(context, cluster).await?;
    Ok(CollectionPlan {
        garbage,
        stale_pins,
        unknown_pins,
    })
}

/// Starts a task that deletes what is of no use under a cluster.
pub(crate) async fn start(
    engine: Arc<Engine>,
    cluster: ClusterName,
    lost_tasks: BTreeSet<TaskId>,
) -> Result<TaskId, RunnerError> {
    let id = TaskId(Uuid::now_v7());
    let now = (engine.context.clock)();
    let record = TaskRecord::new(id, TaskKind::Collection, cluster, now);
    let steps = &plan::collection_steps();
    let spec = Spec { lost_tasks };
    let (stored, fence) = engine
        .create(NewTask { record, steps }, &[(SPEC, &spec)])
        .await?;
    engine.drive_new(stored, fence).await;
    Ok(id)
}

/// Collecting garbage as a kind of task.
pub(crate) struct CollectionKind;

#[async_trait]
impl Kind for CollectionKind {
    fn policy(&self) -> Policy {
        Policy {
            // The catalog refuses what is of use.
            claims_cluster: false,
            undo_without_claim: false,
            cancel_after_failure: false,
        }
    }

    /// A deletion of garbage that is cut short leaves garbage.
    fn traits(&self, _step: StepKind) -> StepTraits {
        StepTraits::default()
    }

    async fn open(
        &self,
        context: &Context,
        record: &TaskRecord,
    ) -> Result<Arc<dyn Job>, RunnerError> {
        let spec = context.tasks.required_document(record.id, SPEC).await?;
        Ok(Arc::new(CollectionJob { spec }))
    }

    fn past_point_of_no_return(&self, id: TaskId) -> RunnerError {
        RunnerError::UnknownTask(id)
    }

    fn check_resumable(&self, record: &TaskRecord) -> Result<(), RunnerError> {
        check_ended(record)?;
        Err(RunnerError::not_resumable(
            record.id,
            "a collection goes by what there is when it starts",
            "start another one with `ringkeep gc run`",
        ))
    }

    async fn add_result(
        &self,
        context: &Context,
        task: &LiveTask,
        view: &mut Task,
    ) -> Result<(), RunnerError> {
        let report = context.tasks.document(task.record.id, REPORT).await?;
        view.collection = Some(report.unwrap_or_else(RetentionReport::default));
        Ok(())
    }
}

struct CollectionJob {
    spec: Spec,
}

#[async_trait]
impl Job for CollectionJob {
    async fn run(&self, step: &StepRun) -> Result<Output, StepError> {
        let cluster = step.cluster();
        let mut report: RetentionReport = step.document(REPORT).await?.unwrap_or_default();
        let found = plan(&step.context, &cluster).await?;
        let of_lost = found.unknown_pins.into_iter();
        let of_lost = of_lost.filter(|(_, task)| self.spec.lost_tasks.contains(task));
        let stale = found.stale_pins.into_iter().map(|pin| (pin, Holder::Ended));
        let pins = stale.chain(of_lost.map(|pin| (pin, Holder::Lost)));
        for ((backup, task), holder) in pins {
            if pins::release(&step.context, &backup, task, holder).await? {
                let why = format!("a pin of task {task}, which {}", holder.why());
                report
                    .entries
                    .push(entry(backup.name, why, RetentionOutcome::Deleted));
            }
        }
        let total = found.garbage.len();
        for (at, garbage) in found.garbage.into_iter().enumerate() {
            step.report(Progress {
                items_done: at as u64,
                items_total: total as u64,
                note: garbage.backup.to_string(),
                ..Progress::default()
            });
            report.entries.push(collect(step, garbage).await?);
            step.put_document(REPORT, &report).await?;
        }
        step.put_document(REPORT, &report).await?;
        Ok(Output::NOTHING)
    }
}

async fn collect(step: &StepRun, garbage: Garbage) -> Result<RetentionEntry, StepError> {
    let how = DeleteBackup {
        only_garbage: true,
        ..DeleteBackup::default()
    };
    let catalog = &step.context.catalog;
    let deleted = catalog.delete_backup(&garbage.backup, how, &|_| {}).await;
    let name = garbage.backup.name;
    let why = why(garbage.kind);
    Ok(match deleted {
        Ok(Deletion { objects, bytes, .. }) => RetentionEntry {
            objects,
            bytes,
            ..entry(name, why, RetentionOutcome::Deleted)
        },
        Err(error) if error.kind == ErrorKind::NotFound => entry(name, why, RetentionOutcome::Gone),
        Err(error) if may_pass(&error) => return Err(error.into()),
        Err(error) => RetentionEntry {
            detail: StepError::from(error).text(),
            ..entry(name, why, RetentionOutcome::Refused)
        },
    })
}

fn may_pass(error: &RemoteError) -> bool {
    error.is_retryable() || error.kind == ErrorKind::Cancelled
}

fn why(kind: Option<GarbageKind>) -> String {
    match kind {
        None => "of no use",
        Some(GarbageKind::Strays) => "objects of a backup that was deleted",
        Some(GarbageKind::GivenUp) => "a backup that was given up",
        Some(GarbageKind::HalfDeleted) => "a deletion that was cut short",
    }
    .to_owned()
}

fn entry(backup: model::BackupName, why: String, outcome: RetentionOutcome) -> RetentionEntry {
    RetentionEntry {
        backup,
        schedule: String::new(),
        why,
        outcome,
        detail: String::new(),
        objects: 0,
        bytes: 0,
    }
}
