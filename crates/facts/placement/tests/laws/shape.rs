//! Random shapes of rings. Equal seeds give equal tokens, so that one ring can grow out of another.

use std::collections::BTreeSet;

use cassandra_tokens::Partitioner;
use model::{HostId, RingMember};
use placement::Replication;
use proptest::prelude::*;
use uuid::Uuid;

use crate::cluster::Cluster;

/// A shape that a ring is made from; equal seeds give equal tokens.
#[derive(Debug, Clone)]
pub struct Shape {
    /// For each datacenter, its nodes' racks.
    racks: Vec<Vec<u8>>,
    vnodes: usize,
    /// Tokens are taken from so many places: with few, two rings share tokens.
    places: u64,
    seed: u64,
    strategy: u8,
    factors: Vec<u32>,
}

pub fn shape() -> impl Strategy<Value = Shape> {
    let nodes = prop_oneof![
        4 => (1..=6_usize).boxed(),
        5 => (7..=20_usize).boxed(),
        1 => (21..=60_usize).boxed(),
    ];
    let vnodes = prop_oneof![
        3 => Just(1_usize),
        4 => 2..=8_usize,
        2 => Just(16_usize),
        1 => Just(256_usize),
    ];
    let strategy = prop_oneof![8 => Just(0_u8), 3 => Just(1_u8), 1 => Just(2_u8)];
    // The longest lists there may be, cut to length below: a case that shrinks without being rebuilt shrinks fast.
    let racks = proptest::collection::vec(0..60_u8, 60);
    let factors = proptest::collection::vec(1..=5_u32, 4);
    let datacenters = prop_oneof![2 => Just(1_usize), 2 => Just(2), 1 => Just(3), 1 => Just(4)];
    let sizes = (nodes, datacenters, 1..=5_u8, vnodes);
    (sizes, racks, factors, any::<u64>(), strategy, any::<bool>()).prop_map(
        |((nodes, datacenters, rack_count, vnodes), racks, factors, seed, strategy, few)| {
            let datacenters = datacenters.min(nodes);
            let mut by_datacenter = vec![Vec::new(); datacenters];
            for (at, rack) in racks.into_iter().take(nodes).enumerate() {
                by_datacenter[at % datacenters].push(rack % rack_count);
            }
            Shape {
                racks: by_datacenter,
                vnodes: vnodes_for(nodes, vnodes),
                places: if few { 1 << 12 } else { 1 << 40 },
                seed,
                strategy,
                factors: factors[..datacenters].to_vec(),
            }
        },
    )
}

/// Big rings of many vnodes say nothing new, take long, and may need more tokens than there are places.
fn vnodes_for(nodes: usize, vnodes: usize) -> usize {
    if nodes > 6 { vnodes.min(16) } else { vnodes }
}

impl Shape {
    pub fn cluster(&self, partitioner: &Partitioner) -> Cluster {
        let mut next = self.seed;
        let mut taken = BTreeSet::new();
        let mut members = Vec::new();
        for (datacenter, racks) in self.racks.iter().enumerate() {
            for rack in racks {
                let mut tokens = BTreeSet::new();
                while tokens.len() < self.vnodes {
                    // A step of splitmix64: any spread will do.
                    next = next.wrapping_add(0x9e37_79b9_7f4a_7c15);
                    let mixed = (next ^ (next >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                    let place = (mixed ^ (mixed >> 27)) % self.places;
                    if taken.insert(place) {
                        tokens.insert(place);
                    }
                }
                members.push(RingMember {
                    host_id: HostId(Uuid::from_u128(members.len() as u128 + 1)),
                    address: String::new(),
                    datacenter: format!("dc{datacenter}"),
                    rack: format!("r{rack}"),
                    tokens: tokens
                        .iter()
                        .map(|place| self.token(partitioner, *place))
                        .collect(),
                });
            }
        }
        let datacenters = self.factors.iter().enumerate();
        let replication = match self.strategy {
            0 => Replication::NetworkTopology {
                datacenters: datacenters
                    .map(|(datacenter, replicas)| (format!("dc{datacenter}"), *replicas))
                    .collect(),
            },
            1 => Replication::Simple {
                replicas: self.factors[0],
            },
            _ => Replication::Everywhere,
        };
        Cluster {
            partitioner: partitioner.clone(),
            members,
            replication,
        }
    }

    /// Places spread over the whole ring; the first is the minimum token.
    fn token(&self, partitioner: &Partitioner, place: u64) -> String {
        let step = u64::MAX / self.places;
        match partitioner {
            Partitioner::Murmur3 => i64::MIN.wrapping_add((place * step) as i64).to_string(),
            _ if place == 0 => "-1".into(),
            _ => (u128::from(place * step) << 63).to_string(),
        }
    }

    /// This ring, grown or shrunk, with other racks, tokens or replication, as `change` decides.
    pub fn changed(&self, other: &Shape, change: u8) -> Shape {
        match change {
            // The same tokens, other replication.
            0 if self.racks.len() == other.racks.len() => Shape {
                strategy: other.strategy,
                factors: other.factors.clone(),
                ..self.clone()
            },
            // More or fewer nodes, the first of them as they were.
            1 => Shape {
                racks: other.racks.clone(),
                factors: other.factors.clone(),
                places: self.places,
                seed: self.seed,
                vnodes: vnodes_for(other.racks.iter().flatten().count(), self.vnodes),
                strategy: self.strategy,
            },
            _ => other.clone(),
        }
    }
}

pub fn partitioner() -> impl Strategy<Value = Partitioner> {
    prop_oneof![Just(Partitioner::Murmur3), Just(Partitioner::Random)]
}
