//! Plans a restore from what is now, and starts it as the plan that was shown.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use api::clients::CompleteBackup;
use model::manifest::BackupManifest;
use model::plan::{Rates, RestoreMode, RestoreOptions, RestorePlan, RestoreRequest};
use model::task::{QueueOptions, TaskKind};
use model::{BackupName, BackupRef, ClusterName, Damage, HostId, Schema, TaskId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::plans::{self, PlanRecord, PlanStore};
use super::renamed;
use super::same;
use super::spec::{RestoreSpec, SPEC};
use super::sstables;
use crate::cluster;
use crate::context::Context;
use crate::describe::{describe_agreed, schema};
use crate::engine::{Engine, Keyspaces, Need, NewTask, TaskRecord};
use crate::error::RunnerError;

/// How long a plan looks whether the bucket has every object. Callers give a plan up after two minutes.
const LOOK_LIMIT: Duration = Duration::from_secs(45);

/// A restore as it was asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NewRestore {
    /// None if the backup's name is unique in the bucket.
    pub cluster: Option<ClusterName>,
    pub backup: BackupName,
    pub target: ClusterName,
    /// Among the other fields in the records of plans, as they were before they had a type of their own.
    #[serde(flatten)]
    pub options: RestoreOptions,
}

/// A plan, and the hash of each node manifest of its backup: what is staged later must be what was planned.
struct Planned {
    plan: RestorePlan,
    manifests: BTreeMap<HostId, String>,
}

/// Plans a restore. Touches nothing, so a runner that shuts down does not wait for it.
async fn plan(engine: &Engine, request: NewRestore) -> Result<Planned, RunnerError> {
    tokio::select! {
        () = engine.drain.cancelled() => Err(RunnerError::ShuttingDown),
        planned = plan_now(engine, request) => planned,
    }
}

/// Plans a restore from the backup, the cluster and its schema as they are.
async fn plan_now(engine: &Engine, request: NewRestore) -> Result<Planned, RunnerError> {
    let context = &engine.context;
    let cluster = cluster::get(context, &request.target).await?;
    let (described, backup) = tokio::join!(
        describe_agreed(context, &cluster.agents),
        context
            .catalog
            .get_backup(request.cluster.as_ref(), &request.backup),
    );
    let CompleteBackup {
        manifest: backup,
        verifications,
    } = backup.map_err(RunnerError::remote("storage-catalog"))?;
    let schema = if described.nodes.is_empty() {
        // The planner refuses a cluster of which no agent replies, and says so better than an error would.
        Schema::default()
    } else {
        schema(context, &described.nodes)
            .await
            .map_err(|why| RunnerError::NoSchema(request.target.clone(), why))?
    };
    let wanted = renamed::selection(&request.options);
    let gathering = sstables::gather(context, &backup.backup, &wanted, &described.nodes);
    let (gathered, missing) = tokio::join!(gathering, missing(context, &backup.backup));
    let ((sstables, target_keys), missing) = (gathered?, missing?);
    let manifests = manifests(&backup);
    let renames = request.options.renames.clone();
    let plan = context.planner.plan_restore(RestoreRequest {
        backup,
        target: request.target,
        nodes: described.nodes,
        unreachable: described.unreachable,
        schema,
        options: request.options,
        sstables,
        target_keys,
        verifications,
        missing,
        now: (context.clock)(),
        rates: Rates::default(),
    });
    let plan = plan.await.map_err(RunnerError::remote("planner"))?;
    renamed::check(&plan.tables, &renames)?;
    Ok(Planned { plan, manifests })
}

/// What the bucket lacks of the backup; none if looking takes so long that the caller would give the plan up.
async fn missing(
    context: &Context,
    backup: &BackupRef,
) -> Result<Option<Vec<Damage>>, RunnerError> {
    let looking = context.catalog.check_objects(backup);
    match tokio::time::timeout(LOOK_LIMIT, looking).await {
        Ok(missing) => Ok(Some(
            missing.map_err(RunnerError::remote("storage-catalog"))?,
        )),
        Err(_) => {
            tracing::warn!(%backup, "whether the bucket has every object of the backup was not checked: it took too long");
            Ok(None)
        }
    }
}

fn manifests(backup: &BackupManifest) -> BTreeMap<HostId, String> {
    let nodes = backup.nodes.iter();
    nodes
        .map(|node| (node.host_id, node.blake3.clone()))
        .collect()
}

/// Plans a restore, and keeps the plan under a number if it can be done.
pub(crate) async fn show(engine: &Engine, request: NewRestore) -> Result<RestorePlan, RunnerError> {
    let Planned { mut plan, .. } = plan(engine, request.clone()).await?;
    if plan.supported {
        let record = PlanRecord {
            request,
            digest: plans::digest(&plan)?,
            made_at: (engine.context.clock)(),
        };
        plan.number = PlanStore::new(&engine.context).keep(&record).await?;
    }
    Ok(plan)
}

/// What is to be started.
#[derive(Debug, Clone)]
pub(crate) enum StartFrom {
    /// Whatever the plan for this comes out as now.
    Request(Box<NewRestore>),
    /// The plan that was shown under this number, and what the caller believes that it restores, if it said so.
    Plan(u64, Option<Box<NewRestore>>),
}

/// Plans a restore and starts it if no finding refuses it. The plan is returned either way.
pub(crate) async fn start(
    engine: Arc<Engine>,
    from: StartFrom,
    queue: QueueOptions,
) -> Result<(Option<TaskId>, RestorePlan), RunnerError> {
    let mut asked_of = None;
    let (request, shown) = match from {
        StartFrom::Request(request) => (*request, None),
        StartFrom::Plan(number, asked) => {
            let record = PlanStore::new(&engine.context).get(number).await?;
            let record = record.ok_or(RunnerError::UnknownPlan(number))?;
            if let Some(asked) = asked {
                same::check(number, &record.request, &asked)?;
                asked_of = asked.cluster;
            }
            (record.request, Some((number, record.digest)))
        }
    };
    if !queue.wait {
        check_free(&engine.context, &request.target).await?;
    }
    let Planned {
        mut plan,
        manifests,
    } = plan(&engine, request).await?;
    if let Some((number, digest)) = shown {
        same::check_cluster(number, &plan.backup.cluster, asked_of.as_ref())?;
        if plans::digest(&plan)? != digest {
            return Err(RunnerError::PlanOutdated {
                number,
                why: plans::difference(&plan),
            });
        }
        plan.number = number;
    }
    if !plan.supported {
        return Ok((None, plan));
    }
    let record = record(&engine, &plan).queued(queue);
    let id = record.id;
    let spec = RestoreSpec::new(plan.clone(), &manifests)?;
    let steps = &plan.steps;
    let (stored, fence) = engine
        .create(NewTask { record, steps }, &[(SPEC, &spec)])
        .await?;
    engine.drive_new(stored, fence).await;
    Ok((Some(id), plan))
}

/// Nothing lets a restore start beside it, whichever tables are restored.
async fn check_free(context: &Context, target: &ClusterName) -> Result<(), RunnerError> {
    context.tasks.check_free(target, &Need::Whole).await
}

/// In place every node stops.
fn need(plan: &RestorePlan) -> Need {
    match plan.mode {
        RestoreMode::InPlace => Need::Whole,
        RestoreMode::Online => {
            let tables = plan.tables.iter().map(|table| &table.table.keyspace);
            Need::Restore(Keyspaces::new(tables))
        }
    }
}

fn record(engine: &Engine, plan: &RestorePlan) -> TaskRecord {
    TaskRecord {
        backup: Some(plan.backup.clone()),
        in_place: plan.mode == RestoreMode::InPlace,
        need: Some(need(plan)),
        pauses: engine.context.config.pause_when_retries_run_out,
        ..TaskRecord::new(
            TaskId(Uuid::now_v7()),
            TaskKind::Restore,
            plan.target.clone(),
            (engine.context.clock)(),
        )
    }
}

#[cfg(test)]
mod tests {
    use model::plan::RequestedMode;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_record_of_a_plan_has_the_options_among_its_fields_and_may_lack_some() {
        let record = json!({
            "cluster": null,
            "backup": "nightly",
            "target": "shop",
            "selection": {"keyspaces": ["shop"], "tables": []},
            "mode": "in-place",
            "allow_unlisted_version": true,
        });
        let restore: NewRestore = serde_json::from_value(record).expect("a record");
        let mut options = RestoreOptions {
            mode: RequestedMode::InPlace,
            allow_unlisted_version: true,
            ..RestoreOptions::default()
        };
        options.selection.keyspaces.push("shop".into());
        assert_eq!(restore.options, options);
        let written = serde_json::to_value(&restore).expect("JSON");
        assert_eq!(written["mode"], "in-place");
        assert_eq!(written["completeness"], "all");
    }
}
