//! What a mapping costs each target node in bytes and SSTables, decided for each SSTable as [`TokenRanges::cut`] decides it.
//!
//! [`TokenRanges::cut`]: cassandra_tokens::TokenRanges::cut

use std::collections::BTreeSet;

use cassandra_tokens::Token;

use crate::circle::{Circle, Interval, Position};
use crate::{Mapping, Share};

/// What is known of an SSTable before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sstable {
    /// The tokens of its first and last partition; none where they cannot be known, as in an encrypted one.
    pub span: Option<(Token, Token)>,
    pub bytes: u64,
}

/// What a target node takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Exact for SSTables that are taken whole; of sliced ones the part of their span that is wanted, as if their tokens were
    /// spread evenly in it.
    pub download_bytes: u64,
    pub sstables: u64,
    /// Of these, how many are sliced.
    pub sliced_sstables: u64,
}

/// Adds up, SSTable by SSTable, what each target node takes.
#[derive(Debug, Clone)]
pub struct Spread {
    circle: Circle,
    /// By source member.
    outlets: Vec<Outlet>,
    loads: Vec<Load>,
    /// Of the SSTable at hand: the tokens that each of its source's targets wants. All zero in between.
    wanted: Vec<u128>,
    touched: Vec<usize>,
}

/// Where the ranges of one source node go.
#[derive(Debug, Clone, Default)]
struct Outlet {
    /// The nodes that take anything, by their index in the target ring.
    targets: Vec<usize>,
    /// Of each of them, the ranges and before each how many tokens come before it.
    taken: Vec<Vec<(Interval, u128)>>,
    /// Ranges in which the takers do not change, ascending, with the place of the first taker in `takers`.
    segments: Vec<(Interval, usize)>,
    takers: Vec<usize>,
}

impl Spread {
    pub fn new(mapping: &Mapping) -> Self {
        let circle = mapping.circle;
        let mut outlets = vec![Outlet::default(); mapping.source_count()];
        for (target, shares) in mapping.iter() {
            for share in shares {
                outlets[share.source].add(circle, target, share);
            }
        }
        outlets.iter_mut().for_each(Outlet::cut);
        let widest = outlets.iter().map(|outlet| outlet.targets.len()).max();
        Self {
            circle,
            outlets,
            loads: vec![Load::default(); mapping.shares.len()],
            wanted: vec![0; widest.unwrap_or(0)],
            touched: Vec::new(),
        }
    }

    /// Counts an SSTable of a source node, by its index in the source ring.
    pub fn add(&mut self, source: usize, sstable: &Sstable) {
        let Some(outlet) = self.outlets.get(source) else {
            return;
        };
        let position = |token| self.circle.position(token);
        let span = sstable
            .span
            .as_ref()
            .and_then(|(first, last)| Some((position(first)?, position(last)?)))
            .map(|(first, last)| (first.min(last), first.max(last)));
        let Some((first, last)) = span else {
            for target in &outlet.targets {
                self.loads[*target].add_whole(sstable.bytes);
            }
            return;
        };
        outlet.want(
            first,
            last,
            self.circle.end(),
            &mut self.wanted,
            &mut self.touched,
        );
        let tokens = last - first + 1;
        for taker in self.touched.drain(..) {
            let wanted = std::mem::take(&mut self.wanted[taker]);
            let load = &mut self.loads[outlet.targets[taker]];
            match wanted == tokens {
                true => load.add_whole(sstable.bytes),
                false => load.add_part(part(sstable.bytes, wanted, tokens)),
            }
        }
    }

    /// By the target node's index in the target ring.
    pub fn loads(&self) -> &[Load] {
        &self.loads
    }
}

impl Load {
    fn add_whole(&mut self, bytes: u64) {
        self.download_bytes = self.download_bytes.saturating_add(bytes);
        self.sstables += 1;
    }

    fn add_part(&mut self, bytes: u64) {
        self.add_whole(bytes);
        self.sliced_sstables += 1;
    }
}

/// Rounded up, so that no part is for free.
fn part(bytes: u64, wanted: u128, tokens: u128) -> u64 {
    // Both in 64 bits, so that the product is in 128.
    let shift = 64_u32.saturating_sub(tokens.leading_zeros());
    let (wanted, tokens) = (wanted.div_ceil(1 << shift), (tokens >> shift).max(1));
    let part = (u128::from(bytes) * wanted).div_ceil(tokens);
    u64::try_from(part).unwrap_or(bytes).min(bytes)
}

impl Outlet {
    fn add(&mut self, circle: Circle, target: usize, share: &Share) {
        let mut before = 0;
        let intervals = share
            .ranges
            .iter()
            .filter_map(|range| circle.interval(range));
        self.targets.push(target);
        self.taken.push(
            intervals
                .map(|(left, right)| {
                    let taken = ((left, right), before);
                    before += right - left;
                    taken
                })
                .collect(),
        );
    }

    /// Cuts what is taken into segments.
    fn cut(&mut self) {
        let mut ends: Vec<(Position, bool, usize)> = Vec::new();
        for (taker, taken) in self.taken.iter().enumerate() {
            for ((left, right), _) in taken {
                ends.extend([(*left, true, taker), (*right, false, taker)]);
            }
        }
        ends.sort_unstable();
        let mut open: BTreeSet<usize> = BTreeSet::new();
        let mut left = 0;
        for (position, starts, taker) in ends {
            if position > left && !open.is_empty() {
                self.segments.push(((left, position), self.takers.len()));
                self.takers.extend(&open);
            }
            left = position;
            match starts {
                true => open.insert(taker),
                false => open.remove(&taker),
            };
        }
    }

    /// Counts for each taker the tokens from `first` to `last` that it wants. The minimum token stands where the ring ends.
    fn want(
        &self,
        first: Position,
        last: Position,
        end: Position,
        wanted: &mut [u128],
        touched: &mut Vec<usize>,
    ) {
        let mut count = |taker: usize, tokens: u128| {
            if tokens > 0 {
                if wanted[taker] == 0 {
                    touched.push(taker);
                }
                wanted[taker] += tokens;
            }
        };
        if first == 0 {
            for (taker, taken) in self.taken.iter().enumerate() {
                let at_end = taken.last().is_some_and(|((_, right), _)| *right == end);
                count(taker, u128::from(at_end));
            }
        }
        let before = first.max(1) - 1;
        let from = self
            .segments
            .partition_point(|((_, right), _)| *right <= before);
        let to = self.segments.partition_point(|((left, _), _)| *left < last);
        // A wide SSTable passes more segments than there are takers, and these count in two steps however much they take.
        if to.saturating_sub(from) > 2 * self.targets.len() {
            for (taker, taken) in self.taken.iter().enumerate() {
                count(taker, up_to(taken, last) - up_to(taken, before));
            }
            return;
        }
        for at in from..to {
            let ((left, right), takers) = self.segments[at];
            let until = self
                .segments
                .get(at + 1)
                .map_or(self.takers.len(), |next| next.1);
            let tokens = right.min(last) - left.max(before);
            for taker in &self.takers[takers..until] {
                count(*taker, tokens);
            }
        }
    }
}

/// How many tokens up to a position, itself included, are taken.
fn up_to(taken: &[(Interval, u128)], position: Position) -> u128 {
    let at = taken.partition_point(|((left, _), _)| *left < position);
    match at.checked_sub(1).and_then(|at| taken.get(at)) {
        Some(((left, right), before)) => before + (*right).min(position) - left,
        None => 0,
    }
}

#[cfg(test)]
mod tests;
