use blob_store::testing::{Fault, Faulty, Memory};
use cassandra_formats::parse_file_name;
use std::sync::Mutex;
use tokio::sync::Notify;

use super::*;
use crate::off_thread;

const CONTENT: &[u8] = b"0123456789";

fn file(component: &str) -> StoredFile {
    StoredFile {
        name: format!("nb-1-big-{component}"),
        index: None,
        bytes: CONTENT.len() as u64,
        blake3: String::new(),
        object: format!("data/nb-1-big-{component}"),
        offset: None,
        from: None,
        copied_from: None,
        source: None,
    }
}

/// An SSTable of two components.
fn sstable(store: blob_store::Store) -> StoredSstable {
    let files = ["Data.db", "TOC.txt"].map(|name| (name.to_owned(), file(name)));
    let (descriptor, _) = parse_file_name("nb-1-big-Data.db").unwrap();
    StoredSstable::new(Bucket::new(store), descriptor, files.into())
}

fn memory() -> Memory {
    let memory = Memory::default();
    memory.overwrite("data/nb-1-big-Data.db", CONTENT);
    memory.overwrite("data/nb-1-big-TOC.txt", CONTENT);
    memory
}

/// The bytes at an offset, as a blocking reader sees them.
async fn read(sstable: StoredSstable, offset: u64, bytes: usize) -> io::Result<Vec<u8>> {
    off_thread(move || {
        let mut buffer = vec![0; bytes];
        let data = sstable.open("Data.db")?.expect("a component");
        data.read_exact_at(offset, &mut buffer)?;
        Ok(buffer)
    })
    .await
}

fn fault(error: io::Error) -> StoredReadError {
    error.downcast().expect("a fault of a stored read")
}

#[tokio::test]
async fn a_part_of_a_component_comes_alone() {
    let counted = Arc::new(blob_store::Counted::new(Arc::new(memory())));
    let found = read(sstable(counted.clone()), 3, 4).await.unwrap();
    assert_eq!(found, b"3456");
    assert_eq!(counted.counts().bytes_down, 4);
}

#[tokio::test]
async fn the_end_of_the_file_is_the_end() {
    let error = read(sstable(Arc::new(memory())), 8, 3).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn a_lost_component_is_named_and_not_there() {
    let lost = ["Data.db".to_owned()].into();
    let sstable = sstable(Arc::new(memory())).with_lost(lost);
    assert_eq!(sstable.names(), ["Data.db", "TOC.txt"]);
    assert!(sstable.open("Data.db").unwrap().is_none());
    assert!(sstable.open("TOC.txt").unwrap().is_some());
    assert!(sstable.open("Filter.db").unwrap().is_none());
}

/// One component that was fetched.
struct Fetched;

impl Components for Fetched {
    fn names(&self) -> Vec<String> {
        vec!["Data.db".to_owned()]
    }

    fn open(&self, _component: &str) -> io::Result<Option<Box<dyn ReadAt>>> {
        Ok(Some(Box::new(b"fetched".to_vec())))
    }
}

#[tokio::test]
async fn what_was_fetched_is_read_from_disk() {
    let counted = Arc::new(blob_store::Counted::new(Arc::new(memory())));
    let sstable = sstable(counted.clone()).with_local(Fetched);
    assert_eq!(sstable.names(), ["Data.db", "TOC.txt"]);
    assert_eq!(read(sstable, 0, 7).await.unwrap(), b"fetched");
    assert_eq!(counted.counts().gets, 0);
}

#[tokio::test]
async fn what_lies_in_a_loaded_part_of_a_pack_is_read_from_memory() {
    let memory = Memory::default();
    memory.overwrite("pack", "xx0123456789yy");
    let counted = Arc::new(blob_store::Counted::new(Arc::new(memory)));
    let bucket = Bucket::new(counted.clone());
    let packed = StoredFile {
        object: "pack".to_owned(),
        offset: Some(2),
        ..file("Data.db")
    };
    let limits = crate::RunLimits {
        bytes_max: 100,
        files_max: 1,
    };
    let run = crate::runs(vec![packed.clone()], crate::pack_place, limits).remove(0);
    let crate::Run::Part(part, _) = run else {
        panic!("{run:?}");
    };
    let loaded = bucket.load_part(&part).await.unwrap();
    let (descriptor, _) = parse_file_name("nb-1-big-Data.db").unwrap();
    let sstable = || {
        let files = [("Data.db".to_owned(), packed.clone())].into();
        let sstable = StoredSstable::new(bucket.clone(), descriptor.clone(), files);
        sstable.with_loaded(loaded.clone())
    };
    assert!(sstable().is_loaded("Data.db") && !sstable().is_loaded("TOC.txt"));
    assert_eq!(read(sstable(), 0, 10).await.unwrap(), CONTENT);
    assert_eq!(read(sstable(), 3, 4).await.unwrap(), b"3456");
    for offset in [8, u64::MAX] {
        let error = read(sstable(), offset, 3).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
    assert_eq!(counted.counts().gets, 1);
}

#[tokio::test]
async fn an_error_of_the_store_comes_through() {
    let faulty = Faulty::new(Arc::new(memory()));
    faulty.set(Fault::Break("data/nb-1-big-Data.db".to_owned(), 2));
    let error = read(sstable(Arc::new(faulty)), 0, 10).await.unwrap_err();
    let found = fault(error);
    assert!(
        matches!(
            found,
            StoredReadError::Store(StoreError::Unavailable { .. })
        ),
        "{found:?}"
    );
    let faulty = Faulty::new(Arc::new(memory()));
    faulty.set(Fault::Truncate("data/nb-1-big-Data.db".to_owned(), 7));
    let error = read(sstable(Arc::new(faulty)), 0, 10).await.unwrap_err();
    let found = fault(error);
    assert!(
        matches!(found, StoredReadError::Short { missing: 3, .. }),
        "{found:?}"
    );
}

/// Counts, and stops the reading when it is told to.
#[derive(Default)]
struct Watch {
    stop: Notify,
    counted: Mutex<u64>,
}

#[async_trait]
impl ReadWatch for Watch {
    async fn stopped(&self) {
        self.stop.notified().await;
    }

    fn count(&self, bytes: u64) {
        *self.counted.lock().unwrap() += bytes;
    }
}

#[tokio::test]
async fn a_watch_counts_bytes_and_stops_the_reading() {
    let watch = Arc::new(Watch::default());
    let watched = || sstable(Arc::new(memory())).watched_by(watch.clone());
    assert_eq!(read(watched(), 2, 5).await.unwrap(), b"23456");
    assert_eq!(*watch.counted.lock().unwrap(), 5);
    watch.stop.notify_one();
    let error = read(watched(), 0, 10).await.unwrap_err();
    assert!(matches!(fault(error), StoredReadError::Stopped));
    assert_eq!(*watch.counted.lock().unwrap(), 5);
}
