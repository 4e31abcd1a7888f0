//! Determines the ranges that each target node owns, if each takes the files of exactly one node of the backup.
//!
//! A node may hold partitions that it does not own: the ring grew, or replicas were removed, and `nodetool cleanup` has
//! not been run since. `nodetool import` refuses a whole folder for one of them, when the table has been emptied already.
//! So each node that loads by it is given its own ranges, and what lies outside is left out. If the ranges cannot be
//! determined, the files are taken whole and imported without that check.

use std::collections::BTreeMap;

use cassandra_tokens::{Cut, Partitioner, Token, TokenRange, TokenRanges};
use model::manifest::{Hazard, SstableFacts};
use model::plan::RestoreMode;
use model::{HostId, NodeDescription, RangeText, SourceShare};
use placement::{Placement, Replication};

use super::replication::KeyspacePlan;
use super::topology::Pair;
use crate::restore::given::rings::Rings;

/// Ranges of all nodes together that a plan may carry. With more, what a task keeps of its plan would become too large.
const RANGES_MAX: usize = 1 << 16;

/// Every target node takes the files of one source node.
pub(crate) struct OneToOne<'a> {
    pairs: Vec<Pair<'a>>,
    keyspaces: Vec<String>,
    partitioner: Option<Partitioner>,
    own: Own,
    /// Keyspaces whose owners cannot be determined; empty if no node checks tokens.
    not_understood: Vec<String>,
}

enum Own {
    /// For each way in which keyspaces are replicated. Nodes that own all or nothing are left out: whatever they hold is
    /// loaded.
    Ranges(Vec<Group>),
    /// Too many ranges to carry.
    Uncounted,
}

struct Group {
    keyspaces: Vec<String>,
    ranges: BTreeMap<HostId, TokenRanges>,
}

/// Where an SSTable lies that a node takes for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lies {
    Inside,
    Outside,
    /// Its first or its last partition lies outside, and others may lie inside.
    Astray,
    /// Not known until it is read.
    Unknown,
}

impl<'a> OneToOne<'a> {
    pub fn new(
        mode: RestoreMode,
        pairs: Vec<Pair<'a>>,
        rings: Option<&Rings>,
        keyspaces: &[KeyspacePlan],
    ) -> Self {
        let own = match rings {
            Some(rings) if mode == RestoreMode::Online => {
                Own::of(rings, keyspaces, |host_id| checks_tokens(&pairs, host_id))
            }
            _ => Own::Ranges(Vec::new()),
        };
        let checks = |pair: &Pair| mode == RestoreMode::Online && pair.target.release.has_import();
        let not_understood = if pairs.iter().any(checks) {
            not_understood(keyspaces)
        } else {
            Vec::new()
        };
        Self {
            pairs,
            keyspaces: keyspaces.iter().map(|it| it.name.clone()).collect(),
            partitioner: rings.map(|rings| rings.source.partitioner()),
            own,
            not_understood,
        }
    }

    pub fn keyspaces(&self) -> &[String] {
        &self.keyspaces
    }

    pub fn source_of(&self, target: &NodeDescription) -> Option<HostId> {
        let host_id = target.member.host_id;
        let mut pairs = self.pairs.iter();
        let pair = pairs.find(|pair| pair.target.member.host_id == host_id)?;
        Some(pair.source.host_id)
    }

    /// The target nodes, each with its source.
    pub fn pairs(&self) -> impl Iterator<Item = (HostId, HostId)> {
        let pairs = self.pairs.iter();
        pairs.map(|pair| (pair.target.member.host_id, pair.source.host_id))
    }

    /// Where an SSTable of a keyspace lies for a target node. None if that node takes all that its source has.
    pub fn lies(&self, target: HostId, keyspace: &str, facts: &SstableFacts) -> Option<Lies> {
        let Own::Ranges(groups) = &self.own else {
            return None;
        };
        let group = groups
            .iter()
            .find(|group| group.keyspaces.iter().any(|name| name == keyspace))?;
        let ranges = group.ranges.get(&target)?;
        let Some((first, last)) = span(self.partitioner.as_ref()?, facts) else {
            return Some(Lies::Unknown);
        };
        Some(match ranges.cut(&first, &last) {
            Cut::Whole => Lies::Inside,
            Cut::None => Lies::Outside,
            Cut::Part if ranges.contains(&first) && ranges.contains(&last) => Lies::Unknown,
            Cut::Part => Lies::Astray,
        })
    }

    /// Whether nothing is cut off that a node does not own, and it is loaded all the same.
    pub fn is_uncounted(&self, target: HostId) -> bool {
        matches!(self.own, Own::Uncounted) && checks_tokens(&self.pairs, target)
    }

    /// Keyspaces that are taken whole and imported without the check of tokens, because it cannot be determined which
    /// partitions each node owns.
    pub fn not_understood(&self) -> &[String] {
        &self.not_understood
    }

    /// None if it takes all that its source has.
    pub fn shares(&self, target: HostId, source: HostId) -> Vec<SourceShare> {
        let share = |keyspaces: &[String], ranges: &[RangeText], trims| SourceShare {
            source,
            keyspaces: keyspaces.to_vec(),
            ranges: ranges.to_vec(),
            trims,
        };
        if self.is_uncounted(target) {
            return vec![share(&self.keyspaces, &[], true)];
        }
        let Own::Ranges(groups) = &self.own else {
            return Vec::new();
        };
        let mut shares = Vec::new();
        for group in groups {
            if let Some(ranges) = group.ranges.get(&target) {
                let ranges: Vec<RangeText> = ranges.iter().map(text).collect();
                shares.push(share(&group.keyspaces, &ranges, true));
            }
        }
        if !self.not_understood.is_empty() && checks_tokens(&self.pairs, target) {
            shares.push(share(&self.not_understood, &[], true));
        }
        let mut others = self.keyspaces.clone();
        others.retain(|name| !shares.iter().any(|share| share.keyspaces.contains(name)));
        if !shares.is_empty() && !others.is_empty() {
            shares.push(share(&others, &[], false));
        }
        shares
    }
}

impl Own {
    fn of(
        rings: &Rings,
        keyspaces: &[KeyspacePlan],
        checks_tokens: impl Fn(HostId) -> bool,
    ) -> Self {
        let mut alike: Vec<(&Replication, Vec<String>)> = Vec::new();
        for keyspace in keyspaces {
            let Some(target) = &keyspace.target else {
                // Listed in `OneToOne::not_understood`.
                continue;
            };
            match alike.iter_mut().find(|(known, _)| *known == target) {
                Some((_, names)) => names.push(keyspace.name.clone()),
                None => alike.push((target, vec![keyspace.name.clone()])),
            }
        }
        let groups: Vec<Group> = alike
            .into_iter()
            .map(|(replication, keyspaces)| {
                let mut ranges = owned(rings, replication);
                ranges.retain(|host_id, _| checks_tokens(*host_id));
                Group { keyspaces, ranges }
            })
            .collect();
        let ranges = groups.iter().flat_map(|group| group.ranges.values());
        match ranges.map(|ranges| ranges.iter().len()).sum::<usize>() {
            0..=RANGES_MAX => Self::Ranges(groups),
            _ => Self::Uncounted,
        }
    }
}

/// The target's replication is also None for every keyspace if the ring is not understood.
fn not_understood(keyspaces: &[KeyspacePlan]) -> Vec<String> {
    let unknown = keyspaces.iter().filter(|it| it.target.is_none());
    unknown.map(|it| it.name.clone()).collect()
}

/// Whether the node loads by `nodetool import`, which checks that every partition is the node's own.
fn checks_tokens(pairs: &[Pair], host_id: HostId) -> bool {
    pairs
        .iter()
        .any(|pair| pair.target.member.host_id == host_id && pair.target.release.has_import())
}

/// The ranges of each node of the target that owns a part of the ring.
fn owned(rings: &Rings, replication: &Replication) -> BTreeMap<HostId, TokenRanges> {
    if matches!(replication, Replication::Everywhere | Replication::Local) {
        return BTreeMap::new();
    }
    let ring = &rings.target;
    let mut held: Vec<Vec<TokenRange>> = vec![Vec::new(); ring.len()];
    for (range, replicas) in Placement::of(ring, replication).iter() {
        replicas.for_each(|member| held[member].push(range.clone()));
    }
    let ranges = held.into_iter().map(TokenRanges::new).enumerate();
    ranges
        .filter(|(_, ranges)| !ranges.is_empty() && !ranges.is_whole_ring())
        .map(|(member, ranges)| (ring.host_id(member), ranges))
        .collect()
}

/// The tokens of its first and last partition, if they are known.
fn span(partitioner: &Partitioner, facts: &SstableFacts) -> Option<(Token, Token)> {
    let token = |text: &Option<String>| partitioner.parse_token(text.as_deref()?).ok();
    token(&facts.first_token).zip(token(&facts.last_token))
}

/// Whether the agents can cut it; only their own product can cut the others.
pub(crate) fn can_be_cut(facts: &SstableFacts) -> bool {
    facts.encryption.is_none() && !facts.hazards.contains(&Hazard::ZeroCopySlice)
}

pub(crate) fn text(range: &TokenRange) -> RangeText {
    RangeText {
        left: range.left.to_string(),
        right: range.right.to_string(),
    }
}
