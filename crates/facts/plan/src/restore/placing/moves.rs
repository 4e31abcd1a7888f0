//! Which target node takes what from which source node.

use std::collections::BTreeMap;

use model::manifest::BackupManifest;
use model::plan::RestoreMode;
use model::{HostId, NodeDescription, RingMember, SourceShare};
use placement::{Mapping, MappingError, Replication, Source, Target};

use super::own::{self, OneToOne};
use super::replication::KeyspacePlan;
use super::topology::Pair;
use crate::cluster::Cluster;
use crate::codes;
use crate::findings::Findings;
use crate::restore::given::datacenters::Datacenters;
use crate::restore::given::rings::{NotUnderstood, Rings};

pub(crate) enum Moves<'a> {
    /// Every target node stands for one source node, and takes all that it has, or its own part of that.
    OneToOne(OneToOne<'a>),
    /// By ranges, for each way in which keyspaces are replicated.
    ByRange(Vec<Group>),
    /// Not known: what stands against it is said.
    Unknown,
}

/// Keyspaces that are replicated alike on both sides.
pub(crate) struct Group {
    pub keyspaces: Vec<String>,
    pub mapping: Mapping,
}

/// What decides which node takes what.
pub(crate) struct Given<'a> {
    pub mode: RestoreMode,
    pub backup: &'a BackupManifest,
    pub rings: Option<&'a Rings>,
    pub rings_not_understood: &'a [NotUnderstood],
    pub datacenters: Option<&'a Datacenters>,
    /// Whether any are asked for by name.
    pub asks_for_datacenters: bool,
    pub keyspaces: &'a [KeyspacePlan],
}

impl Given<'_> {
    fn is_whole(&self) -> bool {
        let stored = |member: &RingMember| {
            self.backup
                .nodes
                .iter()
                .any(|n| n.host_id == member.host_id)
        };
        let mut owning = self
            .backup
            .ring
            .iter()
            .filter(|member| !member.tokens.is_empty());
        owning.all(stored)
    }

    fn keeps_datacenters(&self) -> bool {
        match self.datacenters.zip(self.rings) {
            Some((datacenters, rings)) => datacenters.is_identity(rings),
            None => !self.asks_for_datacenters,
        }
    }
}

/// One to one where the rings are the same and nothing is missing, else by ranges.
pub(crate) fn decide<'a>(
    pairs: Vec<Pair<'a>>,
    given: &Given,
    findings: &mut Findings,
) -> Moves<'a> {
    let alike = given
        .keyspaces
        .iter()
        .all(|keyspace| keyspace.holds_alike(given.rings));
    if !pairs.is_empty() && alike && given.is_whole() && given.keeps_datacenters() {
        let one_to_one = OneToOne::new(given.mode, pairs, given.rings, given.keyspaces);
        return Moves::OneToOne(one_to_one);
    }
    if given.mode == RestoreMode::InPlace {
        // Another ring is said already, and another replication of a live keyspace.
        if !pairs.is_empty() {
            refuse_in_place(given, findings);
        }
        return Moves::Unknown;
    }
    given
        .rings_not_understood
        .iter()
        .for_each(|it| it.say(findings));
    given
        .keyspaces
        .iter()
        .for_each(|keyspace| keyspace.say_not_understood(findings));
    match (given.rings, given.datacenters) {
        (Some(rings), Some(datacenters)) => {
            Moves::ByRange(groups(rings, datacenters, given.keyspaces, findings))
        }
        _ => Moves::Unknown,
    }
}

/// In place every node takes the files of one other, all of them and no others.
fn refuse_in_place(given: &Given, findings: &mut Findings) {
    let mut unavailable = |subject: &str, why: &str| {
        findings.say(codes::MODE_UNAVAILABLE, subject, why, "restore online");
    };
    if !given.is_whole() {
        unavailable(
            "in place",
            "a restore in place needs the files of every node, and the backup lacks some",
        );
    }
    if !given.keeps_datacenters() {
        unavailable(
            "in place",
            "a restore in place takes each datacenter back to where it was, and --datacenter asks for another",
        );
    }
    for keyspace in given.keyspaces {
        if !keyspace.is_live && !keyspace.holds_alike(given.rings) {
            let name = &keyspace.name;
            unavailable(
                name,
                &format!(
                    "{name} cannot be replicated on the target as it was, so that its nodes would hold other rows than their files have"
                ),
            );
        }
    }
}

/// By ranges, for each way in which keyspaces are replicated.
fn groups(
    rings: &Rings,
    datacenters: &Datacenters,
    keyspaces: &[KeyspacePlan],
    findings: &mut Findings,
) -> Vec<Group> {
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
                    refuse(
                        &keyspace.name,
                        &error,
                        source.replication,
                        datacenters,
                        findings,
                    );
                }
            }
        }
    }
    groups
}

fn refuse(
    keyspace: &str,
    error: &MappingError,
    source: &Replication,
    datacenters: &Datacenters,
    findings: &mut Findings,
) {
    let (code, hint) = match error {
        MappingError::UnfedDatacenter(name) => (
            codes::DATACENTER_UNMAPPED,
            format!(
                "to feed it: {}; or take it out of the keyspace's replication",
                datacenters.to_feed(name, source)
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
pub(crate) struct Taker<'a> {
    pub target: &'a NodeDescription,
    pub sources: Vec<HostId>,
    /// None if it takes all.
    pub shares: Vec<SourceShare>,
}

impl Moves<'_> {
    /// All target nodes, also those that take nothing.
    pub fn takers<'a>(&self, cluster: &Cluster<'a>, rings: Option<&Rings>) -> Vec<Taker<'a>> {
        let taker = |target: &'a NodeDescription| {
            let (sources, shares) = match self {
                Self::Unknown => Default::default(),
                Self::OneToOne(one_to_one) => match one_to_one.source_of(target) {
                    Some(source) => {
                        let shares = one_to_one.shares(target.member.host_id, source);
                        (vec![source], shares)
                    }
                    None => Default::default(),
                },
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
                ranges: share.ranges.iter().map(own::text).collect(),
                trims: false,
            });
        }
    }
    let mut sources: Vec<HostId> = shares.iter().map(|share| share.source).collect();
    sources.sort_unstable();
    sources.dedup();
    (sources, shares)
}

/// The member's name for people.
pub(crate) fn address<'a>(ring: &'a [RingMember], host_id: &HostId) -> Option<&'a str> {
    ring.iter()
        .find(|member| member.host_id == *host_id)
        .map(|member| member.address.as_str())
}
