//! The redb backend: the conformance suite, and what it promises about being closed and killed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;
use state_store::testing::ManualClock;
use state_store::testing::conformance::{self, Harness};
use state_store::{Clock, Expected, RedbStore, StateError, StateStore};

const TTL: Duration = Duration::from_secs(30);
/// Set for the child of a test: the path of its state.
const CHILD_STATE: &str = "STATE_STORE_TEST_CHILD";

#[derive(Default)]
struct InMemory(ManualClock);

#[async_trait]
impl Harness for InMemory {
    async fn fresh(&self) -> Arc<dyn StateStore> {
        Arc::new(RedbStore::in_memory(self.0.clock()).await.expect("open"))
    }

    async fn advance(&self, by: Duration) {
        self.0.advance(by);
    }
}

struct InFiles {
    clock: ManualClock,
    folder: tempfile::TempDir,
    made: AtomicU64,
}

#[async_trait]
impl Harness for InFiles {
    async fn fresh(&self) -> Arc<dyn StateStore> {
        let name = self.made.fetch_add(1, Ordering::SeqCst);
        let path = self.folder.path().join(format!("deep/er/{name}.redb"));
        Arc::new(open(&path, self.clock.clock()).await)
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

async fn open(path: &Path, clock: Clock) -> RedbStore {
    RedbStore::open(path, clock).await.expect("open")
}

#[tokio::test(flavor = "multi_thread")]
async fn in_memory_it_conforms() {
    conformance::run(&InMemory::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_file_it_conforms() {
    conformance::run(&InFiles {
        clock: ManualClock::default(),
        folder: tempfile::tempdir().expect("a folder"),
        made: AtomicU64::new(0),
    })
    .await;
}

#[tokio::test]
async fn what_was_written_is_there_when_opened_again_and_versions_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.redb");
    let clock = ManualClock::default();
    let store = open(&path, clock.clock()).await;
    let first = store
        .put("a", json!(1), Expected::Absent, None)
        .await
        .expect("put");
    drop(store);
    let store = open(&path, clock.clock()).await;
    let entry = store.get("a").await.expect("get").expect("an entry");
    assert_eq!((entry.value, entry.version), (json!(1), first));
    let second = store
        .put("b", json!(1), Expected::Absent, None)
        .await
        .expect("put");
    assert!(second > first);
}

#[tokio::test]
async fn opening_again_frees_every_lease_and_fences_its_holder() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.redb");
    let clock = ManualClock::default();
    let store = open(&path, clock.clock()).await;
    let before = store.acquire("l", "before", TTL).await.expect("free");
    drop(store);
    let store = open(&path, clock.clock()).await;
    let stale = store
        .put("a", json!(1), Expected::Anything, Some(&before))
        .await;
    assert!(matches!(stale, Err(StateError::Fenced { .. })), "{stale:?}");
    let after = store.acquire("l", "after", TTL).await.expect("free");
    assert!(after.token > before.token);
}

#[tokio::test]
async fn a_second_opening_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.redb");
    let clock = ManualClock::default();
    let _store = open(&path, clock.clock()).await;
    match RedbStore::open(&path, clock.clock()).await {
        Err(error @ StateError::InUse { .. }) => {
            assert!(error.to_string().contains("state.redb"), "{error}");
        }
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("opened twice"),
    }
}

/// Not a test of its own: what the killed process below does. Passes at once if it is run by itself.
#[tokio::test]
async fn child_that_writes_until_it_is_killed() {
    let Ok(path) = std::env::var(CHILD_STATE) else {
        return;
    };
    let store = open(Path::new(&path), Arc::new(Timestamp::now)).await;
    let fence = store.acquire("l", "child", TTL).await.expect("free");
    for n in 0u64.. {
        let value = json!({"n": n, "text": "x".repeat(4096)});
        store
            .put("value", value, Expected::Anything, Some(&fence))
            .await
            .expect("put");
        println!("\nwritten {n}");
    }
}

#[tokio::test]
async fn a_killed_process_leaves_every_finished_write_and_no_torn_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.redb");
    let mut last_before = None;
    for round in 0..5u64 {
        let written = write_until_killed(&path, 10 + round * 7);
        let store = open(&path, Arc::new(Timestamp::now)).await;
        let entry = store.get("value").await.expect("get").expect("an entry");
        let n = entry.value["n"].as_u64().expect("a number");
        assert!(n >= written, "written {written}, found {n}");
        assert_eq!(entry.value["text"].as_str().map(str::len), Some(4096));
        assert!(Some(entry.version) > last_before, "versions never go back");
        last_before = Some(entry.version);
        store
            .acquire("l", "parent", TTL)
            .await
            .expect("a dead holder does not block");
    }
}

/// Starts a child that writes, kills it after it has reported `writes` writes, and returns the last that it reported.
fn write_until_killed(path: &Path, writes: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().expect("this binary"))
        .args([
            "child_that_writes_until_it_is_killed",
            "--exact",
            "--nocapture",
        ])
        .env(CHILD_STATE, path)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child");
    let mut written = 0;
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    for line in lines.map_while(Result::ok) {
        if let Some(n) = line.strip_prefix("written ") {
            written = n.parse().expect("a number");
            if written >= writes {
                break;
            }
        }
    }
    child.kill().expect("kill");
    child.wait().expect("gone");
    written
}
