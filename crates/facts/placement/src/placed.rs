//! Which nodes hold which range: the walks over the ring of Cassandra's replication strategies.

use std::collections::BTreeMap;

use cassandra_tokens::{Token, TokenRange};

use crate::{Replication, Ring};

/// The replicas of each primary range, in Cassandra's order: the first is the primary one.
///
/// Primary range `n` ends at the ring's `n`th token; the first one wraps.
#[derive(Debug, Clone)]
pub struct Placement<'ring> {
    ring: &'ring Ring,
    replicas: Vec<u32>,
    /// How many replicas each range has, which is the same for all.
    width: usize,
    /// All ranges share one list.
    shared: bool,
}

impl<'ring> Placement<'ring> {
    /// Computes the replicas of every primary range, as `calculateNaturalReplicas` of Cassandra's replication
    /// strategy does.
    pub fn of(ring: &'ring Ring, replication: &Replication) -> Self {
        let owners = (0..ring.len()).filter(|member| ring.owns_tokens(*member));
        let (replicas, width, shared) = match replication {
            Replication::Simple { replicas } => {
                let width = owners.count().min(*replicas as usize);
                (simple(ring, width), width, false)
            }
            Replication::NetworkTopology { datacenters } => {
                let walk = TopologyWalk::new(ring, datacenters);
                let width = walk.width();
                (walk.replicas(), width, false)
            }
            Replication::Everywhere => {
                let all: Vec<u32> = owners.map(|member| member as u32).collect();
                let width = all.len();
                (all, width, true)
            }
            // Local data is replicated to no other node.
            Replication::Local => (Vec::new(), 0, true),
        };
        Self {
            ring,
            replicas,
            width,
            shared,
        }
    }

    /// The ring that this placement is on.
    pub fn ring(&self) -> &'ring Ring {
        self.ring
    }

    /// The primary ranges in the order of their ends, each with its replicas.
    pub fn iter(&self) -> impl Iterator<Item = (TokenRange, impl Iterator<Item = usize>)> {
        (0..self.ring.range_count()).map(|range| (self.range(range), indexes(self.list(range))))
    }

    /// The replicas of a token; none for a token of another partitioner.
    pub fn replicas_of(&self, token: &Token) -> impl Iterator<Item = usize> {
        let range = self.ring.range_of(token);
        indexes(range.map_or(&[], |range| self.list(range)))
    }

    /// The primary ranges that a member holds a replica of.
    pub fn ranges_of(&self, member: usize) -> impl Iterator<Item = TokenRange> {
        (0..self.ring.range_count())
            .filter(move |range| indexes(self.list(*range)).any(|replica| replica == member))
            .map(|range| self.range(range))
    }

    pub(crate) fn list(&self, range: usize) -> &[u32] {
        if self.shared {
            &self.replicas
        } else {
            &self.replicas[range * self.width..(range + 1) * self.width]
        }
    }

    /// How much of the ring each member holds a replica of.
    pub(crate) fn held_fractions(&self) -> Vec<f64> {
        let mut held = vec![0.0; self.ring.len()];
        for range in 0..self.ring.range_count() {
            for member in self.list(range) {
                held[*member as usize] += self.ring.fraction(range);
            }
        }
        held
    }

    fn range(&self, range: usize) -> TokenRange {
        let positions = &self.ring.positions;
        let before = range.checked_sub(1).unwrap_or(positions.len() - 1);
        let token = |at: usize| self.ring.circle.token(positions[at]);
        TokenRange::new(token(before), token(range))
    }
}

fn indexes(list: &[u32]) -> impl Iterator<Item = usize> {
    list.iter().map(|member| *member as usize)
}

/// Calls `each` with every primary range, last to first, and with all token owners in the order in which a walk from
/// that range's end meets them. Only the first time that a walk meets a node counts; no strategy needs the others.
/// Going backwards, the order of the next range is the current one with the owner of one token moved to the front, so
/// each node is in it once.
fn walk_backwards(ring: &Ring, mut each: impl FnMut(usize, &[u32])) {
    let mut met = vec![false; ring.len()];
    let mut order: Vec<u32> = Vec::with_capacity(ring.len());
    for owner in &ring.owners {
        if !std::mem::replace(&mut met[*owner as usize], true) {
            order.push(*owner);
        }
    }
    for (range, owner) in ring.owners.iter().enumerate().rev() {
        let at = order.iter().position(|member| member == owner);
        order[..=at.unwrap_or(0)].rotate_right(1);
        each(range, &order);
    }
}

fn simple(ring: &Ring, width: usize) -> Vec<u32> {
    let mut replicas = vec![0; ring.range_count() * width];
    walk_backwards(ring, |range, order| {
        replicas[range * width..][..width].copy_from_slice(&order[..width]);
    });
    replicas
}

/// NetworkTopologyStrategy: in each datacenter a node of a new rack becomes a replica at once. A node of a rack that
/// has one already becomes a replica only while there are more replicas left than new racks.
struct TopologyWalk<'ring> {
    ring: &'ring Ring,
    /// By datacenter: how many replicas it gets, and (`repeats`) how many of these may be on racks that have one
    /// already.
    left: Vec<usize>,
    repeats: Vec<usize>,
}

impl<'ring> TopologyWalk<'ring> {
    fn new(ring: &'ring Ring, wanted: &BTreeMap<String, u32>) -> Self {
        let mut nodes = vec![0; ring.datacenters().len()];
        let mut racks = nodes.clone();
        let mut met = vec![false; ring.rack_count()];
        for member in (0..ring.len()).filter(|member| ring.owns_tokens(*member)) {
            let datacenter = ring.datacenter_of(member);
            nodes[datacenter] += 1;
            if !std::mem::replace(&mut met[ring.rack_of(member)], true) {
                racks[datacenter] += 1;
            }
        }
        let factor = |name: &String| wanted.get(name).map_or(0, |replicas| *replicas as usize);
        let factors: Vec<usize> = ring.datacenters().iter().map(factor).collect();
        let by_datacenter = |limit: &dyn Fn(usize, usize) -> usize, of: &[usize]| {
            factors
                .iter()
                .zip(of)
                .map(|(factor, count)| limit(*factor, *count))
                .collect()
        };
        Self {
            ring,
            left: by_datacenter(&usize::min, &nodes),
            repeats: by_datacenter(&usize::saturating_sub, &racks),
        }
    }

    /// All of them are always found: a walk meets every rack, and the nodes beyond the first of each rack are enough
    /// for the rest.
    fn width(&self) -> usize {
        self.left.iter().sum()
    }

    fn replicas(&self) -> Vec<u32> {
        let width = self.width();
        let mut replicas = vec![0; self.ring.range_count() * width];
        let (mut left, mut repeats) = (self.left.clone(), self.repeats.clone());
        // The range in whose walk a rack was met last.
        let mut met = vec![usize::MAX; self.ring.rack_count()];
        walk_backwards(self.ring, |range, order| {
            left.copy_from_slice(&self.left);
            repeats.copy_from_slice(&self.repeats);
            let mut slots = replicas[range * width..][..width].iter_mut();
            let mut missing = width;
            for member in order {
                if missing == 0 {
                    break;
                }
                let datacenter = self.ring.datacenter_of(*member as usize);
                if left[datacenter] == 0 {
                    continue;
                }
                let rack = self.ring.rack_of(*member as usize);
                if std::mem::replace(&mut met[rack], range) == range {
                    if repeats[datacenter] == 0 {
                        continue;
                    }
                    repeats[datacenter] -= 1;
                }
                left[datacenter] -= 1;
                missing -= 1;
                if let Some(slot) = slots.next() {
                    *slot = *member;
                }
            }
        });
        replicas
    }
}
