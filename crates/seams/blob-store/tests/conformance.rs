//! Every backend through the one suite; each case is a test of its own if that is cheap.

use std::sync::Arc;

use blob_store::testing::Memory;
use blob_store::testing::conformance::{self, Subject};
use blob_store::{Bandwidth, Counted, Folder, Store, Throttle};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().expect("runtime")
}

/// Parts of a size that S3 would refuse, so that these stay quick.
fn subject(store: Store) -> Subject {
    Subject {
        store,
        part_bytes: 100_000,
        copies: true,
    }
}

#[test]
fn a_folder_conforms() {
    let dir = tempfile::tempdir().expect("folder");
    let store = Arc::new(Folder::open(dir.path()).expect("opens"));
    runtime().block_on(conformance::run(subject(store), "suite/"));
}

#[test]
fn memory_conforms() {
    runtime().block_on(conformance::run(subject(Arc::new(Memory::default())), ""));
}

#[test]
fn the_decorators_change_nothing() {
    let limit = Some(Arc::new(Bandwidth::new(1 << 30)));
    let throttled = Throttle::new(Arc::new(Memory::default()), limit.clone(), limit);
    let store = Arc::new(Counted::new(Arc::new(throttled)));
    runtime().block_on(conformance::run(subject(store), "p/"));
}
