//! Which target node takes what from which source node.

use std::collections::BTreeMap;

use model::{HostId, NodeDescription, RangeText, RingMember, SourceShare};
use placement::{Mapping, MappingError, Source, Target};

use super::datacenters::Datacenters;
use super::replication::KeyspacePlan;
use super::rings::Rings;
use super::topology::Pair;
use crate::cluster::Cluster;
use crate::codes;
use crate::findings::Findings;

pub(super) enum Moves<'a> {
    /// Every target node stands for one source node, and takes all that it has.
    OneToOne(Vec<Pair<'a>>),
    /// By ranges, for each way in which keyspaces are replicated.
    ByRange(Vec<Group>),
    /// Not known: what stands against it is said.
    Unknown,
}

/// Keyspaces that are replicated alike on both sides.
pub(super) struct Group {
    pub keyspaces: Vec<String>,
    pub mapping: Mapping,
}

/// One to one where the rings are the same and nothing is missing, else by ranges.
pub(super) fn decide<'a>(
    pairs: Vec<Pair<'a>>,
    rings: Option<&Rings>,
    datacenters: Option<&Datacenters>,
    keyspaces: &[KeyspacePlan],
    findings: &mut Findings,
) -> Moves<'a> {
    let whole = |rings: &Rings| {
        (0..rings.source.len()).all(|at| {
            !rings.source.owns_tokens(at) || rings.available.contains(&rings.source.host_id(at))
        })
    };
    let as_it_was = keyspaces.iter().all(KeyspacePlan::keeps_replication);
    let (Some(rings), Some(datacenters)) = (rings, datacenters) else {
        // Where nothing is understood of a ring, the same ring is the same all the same.
        return match pairs.is_empty() || !as_it_was {
            true => Moves::Unknown,
            false => Moves::OneToOne(pairs),
        };
    };
    if !pairs.is_empty() && as_it_was && whole(rings) && datacenters.is_identity(rings) {
        return Moves::OneToOne(pairs);
    }
    let mut alike: BTreeMap<String, Vec<&KeyspacePlan>> = BTreeMap::new();
    for keyspace in keyspaces {
        let key = format!("{:?} {:?}", keyspace.source, keyspace.target);
        alike.entry(key).or_default().push(keyspace);
    }
    let mut groups = Vec::new();
    for keyspaces in alike.into_values() {
        let first = keyspaces[0];
        let (Some(source), Some(target)) = (&first.source, &first.target) else {
            // Said where it was read.
            continue;
        };
        let source = Source {
            ring: &rings.source,
            replication: source,
            available: &rings.available,
            stored_bytes: &rings.stored_bytes,
        };
        let target = Target {
            ring: &rings.target,
            replication: target,
        };
        match placement::map(&source, &target, &datacenters.map) {
            Ok(mapping) => groups.push(Group {
                keyspaces: keyspaces.iter().map(|k| k.name.clone()).collect(),
                mapping,
            }),
            Err(error) => {
                for keyspace in keyspaces {
                    refuse(&keyspace.name, &error, findings);
                }
            }
        }
    }
    Moves::ByRange(groups)
}

fn refuse(keyspace: &str, error: &MappingError, findings: &mut Findings) {
    let (code, hint) = match error {
        MappingError::UnfedDatacenter(name) => (
            codes::DATACENTER_UNMAPPED,
            format!(
                "say what feeds it with --datacenter BACKUP={name}, or take it out of the keyspace's replication"
            ),
        ),
        MappingError::UnknownDatacenter { .. } => (
            codes::DATACENTER_UNMAPPED,
            "name datacenters as `nodetool status` does".to_owned(),
        ),
        // Said for the partitioners themselves, node by node.
        MappingError::Partitioner { .. } => return,
        MappingError::Local(_) | MappingError::NoReplicas(_) => (
            codes::REPLICATION_NOT_UNDERSTOOD,
            "change the keyspace's replication on the target, or leave the keyspace out".to_owned(),
        ),
    };
    findings.say(
        code,
        keyspace,
        format!("the data of {keyspace} cannot be mapped: {error}"),
        hint,
    );
}

/// What one target node takes.
pub(super) struct Taker<'a> {
    pub target: &'a NodeDescription,
    pub sources: Vec<HostId>,
    /// None where it takes all.
    pub shares: Vec<SourceShare>,
}

impl Moves<'_> {
    /// All target nodes, also those that take nothing.
    pub fn takers<'a>(&self, cluster: &Cluster<'a>, rings: Option<&Rings>) -> Vec<Taker<'a>> {
        let taker = |target: &'a NodeDescription| {
            let (sources, shares) = match self {
                Self::Unknown => Default::default(),
                Self::OneToOne(pairs) => {
                    let own = pairs
                        .iter()
                        .filter(|pair| pair.target.member.host_id == target.member.host_id);
                    (own.map(|pair| pair.source.host_id).collect(), Vec::new())
                }
                Self::ByRange(groups) => {
                    let rings = rings?;
                    let at = rings.target.index_of(target.member.host_id)?;
                    shares(groups, rings, at)
                }
            };
            Some(Taker {
                target,
                sources,
                shares,
            })
        };
        cluster.nodes.iter().copied().filter_map(taker).collect()
    }
}

fn shares(groups: &[Group], rings: &Rings, target: usize) -> (Vec<HostId>, Vec<SourceShare>) {
    let mut shares = Vec::new();
    for group in groups {
        for share in group.mapping.shares_of(target) {
            shares.push(SourceShare {
                source: rings.source.host_id(share.source),
                keyspaces: group.keyspaces.clone(),
                ranges: share
                    .ranges
                    .iter()
                    .map(|range| RangeText {
                        left: range.left.to_string(),
                        right: range.right.to_string(),
                    })
                    .collect(),
            });
        }
    }
    let mut sources: Vec<HostId> = shares.iter().map(|share| share.source).collect();
    sources.sort_unstable();
    sources.dedup();
    (sources, shares)
}

/// The member's name for people.
pub(super) fn address<'a>(ring: &'a [RingMember], host_id: &HostId) -> Option<&'a str> {
    ring.iter()
        .find(|member| member.host_id == *host_id)
        .map(|member| member.address.as_str())
}
