//! How much of a source is in a backup: for each token range, how many of its replicas.

use std::collections::BTreeSet;

use cassandra_tokens::TokenRanges;
use model::HostId;

use crate::circle::Interval;
use crate::datacenters::{Group, groups};
use crate::quorum::quorum;
use crate::{Placement, Replication, Ring};

/// The coverage of each group of replicas: one for each datacenter if replication is by datacenter, else one for the
/// whole ring. Empty if nothing is replicated on the ring.
#[derive(Debug, Clone, PartialEq)]
pub struct Coverage {
    /// The groups in the order of the ring's datacenters.
    pub groups: Vec<GroupCoverage>,
}

/// How many replicas of each range of one group are available.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupCoverage {
    /// `None` if the group is the whole ring.
    pub datacenter: Option<String>,
    /// How many replicas each range of the group has.
    pub replicas: usize,
    /// By number of replicas (index 0 to [`replicas`](Self::replicas)): the fraction of the ring, 0 to 1, of which
    /// exactly that many are available.
    pub share_by_available: Vec<f64>,
    /// The ranges of which fewer than a quorum are available.
    pub below_quorum: TokenRanges,
    /// The ranges of which so many replicas are missing that they may be a whole quorum, so that a write at QUORUM
    /// may be lost.
    pub lossy: TokenRanges,
    /// The ranges of which no replica is available.
    pub missing: TokenRanges,
}

impl Coverage {
    /// Whether all replicas of all ranges are available.
    pub fn is_complete(&self) -> bool {
        self.groups.iter().all(GroupCoverage::is_complete)
    }

    /// Whether no write at QUORUM (at LOCAL_QUORUM by datacenter) can be lost.
    pub fn keeps_quorum_writes(&self) -> bool {
        self.groups.iter().all(|group| group.lossy.is_empty())
    }
}

impl GroupCoverage {
    /// Whether all replicas of the group are available.
    pub fn is_complete(&self) -> bool {
        self.share_by_available
            .iter()
            .rev()
            .skip(1)
            .all(|share| *share == 0.0)
    }
}

/// Computes how many replicas of each range of a source are available. Hosts that are not in the ring are ignored.
pub fn coverage(ring: &Ring, replication: &Replication, available: &BTreeSet<HostId>) -> Coverage {
    let placement = Placement::of(ring, replication);
    let available: Vec<bool> = (0..ring.len())
        .map(|member| available.contains(&ring.host_id(member)))
        .collect();
    let of_group = |group| cover(&placement, group, &available);
    Coverage {
        groups: groups(ring, replication)
            .into_iter()
            .map(of_group)
            .collect(),
    }
}

fn cover(placement: &Placement<'_>, group: Group, available: &[bool]) -> GroupCoverage {
    let ring = placement.ring();
    let inside = |member: &&u32| group.is_none_or(|dc| ring.datacenter_of(**member as usize) == dc);
    let mut replicas = 0;
    let mut share_by_available = Vec::new();
    let [mut below_quorum, mut lossy, mut missing]: [Vec<Interval>; 3] = Default::default();
    for range in 0..ring.range_count() {
        let list = || placement.list(range).iter().filter(inside);
        replicas = list().count();
        share_by_available.resize(replicas + 1, 0.0);
        let here = list().filter(|member| available[**member as usize]).count();
        share_by_available[here] += ring.fraction(range);
        for (short, ranges) in [
            (here < quorum(replicas), &mut below_quorum),
            (replicas - here >= quorum(replicas), &mut lossy),
            (here == 0, &mut missing),
        ] {
            if short {
                ranges.extend(ring.intervals(range));
            }
        }
    }
    let ranges = |intervals: Vec<Interval>| {
        TokenRanges::new(intervals.into_iter().map(|i| ring.circle.range(i)))
    };
    GroupCoverage {
        datacenter: group.map(|dc| ring.datacenters()[dc].clone()),
        replicas,
        share_by_available,
        below_quorum: ranges(below_quorum),
        lossy: ranges(lossy),
        missing: ranges(missing),
    }
}

#[cfg(test)]
mod tests;
