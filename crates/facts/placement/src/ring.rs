//! A ring prepared for lookups: members with datacenter and rack, tokens sorted.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cassandra_tokens::{Partitioner, Token, TokenError};
use model::{HostId, RingMember};

use crate::circle::{Circle, Interval, Position};

/// The members of a cluster and the tokens that they own. A member without tokens is known, but holds no data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring {
    pub(crate) circle: Circle,
    members: Vec<Member>,
    datacenters: Vec<String>,
    /// Each with its datacenter, because two datacenters may use the same names.
    racks: Vec<(u32, String)>,
    by_host_id: HashMap<HostId, usize>,
    /// Ascending, each with its owner in `owners`.
    pub(crate) positions: Vec<Position>,
    pub(crate) owners: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Member {
    host_id: HostId,
    datacenter: u32,
    rack: u32,
    tokens: u32,
}

/// Why members do not make a ring.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RingError {
    /// The partitioner, by its simple class name, is not Murmur3Partitioner or RandomPartitioner.
    #[error("where {0} places replicas is not understood")]
    Partitioner(String),
    /// A member's token cannot be parsed.
    #[error("node {host_id} has a token that is none")]
    Token {
        /// The member that has it.
        host_id: HostId,
        /// What is wrong with the token.
        #[source]
        source: TokenError,
    },
    /// Two members own the same token.
    #[error("token {token} is owned by two nodes, {first} and {second}")]
    SharedToken {
        /// The token as text.
        token: String,
        /// One of the owners.
        first: HostId,
        /// The other owner.
        second: HostId,
    },
    /// Two members have the same host id.
    #[error("node {0} is in the ring twice")]
    RepeatedMember(HostId),
    /// There are more members than 32 bits can number.
    #[error("the ring has {0} members, more than can be numbered")]
    TooLarge(usize),
}

impl Ring {
    /// Builds a ring from members, which keep their index. Fails if placement is unknown for the partitioner, or if
    /// the members contradict each other.
    pub fn new(partitioner: &Partitioner, members: &[RingMember]) -> Result<Self, RingError> {
        let circle = Circle::for_partitioner(partitioner)
            .ok_or_else(|| RingError::Partitioner(partitioner.name().to_owned()))?;
        if u32::try_from(members.len()).is_err() {
            return Err(RingError::TooLarge(members.len()));
        }
        let mut ring = Self {
            circle,
            members: Vec::with_capacity(members.len()),
            datacenters: Vec::new(),
            racks: Vec::new(),
            by_host_id: HashMap::with_capacity(members.len()),
            positions: Vec::new(),
            owners: Vec::new(),
        };
        let names: BTreeSet<&String> = members.iter().map(|member| &member.datacenter).collect();
        ring.datacenters = names.into_iter().cloned().collect();
        let mut racks = BTreeMap::new();
        let mut owned = Vec::new();
        for (index, member) in members.iter().enumerate() {
            if ring.by_host_id.insert(member.host_id, index).is_some() {
                return Err(RingError::RepeatedMember(member.host_id));
            }
            let tokens = positions(circle, partitioner, member)?;
            let datacenter =
                ring.datacenters
                    .partition_point(|name| name < &member.datacenter) as u32;
            let rack = *racks.entry((datacenter, &member.rack)).or_insert_with(|| {
                ring.racks.push((datacenter, member.rack.clone()));
                ring.racks.len() as u32 - 1
            });
            ring.members.push(Member {
                host_id: member.host_id,
                datacenter,
                rack,
                tokens: tokens.len() as u32,
            });
            owned.extend(tokens.into_iter().map(|position| (position, index as u32)));
        }
        owned.sort_unstable();
        ring.refuse_shared_tokens(&owned)?;
        (ring.positions, ring.owners) = owned.into_iter().unzip();
        Ok(ring)
    }

    fn refuse_shared_tokens(&self, owned: &[(Position, u32)]) -> Result<(), RingError> {
        for pair in owned.windows(2) {
            if let [(first, a), (second, b)] = pair
                && first == second
            {
                return Err(RingError::SharedToken {
                    token: self.circle.token(*first).to_string(),
                    first: self.host_id(*a as usize),
                    second: self.host_id(*b as usize),
                });
            }
        }
        Ok(())
    }

    /// The partitioner of all its tokens.
    pub fn partitioner(&self) -> Partitioner {
        self.circle.partitioner()
    }

    /// How many members there are, those without tokens included.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is no member at all.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The index of the member with this host id.
    pub fn index_of(&self, host_id: HostId) -> Option<usize> {
        self.by_host_id.get(&host_id).copied()
    }

    /// The host id of a member.
    ///
    /// # Panics
    ///
    /// If there is no such member, as every method that takes an index does.
    pub fn host_id(&self, member: usize) -> HostId {
        self.members[member].host_id
    }

    /// The name of a member's datacenter. Panics as [`host_id`](Self::host_id).
    pub fn datacenter(&self, member: usize) -> &str {
        &self.datacenters[self.datacenter_of(member)]
    }

    /// The name of a member's rack, which is unique only within its datacenter. Panics as [`host_id`](Self::host_id).
    pub fn rack(&self, member: usize) -> &str {
        &self.racks[self.rack_of(member)].1
    }

    /// Whether a member owns any tokens. Panics as [`host_id`](Self::host_id).
    pub fn owns_tokens(&self, member: usize) -> bool {
        self.members[member].tokens > 0
    }

    /// The names of all datacenters, sorted.
    pub fn datacenters(&self) -> &[String] {
        &self.datacenters
    }

    /// The datacenters that have a token owner: the only ones that hold replicas.
    pub fn owning_datacenters(&self) -> impl Iterator<Item = &str> {
        let owning: BTreeSet<usize> = (0..self.len())
            .filter(|member| self.owns_tokens(*member))
            .map(|member| self.datacenter_of(member))
            .collect();
        owning
            .into_iter()
            .map(|index| self.datacenters[index].as_str())
    }

    /// How many tokens all members own, and so how many primary ranges there are.
    pub fn range_count(&self) -> usize {
        self.positions.len()
    }

    pub(crate) fn datacenter_of(&self, member: usize) -> usize {
        self.members[member].datacenter as usize
    }

    pub(crate) fn datacenter_index(&self, name: &str) -> Option<usize> {
        self.datacenters.iter().position(|known| known == name)
    }

    pub(crate) fn rack_of(&self, member: usize) -> usize {
        self.members[member].rack as usize
    }

    pub(crate) fn rack_count(&self) -> usize {
        self.racks.len()
    }

    /// Which primary range a position falls into: the one that ends at the first token from there on, or the first of the ring.
    pub(crate) fn range_at(&self, position: Position) -> usize {
        let at = self.positions.partition_point(|token| *token < position);
        if at == self.positions.len() { 0 } else { at }
    }

    /// As [`Self::range_at`]; `None` for a token of another partitioner, and for a ring without tokens.
    pub(crate) fn range_of(&self, token: &Token) -> Option<usize> {
        let position = self.circle.position(token)?;
        (!self.positions.is_empty()).then(|| self.range_at(position))
    }

    /// The interval of a primary range, or the two of one that wraps.
    pub(crate) fn intervals(&self, range: usize) -> impl Iterator<Item = Interval> {
        let right = self.positions[range];
        let (first, second) = match range.checked_sub(1) {
            Some(before) => ((self.positions[before], right), (0, 0)),
            None => {
                let last = self.positions[self.positions.len() - 1];
                ((0, right), (last, self.circle.end()))
            }
        };
        [first, second]
            .into_iter()
            .filter(|(left, right)| left < right)
    }

    pub(crate) fn fraction(&self, range: usize) -> f64 {
        self.intervals(range)
            .map(|interval| self.circle.fraction(interval))
            .sum()
    }

    /// The tokens of each member, ascending.
    pub(crate) fn tokens_by_member(&self) -> Vec<Vec<Position>> {
        let mut tokens = vec![Vec::new(); self.len()];
        for (position, owner) in self.positions.iter().zip(&self.owners) {
            tokens[*owner as usize].push(*position);
        }
        tokens
    }
}

/// A token that a node reports twice counts once.
fn positions(
    circle: Circle,
    partitioner: &Partitioner,
    member: &RingMember,
) -> Result<BTreeSet<Position>, RingError> {
    let position = |text: &String| {
        let refused = |source| RingError::Token {
            host_id: member.host_id,
            source,
        };
        let token = partitioner.parse_token(text).map_err(refused)?;
        circle.position(&token).ok_or_else(|| {
            refused(TokenError {
                text: text.clone(),
                partitioner: partitioner.name().to_owned(),
            })
        })
    };
    member.tokens.iter().map(position).collect()
}
