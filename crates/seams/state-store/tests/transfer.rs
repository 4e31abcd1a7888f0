//! A state that is exported and imported: everything arrives, numbers grow, and what is not whole is refused.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use state_store::transfer::{TransferError, export, import};
use state_store::{Expected, RedbStore, StateConfig, StateError, StateStore};

const TTL: Duration = Duration::from_secs(60);

async fn open(path: &Path) -> RedbStore {
    let store = RedbStore::open(path, Arc::new(Timestamp::now)).await;
    store.expect("open")
}

/// A state with some entries and a lease that was granted often.
async fn filled(folder: &Path) -> (StateConfig, u64) {
    let path = folder.join("old.redb");
    let store = open(&path).await;
    for key in ["b", "a/\u{10FFFF}", "a/1", "ü"] {
        let put = store.put(key, json!({ "key": key }), Expected::Absent, None);
        put.await.expect("put");
    }
    let mut token = 0;
    for _ in 0..20 {
        let fence = store.acquire("l", "one", TTL).await.expect("free");
        token = fence.token;
        store.release(&fence).await.expect("released");
    }
    (StateConfig::redb(path), token)
}

async fn write_export(config: &StateConfig, to: &Path) -> u64 {
    let mut text = Vec::new();
    let entries = export(config, &mut text).await.expect("exported");
    std::fs::write(to, text).expect("a file");
    entries
}

fn new_state(folder: &Path) -> (StateConfig, PathBuf) {
    let path = folder.join("new.redb");
    (StateConfig::redb(&path), path)
}

#[tokio::test]
async fn what_is_exported_is_imported_and_numbers_grow() {
    let folder = tempfile::tempdir().expect("a folder");
    let (old, token) = filled(folder.path()).await;
    let file = folder.path().join("state.jsonl");
    assert_eq!(write_export(&old, &file).await, 4);
    let (new, path) = new_state(folder.path());
    assert_eq!(import(&new, &file, false).await.expect("imported"), 4);

    let before = open(&old.path).await.list("").await.expect("list");
    let store = open(&path).await;
    let after = store.list("").await.expect("list");
    let content = |entries: &[state_store::Entry]| -> Vec<(String, serde_json::Value)> {
        let pairs = entries.iter().map(|it| (it.key.clone(), it.value.clone()));
        pairs.collect()
    };
    assert_eq!(content(&before), content(&after));
    let highest = before.iter().map(|it| it.version).max().expect("entries");
    assert!(after.iter().all(|it| it.version > highest), "{after:?}");
    let fence = store.acquire("l", "two", TTL).await.expect("free");
    assert!(fence.token > token, "{} after {token}", fence.token);
}

#[tokio::test]
async fn a_state_with_entries_is_replaced_only_on_request_and_kept_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (old, _) = filled(folder.path()).await;
    let file = folder.path().join("state.jsonl");
    write_export(&old, &file).await;
    let (new, path) = new_state(folder.path());
    let store = open(&path).await;
    let put = store.put("mine", json!(1), Expected::Absent, None).await;
    put.expect("put");
    let used = import(&new, &file, true).await;
    assert!(
        matches!(used, Err(TransferError::State(StateError::InUse { .. }))),
        "{used:?}"
    );
    drop(store);
    let refused = import(&new, &file, false).await;
    assert!(
        matches!(&refused, Err(TransferError::NotEmpty { key }) if key == "mine"),
        "{refused:?}"
    );
    import(&new, &file, true).await.expect("imported");
    assert_eq!(open(&path).await.list("").await.expect("list").len(), 4);
    let kept = PathBuf::from(format!("{}.before-import", path.display()));
    let kept = open(&kept).await.list("").await.expect("list");
    assert_eq!(kept[0].key, "mine");
}

#[tokio::test]
async fn a_file_that_is_not_whole_is_refused_by_line_and_nothing_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let (old, _) = filled(folder.path()).await;
    let file = folder.path().join("state.jsonl");
    write_export(&old, &file).await;
    let whole = std::fs::read_to_string(&file).expect("a file");
    let lines: Vec<&str> = whole.lines().collect();
    let joined = |lines: &[&str]| lines.join("\n") + "\n";
    let swapped = joined(&[lines[0], lines[2], lines[1], lines[3], lines[4], lines[5]]);
    for (what, text, line) in [
        ("nothing", String::new(), 1),
        ("no header", joined(&lines[1..]), 1),
        (
            "a later form",
            whole.replace("\"ringkeep_state\":1", "\"ringkeep_state\":2"),
            1,
        ),
        ("no end", joined(&lines[..5]), 6),
        ("a line too few", joined(&[lines[0], lines[1], lines[5]]), 3),
        ("a cut line", whole[..whole.len() - 2].to_owned(), 6),
        ("more", format!("{whole}more\n"), 6),
        ("another order", swapped, 3),
        (
            "an empty key",
            whole.replacen("\"key\":\"a/1\"", "\"key\":\"\"", 1),
            2,
        ),
        ("no JSON", whole.replacen("{\"key\":\"a/1\"", "{key", 1), 2),
    ] {
        std::fs::write(&file, &text).expect("a file");
        let (new, path) = new_state(folder.path());
        let refused = import(&new, &file, true).await;
        match refused {
            Err(TransferError::Format { line: at, .. }) => assert_eq!(at, line, "{what}"),
            other => panic!("{what}: {other:?}"),
        }
        assert!(!path.exists(), "{what}");
    }
}

#[tokio::test]
async fn a_state_that_is_not_there_is_not_exported_and_none_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let (config, path) = new_state(folder.path());
    let refused = export(&config, &mut Vec::new()).await;
    assert!(
        matches!(refused, Err(TransferError::Path { .. })),
        "{refused:?}"
    );
    assert!(!path.exists());
}
