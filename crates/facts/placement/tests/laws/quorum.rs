//! What was readable at QUORUM stays so: every quorum write is played, and every quorum read.

use placement::Mapping;
use proptest::prelude::*;

use crate::case::{Meeting, case, cases, takes};

/// With more there are too many sets to play them all.
const PLAYED_REPLICAS_MAX: usize = 8;

fn majorities(members: &[usize]) -> Vec<Vec<usize>> {
    let least = members.len() / 2 + 1;
    (0_u32..1 << members.len())
        .filter(|chosen| chosen.count_ones() as usize == least)
        .map(|chosen| {
            let of = |(at, member): (usize, &usize)| (chosen >> at & 1 == 1).then_some(*member);
            members.iter().enumerate().filter_map(of).collect()
        })
        .collect()
}

fn quorum_is_kept(mapping: &Mapping, meeting: &Meeting) -> Result<(), TestCaseError> {
    let (sources, targets) = (&meeting.sources, &meeting.targets);
    let reads = majorities(targets);
    for written in majorities(sources) {
        let kept: Vec<usize> = written
            .into_iter()
            .filter(|source| meeting.available.contains(source))
            .collect();
        // Data that only missing nodes had cannot be restored.
        if kept.is_empty() {
            continue;
        }
        for read in &reads {
            let is_seen = |target: &usize| {
                let from = |source: &usize| takes(mapping, *target, *source, &meeting.token);
                kept.iter().any(from)
            };
            prop_assert!(
                read.iter().any(is_seen),
                "what {kept:?} of {sources:?} have at {} is not read on {read:?} of {targets:?}",
                meeting.token
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn what_was_written_at_quorum_is_read_at_quorum(case in case()) {
        let mapping = case.map();
        for meeting in case.meetings() {
            if meeting.sources.len().max(meeting.targets.len()) <= PLAYED_REPLICAS_MAX {
                quorum_is_kept(&mapping, &meeting)?;
            }
        }
    }
}
