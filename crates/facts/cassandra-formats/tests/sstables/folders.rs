//! Where SSTables for tests are.

use std::collections::BTreeMap;
use std::path::Path;

use cassandra_formats::source::Components;
use sstable_files::SstableFiles;

/// Components in memory.
pub type Memory = BTreeMap<String, Vec<u8>>;

/// SSTables that this project made with real Cassandra.
pub fn own() -> Vec<SstableFiles> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    sstable_files::find(&[folder]).expect("the project's own fixtures are there")
}

/// SSTables that DSE and the base of HCD have written, of the public test data of others.
pub fn datastax() -> Vec<SstableFiles> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures-datastax");
    sstable_files::find(&[folder]).expect("they are there")
}

/// The shared SSTables; prints a line if they are missing.
pub fn shared(test: &str) -> Vec<SstableFiles> {
    let Some(folder) = shared_fixtures::sstables(test) else {
        return Vec::new();
    };
    let mut found = sstable_files::find(&[folder]).expect("walks");
    // Of the two slices of one name in that folder, one has overwritten the other's Data.db.
    found.retain(|sstable| {
        sstable.descriptor().to_string() != "bb-3-bti"
            || !sstable
                .folder()
                .ends_with("ZeroCopyStreamingTest/Standard1")
    });
    found
}

/// All components of an SSTable.
pub fn load(sstable: &SstableFiles) -> Memory {
    sstable
        .names()
        .into_iter()
        .map(|name| {
            let bytes = std::fs::read(sstable.path(&name)).expect("a component");
            (name, bytes)
        })
        .collect()
}
