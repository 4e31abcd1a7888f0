//! What tasks have left on the nodes of a cluster: shown, cleared on request, and reconciled with the tasks from time to time.
//!
//! An agent knows what is there by its name, and the runner what the task of that name still needs. Nothing is cleared of a
//! task that lives or can be resumed; and nothing by itself of one that this runner does not know, or of old files that a
//! restore in place has kept aside.

mod reconcile;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use api::RemoteError;
use futures::future::join_all;
use model::leftover::{
    ClearedLeftover, ClearedLeftovers, FoundLeftover, FoundLeftovers, Leftover, LeftoverKind,
    LeftoverOwner,
};
use model::plan::UnreachableAgent;
use model::{ClusterName, HostId, TaskId};

use crate::cluster;
use crate::context::Context;
use crate::engine::{Engine, fences};
use crate::error::RunnerError;
use crate::kinds::rollback_in_part;

pub(crate) use reconcile::reconcile_loop;

/// How long clearing what one task has left may take: this many quarters of the time that a lease lasts. The task's is held
/// meanwhile, so that it is not resumed.
const CLEAR_WITHIN_QUARTERS: u32 = 3;
/// The same for looking at a node.
const LIST_WITHIN: Duration = Duration::from_secs(60);

/// What was found on one node.
struct OnNode {
    agent: String,
    host: HostId,
    leftovers: Vec<Leftover>,
}

/// What was found on all nodes of a cluster.
struct Found {
    nodes: Vec<OnNode>,
    unreachable: Vec<UnreachableAgent>,
    owners: BTreeMap<TaskId, LeftoverOwner>,
}

/// What tasks have left on the nodes of a cluster.
pub(crate) async fn list(
    engine: &Engine,
    cluster: &ClusterName,
) -> Result<FoundLeftovers, RunnerError> {
    let found = Found::on(&engine.context, cluster).await?;
    let mut listed = Vec::new();
    for node in found.nodes {
        for leftover in node.leftovers {
            listed.push(FoundLeftover {
                agent: node.agent.clone(),
                owner: found.owners[&leftover.task],
                leftover,
            });
        }
    }
    Ok(FoundLeftovers {
        found: listed,
        unreachable: found.unreachable,
    })
}

/// Clears what these tasks have left on the nodes of a cluster, if all of them have ended or are not known.
pub(crate) async fn clear(
    engine: &Engine,
    cluster: &ClusterName,
    tasks: &BTreeSet<TaskId>,
    old_files: bool,
) -> Result<ClearedLeftovers, RunnerError> {
    for task in tasks {
        let owner = owner(&engine.context, *task).await?;
        if !may_clear(owner) {
            let by = rollback_in_part(&engine.context, *task).await?;
            let by = by.unwrap_or(*task);
            return Err(RunnerError::LeftoversInUse {
                id: *task,
                owner,
                by,
            });
        }
    }
    let found = Found::on(&engine.context, cluster).await?;
    let mut cleared = Vec::new();
    for task in tasks {
        let wanted = |kind| old_files || kind != LeftoverKind::OldFiles;
        cleared.extend(found.clear(engine, *task, &wanted).await?);
        cleared.extend(found.kept_old_files(*task, old_files));
    }
    Ok(ClearedLeftovers {
        cleared,
        unreachable: found.unreachable,
    })
}

fn may_clear(owner: LeftoverOwner) -> bool {
    matches!(owner, LeftoverOwner::Ended | LeftoverOwner::Unknown)
}

/// What the runner knows of a task now. A rollback that is not at its end needs what its restore has left.
async fn owner(context: &Context, id: TaskId) -> Result<LeftoverOwner, RunnerError> {
    if rollback_in_part(context, id).await?.is_some() {
        return Ok(LeftoverOwner::Resumable);
    }
    Ok(match context.tasks.get(id).await? {
        None => LeftoverOwner::Unknown,
        Some(stored) if !stored.record.state.is_final() => LeftoverOwner::Alive,
        Some(stored) if stored.record.has_leftovers() => LeftoverOwner::Resumable,
        Some(_) => LeftoverOwner::Ended,
    })
}

impl Found {
    /// Asks all agents at once.
    async fn on(context: &Context, cluster: &ClusterName) -> Result<Self, RunnerError> {
        let cluster = cluster::get(context, cluster).await?;
        let each = cluster.agents.iter().map(|agent| async move {
            let found = list_on(context, agent).await;
            found.map_err(|reason| UnreachableAgent {
                agent: agent.clone(),
                reason,
            })
        });
        let mut found = Self {
            nodes: Vec::new(),
            unreachable: Vec::new(),
            owners: BTreeMap::new(),
        };
        for node in join_all(each).await {
            match node {
                Ok(node) => found.nodes.push(node),
                Err(unreachable) => found.unreachable.push(unreachable),
            }
        }
        let leftovers = found.nodes.iter().flat_map(|node| &node.leftovers);
        let tasks: BTreeSet<TaskId> = leftovers.map(|leftover| leftover.task).collect();
        for task in tasks {
            found.owners.insert(task, owner(context, task).await?);
        }
        Ok(found)
    }

    /// Clears what a task has left of the wanted kinds. It is not resumed meanwhile, because its lease is held.
    async fn clear(
        &self,
        engine: &Engine,
        task: TaskId,
        is_wanted: &(dyn Fn(LeftoverKind) -> bool + Sync),
    ) -> Result<Vec<(String, ClearedLeftover)>, RunnerError> {
        let on_nodes: Vec<(&OnNode, Vec<(LeftoverKind, TaskId)>)> = self
            .nodes
            .iter()
            .map(|node| (node, node.of_task(task, is_wanted)))
            .filter(|(_, leftovers)| !leftovers.is_empty())
            .collect();
        if on_nodes.is_empty() {
            return Ok(Vec::new());
        }
        let tasks = &engine.context.tasks;
        let Ok(fence) = tasks.acquire(task, &engine.holder).await else {
            return Ok(kept(&on_nodes, "its task is about to be driven"));
        };
        let cleared = match owner(&engine.context, task).await {
            Ok(owner) if may_clear(owner) => {
                let context = engine.context.under(fences::of_task(task, &fence));
                self.clear_all(&context, &on_nodes).await
            }
            Ok(_) => kept(&on_nodes, "its task has been resumed"),
            Err(error) => {
                tasks.release(&fence).await;
                return Err(error);
            }
        };
        tasks.release(&fence).await;
        Ok(cleared)
    }

    async fn clear_all(
        &self,
        context: &Context,
        on_nodes: &[(&OnNode, Vec<(LeftoverKind, TaskId)>)],
    ) -> Vec<(String, ClearedLeftover)> {
        let owners = self.owners.iter();
        let live: Vec<TaskId> = owners
            .filter(|(_, owner)| !may_clear(**owner))
            .map(|(task, _)| *task)
            .collect();
        let live = &live;
        let each = on_nodes.iter().map(|(node, leftovers)| async move {
            match clear_on(context, node, leftovers, live).await {
                Ok(cleared) => cleared
                    .into_iter()
                    .map(|cleared| (node.agent.clone(), cleared))
                    .collect(),
                Err(why) => kept(&[(*node, leftovers.clone())], &why),
            }
        });
        join_all(each).await.concat()
    }

    /// Old files that stay because they were not asked for.
    fn kept_old_files(&self, task: TaskId, old_files: bool) -> Vec<(String, ClearedLeftover)> {
        let is_old = |kind| kind == LeftoverKind::OldFiles && !old_files;
        let nodes = self.nodes.iter();
        let on_nodes: Vec<_> = nodes
            .map(|node| (node, node.of_task(task, &is_old)))
            .collect();
        kept(
            &on_nodes,
            "it has old files of a restore in place, which go only with --old-files",
        )
    }
}

impl OnNode {
    fn of_task(
        &self,
        task: TaskId,
        is_wanted: &(dyn Fn(LeftoverKind) -> bool + Sync),
    ) -> Vec<(LeftoverKind, TaskId)> {
        let leftovers = self.leftovers.iter();
        leftovers
            .filter(|leftover| leftover.task == task && is_wanted(leftover.kind))
            .map(|leftover| (leftover.kind, leftover.task))
            .collect()
    }
}

fn kept(
    on_nodes: &[(&OnNode, Vec<(LeftoverKind, TaskId)>)],
    why: &str,
) -> Vec<(String, ClearedLeftover)> {
    let mut all = Vec::new();
    for (node, leftovers) in on_nodes {
        for (kind, task) in leftovers {
            let cleared = ClearedLeftover {
                kind: *kind,
                task: *task,
                freed_bytes: 0,
                kept_because: Some(why.to_owned()),
            };
            all.push((node.agent.clone(), cleared));
        }
    }
    all
}

async fn list_on(context: &Context, address: &str) -> Result<OnNode, String> {
    let agent = context.agent(address).map_err(|error| error.to_string())?;
    let (host, leftovers) = within(LIST_WITHIN, agent.list_leftovers()).await?;
    Ok(OnNode {
        agent: address.to_owned(),
        host,
        leftovers,
    })
}

async fn clear_on(
    context: &Context,
    node: &OnNode,
    leftovers: &[(LeftoverKind, TaskId)],
    live: &[TaskId],
) -> Result<Vec<ClearedLeftover>, String> {
    let agent = context
        .agent(&node.agent)
        .map_err(|error| error.to_string())?;
    let clearing = agent.clear_leftovers(node.host, leftovers, live);
    within(
        context.tasks.lease_ttl() / 4 * CLEAR_WITHIN_QUARTERS,
        clearing,
    )
    .await
}

async fn within<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, RemoteError>>,
) -> Result<T, String> {
    match tokio::time::timeout(limit, call).await {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err(format!("there was no reply within {} s", limit.as_secs())),
    }
}
