//! How many bytes and SSTables each target node downloads under a mapping, counted for each SSTable as
//! [`TokenRanges::cut`] decides.
//!
//! [`TokenRanges::cut`]: cassandra_tokens::TokenRanges::cut

use std::collections::BTreeSet;

use cassandra_tokens::Token;

use crate::circle::{Circle, Interval, Position};
use crate::{Mapping, Share};

/// What is known of an SSTable before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sstable {
    /// The tokens of its first and last partition; `None` if they cannot be known, as for an encrypted SSTable, which
    /// is then counted whole for every target.
    pub span: Option<(Token, Token)>,
    /// The size of all its components.
    pub bytes: u64,
}

/// What a target node takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Exact for SSTables that are taken whole. A sliced one counts in proportion to the tokens of its span that are
    /// wanted, as if its data were spread evenly over them.
    pub download_bytes: u64,
    /// How many SSTables it takes, whole or sliced.
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
    /// Scratch: the tokens of the current SSTable that each target of its source wants. All zero between calls.
    wanted: Vec<u128>,
    touched: Vec<usize>,
}

/// Where the ranges of one source node go.
#[derive(Debug, Clone, Default)]
struct Outlet {
    /// The nodes that take anything, by their index in the target ring.
    targets: Vec<usize>,
    /// For each of them, its ranges, each with the number of its tokens in the ranges before it.
    taken: Vec<Vec<(Interval, u128)>>,
    /// Ranges within which the takers do not change, ascending, each with the index of its first taker in `takers`.
    segments: Vec<(Interval, usize)>,
    takers: Vec<usize>,
}

impl Spread {
    /// Prepares the ranges of a mapping for counting; no SSTable is counted yet.
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

    /// Counts an SSTable of a source node, given by its index in the source ring. An unknown index counts nothing.
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
            if wanted == tokens {
                load.add_whole(sstable.bytes);
            } else {
                load.add_part(part(sstable.bytes, wanted, tokens));
            }
        }
    }

    /// The totals so far, by the target node's index in the target ring.
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

/// Rounded up, so that no part counts as 0 bytes.
fn part(bytes: u64, wanted: u128, tokens: u128) -> u64 {
    // Both shortened to 64 bits, so that the product fits 128.
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
            if starts {
                open.insert(taker);
            } else {
                open.remove(&taker);
            }
        }
    }

    /// Counts for each taker the tokens from `first` to `last` that it wants. The minimum token belongs to the range
    /// that ends with the ring.
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
        // A wide SSTable spans more segments than there are takers, and counting by taker costs two lookups each.
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
