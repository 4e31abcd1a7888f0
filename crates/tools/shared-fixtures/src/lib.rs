//! Where tests find SSTables and vectors that are too large for the repository, and what they do if there are none.
//!
//! The folder is `RINGKEEP_FIXTURES`, or `shared/fixtures` beside the checkout. A test that finds none there says by name
//! that it was skipped.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the fixtures, which need not exist.
pub fn folder() -> PathBuf {
    env::var_os("RINGKEEP_FIXTURES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/fixtures"),
        PathBuf::from,
    )
}

/// A text file of the fixtures. If it is missing, reports that the test was skipped and returns none.
pub fn text(test: &str, file: &str) -> Option<String> {
    let text = fs::read_to_string(folder().join(file)).ok();
    if text.is_none() {
        println!("skipped: {test}: {file} of the shared fixtures is missing");
    }
    text
}

/// The folder of the shared SSTables. If it is missing, reports that the test was skipped and returns none.
pub fn sstables(test: &str) -> Option<PathBuf> {
    let folder = folder().join("sstables");
    if !folder.is_dir() {
        println!("skipped: {test}: the shared fixtures have no SSTables");
        return None;
    }
    Some(folder)
}
