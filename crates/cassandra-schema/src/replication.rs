//! Replication fitted to the datacenters of the target.

use std::collections::BTreeMap;
use std::fmt;

use model::cql::quote;

use crate::keyspace::{Keyspace, replication_text};

/// The datacenters of the target, and which of them stands for which of the source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetDatacenters {
    /// With how many nodes each has.
    pub nodes: BTreeMap<String, u32>,
    /// From the source's name to the target's. Those that are not named keep their names.
    pub renamed: BTreeMap<String, String>,
    /// Whether the target's release brings EverywhereStrategy.
    pub has_everywhere: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplicationChange {
    Renamed {
        from: String,
        to: String,
    },
    /// The target has no such datacenter.
    Left {
        datacenter: String,
        replicas: String,
    },
    /// Two of the source became one: it keeps the larger number.
    Merged {
        into: String,
        replicas: String,
    },
    /// Kept although there are not as many nodes.
    AboveNodes {
        datacenter: String,
        replicas: u32,
        nodes: u32,
    },
    /// EverywhereStrategy became NetworkTopologyStrategy with a replica on every node.
    Everywhere,
    /// No datacenter of the target would hold anything.
    NothingLeft,
}

impl fmt::Display for ReplicationChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Renamed { from, to } => write!(f, "datacenter {from} becomes {to}"),
            Self::Left {
                datacenter,
                replicas,
            } => {
                write!(
                    f,
                    "datacenter {datacenter} with {replicas} replicas is left out"
                )
            }
            Self::Merged { into, replicas } => {
                write!(
                    f,
                    "several datacenters become {into} with {replicas} replicas"
                )
            }
            Self::AboveNodes {
                datacenter,
                replicas,
                nodes,
            } => {
                let of = if datacenter.is_empty() {
                    "the cluster"
                } else {
                    datacenter
                };
                write!(
                    f,
                    "{replicas} replicas are wanted, and {of} has {nodes} nodes"
                )
            }
            Self::Everywhere => f.write_str("every node keeps a replica, counted as of now"),
            Self::NothingLeft => f.write_str("no datacenter of the target holds the keyspace"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdjustedReplication {
    pub keyspace: Keyspace,
    /// Whether the replication is another than in the source.
    pub changed: bool,
    /// What is to be said about it; also where nothing changed.
    pub changes: Vec<ReplicationChange>,
    /// Sets it on a keyspace that is there.
    pub cql: String,
}

/// The keyspace with its replication as it can be on the target. Numbers of replicas are kept, even above the number of
/// nodes: to lower them is for people to decide.
pub fn replication_for(keyspace: &Keyspace, target: &TargetDatacenters) -> AdjustedReplication {
    let mut changes = Vec::new();
    let replication = match keyspace.replication_class() {
        "EverywhereStrategy" if !target.has_everywhere => {
            changes.push(ReplicationChange::Everywhere);
            everywhere(&target.nodes)
        }
        "NetworkTopologyStrategy" => network(keyspace, target, &mut changes),
        "SimpleStrategy" => {
            let nodes = target.nodes.values().sum();
            let replicas = keyspace.replication.get("replication_factor");
            above_nodes("", replicas, nodes, &mut changes);
            keyspace.replication.clone()
        }
        _ => keyspace.replication.clone(),
    };
    let changed = replication != keyspace.replication;
    let cql = format!(
        "ALTER KEYSPACE {} WITH replication = {}",
        quote(&keyspace.name),
        replication_text(&replication)
    );
    AdjustedReplication {
        keyspace: Keyspace {
            replication,
            ..keyspace.clone()
        },
        changed,
        changes,
        cql,
    }
}

/// A replica on every node.
pub(crate) fn everywhere(nodes: &BTreeMap<String, u32>) -> BTreeMap<String, String> {
    let class = "NetworkTopologyStrategy".to_owned();
    let each = nodes.iter();
    let mut replication: BTreeMap<String, String> = each
        .map(|(datacenter, nodes)| (datacenter.clone(), nodes.to_string()))
        .collect();
    replication.insert("class".to_owned(), class);
    replication
}

fn network(
    keyspace: &Keyspace,
    target: &TargetDatacenters,
    changes: &mut Vec<ReplicationChange>,
) -> BTreeMap<String, String> {
    let mut replication: BTreeMap<String, String> = BTreeMap::new();
    let mut held = 0;
    for (key, replicas) in &keyspace.replication {
        if matches!(key.as_str(), "class" | "replication_factor") {
            held += usize::from(key == "replication_factor");
            replication.insert(key.clone(), replicas.clone());
            continue;
        }
        let to = target.renamed.get(key).unwrap_or(key);
        let Some(&nodes) = target.nodes.get(to) else {
            changes.push(ReplicationChange::Left {
                datacenter: key.clone(),
                replicas: replicas.clone(),
            });
            continue;
        };
        if to != key {
            changes.push(ReplicationChange::Renamed {
                from: key.clone(),
                to: to.clone(),
            });
        }
        held += usize::from(number(replicas) > 0);
        let kept = match replication.get(to) {
            Some(known) => {
                let larger = if number(known) >= number(replicas) {
                    known
                } else {
                    replicas
                };
                changes.push(ReplicationChange::Merged {
                    into: to.clone(),
                    replicas: larger.clone(),
                });
                larger.clone()
            }
            None => replicas.clone(),
        };
        above_nodes(to, Some(&kept), nodes, changes);
        replication.insert(to.clone(), kept);
    }
    if held == 0 {
        changes.push(ReplicationChange::NothingLeft);
    }
    replication
}

/// `3`, or the first of `3/1` with a transient one.
fn number(replicas: &str) -> u32 {
    let first = replicas.split('/').next().unwrap_or(replicas);
    first.trim().parse().unwrap_or(0)
}

fn above_nodes(
    datacenter: &str,
    replicas: Option<&String>,
    nodes: u32,
    changes: &mut Vec<ReplicationChange>,
) {
    let replicas = replicas.map_or(0, |replicas| number(replicas));
    if replicas > nodes {
        changes.push(ReplicationChange::AboveNodes {
            datacenter: datacenter.to_owned(),
            replicas,
            nodes,
        });
    }
}
