//! The three tables of SSTable versions agree: what releases read, whose layout is known, and what fuzzing tries.

use std::collections::BTreeSet;

use super::VERSIONS;
use cassandra_formats::{FormatVersion, Version};

/// Versions from before Cassandra 3.0, which 3.11 reads. Their layout is not known to `cassandra-formats`.
const BEFORE_3_0: [&str; 4] = ["big-jb", "big-ka", "big-la", "big-lb"];

/// All versions of two letters whose layout is known.
fn known_layouts() -> BTreeSet<String> {
    let letters = || 'a'..='z';
    let names = ["big", "bti"].into_iter().flat_map(move |format| {
        letters().flat_map(move |first| letters().map(move |second| (format, first, second)))
    });
    names
        .map(|(format, first, second)| format!("{format}-{first}{second}"))
        .filter(|name| {
            let version: FormatVersion = name.parse().expect("a format version");
            Version::known(&version).is_some()
        })
        .collect()
}

#[test]
fn every_version_that_a_release_reads_or_writes_has_a_known_layout_and_no_other_does() {
    let mut read: BTreeSet<String> = BTreeSet::new();
    for row in cassandra_versions::format_rows() {
        read.extend(row.reads.iter().map(|format| (*format).to_owned()));
        read.insert(row.writes.to_owned());
    }
    for old in BEFORE_3_0 {
        assert!(read.remove(old), "no release reads {old}");
    }
    assert_eq!(read, known_layouts());
}

#[test]
fn fuzzing_tries_every_known_layout() {
    let tried: BTreeSet<String> = VERSIONS.map(str::to_owned).into();
    assert_eq!(tried, known_layouts());
}
