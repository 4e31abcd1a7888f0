//! Plans maintenance and hands it to a driver; the same document is the same task.

use std::sync::Arc;
use std::time::Duration;

use model::task::{QueueOptions, TaskKind};
use model::{ClusterName, MaintenanceJob, TaskId};
use state_store::StateError;
use uuid::Uuid;

use super::names::{self, Document, Name};
use super::nodes;
use super::spec::{MaintenanceSpec, SPEC};
use crate::cluster::{self, Cluster};
use crate::describe::{Described, describe_all};
use crate::engine::{Engine, Need, NewTask, TaskRecord};
use crate::error::RunnerError;

/// Jobs of one task, and nodes that are at work at a time; more is a mistake.
pub(crate) const JOBS_MAX: usize = 20;
pub(crate) const CONCURRENCY_MAX: u32 = 64;

/// How often a task that another has the lease of is looked for again.
const LEASE_TRIES: usize = 20;
const LEASE_PAUSE: Duration = Duration::from_millis(50);

/// Maintenance as it was asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NewMaintenance {
    /// None: the only registered cluster that has all of the datacenters.
    pub cluster: Option<ClusterName>,
    pub datacenters: Vec<String>,
    pub racks: Vec<String>,
    pub jobs: Vec<MaintenanceJob>,
    pub concurrency: usize,
    pub document: Option<Document>,
    pub queue: QueueOptions,
}

/// The task that was started or found.
#[derive(Debug)]
pub(crate) struct Started {
    pub task: TaskId,
    pub cluster: ClusterName,
    pub existed: bool,
}

/// Starts the task unless something stands against it. When this returns, the task is on disk.
pub(crate) async fn start(
    engine: Arc<Engine>,
    new: NewMaintenance,
) -> Result<Started, RunnerError> {
    let context = &engine.context;
    let cluster = match &new.cluster {
        Some(name) => cluster::get(context, name).await?,
        None => the_only_one(&engine, &new).await?,
    };
    let Some(document) = &new.document else {
        let id = TaskId(Uuid::now_v7());
        return create(&engine, &new, cluster, id).await;
    };
    match names::take(context, document, &cluster.name).await? {
        Name::Applied(named) => Ok(Started {
            task: named.task,
            cluster: named.cluster,
            existed: true,
        }),
        Name::Create(id) => match create_named(&engine, &new, cluster, id).await {
            // Another caller has created it, or does so at this moment.
            Err(RunnerError::TaskExists(id)) => existing(&engine, document, id).await,
            created => created,
        },
    }
}

/// The task of an id that was written down before. For a moment another may have its lease: one who creates it, or who tidies
/// up after a runner that died while it did.
async fn create_named(
    engine: &Arc<Engine>,
    new: &NewMaintenance,
    cluster: Cluster,
    id: TaskId,
) -> Result<Started, RunnerError> {
    for _ in 0..LEASE_TRIES {
        match create(engine, new, cluster.clone(), id).await {
            Err(RunnerError::State(StateError::LeaseHeld { .. })) => {
                tokio::time::sleep(LEASE_PAUSE).await;
            }
            created => return created,
        }
    }
    Err(RunnerError::DrivenElsewhere(id))
}

/// A task that was created meanwhile, if it runs this document.
async fn existing(
    engine: &Engine,
    document: &Document,
    id: TaskId,
) -> Result<Started, RunnerError> {
    let record = engine.load(id).await?.record;
    if !names::is_task_of(document, &record) {
        return Err(RunnerError::DocumentDiffers {
            kind: document.kind.clone(),
            name: document.name.clone(),
            task: id,
        });
    }
    Ok(Started {
        existed: true,
        task: id,
        cluster: record.cluster,
    })
}

/// The registered cluster that has these datacenters. One that cannot be asked might have them, too.
async fn the_only_one(engine: &Engine, new: &NewMaintenance) -> Result<Cluster, RunnerError> {
    let context = &engine.context;
    let (mut found, mut unsure, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    for cluster in cluster::list(context).await? {
        let described = describe_all(context, &cluster.agents).await;
        let Some(first) = described.nodes.first() else {
            unsure.push(cluster.name.to_string());
            continue;
        };
        let known = nodes::datacenters(&first.ring);
        if new
            .datacenters
            .iter()
            .all(|name| known.contains(name.as_str()))
        {
            found.push(cluster);
        } else {
            let known = Vec::from_iter(known).join(", ");
            seen.push(format!("{} has {known}", cluster.name));
        }
    }
    let datacenters = new.datacenters.join(", ");
    match found.pop() {
        Some(only) if found.is_empty() && unsure.is_empty() => Ok(only),
        Some(last) => {
            found.push(last);
            let found = found.iter().map(|cluster| cluster.name.to_string());
            Err(RunnerError::ClusterAmbiguous {
                datacenters,
                clusters: found.chain(unsure).collect(),
            })
        }
        None => Err(RunnerError::NoClusterWith {
            datacenters,
            seen,
            unsure,
        }),
    }
}

async fn create(
    engine: &Arc<Engine>,
    new: &NewMaintenance,
    cluster: Cluster,
    id: TaskId,
) -> Result<Started, RunnerError> {
    let context = &engine.context;
    if !new.queue.wait {
        let tasks = &context.tasks;
        tasks.check_free(&cluster.name, &Need::Whole).await?;
    }
    let described = describe_all(context, &cluster.agents).await;
    let spec = spec(new, &described).map_err(|reasons| RunnerError::MaintenanceRefused {
        cluster: cluster.name.clone(),
        reasons,
    })?;
    let now = (context.clock)();
    let record = TaskRecord {
        jobs: spec.jobs.iter().map(ToString::to_string).collect(),
        document: new.document.as_ref().map(names::key_of),
        document_hash: new.document.as_ref().map(names::hash_of),
        ..TaskRecord::new(id, TaskKind::Maintenance, cluster.name.clone(), now).queued(new.queue)
    };
    let steps = &spec.steps();
    let (stored, fence) = engine
        .create(NewTask { record, steps }, &[(SPEC, &spec)])
        .await?;
    engine.drive_new(stored, fence).await;
    Ok(Started {
        task: id,
        cluster: cluster.name,
        existed: false,
    })
}

fn spec(new: &NewMaintenance, described: &Described) -> Result<MaintenanceSpec, Vec<String>> {
    let racks = nodes::select(new, described)?;
    let ring = described.nodes.first().map_or(0, |node| node.ring.len());
    let nodes = racks.iter().map(Vec::len).sum();
    let jobs = nodes::decide_ranges(new, nodes, ring).map_err(|why| vec![why])?;
    Ok(MaintenanceSpec {
        jobs,
        racks,
        concurrency: new.concurrency,
    })
}
