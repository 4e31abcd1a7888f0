//! SSTables whose checksums, sizes and index are right and whose rows are not: each fault is found, by its name.

mod rewritten;

use cassandra_formats::verify::{Depth, verify};
use cassandra_formats::{Damage, Descriptor};
use rewritten::{Parts, Unfiltered};

use crate::folders::{self, Memory};

/// Without Statistics.db: what it counts is not adapted to other rows.
fn damage(components: &Memory, descriptor: &Descriptor) -> Vec<Damage> {
    let report = verify(components, descriptor, Depth::Extended, &mut |_| ());
    let mut damage = report.expect("memory can be read").damage;
    damage.retain(|damage| damage.component != "Statistics.db");
    damage
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .take(32)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// What one change of rows led to, in all fixtures that allow it.
#[derive(Default)]
struct Tally {
    changed: usize,
    versions: std::collections::BTreeSet<String>,
}

/// Changes the rows of one partition of each SSTable that allows it; the damage of Data.db must say `expected` and the
/// partition's key.
#[track_caller]
fn check(expected: &str, change: impl Fn(&mut Vec<Unfiltered>) -> bool) -> Tally {
    let mut tally = Tally::default();
    for sstable in folders::own() {
        let mut parts = Parts::of(&sstable);
        let found = (0..parts.partitions.len()).rev().find(|index| {
            parts.can_change(*index) && change(&mut parts.partitions[*index].unfiltereds.clone())
        });
        let Some(index) = found else {
            continue;
        };
        assert!(change(&mut parts.partitions[index].unfiltereds));
        let (components, positions) = parts.write();
        let start = positions[index];
        let end = positions.get(index + 1).copied().unwrap_or(u64::MAX);
        let key = hex(&parts.partitions[index].key);
        let found = damage(&components, &parts.descriptor);
        let named = found.iter().any(|damage| {
            damage.component == "Data.db"
                && damage.what.contains(expected)
                && damage.what.contains(&format!("the key {key}"))
                && damage.offset.is_some_and(|at| (start..end).contains(&at))
        });
        assert!(named, "{}: {key}: {found:?}", parts.name);
        tally.changed += 1;
        tally.versions.insert(parts.descriptor.format.to_string());
    }
    println!(
        "{} SSTables of {:?}: {expected}",
        tally.changed, tally.versions
    );
    tally
}

fn rows(unfiltereds: &[Unfiltered]) -> Vec<usize> {
    (0..unfiltereds.len())
        .filter(|at| !unfiltereds[*at].is_marker)
        .collect()
}

#[test]
fn rows_that_are_written_as_they_were_are_sound() {
    let mut written = 0;
    for sstable in folders::own() {
        let parts = Parts::of(&sstable);
        if !parts
            .partitions
            .iter()
            .any(|partition| partition.unfiltereds.len() > 1)
        {
            continue;
        }
        let (components, _) = parts.write();
        assert_eq!(damage(&components, &parts.descriptor), [], "{}", parts.name);
        written += 1;
    }
    assert!(written >= 40, "{written} SSTables");
}

#[test]
fn two_swapped_rows_are_found() {
    let swapped = check("out of order", |unfiltereds| {
        let swap = rows(unfiltereds)
            .windows(2)
            .find_map(|pair| (pair[0] + 1 == pair[1]).then_some((pair[0], pair[1])));
        if let Some((a, b)) = swap {
            unfiltereds.swap(a, b);
        }
        swap.is_some()
    });
    assert!(swapped.versions.len() >= 9, "{:?}", swapped.versions);
}

#[test]
fn a_row_that_comes_twice_is_found() {
    let twice = check("twice", |unfiltereds| {
        let row = rows(unfiltereds).last().copied();
        if let Some(row) = row {
            unfiltereds.insert(row, unfiltereds[row].clone());
        }
        row.is_some()
    });
    assert!(twice.versions.len() >= 9, "{:?}", twice.versions);
}

/// Removes the first or the last marker, if the partition has any.
fn without_marker(unfiltereds: &mut Vec<Unfiltered>, the_last: bool) -> bool {
    let mut markers = (0..unfiltereds.len()).filter(|at| unfiltereds[*at].is_marker);
    let marker = if the_last {
        markers.next_back()
    } else {
        markers.next()
    };
    if let Some(marker) = marker {
        unfiltereds.remove(marker);
    }
    marker.is_some()
}

#[test]
fn a_range_that_stays_open_is_found() {
    let open = check("is open", |unfiltereds| without_marker(unfiltereds, true));
    assert!(open.versions.len() >= 9, "{:?}", open.versions);
}

#[test]
fn a_range_that_ends_without_having_begun_is_found() {
    let ends = check("no range is open", |unfiltereds| {
        without_marker(unfiltereds, false)
    });
    assert!(ends.versions.len() >= 9, "{:?}", ends.versions);
}

#[test]
fn a_filter_that_lacks_a_key_is_found() {
    let mut versions = std::collections::BTreeSet::new();
    for sstable in folders::own() {
        let mut components = folders::load(&sstable);
        let Some(filter) = components.get_mut("Filter.db") else {
            continue;
        };
        filter[8..].fill(0);
        let found = damage(&components, sstable.descriptor());
        let named = found.iter().filter(|damage| {
            damage.component == "Filter.db" && damage.what.contains("lacks the key")
        });
        assert!(
            named.count() > 0,
            "{}: {found:?}",
            sstable.path("").display()
        );
        // However many keys it lacks, some are named and the rest is counted.
        assert!(found.len() <= 9, "{found:?}");
        versions.insert(sstable.descriptor().format.to_string());
    }
    assert!(versions.len() >= 9, "{versions:?}");
}

/// Of a row that a partition has many times, some are named and the rest is counted.
#[test]
fn many_faults_are_counted() {
    let sstables = folders::own();
    let sstable = sstables
        .iter()
        .find(|sstable| sstable.folder().ends_with("big-nb/layouts/only_keys"));
    let mut parts = Parts::of(sstable.expect("a fixture"));
    let index = (0..parts.partitions.len())
        .find(|index| parts.can_change(*index) && !parts.partitions[*index].unfiltereds.is_empty())
        .expect("a small partition");
    let unfiltereds = &mut parts.partitions[index].unfiltereds;
    let row = unfiltereds[0].clone();
    unfiltereds.splice(0..0, std::iter::repeat_n(row, 100));
    let found = damage(&parts.write().0, &parts.descriptor);
    assert_eq!(found.len(), 9, "{found:?}");
    assert!(found[8].what.contains("92 more"), "{found:?}");
}
