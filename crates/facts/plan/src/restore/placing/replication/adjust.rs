//! The replication of a keyspace that is made on the target.

use std::collections::{BTreeMap, BTreeSet};

use cassandra_versions::Product;
use placement::{Replication, Ring};

use super::{CLASS, Context, Options};
use crate::cluster::Cluster;
use crate::codes;
use crate::findings::Findings;
use crate::restore::given::datacenters::Datacenters;
use crate::restore::given::rings::Rings;
use crate::wording;

const FACTOR: &str = "replication_factor";
const TOPOLOGY: &str = "NetworkTopologyStrategy";

/// The replication with the target's datacenters, and no more replicas than there are nodes; none where nothing of it
/// would be on the target.
pub(super) fn adjust(
    context: &Context,
    name: &str,
    was: &Options,
    rings: &Rings,
    datacenters: &Datacenters,
    findings: &mut Findings,
) -> Option<Options> {
    match Replication::expanded(was, &rings.source) {
        Ok(Replication::Simple { replicas }) => {
            let fitting = replicas.min(owners(&rings.target, None));
            let mut adjusted = was.clone();
            adjusted.insert(FACTOR.to_owned(), fitting.to_string());
            Some(adjusted)
        }
        Ok(Replication::NetworkTopology { datacenters: held }) => {
            let mut adjusted = topology();
            let owning: BTreeSet<&str> = rings.source.owning_datacenters().collect();
            let holding: Vec<&String> = held
                .keys()
                .filter(|name| owning.contains(name.as_str()))
                .collect();
            for (source, replicas) in &held {
                for target in datacenters.fed_by(source) {
                    let fitting = (*replicas).min(owners(&rings.target, Some(target)));
                    let known = adjusted.get(target).and_then(|text| text.parse().ok());
                    let replicas = fitting.max(known.unwrap_or(0));
                    adjusted.insert(target.clone(), replicas.to_string());
                }
            }
            let is_fed = adjusted.len() > 1;
            match (is_fed, holding.is_empty()) {
                (true, _) => Some(adjusted),
                // No node ever held it, which is reported where it is mapped.
                (false, true) => Some(was.clone()),
                (false, false) => {
                    say_unfed(name, &holding, rings, datacenters, findings);
                    None
                }
            }
        }
        Ok(Replication::Everywhere) if !knows_everywhere(context.cluster) => {
            let mut adjusted = topology();
            for target in rings.target.owning_datacenters() {
                let all = owners(&rings.target, Some(target));
                adjusted.insert(target.to_owned(), all.to_string());
            }
            findings.say(
                codes::DSE_FEATURE_UNSUPPORTED,
                name,
                format!(
                    "{name} is replicated by EverywhereStrategy, which the target does not have"
                ),
                "nodes that join later need their datacenter's replicas to be raised",
            );
            Some(adjusted)
        }
        Ok(Replication::Everywhere | Replication::Local) | Err(_) => Some(was.clone()),
    }
}

/// Where no datacenters were asked for by name, it is said of each of them that it feeds none.
fn say_unfed(
    name: &str,
    holding: &[&String],
    rings: &Rings,
    datacenters: &Datacenters,
    findings: &mut Findings,
) {
    let left_out = holding.iter().all(|held| !datacenters.is_named(held));
    if !datacenters.asked() || !left_out {
        return;
    }
    let target = rings.target.datacenters().first();
    findings.say(
        codes::DATACENTER_UNMAPPED,
        name,
        format!(
            "{name} has replicas in {} only, and --datacenter names no place for them",
            wording::list(holding)
        ),
        format!(
            "--datacenter {}={}, or leave the keyspace out",
            holding.first().map_or("BACKUP", |name| name.as_str()),
            target.map_or("TARGET", String::as_str)
        ),
    );
}

fn topology() -> Options {
    BTreeMap::from([(CLASS.to_owned(), TOPOLOGY.to_owned())])
}

fn knows_everywhere(cluster: &Cluster) -> bool {
    cluster
        .nodes
        .iter()
        .all(|node| node.release.product != Product::Cassandra)
}

/// Nodes that can hold replicas, in a datacenter or all.
pub(crate) fn owners(ring: &Ring, datacenter: Option<&str>) -> u32 {
    let owning = (0..ring.len()).filter(|at| {
        ring.owns_tokens(*at) && datacenter.is_none_or(|name| ring.datacenter(*at) == name)
    });
    u32::try_from(owning.count()).unwrap_or(u32::MAX)
}
