//! Rows are checked beside a download of Data.db.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use blob_store::testing::{Fault, Faulty, Memory};
use blob_store::{Counted, Store, StoreError};
use bucket::{Bucket, RowsCheck, StoredSstable};
use bytes::Bytes;
use cassandra_formats::verify::Report;
use cassandra_formats::{DATA, parse_file_name};
use model::manifest::StoredFile;

/// A small SSTable of several partitions by component.
fn fixture(folder: &str) -> (String, BTreeMap<String, Vec<u8>>) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../facts/cassandra-formats/tests/fixtures")
        .join(folder);
    let mut sstable = None;
    let mut components = BTreeMap::new();
    for entry in std::fs::read_dir(fixtures).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if let Ok((descriptor, component)) = parse_file_name(&name) {
            components.insert(component.to_owned(), std::fs::read(&path).unwrap());
            sstable = Some(descriptor.to_string());
        }
    }
    (sstable.unwrap(), components)
}

fn key(component: &str) -> String {
    format!("data/{component}")
}

fn put(components: &BTreeMap<String, Vec<u8>>) -> Memory {
    let memory = Memory::default();
    for (component, bytes) in components {
        memory.overwrite(&key(component), bytes.clone());
    }
    memory
}

/// What is found if only the first `passing` bytes of Data.db pass by.
async fn check(
    store: Store,
    (sstable, components): &(String, BTreeMap<String, Vec<u8>>),
    passing: usize,
) -> Result<Report, StoreError> {
    let (descriptor, _) = parse_file_name(&format!("{sstable}-Data.db")).unwrap();
    let files = components.iter().map(|(component, bytes)| {
        let file = StoredFile {
            name: format!("{sstable}-{component}"),
            index: None,
            bytes: bytes.len() as u64,
            blake3: String::new(),
            object: key(component),
            offset: None,
            from: None,
            copied_from: None,
            source: None,
        };
        (component.clone(), file)
    });
    let stored = StoredSstable::new(Bucket::new(store), descriptor, files.collect());
    let mut check = RowsCheck::begin(Arc::new(stored));
    for piece in components[DATA][..passing].chunks(100) {
        check.update(Bytes::copy_from_slice(piece)).await;
    }
    check.finish().await
}

async fn check_all(store: Store, of: &(String, BTreeMap<String, Vec<u8>>)) -> Report {
    check(store, of, of.1[DATA].len()).await.unwrap()
}

const FORMATS: [&str; 4] = [
    "big-me/layouts/wide",
    "big-nb/compression/none",
    "big-oa/layouts/clusterings",
    "bti-da/layouts/wide",
];

#[tokio::test]
async fn rows_are_checked_while_data_passes_by_once() {
    for folder in FORMATS {
        let sstable = fixture(folder);
        let memory = put(&sstable.1);
        // It is read as it passes by, not from here.
        memory.overwrite(&key(DATA), "");
        let report = check_all(Arc::new(memory), &sstable).await;
        assert_eq!(report.damage, [], "{folder}");
        assert_eq!(report.warnings, Vec::<String>::new(), "{folder}");
    }
}

#[tokio::test]
async fn damage_between_components_is_found() {
    let sstable = fixture("big-nb/layouts/wide");
    let memory = put(&sstable.1);
    let mut filter = sstable.1["Filter.db"].clone();
    filter[8..].fill(0);
    memory.overwrite(&key("Filter.db"), filter);
    let damage = check_all(Arc::new(memory), &sstable).await.damage;
    assert!(!damage.is_empty());
    for damage in damage {
        assert_eq!(damage.component, "Filter.db");
        assert!(damage.what.contains("lacks"), "{damage:?}");
    }
}

#[tokio::test]
async fn a_download_that_ends_early_says_nothing_about_the_rows() {
    let sstable = fixture("big-nb/layouts/wide");
    let found = check(Arc::new(put(&sstable.1)), &sstable, 150).await;
    assert_eq!(found.unwrap().damage, []);
}

#[tokio::test]
async fn a_store_that_fails_says_nothing_about_the_rows() {
    let sstable = fixture("big-nb/layouts/wide");
    let faulty = Faulty::new(Arc::new(put(&sstable.1)));
    faulty.set(Fault::Break(key("Index.db"), 0));
    let found = check(Arc::new(faulty), &sstable, sstable.1[DATA].len()).await;
    assert!(
        matches!(found, Err(StoreError::Unavailable { .. })),
        "{found:?}"
    );
}

#[tokio::test]
async fn small_components_come_in_one_piece() {
    let sstable = fixture("bti-da/layouts/wide");
    let counted = Arc::new(Counted::new(Arc::new(put(&sstable.1))));
    check_all(counted.clone(), &sstable).await;
    // Statistics, CompressionInfo more than once, Filter, Partitions, Rows.
    assert!(counted.counts().gets <= 8, "{:?}", counted.counts());
}
