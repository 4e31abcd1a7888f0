use super::*;

/// What each source feeds at first, with one target each or one source each.
fn spread_once(sources: usize, targets: usize) -> Vec<Vec<usize>> {
    let mut fed = vec![Vec::new(); sources];
    for at in 0..sources.max(targets) {
        fed[at % sources].push(at % targets);
    }
    fed
}

fn passes(replicas: usize, available: usize, targets: usize) -> usize {
    let mut fed = spread_once(available, targets);
    Need::new(replicas, available, targets).meet(&mut fed, targets, &|_, _| 0);
    fed.iter().map(Vec::len).sum()
}

#[test]
fn a_quorum_is_more_than_half() {
    let quorums: Vec<usize> = (1..=7).map(quorum).collect();
    assert_eq!(quorums, [1, 2, 2, 3, 3, 4, 4]);
}

#[test]
fn further_sources_are_added_if_one_each_does_not_keep_a_quorum() {
    for (replicas, available, targets, expected) in [
        (1, 1, 5, 5),
        (3, 3, 3, 3),
        (3, 3, 5, 5),
        (5, 5, 3, 5),
        // Three sources with one target each would reach three of seven, and a read of four could miss them.
        (5, 5, 7, 8),
        // Four sources could be those of two targets, and a read of the other three would miss them.
        (7, 7, 5, 8),
        // One of two may have a write alone, and must reach two of three.
        (3, 2, 3, 4),
        (5, 3, 5, 9),
        // Whatever the one has, no read may miss it.
        (3, 1, 3, 3),
    ] {
        let found = passes(replicas, available, targets);
        assert_eq!(found, expected, "{available} of {replicas} to {targets}");
    }
}

/// Groups too large to enumerate: any set of sources that may hold a write alone is tried as the one that reaches least, by count.
#[test]
fn large_groups_are_met_too() {
    for (replicas, available, targets) in [
        (60, 60, 40),
        (40, 40, 60),
        (31, 31, 31),
        (30, 16, 30),
        (200, 150, 130),
    ] {
        let mut fed = spread_once(available, targets);
        let need = Need::new(replicas, available, targets);
        need.meet(&mut fed, targets, &|_, _| 0);
        assert!(need.bound(&fed, targets) >= need.targets);
        assert!(fed.iter().all(|fed| fed.iter().all(|at| *at < targets)));
        // Greedily, the sources that add least: it need not find the worst set, but must not find one that is too small.
        let mut reached = std::collections::BTreeSet::new();
        let mut left = fed.clone();
        for _ in 0..need.sources {
            let news = |fed: &Vec<usize>| fed.iter().filter(|at| !reached.contains(*at)).count();
            let least = (0..left.len()).min_by_key(|at| news(&left[*at]));
            reached.extend(left.swap_remove(least.expect("a source")));
        }
        assert!(reached.len() >= need.targets, "{replicas} to {targets}");
    }
}

mod laws {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_set_of_sources_reaches_fewer_targets_than_the_bound(
            fed in proptest::collection::vec(proptest::collection::btree_set(0..8_usize, 1..5), 1..7),
            sources in 1..7_usize,
        ) {
            let fed: Vec<Vec<usize>> = fed.into_iter().map(|fed| fed.into_iter().collect()).collect();
            let need = Need { sources: sources.min(fed.len()), targets: usize::MAX };
            let (_, reached) = need.fewest_reached(&fed).expect("a set");
            prop_assert!(need.bound(&fed, 8) <= reached.count_ones() as usize);
        }
    }
}
