use blob_store::Store;
use blob_store::testing::{Fault, Faulty, Memory};
use cassandra_formats::parse_file_name;
use model::manifest::StoredFile;

use super::*;
use crate::Bucket;

const DATA: &[u8] = b"rows";
const DIGEST: &str = "data/nb-1-big-Digest.crc32";

fn file(component: &str, bytes: usize) -> (String, StoredFile) {
    let file = StoredFile {
        name: format!("nb-1-big-{component}"),
        index: None,
        bytes: bytes as u64,
        blake3: String::new(),
        object: format!("data/nb-1-big-{component}"),
        offset: None,
        from: None,
        copied_from: None,
        source: None,
    };
    (component.to_owned(), file)
}

/// The damage of Data.db, whose digest is in the bucket and is that of other bytes.
async fn damage(prepare: impl FnOnce(&Memory, &Faulty)) -> Result<Vec<Damage>, StoreError> {
    let memory = Memory::default();
    memory.overwrite(DIGEST, "1");
    let faulty = Arc::new(Faulty::new(Arc::new(memory.clone())));
    prepare(&memory, &faulty);
    damage_in(faulty).await
}

async fn damage_in(store: Store) -> Result<Vec<Damage>, StoreError> {
    let (descriptor, _) = parse_file_name("nb-1-big-Data.db").unwrap();
    let files = [file("Data.db", DATA.len()), file("Digest.crc32", 1)].into();
    let sstable = StoredSstable::new(Bucket::new(store), descriptor, files);
    let mut check = StoredCheck::begin(Arc::new(sstable), "Data.db".to_owned()).await?;
    check.update(Bytes::from_static(DATA)).await?;
    check.finish().await
}

#[tokio::test]
async fn a_component_is_checked_by_what_lies_beside_it() {
    let found = damage(|_, _| {}).await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].component, "Data.db");
}

#[tokio::test]
async fn a_store_that_fails_says_nothing_about_the_component() {
    let broken = |_: &Memory, faulty: &Faulty| faulty.set(Fault::Break(DIGEST.to_owned(), 0));
    let error = damage(broken).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn a_neighbour_that_ends_early_or_is_gone_is_left_to_its_own_check() {
    let truncated = |_: &Memory, faulty: &Faulty| faulty.set(Fault::Truncate(DIGEST.to_owned(), 0));
    assert_eq!(damage(truncated).await.unwrap(), []);
    let shorter = |memory: &Memory, _: &Faulty| memory.overwrite(DIGEST, "");
    assert_eq!(damage(shorter).await.unwrap(), []);
    let gone = damage_in(Arc::new(Memory::default())).await;
    assert_eq!(gone.unwrap(), []);
}
