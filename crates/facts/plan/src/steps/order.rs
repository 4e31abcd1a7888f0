//! The order that a plan's steps mean, whichever barriers it is written with: what tests compare with a table.

use std::collections::{BTreeMap, BTreeSet};

use model::plan::{PlanStep, StepKind};

/// Of each step, barriers aside, all steps that have ended before it starts.
fn before(steps: &[PlanStep]) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut all: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for step in steps {
        let mut found = BTreeSet::new();
        for id in &step.after {
            found.insert(id.as_str());
            // A step that is not there yet has no entry, and the test fails: steps wait only for steps before them.
            found.extend(&all[id.as_str()]);
        }
        assert!(all.insert(&step.id, found).is_none(), "{} twice", step.id);
    }
    let is_barrier = |id: &str| id.starts_with("barrier-");
    all.retain(|id, _| !is_barrier(id));
    for found in all.values_mut() {
        found.retain(|id| !is_barrier(id));
    }
    all
}

/// Compares the order with a table of lines `<kind> < <kinds>`. A step comes after every step of each of these kinds, and
/// after the one on its own node alone if the word is `own-<kind>`.
#[track_caller]
pub(crate) fn check(steps: &[PlanStep], table: &[&str]) {
    let mut rows: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in table {
        let (kind, kinds) = line.split_once(" <").expect("kind < kinds");
        rows.insert(kind, kinds.split_whitespace().collect());
    }
    let found = before(steps);
    for step in steps.iter().filter(|it| it.kind != StepKind::Barrier) {
        let words = &rows[step.kind.as_str()];
        let is_before = |other: &&PlanStep| {
            let kind = other.kind.as_str();
            words.iter().any(|word| match word.strip_prefix("own-") {
                Some(own) => own == kind && other.node == step.node,
                None => *word == kind,
            })
        };
        let expected = steps.iter().filter(is_before).map(|it| it.id.as_str());
        let expected: BTreeSet<&str> = expected.collect();
        assert_eq!(found[step.id.as_str()], expected, "{}", step.id);
    }
    let kinds: BTreeSet<&str> = steps.iter().map(|step| step.kind.as_str()).collect();
    assert!(rows.keys().all(|kind| kinds.contains(kind)), "{kinds:?}");
}

/// Addresses of so many nodes.
pub(crate) fn addresses(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("n{number}")).collect()
}

/// However many nodes there are, a step waits for few others on average.
#[track_caller]
pub(crate) fn check_length(steps: &[PlanStep]) {
    let waits: usize = steps.iter().map(|step| step.after.len()).sum();
    assert!(
        waits <= 2 * steps.len(),
        "{waits} for {} steps",
        steps.len()
    );
}
