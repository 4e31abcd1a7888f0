//! SSTables of DSE and of the base of HCD: read as an independent reader has read them, and damage to them is found.

use cassandra_formats::verify::{Depth, verify};
use sstable_files::SstableFiles;

use crate::folders::{self, Memory};

/// Folder, first and last token, and rows.
const FOUND: [(&str, &str, &str, i64); 4] = [
    (
        "bti-bb/frozen_types",
        "-9157060164899361011",
        "9162265122815852158",
        256,
    ),
    ("bti-bb/wide", "30", "34", 250),
    (
        "bti-cc/frozen_types",
        "3131383557241633344",
        "9162265122815852158",
        80,
    ),
    ("bti-cc/wide", "30", "34", 250),
];

fn of(folder: &str) -> SstableFiles {
    let mut all = folders::datastax().into_iter();
    let found = all.find(|sstable| sstable.folder().ends_with(folder));
    found.unwrap_or_else(|| panic!("{folder}"))
}

#[test]
fn sstables_of_dse_and_hcd_are_read_as_another_reader_has_read_them() {
    assert_eq!(folders::datastax().len(), FOUND.len());
    for (folder, first_token, last_token, rows) in FOUND {
        let sstable = of(folder);
        let report = verify(&sstable, sstable.descriptor(), Depth::Extended, &mut |_| ());
        let report = report.expect("verifies");
        assert_eq!(report.damage, [], "{folder}");
        let facts = report.facts;
        assert_eq!(facts.first_token.as_deref(), Some(first_token), "{folder}");
        assert_eq!(facts.last_token.as_deref(), Some(last_token), "{folder}");
        assert_eq!(facts.rows, Some(rows), "{folder}");
    }
}

#[test]
fn damage_to_sstables_of_dse_and_hcd_is_found() {
    for (folder, ..) in FOUND {
        let sstable = of(folder);
        let sound = folders::load(&sstable);
        let is_found = |damaged: &Memory| match verify(
            damaged,
            sstable.descriptor(),
            Depth::Extended,
            &mut |_| (),
        ) {
            Ok(report) => !report.damage.is_empty(),
            Err(_) => false,
        };
        assert!(!is_found(&sound), "{folder}");
        let components = sound.iter().filter(|(_, bytes)| !bytes.is_empty());
        for (name, bytes) in components.filter(|(name, _)| *name != "TOC.txt") {
            let mut damaged = sound.clone();
            damaged.insert(name.clone(), bytes[..bytes.len() / 2].to_vec());
            assert!(is_found(&damaged), "{folder}: half of {name}");
        }
        for at in (0..sound["Data.db"].len()).step_by(97) {
            let mut damaged = sound.clone();
            damaged.get_mut("Data.db").expect("it is there")[at] ^= 1;
            assert!(is_found(&damaged), "{folder}: byte {at} of Data.db");
        }
    }
}
