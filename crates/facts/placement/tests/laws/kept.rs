//! Every target replica receives, what every source replica holds arrives, and nothing moves that should not.

use proptest::prelude::*;

use crate::case::{case, cases, takes};

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_target_replica_receives_and_every_available_source_replica_lands(case in case()) {
        let mapping = case.map();
        for meeting in case.meetings() {
            let feeds = |source: usize, target: usize| takes(&mapping, target, source, &meeting.token);
            let (available, targets) = (&meeting.available, &meeting.targets);
            for target in targets {
                let sources = available.iter().filter(|source| feeds(**source, *target)).count();
                prop_assert!(sources > 0 || available.is_empty(), "{target} receives nothing");
            }
            for source in available {
                let lands = targets.iter().any(|target| feeds(*source, *target));
                prop_assert!(lands, "{source} lands nowhere");
            }
        }
    }

    #[test]
    fn only_replicas_that_are_available_give_and_only_replicas_take(case in case()) {
        let mapping = case.map();
        let meetings = case.meetings();
        for token in meetings.iter().map(|meeting| &meeting.token) {
            let here = || meetings.iter().filter(|meeting| meeting.token == *token);
            for target in 0..case.target.members.len() {
                for share in mapping.shares_of(target) {
                    let expected = here().any(|meeting| {
                        meeting.available.contains(&share.source) && meeting.targets.contains(&target)
                    });
                    prop_assert!(expected || !share.ranges.contains(token), "{} to {target} at {token}", share.source);
                }
            }
        }
    }

    #[test]
    fn ranges_that_no_available_replica_feeds_are_reported(case in case()) {
        let mapping = case.map();
        for meeting in case.meetings() {
            let reported = mapping.without_source().contains(&meeting.token);
            prop_assert_eq!(reported, case.is_without_source(&meeting.token));
        }
    }

    #[test]
    fn nothing_is_given_twice(case in case()) {
        for (_, shares) in case.map().iter() {
            prop_assert!(shares.is_sorted_by(|a, b| a.source < b.source));
            for share in shares {
                let ranges: Vec<_> = share.ranges.iter().collect();
                prop_assert!(!ranges.is_empty());
                prop_assert!(ranges.is_sorted_by(|a, b| a.right < b.left), "{ranges:?}");
            }
        }
    }

    /// As many replicas as before, all in the backup: each gives once, each takes once. Else no more than is needed.
    #[test]
    fn a_range_passes_no_more_often_than_its_larger_side_needs(case in case()) {
        let mapping = case.map();
        for meeting in case.meetings() {
            let (available, targets) = (&meeting.available, &meeting.targets);
            if available.is_empty() {
                continue;
            }
            let pairs = || available.iter().flat_map(|source| targets.iter().map(move |target| (*source, *target)));
            let passes = pairs().filter(|(source, target)| takes(&mapping, *target, *source, &meeting.token)).count();
            let larger = available.len().max(targets.len());
            prop_assert!(passes >= larger);
            let complete = available.len() == meeting.sources.len();
            if complete && (larger <= 4 || available.len() == targets.len()) {
                prop_assert_eq!(passes, larger);
            }
        }
    }

    #[test]
    fn a_mapping_is_the_same_each_time(case in case()) {
        prop_assert_eq!(case.map(), case.map());
    }
}
