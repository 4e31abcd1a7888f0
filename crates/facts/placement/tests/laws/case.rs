//! A source, how much of it is in the backup, and a target to restore it into.

use std::collections::{BTreeMap, BTreeSet};

use cassandra_tokens::Token;
use model::HostId;
use placement::{DatacenterMap, Mapping, Source, Target};
use proptest::prelude::*;

use crate::cluster::{Cluster, Group};
use crate::shape::{partitioner, shape};

/// Fewer than proptest's own number, since each case is a whole ring. PROPTEST_CASES asks for another.
pub fn cases() -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok();
    let cases = asked.and_then(|text| text.parse().ok()).unwrap_or(64);
    ProptestConfig {
        cases,
        failure_persistence: None,
        // A smaller case is worth some seconds, not minutes.
        max_shrink_time: 5_000,
        ..ProptestConfig::default()
    }
}

/// A source, which of its nodes are in the backup, and a target.
#[derive(Debug, Clone)]
pub struct Case {
    pub source: Cluster,
    pub target: Cluster,
    pub available: BTreeSet<HostId>,
    pub feeds: BTreeSet<(String, String)>,
    pub stored_bytes: BTreeMap<HostId, u64>,
}

pub fn case() -> impl Strategy<Value = Case> {
    let shapes = (shape(), shape(), 0..3_u8);
    let lost = prop_oneof![2 => Just(0_u64), 1 => any::<u64>()];
    (shapes, partitioner(), lost, any::<u64>(), any::<bool>()).prop_map(
        |((source, target, change), partitioner, lost, feeds, weighed)| {
            let target = source.changed(&target, change).cluster(&partitioner);
            let source = source.cluster(&partitioner);
            let is_lost = |at: usize| lost != 0 && lost.rotate_left(at as u32 * 3) & 3 == 0;
            let host_ids = || {
                source
                    .members
                    .iter()
                    .map(|member| member.host_id)
                    .enumerate()
            };
            Case {
                available: host_ids()
                    .filter(|(at, _)| !is_lost(*at))
                    .map(|(_, id)| id)
                    .collect(),
                feeds: feeds_of(&source, &target, feeds),
                stored_bytes: host_ids()
                    .filter(|_| weighed)
                    .map(|(at, id)| (id, feeds.rotate_left(at as u32) % 1000))
                    .collect(),
                source,
                target,
            }
        },
    )
}

/// Every target datacenter is fed by one or more, chosen by bits.
fn feeds_of(source: &Cluster, target: &Cluster, bits: u64) -> BTreeSet<(String, String)> {
    let names = |cluster: &Cluster| -> Vec<String> {
        let names = cluster
            .members
            .iter()
            .map(|member| member.datacenter.clone());
        names.collect::<BTreeSet<_>>().into_iter().collect()
    };
    let (sources, targets) = (names(source), names(target));
    let mut feeds = BTreeSet::new();
    for (at, to) in targets.iter().enumerate() {
        feeds.insert((sources[at % sources.len()].clone(), to.clone()));
        for (nth, from) in sources.iter().enumerate() {
            if bits >> (at * 4 + nth) & 1 == 1 && bits >> 60 > 9 {
                feeds.insert((from.clone(), to.clone()));
            }
        }
    }
    feeds
}

/// A pair of groups at a token: the source replicas and the target replicas, which may be matched with each other.
pub struct Meeting {
    pub token: Token,
    pub sources: Vec<usize>,
    pub available: Vec<usize>,
    pub targets: Vec<usize>,
}

impl Case {
    pub fn map(&self) -> Mapping {
        let (source, target) = (self.source.ring(), self.target.ring());
        placement::map(
            &Source {
                ring: &source,
                replication: &self.source.replication,
                available: &self.available,
                stored_bytes: &self.stored_bytes,
            },
            &Target {
                ring: &target,
                replication: &self.target.replication,
            },
            &DatacenterMap::new(self.feeds.iter().cloned()),
        )
        .expect("a mapping")
    }

    fn is_fed(&self, from: &Group, to: &Group) -> bool {
        match (from, to) {
            (Some(from), Some(to)) => self.feeds.contains(&(from.clone(), to.clone())),
            _ => true,
        }
    }

    /// Whether some fed group of target replicas has no source that is in the backup.
    pub fn is_without_source(&self, token: &Token) -> bool {
        let source = self.source.sorted_tokens();
        let is_available = |at: &usize| self.available.contains(&self.source.members[*at].host_id);
        self.target.groups().iter().any(|to| {
            let groups = self.source.groups();
            let mut from = groups.iter().filter(|from| self.is_fed(from, to));
            !from.any(|from| {
                self.source
                    .replicas(&source, token, from)
                    .iter()
                    .any(is_available)
            })
        })
    }

    /// All pairs of groups that feed and are fed, at some tokens at and beside the boundaries of both rings.
    pub fn meetings(&self) -> Vec<Meeting> {
        let (source, target) = (self.source.sorted_tokens(), self.target.sorted_tokens());
        let mut tokens: Vec<Token> = [&source, &target]
            .into_iter()
            .flatten()
            .flat_map(|(token, _)| around(token))
            .filter(|token| !token.is_minimum())
            .collect();
        tokens.sort();
        tokens.dedup();
        let step = tokens.len().div_ceil(30).max(1);
        let mut meetings = Vec::new();
        for token in tokens.into_iter().step_by(step) {
            for from in self.source.groups() {
                let sources = self.source.replicas(&source, &token, &from);
                let is_available = |at: &usize| {
                    let host_id = self.source.members[*at].host_id;
                    self.available.contains(&host_id)
                };
                let available: Vec<usize> = sources.iter().copied().filter(is_available).collect();
                for to in self.target.groups() {
                    if self.is_fed(&from, &to) {
                        meetings.push(Meeting {
                            token: token.clone(),
                            sources: sources.clone(),
                            available: available.clone(),
                            targets: self.target.replicas(&target, &token, &to),
                        });
                    }
                }
            }
        }
        meetings
    }
}

fn around(token: &Token) -> Vec<Token> {
    match token {
        Token::Murmur3(value) => [value.saturating_sub(1), *value, value.saturating_add(1)]
            .map(Token::Murmur3)
            .to_vec(),
        Token::Random(Some(value)) => [value.saturating_sub(1), *value, value.saturating_add(1)]
            .map(|value| Token::Random(Some(value.min(1 << 127))))
            .to_vec(),
        other => vec![other.clone()],
    }
}

pub fn takes(mapping: &Mapping, target: usize, source: usize, token: &Token) -> bool {
    mapping
        .ranges_from(target, source)
        .is_some_and(|ranges| ranges.contains(token))
}
