//! A cluster, and its replicas found in the plainest way: by walking the ring token by token.

use std::collections::BTreeSet;

use cassandra_tokens::{Partitioner, Token};
use model::RingMember;
use placement::{Replication, Ring};

/// The nodes that a quorum is counted among: a datacenter, or the whole ring.
pub type Group = Option<String>;

#[derive(Debug, Clone)]
pub struct Cluster {
    pub partitioner: Partitioner,
    pub members: Vec<RingMember>,
    pub replication: Replication,
}

impl Cluster {
    pub fn ring(&self) -> Ring {
        Ring::new(&self.partitioner, &self.members).expect("a ring")
    }

    pub fn groups(&self) -> Vec<Group> {
        let Replication::NetworkTopology { datacenters } = &self.replication else {
            return vec![None];
        };
        let names = self.members.iter().map(|member| &member.datacenter);
        let names: BTreeSet<_> = names
            .filter(|name| datacenters.contains_key(*name))
            .collect();
        names.into_iter().cloned().map(Some).collect()
    }

    /// All tokens, ascending, with their owners.
    pub fn sorted_tokens(&self) -> Vec<(Token, usize)> {
        let mut tokens = Vec::new();
        for (at, member) in self.members.iter().enumerate() {
            for text in &member.tokens {
                tokens.push((self.partitioner.parse_token(text).expect("a token"), at));
            }
        }
        tokens.sort();
        tokens
    }

    /// The replicas of a token in a group, in the order of the walk.
    pub fn replicas(&self, tokens: &[(Token, usize)], token: &Token, group: &Group) -> Vec<usize> {
        let start = tokens.partition_point(|(owned, _)| owned < token);
        let inside = |at: &usize| {
            let datacenter = &self.members[*at].datacenter;
            group.as_ref().is_none_or(|group| group == datacenter)
        };
        let walk = (0..tokens.len())
            .map(|step| tokens[(start + step) % tokens.len()].1)
            .filter(inside);
        let count = |key: fn(&RingMember) -> &String| {
            let members = (0..self.members.len()).filter(inside);
            members
                .map(|at| key(&self.members[at]))
                .collect::<BTreeSet<_>>()
                .len()
        };
        let nodes = (0..self.members.len()).filter(inside).count();
        let (wanted, mut repeats) = match &self.replication {
            Replication::Simple { replicas } => (nodes.min(*replicas as usize), usize::MAX),
            Replication::NetworkTopology { datacenters } => {
                let factor = datacenters[group.as_ref().expect("a datacenter")] as usize;
                let racks = count(|member| &member.rack);
                (nodes.min(factor), factor.saturating_sub(racks))
            }
            Replication::Everywhere => (nodes, usize::MAX),
            Replication::Local => (0, 0),
        };
        let (mut replicas, mut racks) = (Vec::new(), BTreeSet::new());
        for at in walk {
            if replicas.len() == wanted {
                break;
            }
            if replicas.contains(&at) {
                continue;
            }
            if !racks.insert(&self.members[at].rack) {
                if repeats == 0 {
                    continue;
                }
                repeats -= 1;
            }
            replicas.push(at);
        }
        replicas
    }
}
