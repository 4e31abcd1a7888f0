//! Sets of ranges by example, and against sets of single tokens.

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
