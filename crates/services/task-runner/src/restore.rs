//! Restores: planned from what is now, and started as the plan that was shown.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use api::convert::node::share_rings;
use api::convert::{required, time};
use api::pb::planner::{PlanRestoreRequest, PlanStep, RestorePlan, TableAction};
use api::pb::storage_catalog::{Backup, GetBackupRequest};
use api::pb::types as pb;
use jiff::Timestamp;
use model::task::{Step, Task, TaskKind, TaskState};
use model::{BackupName, BackupRef, ClusterName, Finding, Selection, TaskId, When};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::backup::step;
use crate::cluster;
use crate::core::Core;
use crate::describe::{describe_all, schema};
use crate::error::RunnerError;
use crate::graph;
use crate::order::{Order, Table};
use crate::plans::{self, PlanRecord};
use crate::record::{Job, Node, RestoreJob, TaskRecord, Work};
use crate::services::{CATALOG_DEADLINE, PLAN_DEADLINE, within};

/// A restore as it was asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NewRestore {
    /// Absent where the backup's name is unique in the bucket.
    pub cluster: Option<ClusterName>,
    pub backup: BackupName,
    pub target: ClusterName,
    pub selection: Selection,
    pub mode: i32,
    pub allow_unlisted_version: bool,
    pub datacenters: BTreeMap<String, String>,
    pub completeness: i32,
    pub rewrite_schema: bool,
}

/// A plan, and the hash of each node manifest of its backup by host id: what is staged later must be what was planned.
struct Planned {
    plan: RestorePlan,
    manifests: BTreeMap<String, String>,
}

/// Plans a restore from the backup, the cluster and its schema as they are. Touches nothing.
async fn plan(core: &Core, wish: NewRestore) -> Result<Planned, RunnerError> {
    let services = &core.services;
    let cluster = cluster::get(services, &wish.target).await?;
    let mut catalog = services.catalog();
    let get_backup = GetBackupRequest {
        backup: Some(pb::BackupRef {
            cluster: wish.cluster.map(String::from).unwrap_or_default(),
            name: wish.backup.into(),
        }),
    };
    let selection = pb::Selection::from(wish.selection);
    let (described, backup) = tokio::join!(
        describe_all(services, &cluster.agents),
        within(CATALOG_DEADLINE, catalog.get_backup(get_backup)),
    );
    let backup = backup.map_err(RunnerError::remote("storage-catalog"))?;
    let schema = match described.nodes.is_empty() {
        // The planner refuses a cluster of which nobody answers, and says so better than an error would.
        true => None,
        false => Some(
            schema(services, &described.nodes)
                .await
                .map_err(|why| RunnerError::NoSchema(wish.target.clone(), why))?,
        ),
    };
    let backup = required("backup", backup.backup)?;
    let manifests = manifests(&backup);
    let (sstables, target_keys) =
        sstables::gather(services, &backup, &selection, &described.nodes).await?;
    let mut nodes = described.nodes;
    share_rings(&mut nodes);
    let request = PlanRestoreRequest {
        backup: Some(backup),
        target: wish.target.to_string(),
        nodes,
        unreachable: described.unreachable,
        schema,
        selection: Some(selection),
        mode: wish.mode,
        allow_unlisted_version: wish.allow_unlisted_version,
        sstables,
        datacenters: wish.datacenters.into_iter().collect(),
        completeness: wish.completeness,
        rewrite_schema: wish.rewrite_schema,
        target_keys,
        now: time((services.clock)()),
        rates: None,
    };
    let mut planner = services.planner();
    let answer = within(PLAN_DEADLINE, planner.plan_restore(request))
        .await
        .map_err(RunnerError::remote("planner"))?;
    let plan = required("plan", answer.plan)?;
    Ok(Planned { plan, manifests })
}

fn manifests(backup: &Backup) -> BTreeMap<String, String> {
    let nodes = backup.nodes.iter();
    nodes
        .filter_map(|node| {
            let host_id = node.member.as_ref()?.host_id.clone();
            Some((host_id, node.manifest_blake3.clone()))
        })
        .collect()
}

/// Plans a restore, and keeps the plan under a number if it can be done.
pub(crate) async fn show(core: &Core, wish: NewRestore) -> Result<RestorePlan, RunnerError> {
    let Planned { mut plan, .. } = plan(core, wish.clone()).await?;
    if plan.supported {
        let record = PlanRecord {
            wish,
            digest: plans::digest(&plan),
            made_at: (core.services.clock)(),
        };
        plan.number = core.services.plans.keep(&record).await?;
    }
    Ok(plan)
}

/// What is to be started.
#[derive(Debug, Clone)]
pub(crate) enum Start {
    /// Whatever the plan for this comes out as now.
    Wish(Box<NewRestore>),
    /// The plan that was shown under this number.
    Shown(u64),
}

/// Plans a restore and starts it if no finding refuses it. The plan is answered either way.
pub(crate) async fn start(
    core: Arc<Core>,
    what: Start,
) -> Result<(Option<TaskId>, RestorePlan), RunnerError> {
    let (wish, shown) = match what {
        Start::Wish(wish) => (*wish, None),
        Start::Shown(number) => {
            let record = core.services.plans.get(number).await?;
            let record = record.ok_or(RunnerError::UnknownPlan(number))?;
            (record.wish, Some((number, record.digest)))
        }
    };
    let target = wish.target.clone();
    if let Some(task) = core.services.tasks.claimed_by(&target).await? {
        return Err(RunnerError::ClusterBusy {
            cluster: target,
            task,
        });
    }
    let planned = plan(&core, wish).await?;
    let (mut plan, manifests) = (planned.plan, planned.manifests);
    if let Some((number, digest)) = shown {
        if plans::digest(&plan) != digest {
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
    let now = (core.services.clock)();
    let (record, mut order) = record(TaskId(Uuid::now_v7()), target, &plan, now)?;
    order.manifests = of_sources(&plan, &manifests)?;
    let id = record.task.id;
    let (stored, fence) = core.enlist(record, Some(&order)).await?;
    core.drive(stored, fence).await?;
    Ok((Some(id), plan))
}

/// The task that carries a plan out as it was shown.
fn record(
    id: TaskId,
    target: ClusterName,
    plan: &RestorePlan,
    now: Timestamp,
) -> Result<(TaskRecord, Order), RunnerError> {
    let backup: BackupRef = required("plan.backup", plan.backup.clone())?.try_into()?;
    let findings: Vec<Finding> = api::convert::all(plan.findings.clone())?;
    let nodes: Vec<Node> = plan
        .nodes
        .iter()
        .map(|node| Node {
            address: node.node.clone(),
            agent: node.agent.clone(),
            host_id: node.host_id.clone(),
        })
        .collect();
    let job = RestoreJob {
        nodes,
        target_ring: plan.target_ring.clone(),
        target_schema_version: plan.target_schema_version.clone(),
        closing: findings
            .into_iter()
            .filter(|finding| finding.when == When::After)
            .collect(),
    };
    let task = Task {
        id,
        kind: TaskKind::Restore,
        state: TaskState::Pending,
        attempt: 1,
        cluster: target,
        backup,
        created_at: now,
        finished_at: None,
        steps: restore_steps(plan)?,
        error: String::new(),
        findings: Vec::new(),
    };
    let record = TaskRecord {
        task,
        job: Job::Restore(job),
        ending: None,
        past_return: false,
        cleaned: false,
        attempted: BTreeSet::new(),
        first_ended: None,
    };
    Ok((record, order(plan)?))
}

fn order(plan: &RestorePlan) -> Result<Order, RunnerError> {
    let mut order = Order::default();
    for table in &plan.tables {
        let name = required("plan.tables.table", table.table.clone())?.try_into()?;
        if table.action() == TableAction::RebuildView {
            order.views.push(name);
        } else {
            order.tables.push(Table {
                table: name,
                source_id: table.source_id.clone(),
                target_id: table.target_id.clone(),
                recreated: table.action() == TableAction::Recreate,
            });
        }
    }
    for node in plan.nodes.iter().filter(|node| !node.shares.is_empty()) {
        let shares = api::convert::all(node.shares.clone())?;
        order.shares.insert(node.node.clone(), shares);
    }
    for step in plan.steps.iter().filter(|step| !step.cql.is_empty()) {
        order.cql.insert(step.id.clone(), step.cql.clone());
    }
    Ok(order)
}

/// The hashes of the sources' node manifests. Without them nothing could be staged.
fn of_sources(
    plan: &RestorePlan,
    manifests: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, RunnerError> {
    let sources = plan.nodes.iter().flat_map(|node| &node.sources);
    sources
        .map(|source| match manifests.get(source) {
            Some(blake3) if !blake3.is_empty() => Ok((source.clone(), blake3.clone())),
            _ => Err(RunnerError::PlanNotUnderstood(format!(
                "the catalog does not know the hash of the manifest of source node {source}"
            ))),
        })
        .collect()
}

/// The plan's steps as work of this runner. A plan leaves nothing to be added.
fn restore_steps(plan: &RestorePlan) -> Result<Vec<Step<Work>>, RunnerError> {
    let agents: HashMap<&str, (&str, &[String])> = plan
        .nodes
        .iter()
        .map(|node| {
            (
                node.node.as_str(),
                (node.agent.as_str(), node.sources.as_slice()),
            )
        })
        .collect();
    let mut steps = Vec::with_capacity(plan.steps.len());
    for planned in &plan.steps {
        let work = work(planned, &agents)?;
        steps.push(step(&planned.id, &planned.node, &planned.after, work));
    }
    graph::check(&steps).map_err(RunnerError::PlanNotUnderstood)?;
    Ok(steps)
}

fn work(
    planned: &PlanStep,
    agents: &HashMap<&str, (&str, &[String])>,
) -> Result<Work, RunnerError> {
    let found = agents.get(planned.node.as_str());
    let known = || {
        found.map(|(agent, _)| (*agent).to_owned()).ok_or_else(|| {
            RunnerError::PlanNotUnderstood(format!(
                "step `{}` is for node `{}`, of which the plan knows no agent",
                planned.id, planned.node
            ))
        })
    };
    Ok(match planned.kind.as_str() {
        "pin" => Work::Pin,
        "stage" => Work::Stage {
            agent: known()?,
            sources: found
                .map(|(_, sources)| sources.to_vec())
                .unwrap_or_default(),
        },
        "check" => Work::Check,
        "schema" => Work::Schema,
        "replace" => Work::Replace,
        "load" => Work::Load { agent: known()? },
        "stop" => Work::Stop { agent: known()? },
        "swap" => Work::Swap { agent: known()? },
        "start" => Work::Start { agent: known()? },
        "upgradesstables" => Work::UpgradeSstables { agent: known()? },
        "views" => Work::Views { agent: None },
        "finish" => Work::Finish { agent: known()? },
        "unpin" => Work::Unpin,
        "barrier" => Work::Barrier,
        kind => {
            return Err(RunnerError::PlanNotUnderstood(format!(
                "step `{}` is of the unknown kind `{kind}`",
                planned.id
            )));
        }
    })
}

mod sstables;
#[cfg(test)]
mod tests;
