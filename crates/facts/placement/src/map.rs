//! The replica-preserving mapping: every target replica receives each of its ranges from a source replica, and what
//! each source replica holds reaches some target replica.

use std::collections::{BTreeMap, BTreeSet};

use cassandra_tokens::TokenRanges;
use model::HostId;

use crate::circle::Interval;
use crate::datacenters::{Group, feeding};
use crate::mapping::Shares;
use crate::matching::{Matching, Supply};
use crate::pieces::{Piece, pieces};
use crate::{DatacenterMap, Mapping, Placement, Replication, Ring};

/// The side that data comes from.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The ring that the backup was taken from.
    pub ring: &'a Ring,
    /// The keyspace's replication on that ring.
    pub replication: &'a Replication,
    /// The nodes whose data is in the backup.
    pub available: &'a BTreeSet<HostId>,
    /// How many bytes each node holds, if known. It decides which source is preferred if several could be used.
    pub stored_bytes: &'a BTreeMap<HostId, u64>,
}

/// The side that data goes to.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The ring to restore into.
    pub ring: &'a Ring,
    /// The replication that the keyspace has, or will have, there.
    pub replication: &'a Replication,
}

/// Why there is no mapping.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// The rings have different partitioners.
    #[error(
        "the source has {source_partitioner}, the target {target_partitioner}: a key has another token there"
    )]
    Partitioner {
        /// The partitioner of the source, by its simple class name.
        source_partitioner: String,
        /// The partitioner of the target, by its simple class name.
        target_partitioner: String,
    },
    /// `source` or `target` replicates by LocalStrategy.
    #[error("the {0} replicates by LocalStrategy: what is local to a node has no place on another")]
    Local(&'static str),
    /// On `source` or `target` no node holds a replica.
    #[error("no node of the {0} holds a replica")]
    NoReplicas(&'static str),
    /// Nothing feeds this datacenter of the target.
    #[error("no datacenter of the source that holds replicas feeds the target's datacenter `{0}`")]
    UnfedDatacenter(String),
    /// The datacenter map names a datacenter that a ring does not have.
    #[error("the {ring} has no datacenter `{datacenter}`")]
    UnknownDatacenter {
        /// `source` or `target`.
        ring: &'static str,
        /// The name as the datacenter map has it.
        datacenter: String,
    },
}

/// Decides which target node takes which ranges from which source node. Pairs of datacenters that `datacenters` does
/// not name feed nothing; it is ignored for replications that are not by datacenter.
///
/// What was readable at QUORUM among the replicas of a source datacenter (of the whole ring if replication is not by
/// datacenter) is readable at QUORUM among those of each target datacenter that it feeds. If all source datacenters
/// feed a target datacenter, that holds for what was written at QUORUM over all of them too, since that includes a
/// quorum of one.
pub fn map(
    source: &Source<'_>,
    target: &Target<'_>,
    datacenters: &DatacenterMap,
) -> Result<Mapping, MappingError> {
    refuse(source, target)?;
    let feeding = feeding(
        (source.ring, source.replication),
        (target.ring, target.replication),
        datacenters,
    )?;
    let from = Placement::of(source.ring, source.replication);
    let to = Placement::of(target.ring, target.replication);
    let supply = Supply::new(source, &from);
    let pieces = pieces(source.ring, target.ring);
    let mut shares = Shares::default();
    let mut unfed: Vec<Interval> = Vec::new();
    for (to_group, from_groups) in feeding {
        let mut fed = vec![false; pieces.len()];
        for from_group in from_groups {
            let mut matching =
                Matching::new(&supply, (source.ring, from_group), (target.ring, to_group));
            let mut run = Run::default();
            for (piece, fed) in pieces.iter().zip(&mut fed) {
                let lists = (
                    members(source.ring, from_group, from.list(piece.source)),
                    members(target.ring, to_group, to.list(piece.target)),
                );
                *fed |= matching.any_available(&lists.0);
                if let Some((done, lists)) = run.next(piece, lists) {
                    matching.give(done, &lists.0, &lists.1, &mut shares);
                }
            }
            if let Some((done, lists)) = run.open {
                matching.give(done, &lists.0, &lists.1, &mut shares);
            }
        }
        let missing = pieces.iter().zip(fed).filter(|(_, fed)| !fed);
        unfed.extend(missing.map(|(piece, _)| piece.interval));
    }
    let circle = source.ring.circle;
    Ok(Mapping {
        circle,
        sources: source.ring.len(),
        shares: shares.finish(circle, target.ring.len()),
        without_source: TokenRanges::new(unfed.into_iter().map(|i| circle.range(i))),
    })
}

fn refuse(source: &Source<'_>, target: &Target<'_>) -> Result<(), MappingError> {
    if source.ring.circle != target.ring.circle {
        return Err(MappingError::Partitioner {
            source_partitioner: source.ring.partitioner().name().to_owned(),
            target_partitioner: target.ring.partitioner().name().to_owned(),
        });
    }
    for (which, ring, replication) in [
        ("source", source.ring, source.replication),
        ("target", target.ring, target.replication),
    ] {
        if *replication == Replication::Local {
            return Err(MappingError::Local(which));
        }
        if ring.range_count() == 0 || crate::datacenters::groups(ring, replication).is_empty() {
            return Err(MappingError::NoReplicas(which));
        }
    }
    Ok(())
}

/// The replicas of one group, sorted, so that equal sets are equal lists.
fn members(ring: &Ring, group: Group, list: &[u32]) -> Vec<u32> {
    let inside = |member: &&u32| group.is_none_or(|dc| ring.datacenter_of(**member as usize) == dc);
    let mut members: Vec<u32> = list.iter().filter(inside).copied().collect();
    members.sort_unstable();
    members
}

type Lists = (Vec<u32>, Vec<u32>);

/// Neighbouring pieces with the same replicas, which are matched as one.
#[derive(Default)]
struct Run {
    open: Option<(Interval, Lists)>,
}

impl Run {
    /// Adds a piece; returns the run that it ends, if it has other replicas.
    fn next(&mut self, piece: &Piece, lists: Lists) -> Option<(Interval, Lists)> {
        match &mut self.open {
            Some((interval, open)) if *open == lists => {
                interval.1 = piece.interval.1;
                None
            }
            open => open.replace((piece.interval, lists)),
        }
    }
}
