//! Registered clusters: a name, and the agents that stand beside its nodes.

use std::collections::{BTreeMap, BTreeSet};

use model::ClusterName;
use serde::{Deserialize, Serialize};
use state_store::{Expected, StateError};

use crate::describe::{Described, describe_all, member, ring_of};
use crate::error::RunnerError;
use crate::services::Services;
use crate::store::{decode, encode};

const CLUSTERS: &str = "clusters/";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cluster {
    pub name: ClusterName,
    /// host:port each.
    pub agents: Vec<String>,
    /// Host ids of the nodes when it was registered: one ring must not be registered under two names, because tasks
    /// keep out of each other's way by name.
    #[serde(default)]
    pub hosts: BTreeSet<String>,
}

fn key(name: &ClusterName) -> String {
    format!("{CLUSTERS}{name}")
}

pub(crate) async fn get(services: &Services, name: &ClusterName) -> Result<Cluster, RunnerError> {
    find(services, name)
        .await?
        .ok_or_else(|| RunnerError::UnknownCluster(name.clone()))
}

async fn find(services: &Services, name: &ClusterName) -> Result<Option<Cluster>, RunnerError> {
    services
        .store
        .get(&key(name))
        .await?
        .map(decode)
        .transpose()
}

pub(crate) async fn list(services: &Services) -> Result<Vec<Cluster>, RunnerError> {
    let entries = services.store.list(CLUSTERS).await?;
    entries.into_iter().map(decode).collect()
}

/// Registers a cluster once all of its agents agree on what it is.
pub(crate) async fn add(
    services: &Services,
    name: ClusterName,
    agents: Vec<String>,
) -> Result<Cluster, RunnerError> {
    let mut cluster = Cluster {
        name,
        agents,
        hosts: BTreeSet::new(),
    };
    if let Some(known) = find(services, &cluster.name).await? {
        return same(known, cluster);
    }
    let described = describe_all(services, &cluster.agents).await;
    cluster.hosts = described
        .nodes
        .iter()
        .map(|node| member(node).host_id.clone())
        .collect();
    check(&cluster, &described, &list(services).await?)?;
    let key = key(&cluster.name);
    let value = encode(&key, &cluster)?;
    match services
        .store
        .put(&key, value, Expected::Absent, None)
        .await
    {
        Ok(_) => {
            tracing::info!(cluster_id = %cluster.name, agents = cluster.agents.len(), "cluster registered");
            Ok(cluster)
        }
        Err(StateError::Conflict { .. }) => same(get(services, &cluster.name).await?, cluster),
        Err(error) => Err(error.into()),
    }
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
        .map(|agent| format!("agent {} does not answer: {}", agent.agent, agent.reason))
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
    let mut hosts: BTreeMap<String, &str> = BTreeMap::new();
    let first = &described.nodes[0];
    let first_ring = ring_of(first);
    for node in &described.nodes {
        let agent = node.agent.as_str();
        let member = member(node);
        match ring_of(node) {
            Err(error) => reasons.push(format!("agent {agent} describes no ring: {error}")),
            Ok(_)
                if !node
                    .ring
                    .iter()
                    .any(|other| other.host_id == member.host_id) =>
            {
                reasons.push(format!(
                    "node {} of agent {agent} is not in the ring that it sees",
                    member.address
                ))
            }
            Ok(ring) if first_ring.as_ref().is_ok_and(|first| *first != ring) => reasons.push(
                format!("agent {agent} sees another ring than agent {}", first.agent),
            ),
            Ok(_) => {}
        }
        if node.cluster_name != first.cluster_name {
            reasons.push(format!(
                "agent {agent} belongs to `{}`, agent {} to `{}`",
                node.cluster_name, first.agent, first.cluster_name
            ));
        }
        if let Some(other) = hosts.insert(member.host_id.clone(), agent) {
            reasons.push(format!(
                "agents {other} and {agent} stand beside the same node {}",
                member.host_id
            ));
        }
    }
    reasons
}

/// Forgets a cluster that no task works on.
pub(crate) async fn remove(services: &Services, name: &ClusterName) -> Result<(), RunnerError> {
    get(services, name).await?;
    if let Some(task) = services.tasks.claimed_by(name).await? {
        return Err(RunnerError::ClusterBusy {
            cluster: name.clone(),
            task,
        });
    }
    services
        .store
        .delete(&key(name), Expected::Anything, None)
        .await?;
    tracing::info!(cluster_id = %name, "cluster forgotten");
    Ok(())
}
