//! Partitions.db and Rows.db: every leaf, from any token on, and the row indexes that leaves lead to.

use cassandra_formats::bti::{IndexCheck, Partitions, Rows, Target, check_index, token_prefix};

use crate::Archive;

/// Row indexes of an input that are looked into; a walk through each may take in all nodes of the file.
const INDEXES_MAX: usize = 64;

pub fn run(archive: &Archive) {
    let component = |name: &str| archive.components.get(name).cloned();
    let rows = component("Rows.db").unwrap_or_default();
    let rows = Rows::open(Box::new(rows), archive.version());
    row_index(&rows, archive.left as u64);
    let Some(partitions) = component("Partitions.db") else {
        return;
    };
    let Ok(partitions) = Partitions::open(Box::new(partitions)) else {
        return;
    };
    for bound in [None, Some(archive.left)] {
        let mut walk = match bound {
            None => partitions.walk(),
            Some(token) => partitions.walk_from(&token_prefix(token)),
        };
        let mut indexes = 0;
        while let Ok(Some(entry)) = walk.next() {
            if let Target::Rows(position) = entry.target
                && indexes < INDEXES_MAX
            {
                row_index(&rows, position);
                indexes += 1;
            }
        }
    }
    let check = IndexCheck::new(&partitions, &rows, archive.right as u64);
    let _ = check_index(check, |_| Ok(None));
}

fn row_index(rows: &Rows, position: u64) {
    let Ok(entry) = rows.entry(position) else {
        return;
    };
    let mut blocks = rows.blocks(&entry);
    while let Ok(Some(block)) = blocks.next() {
        assert!(block.position < position);
    }
}
