//! Which target replica takes a range from which source replica, within one group of each.

use std::collections::{BTreeMap, BTreeSet};

use crate::assign::{SCORE_MAX, spread_evenly};
use crate::circle::{Circle, Interval, Position};
use crate::datacenters::Group;
use crate::mapping::Shares;
use crate::quorum::Need;
use crate::{Placement, Ring, Source};

/// Liked most: a node takes from the one that owned the very same tokens.
const SAME_TOKENS: i64 = 1 << 40;
/// Then few sources for each node: one that it takes from already,
const TAKEN_FROM: i64 = 1 << 34;
/// and for the range before this one, so that two ranges are one.
const NEIGHBOUR: i64 = 1 << 28;
const SAME_RACK: i64 = 1 << 22;
/// The least loaded source is liked by so much more than the most loaded one.
const LOAD_RANKS_MAX: i64 = 1 << 14;
const _: () =
    assert!(SAME_TOKENS + TAKEN_FROM + NEIGHBOUR + SAME_RACK + LOAD_RANKS_MAX < SCORE_MAX);

/// What of the source is the same for all of its groups.
pub(crate) struct Supply {
    available: Vec<bool>,
    /// What each node stores for the whole ring's worth of ranges, as far as that is known.
    density: Vec<f64>,
}

impl Supply {
    pub(crate) fn of(source: &Source<'_>, placement: &Placement<'_>) -> Self {
        let ring = source.ring;
        let host_ids = || (0..ring.len()).map(|member| ring.host_id(member));
        let stored = |host_id| source.stored_bytes.get(&host_id).copied();
        let held = placement.held_fractions();
        let density = |(host_id, held): (_, &f64)| match stored(host_id) {
            Some(bytes) if *held > 0.0 => bytes as f64 / held,
            _ => 1.0,
        };
        Self {
            available: host_ids()
                .map(|id| source.available.contains(&id))
                .collect(),
            density: host_ids().zip(&held).map(density).collect(),
        }
    }
}

/// What is remembered along the ring while the ranges of one pair of groups are given out.
pub(crate) struct Matching<'a> {
    circle: Circle,
    supply: &'a Supply,
    /// By target member: the source member with the same tokens.
    counterparts: Vec<Option<u32>>,
    source_racks: Vec<usize>,
    target_racks: Vec<usize>,
    /// How much each source member has given.
    given: Vec<f64>,
}

impl<'a> Matching<'a> {
    pub(crate) fn new(
        supply: &'a Supply,
        (source, from): (&Ring, Group),
        (target, to): (&Ring, Group),
    ) -> Self {
        let (source_racks, target_racks) = rack_places((source, from), (target, to));
        Self {
            circle: source.circle,
            supply,
            counterparts: counterparts(source, target),
            source_racks,
            target_racks,
            given: vec![0.0; source.len()],
        }
    }

    pub(crate) fn any_available(&self, replicas: &[u32]) -> bool {
        replicas
            .iter()
            .any(|source| self.supply.available[*source as usize])
    }

    /// Gives a range, whose replicas these are, from source to target replicas.
    pub(crate) fn give(
        &mut self,
        interval: Interval,
        replicas: &[u32],
        targets: &[u32],
        shares: &mut Shares,
    ) {
        let is_available = |source: &u32| self.supply.available[*source as usize];
        let sources: Vec<u32> = replicas.iter().copied().filter(is_available).collect();
        if sources.is_empty() || targets.is_empty() {
            return;
        }
        let ranks = self.load_ranks(&sources, targets.len(), interval);
        let scores: Vec<i64> = sources
            .iter()
            .zip(ranks)
            .flat_map(|(source, rank)| targets.iter().map(move |target| (*source, *target, rank)))
            .map(|(source, target, rank)| rank + self.score(source, target, interval.0, shares))
            .collect();
        let score = |source: usize, target: usize| scores[source * targets.len() + target];
        let mut fed = vec![Vec::new(); sources.len()];
        if targets.len() >= sources.len() {
            let by_target = |target, source| score(source, target);
            let chosen = spread_evenly(targets.len(), sources.len(), &by_target);
            for (target, source) in chosen.into_iter().enumerate() {
                fed[source].push(target);
            }
        } else {
            let chosen = spread_evenly(sources.len(), targets.len(), &score);
            for (fed, target) in fed.iter_mut().zip(chosen) {
                fed.push(target);
            }
        }
        Need::of(replicas.len(), sources.len(), targets.len()).meet(
            &mut fed,
            targets.len(),
            &score,
        );
        for (source, fed) in sources.iter().zip(&fed) {
            let cost = self.cost(*source as usize, interval);
            self.given[*source as usize] += cost * fed.len() as f64;
            for target in fed {
                shares.add(targets[*target], *source, interval);
            }
        }
    }

    /// What it is for a source to give a range once.
    fn cost(&self, source: usize, interval: Interval) -> f64 {
        self.circle.fraction(interval) * self.supply.density[source]
    }

    fn score(&self, source: u32, target: u32, left: Position, shares: &Shares) -> i64 {
        let liked = |yes: bool, by: i64| if yes { by } else { 0 };
        let last_end = shares.last_end(target, source);
        let (from, to) = (source as usize, target as usize);
        liked(self.counterparts[to] == Some(source), SAME_TOKENS)
            + liked(last_end.is_some(), TAKEN_FROM)
            + liked(last_end == Some(left), NEIGHBOUR)
            + liked(self.source_racks[from] == self.target_racks[to], SAME_RACK)
    }

    /// Higher for a source that will have given less, this range included. Where each is used just once there is nothing to choose.
    fn load_ranks(&self, sources: &[u32], targets: usize, interval: Interval) -> Vec<i64> {
        let mut ranks = vec![0; sources.len()];
        if sources.len() == targets {
            return ranks;
        }
        let mut by_load: Vec<usize> = (0..sources.len()).collect();
        let load = |at: &usize| {
            let source = sources[*at] as usize;
            self.given[source] + self.cost(source, interval)
        };
        by_load.sort_by(|a, b| load(a).total_cmp(&load(b)));
        for (&at, rank) in by_load.iter().rev().zip(0..LOAD_RANKS_MAX) {
            ranks[at] = rank;
        }
        ranks
    }
}

/// The source member that owns the very same tokens as each target member.
fn counterparts(source: &Ring, target: &Ring) -> Vec<Option<u32>> {
    let sources = source.tokens_by_member();
    let by_tokens: BTreeMap<&[Position], u32> = sources
        .iter()
        .enumerate()
        .filter(|(_, tokens)| !tokens.is_empty())
        .map(|(member, tokens)| (tokens.as_slice(), member as u32))
        .collect();
    let same = |tokens: &Vec<Position>| by_tokens.get(tokens.as_slice()).copied();
    target.tokens_by_member().iter().map(same).collect()
}

/// A number for each member's rack, equal where two racks are each other's: by name where any name is in both groups, else by
/// their order.
fn rack_places(
    (source, from): (&Ring, Group),
    (target, to): (&Ring, Group),
) -> (Vec<usize>, Vec<usize>) {
    let (sources, targets) = (rack_names(source, from), rack_names(target, to));
    if sources.is_disjoint(&targets) {
        return (places(source, from, &sources), places(target, to, &targets));
    }
    let both = sources.union(&targets).copied().collect();
    (places(source, from, &both), places(target, to, &both))
}

/// A rack's name; with its datacenter where the whole ring is one group.
type RackName<'a> = (&'a str, &'a str);

fn rack_name(ring: &Ring, group: Group, member: usize) -> RackName<'_> {
    match group {
        Some(_) => ("", ring.rack(member)),
        None => (ring.datacenter(member), ring.rack(member)),
    }
}

fn rack_names(ring: &Ring, group: Group) -> BTreeSet<RackName<'_>> {
    (0..ring.len())
        .filter(|member| group.is_none_or(|dc| ring.datacenter_of(*member) == dc))
        .map(|member| rack_name(ring, group, member))
        .collect()
}

fn places(ring: &Ring, group: Group, names: &BTreeSet<RackName<'_>>) -> Vec<usize> {
    let places: BTreeMap<_, usize> = names.iter().zip(0..).collect();
    (0..ring.len())
        .map(|member| places.get(&rack_name(ring, group, member)))
        .map(|place| place.copied().unwrap_or(usize::MAX))
        .collect()
}
