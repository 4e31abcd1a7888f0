//! Registered clusters: a name, and the agents beside its nodes.

mod others;

use std::collections::{BTreeMap, BTreeSet};

use api::client::ConnectError;
use model::{ClusterName, HostId};
use serde::{Deserialize, Serialize};
use state_store::{Expected, StateError};

use crate::context::Context;
use crate::describe::{Described, describe_all, fingerprints};
use crate::engine::{Need, Unreadable, decode, decode_readable, encode};
use crate::error::RunnerError;
use crate::schedules;
use crate::signals;

const CLUSTERS: &str = "clusters/";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cluster {
    pub name: ClusterName,
    /// host:port each.
    pub agents: Vec<String>,
    /// Host ids of the nodes when it was registered: one ring must not be registered under two names, because tasks
    /// keep out of each other's way by name.
    #[serde(default)]
    pub hosts: BTreeSet<HostId>,
}

fn key(name: &ClusterName) -> String {
    format!("{CLUSTERS}{name}")
}

pub(crate) async fn get(context: &Context, name: &ClusterName) -> Result<Cluster, RunnerError> {
    find(context, name)
        .await?
        .ok_or_else(|| RunnerError::UnknownCluster(name.clone()))
}

async fn find(context: &Context, name: &ClusterName) -> Result<Option<Cluster>, RunnerError> {
    context.store.get(&key(name)).await?.map(decode).transpose()
}

pub(crate) async fn list(context: &Context) -> Result<Vec<Cluster>, RunnerError> {
    let entries = context.store.list(CLUSTERS).await?;
    entries.into_iter().map(decode).collect()
}

/// Those clusters that can be read.
pub(crate) async fn readable(
    context: &Context,
    unreadable: &mut Unreadable,
) -> Result<Vec<Cluster>, StateError> {
    let entries = context.store.list(CLUSTERS).await?;
    Ok(decode_readable(entries, unreadable))
}

/// A cluster that is to be registered.
pub(crate) struct NewCluster {
    pub name: ClusterName,
    pub agents: Vec<String>,
    /// Whether the agents of the other members of the ring are looked for.
    pub find_agents: bool,
}

/// Registers a cluster once all of its agents agree on what it is.
pub(crate) async fn add(context: &Context, new: NewCluster) -> Result<Cluster, RunnerError> {
    let mut cluster = Cluster {
        name: new.name,
        agents: new.agents,
        hosts: BTreeSet::new(),
    };
    check_tls(context, &cluster)?;
    if new.find_agents {
        others::add_to(context, &mut cluster.agents).await;
        check_tls(context, &cluster)?;
    }
    if let Some(known) = find(context, &cluster.name).await? {
        return same(known, cluster);
    }
    let described = describe_all(context, &cluster.agents).await;
    cluster.hosts = described
        .nodes
        .iter()
        .map(|node| node.member.host_id)
        .collect();
    check(&cluster, &described, &list(context).await?)?;
    let key = key(&cluster.name);
    let value = encode(&key, &cluster)?;
    match context.store.put(&key, value, Expected::Absent, None).await {
        Ok(_) => {
            tracing::info!(cluster_id = %cluster.name, agents = cluster.agents.len(), "cluster registered");
            Ok(cluster)
        }
        Err(StateError::Conflict { .. }) => same(get(context, &cluster.name).await?, cluster),
        Err(error) => Err(error.into()),
    }
}

/// Refuses agents that would be called in the clear, before any of them is called.
fn check_tls(context: &Context, cluster: &Cluster) -> Result<(), RunnerError> {
    let is_plain = |agent: &&String| {
        let connected = context.agent(agent);
        matches!(connected, Err(ConnectError::Plaintext { .. }))
    };
    let agents: Vec<String> = cluster.agents.iter().filter(is_plain).cloned().collect();
    if agents.is_empty() {
        return Ok(());
    }
    Err(RunnerError::AgentsWithoutTls {
        name: cluster.name.clone(),
        agents,
    })
}

/// Registering a cluster again as it is changes nothing; otherwise it is another one.
fn same(known: Cluster, asked: Cluster) -> Result<Cluster, RunnerError> {
    let set = |agents: &[String]| agents.iter().cloned().collect::<BTreeSet<_>>();
    if set(&known.agents) == set(&asked.agents) {
        Ok(known)
    } else {
        Err(RunnerError::ClusterExists(
            known.name,
            known.agents.join(", "),
        ))
    }
}

/// All reasons why these agents do not make one cluster.
fn check(cluster: &Cluster, described: &Described, known: &[Cluster]) -> Result<(), RunnerError> {
    let unreachable: Vec<String> = described
        .unreachable
        .iter()
        .map(|agent| {
            format!(
                "agent {} does not describe its node: {}",
                agent.agent, agent.reason
            )
        })
        .collect();
    if described.nodes.is_empty() {
        return Err(RunnerError::AgentsUnreachable {
            name: cluster.name.clone(),
            reasons: unreachable,
        });
    }
    let mut reasons = duplicates(&cluster.agents);
    reasons.extend(unreachable);
    reasons.extend(disagreements(described));
    reasons.extend(registered_before(cluster, known));
    if reasons.is_empty() {
        Ok(())
    } else {
        Err(RunnerError::ClusterRefused {
            name: cluster.name.clone(),
            reasons,
        })
    }
}

fn duplicates(agents: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    agents
        .iter()
        .filter(|agent| !seen.insert(*agent))
        .map(|agent| format!("agent {agent} is named twice"))
        .collect()
}

fn registered_before(cluster: &Cluster, known: &[Cluster]) -> Vec<String> {
    let shares = |other: &&Cluster| {
        !other.hosts.is_disjoint(&cluster.hosts)
            || other
                .agents
                .iter()
                .any(|agent| cluster.agents.contains(agent))
    };
    known
        .iter()
        .filter(shares)
        .map(|other| {
            format!(
                "nodes of it are registered as cluster `{}` already",
                other.name
            )
        })
        .collect()
}

fn disagreements(described: &Described) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut hosts: BTreeMap<HostId, &str> = BTreeMap::new();
    let first = &described.nodes[0];
    let rings = fingerprints(&described.nodes);
    for (node, ring) in described.nodes.iter().zip(&rings) {
        let agent = node.agent.as_str();
        let member = &node.member;
        if !node
            .ring
            .iter()
            .any(|other| other.host_id == member.host_id)
        {
            reasons.push(format!(
                "node {} of agent {agent} is not in the ring that it sees",
                member.address
            ));
        } else if *ring != rings[0] {
            reasons.push(format!(
                "agent {agent} sees another ring than agent {}",
                first.agent
            ));
        }
        if node.cluster_name != first.cluster_name {
            reasons.push(format!(
                "agent {agent} belongs to `{}`, agent {} to `{}`",
                node.cluster_name, first.agent, first.cluster_name
            ));
        }
        if let Some(other) = hosts.insert(member.host_id, agent) {
            reasons.push(format!(
                "agents {other} and {agent} stand beside the same node {}",
                member.host_id
            ));
        }
    }
    reasons
}

/// Forgets a cluster that no task works on and that has no schedule.
pub(crate) async fn remove(context: &Context, name: &ClusterName) -> Result<(), RunnerError> {
    get(context, name).await?;
    context.tasks.check_free(name, &Need::Whole).await?;
    context.tasks.check_none_waits(name).await?;
    if schedules::has_any(context, name).await? {
        return Err(RunnerError::ClusterHasSchedules(name.clone()));
    }
    context
        .store
        .delete(&key(name), Expected::Anything, None)
        .await?;
    context.tasks.forget_fences(name).await?;
    context.tasks.forget_ended(name).await?;
    signals::forget_reach(context, name).await?;
    tracing::info!(cluster_id = %name, "cluster forgotten");
    Ok(())
}
