//! Which target replica takes a range from which source replica, within one group of each.

use std::collections::{BTreeMap, BTreeSet};

use crate::assign::{SCORE_MAX, spread_evenly};
use crate::circle::{Circle, Interval, Position};
use crate::datacenters::Group;
use crate::mapping::Shares;
use crate::quorum::Need;
use crate::{Placement, Ring, Source};

/// Scores of a pair of nodes. Highest: the source owned exactly the tokens of the target.
const SAME_TOKENS: i64 = 1 << 40;
/// Then few sources for each node: the target takes from this source already,
const TAKEN_FROM: i64 = 1 << 34;
/// and takes the range before this one from it, so that the two ranges merge.
const NEIGHBOUR: i64 = 1 << 28;
const SAME_RACK: i64 = 1 << 22;
/// At most so much more for the least loaded source than for the most loaded one.
const LOAD_RANKS_MAX: i64 = 1 << 14;
const _: () =
    assert!(SAME_TOKENS + TAKEN_FROM + NEIGHBOUR + SAME_RACK + LOAD_RANKS_MAX < SCORE_MAX);

/// The facts about the source that are the same for all of its groups.
pub(crate) struct Supply {
    available: Vec<bool>,
    /// Bytes that each node stores, divided by the fraction of the ring that it holds; 1 if unknown.
    density: Vec<f64>,
}

impl Supply {
    pub(crate) fn new(source: &Source<'_>, placement: &Placement<'_>) -> Self {
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

/// The state kept along the ring while the ranges of one pair of groups are assigned.
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

    /// Assigns a range, whose source and target replicas these are, and adds the result to `shares`.
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
        Need::new(replicas.len(), sources.len(), targets.len()).meet(
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

    /// How much load it is for a source to give a range once.
    fn cost(&self, source: usize, interval: Interval) -> f64 {
        self.circle.fraction(interval) * self.supply.density[source]
    }

    fn score(&self, source: u32, target: u32, left: Position, shares: &Shares) -> i64 {
        let points = |yes: bool, by: i64| if yes { by } else { 0 };
        let last_end = shares.last_end(target, source);
        let (from, to) = (source as usize, target as usize);
        points(self.counterparts[to] == Some(source), SAME_TOKENS)
            + points(last_end.is_some(), TAKEN_FROM)
            + points(last_end == Some(left), NEIGHBOUR)
            + points(self.source_racks[from] == self.target_racks[to], SAME_RACK)
    }

    /// Higher for a source that will have given less, this range included. If each is used just once there is nothing
    /// to choose.
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

/// A number for each member's rack; racks with equal numbers correspond to each other. They correspond by name if any
/// name is in both groups, else by their order.
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

/// A rack's name; with its datacenter if the whole ring is one group.
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
