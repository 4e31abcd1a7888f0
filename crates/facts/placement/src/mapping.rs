//! What each target node takes from which source node.

use std::collections::HashMap;

use cassandra_tokens::TokenRanges;

use crate::circle::{Circle, Interval};

/// What a target node takes from one source node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Its index in the source ring.
    pub source: usize,
    /// The token ranges that it takes from there.
    pub ranges: TokenRanges,
}

/// For each target node, by its index in the target ring, what it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    pub(crate) circle: Circle,
    pub(crate) sources: usize,
    /// Each in the order of the sources.
    pub(crate) shares: Vec<Vec<Share>>,
    pub(crate) without_source: TokenRanges,
}

impl Mapping {
    /// What a target node takes, in the order of the source nodes. Empty for a node without replicas and for an index
    /// that is not in the target ring.
    pub fn shares_of(&self, target: usize) -> &[Share] {
        self.shares.get(target).map_or(&[], Vec::as_slice)
    }

    /// What a target node takes from one source node; `None` if nothing.
    pub fn ranges_from(&self, target: usize, source: usize) -> Option<&TokenRanges> {
        let shares = self.shares_of(target);
        let at = shares.binary_search_by_key(&source, |share| share.source);
        at.ok().map(|at| &shares[at].ranges)
    }

    /// All target nodes with what they take.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &[Share])> {
        self.shares.iter().map(Vec::as_slice).enumerate()
    }

    /// The target nodes that take from a source node.
    pub fn targets_of(&self, source: usize) -> impl Iterator<Item = usize> {
        (0..self.shares.len()).filter(move |target| self.ranges_from(*target, source).is_some())
    }

    /// How many members the source ring has.
    pub fn source_count(&self) -> usize {
        self.sources
    }

    /// The ranges for which some group of target replicas receives nothing, because no replica that feeds it is
    /// available.
    pub fn without_source(&self) -> &TokenRanges {
        &self.without_source
    }

    /// The source of each target node, if no node takes from two and no node gives to two: the files of a source node
    /// can then be copied as they are. The inner `None` is a target node that takes nothing.
    pub fn one_to_one(&self) -> Option<Vec<Option<usize>>> {
        let mut given = vec![false; self.sources];
        let only = |shares: &Vec<Share>| match shares.as_slice() {
            [] => Some(None),
            [one] if !std::mem::replace(&mut given[one.source], true) => Some(Some(one.source)),
            _ => None,
        };
        self.shares.iter().map(only).collect()
    }
}

/// A mapping under construction: pairs of nodes with the intervals that pass between them, ascending.
#[derive(Debug, Default)]
pub(crate) struct Shares {
    by_pair: HashMap<(u32, u32), Vec<Interval>>,
}

impl Shares {
    /// The end of the last range that a target takes from a source.
    pub(crate) fn last_end(&self, target: u32, source: u32) -> Option<u128> {
        let intervals = self.by_pair.get(&(target, source))?;
        intervals.last().map(|(_, right)| *right)
    }

    /// Adds a range; for each pair, ranges must come in ascending order.
    pub(crate) fn add(&mut self, target: u32, source: u32, (left, right): Interval) {
        let intervals = self.by_pair.entry((target, source)).or_default();
        match intervals.last_mut() {
            Some(last) if last.1 == left => last.1 = right,
            _ => intervals.push((left, right)),
        }
    }

    pub(crate) fn finish(self, circle: Circle, targets: usize) -> Vec<Vec<Share>> {
        let mut shares: Vec<Vec<Share>> = vec![Vec::new(); targets];
        for ((target, source), intervals) in self.by_pair {
            shares[target as usize].push(Share {
                source: source as usize,
                ranges: TokenRanges::new(intervals.into_iter().map(|i| circle.range(i))),
            });
        }
        for shares in &mut shares {
            shares.sort_unstable_by_key(|share| share.source);
        }
        shares
    }
}
