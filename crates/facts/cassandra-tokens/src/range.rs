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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Cut;

    fn range(left: i64, right: i64) -> TokenRange {
        TokenRange::new(Token::Murmur3(left), Token::Murmur3(right))
    }

    #[track_caller]
    fn check(ranges: &[(i64, i64)], merged: &[(i64, i64)]) {
        let set = TokenRanges::new(ranges.iter().map(|(l, r)| range(*l, *r)));
        let expected: Vec<TokenRange> = merged.iter().map(|(l, r)| range(*l, *r)).collect();
        assert_eq!(set.ranges, expected);
    }

    #[test]
    fn a_set_of_ranges_is_sorted_merged_and_unwrapped() {
        const MIN: i64 = i64::MIN;
        check(&[], &[]);
        check(&[(5, 9), (1, 5)], &[(1, 9)]);
        check(&[(1, 9), (2, 3), (20, 30)], &[(1, 9), (20, 30)]);
        check(&[(10, -10)], &[(MIN, -10), (10, MIN)]);
        check(&[(10, -10), (-10, 10)], &[(MIN, MIN)]);
        check(&[(7, 7)], &[(MIN, MIN)]);
        check(&[(MIN, MIN)], &[(MIN, MIN)]);
        check(&[(3, MIN), (5, 8)], &[(3, MIN)]);
        check(&[(1, 2), (2, MIN)], &[(1, MIN)]);
        check(&[(MIN, 4)], &[(MIN, 4)]);
        check(&[(0, i64::MAX), (i64::MAX, MIN)], &[(0, MIN)]);
    }

    #[test]
    fn the_whole_ring_contains_every_token() {
        for partitioner in [Partitioner::Murmur3, Partitioner::Random] {
            let ring = TokenRanges::whole_ring(&partitioner);
            assert!(ring.is_whole_ring());
            assert!(ring.contains(&partitioner.minimum()));
            assert!(ring.contains(&partitioner.token(b"key")));
        }
    }

    /// Few values, so that ends meet; the ends of the ring among them.
    fn token() -> impl Strategy<Value = i64> {
        prop_oneof![
            8 => -6..6_i64,
            1 => Just(i64::MIN),
            1 => Just(i64::MAX),
        ]
    }

    proptest! {
        #[test]
        fn a_set_covers_a_span_if_it_contains_each_of_its_tokens(
            ranges in proptest::collection::vec((-6..6_i64, -6..6_i64), 0..6),
            start_is_minimum in any::<bool>(),
            first in -6..6_i64,
            len in 0..8_i64,
        ) {
            // On a ring of few tokens each can be tested: all below -6 are the same as the minimum's neighbour.
            let set = TokenRanges::new(ranges.iter().map(|(l, r)| range(*l, *r)));
            let contains = |token: i64| set.contains(&Token::Murmur3(token));
            let last = Token::Murmur3(first + len);
            let mut each = (first..=first + len).all(contains);
            let mut start = Token::Murmur3(first);
            if start_is_minimum {
                each &= contains(i64::MIN) && contains(i64::MIN + 1) && (-6..=first).all(contains);
                start = Token::Murmur3(i64::MIN);
            }
            prop_assert_eq!(set.covers(&start, &last), each);
        }

        #[test]
        fn a_span_that_is_covered_goes_whole_and_one_that_is_only_touched_in_part(
            ranges in proptest::collection::vec((token(), token()), 0..6),
            first in token(),
            last in token(),
        ) {
            let set = TokenRanges::new(ranges.iter().map(|(l, r)| range(*l, *r)));
            let (first, last) = (Token::Murmur3(first), Token::Murmur3(last));
            let (low, high) = (first.clone().min(last.clone()), first.clone().max(last.clone()));
            let expected = match (set.intersects(&low, &high), set.covers(&low, &high)) {
                (false, covers) => {
                    prop_assert!(!covers);
                    Cut::None
                }
                (true, true) => Cut::Whole,
                (true, false) => Cut::Part,
            };
            prop_assert_eq!(set.cut(&first, &last), expected);
        }

        #[test]
        fn a_merged_set_contains_what_its_ranges_contain(
            ranges in proptest::collection::vec((token(), token()), 0..6),
            probe in token(),
            other in token(),
        ) {
            let ranges: Vec<TokenRange> = ranges.iter().map(|(l, r)| range(*l, *r)).collect();
            let set = TokenRanges::new(ranges.clone());
            let any = |token: i64| ranges.iter().any(|range| range.contains(&Token::Murmur3(token)));
            prop_assert_eq!(set.contains(&Token::Murmur3(probe)), any(probe));
            prop_assert_eq!(TokenRanges::new(set.iter().cloned()), set.clone());
            let (first, last) = (probe.min(other), probe.max(other));
            if let Some(inside) = [first, last].into_iter().chain(-6..6).find(|t| (first..=last).contains(t) && any(*t)) {
                prop_assert!(set.intersects(&Token::Murmur3(first), &Token::Murmur3(last)), "{}", inside);
            }
        }
    }

    #[test]
    fn ranges_of_other_tokens_do_not_intersect_a_span() {
        let set = TokenRanges::new([range(10, 20), range(30, 40)]);
        for (first, last, expected) in [
            (0, 10, false),
            (0, 11, true),
            (20, 25, true),
            (21, 30, false),
            (40, 40, true),
            (41, 90, false),
            (0, 90, true),
        ] {
            let intersects = set.intersects(&Token::Murmur3(first), &Token::Murmur3(last));
            assert_eq!(intersects, expected, "{first} to {last}");
        }
    }

    #[test]
    fn a_span_is_taken_whole_in_part_or_not_at_all() {
        let set = TokenRanges::new([range(10, 20), range(20, 25), range(30, i64::MIN)]);
        for (first, last, expected) in [
            (0, 10, Cut::None),
            (10, 11, Cut::Part),
            (11, 25, Cut::Whole),
            (25, 11, Cut::Whole),
            (11, 26, Cut::Part),
            (26, 30, Cut::None),
            (20, 31, Cut::Part),
            (31, i64::MAX, Cut::Whole),
            (i64::MIN, i64::MIN, Cut::Whole),
            (i64::MIN, 5, Cut::Part),
        ] {
            let cut = set.cut(&Token::Murmur3(first), &Token::Murmur3(last));
            assert_eq!(cut, expected, "{first} to {last}");
        }
        let none = TokenRanges::new([]);
        assert_eq!(none.cut(&Token::Murmur3(1), &Token::Murmur3(1)), Cut::None);
    }
}
