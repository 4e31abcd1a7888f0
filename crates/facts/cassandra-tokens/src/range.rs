//! Ranges of the ring, which exclude their left end, include their right end, and may wrap.

use super::{Partitioner, Token, TokenError};

/// `(left, right]`. It wraps if the right end is not above the left; equal ends are the whole ring.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenRange {
    /// The token below the range; the range does not include it.
    pub left: Token,
    /// The last token of the range, included.
    pub right: Token,
}

impl TokenRange {
    /// The range `(left, right]`; both tokens are of one partitioner.
    pub fn new(left: Token, right: Token) -> Self {
        Self { left, right }
    }

    /// From two tokens as text.
    pub fn parse(partitioner: &Partitioner, left: &str, right: &str) -> Result<Self, TokenError> {
        Ok(Self {
            left: partitioner.parse_token(left)?,
            right: partitioner.parse_token(right)?,
        })
    }

    /// Whether the range passes the end of the ring; a whole ring does.
    pub fn wraps(&self) -> bool {
        self.left >= self.right
    }

    /// Whether a token of the same partitioner lies in the range.
    pub fn contains(&self, token: &Token) -> bool {
        if self.wraps() {
            token > &self.left || token <= &self.right
        } else {
            token > &self.left && token <= &self.right
        }
    }
}

/// A set of ranges: ascending, apart from each other, none wrapping except for a last one that ends with the ring, whose
/// right end is the minimum token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRanges {
    ranges: Vec<TokenRange>,
}

impl TokenRanges {
    /// Merges ranges of one partitioner.
    pub fn new(ranges: impl IntoIterator<Item = TokenRange>) -> Self {
        let mut unwrapped = Vec::new();
        for range in ranges {
            if range.wraps() && !range.right.is_minimum() {
                let minimum = range.left.minimum();
                unwrapped.push(TokenRange::new(range.left, minimum.clone()));
                unwrapped.push(TokenRange::new(minimum, range.right));
            } else {
                unwrapped.push(range);
            }
        }
        unwrapped.sort_by(|a, b| a.left.cmp(&b.left));
        let mut merged: Vec<TokenRange> = Vec::new();
        for range in unwrapped {
            match merged.last_mut() {
                Some(last) if last.right.is_minimum() => break,
                Some(last) if range.left <= last.right => {
                    if range.right.is_minimum() || range.right > last.right {
                        last.right = range.right;
                    }
                }
                _ => merged.push(range),
            }
        }
        Self { ranges: merged }
    }

    /// The one range that holds every token of a partitioner.
    pub fn whole_ring(partitioner: &Partitioner) -> Self {
        Self::new([TokenRange::new(
            partitioner.minimum(),
            partitioner.minimum(),
        )])
    }

    /// The ranges in ascending order.
    pub fn iter(&self) -> std::slice::Iter<'_, TokenRange> {
        self.ranges.iter()
    }

    /// Whether no token is in the set.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether every token is in the set.
    pub fn is_whole_ring(&self) -> bool {
        matches!(self.ranges.as_slice(), [one] if one.left.is_minimum() && one.right.is_minimum())
    }

    /// Whether a token is in the set. The minimum token is if the end of the ring is.
    pub fn contains(&self, token: &Token) -> bool {
        if token.is_minimum() {
            return self.ends_with_ring();
        }
        // The ranges before it are those that begin below the token; only the last of them can reach it.
        let before = self.ranges.partition_point(|range| &range.left < token);
        self.ranges[..before]
            .last()
            .is_some_and(|range| range.right.is_minimum() || token <= &range.right)
    }

    /// Whether a token from `first` to `last`, both included, could be contained.
    pub fn intersects(&self, first: &Token, last: &Token) -> bool {
        if first.is_minimum() && self.ends_with_ring() {
            return true;
        }
        let reached = self.ranges.partition_point(|range| &range.left < last);
        self.ranges[..reached]
            .last()
            .is_some_and(|range| range.right.is_minimum() || first <= &range.right)
    }

    /// Whether every token from `first` to `last`, both included, is contained. Ranges that touch are one, so a
    /// single range must hold both; only a span that begins with the minimum token also needs the ring's end, where
    /// that token is.
    pub fn covers(&self, first: &Token, last: &Token) -> bool {
        if !first.is_minimum() {
            let before = self.ranges.partition_point(|range| &range.left < first);
            return first <= last
                && self.ranges[..before]
                    .last()
                    .is_some_and(|range| range.right.is_minimum() || last <= &range.right);
        }
        let from_the_start = self.ranges.first().is_some_and(|range| {
            range.left.is_minimum() && (range.right.is_minimum() || last <= &range.right)
        });
        self.ends_with_ring() && (last.is_minimum() || from_the_start)
    }

    fn ends_with_ring(&self) -> bool {
        self.ranges
            .last()
            .is_some_and(|range| range.right.is_minimum())
    }
}

impl<'a> IntoIterator for &'a TokenRanges {
    type Item = &'a TokenRange;
    type IntoIter = std::slice::Iter<'a, TokenRange>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests;
