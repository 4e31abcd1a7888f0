use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use api::ServiceError;
use chassis::work::Work;
use model::TableRef;

use model::plan::RestoreMode;

use super::*;
use crate::stage::Stage;
use crate::testing::{FakeNode, TableFolder};

pub(crate) fn targets() -> Vec<TableTarget> {
    [("full", 1), ("gone", 2)]
        .map(|(table, id)| TableTarget {
            source: None,
            table: TableRef::new("ks", table),
            source_id: FakeNode::table_id(id),
            target_id: FakeNode::table_id(id),
        })
        .into()
}

/// A node on which a backup is staged whose tables have changed since: one has other files, one has files where the
/// backup has none.
pub(crate) async fn staged() -> FakeNode {
    let node = FakeNode::new(2, "4.1.9");
    node.tables(&["full", "gone"]);
    node.table("full", 1, 0).sstable("nb-1-big", "one");
    node.table("full", 1, 1).sstable("nb-2-big", "two");
    node.table("full", 1, 0)
        .index("by_name")
        .sstable("nb-1-big", "index");
    node.back_up("b1", None).await;
    for data in 0..2 {
        fs::remove_dir_all(&node.table("full", 1, data).0).unwrap();
    }
    node.table("full", 1, 0).sstable("nb-1-big", "newer");
    node.table("full", 1, 0)
        .index("by_name")
        .sstable("nb-1-big", "newer index");
    node.table("gone", 2, 1).sstable("nb-5-big", "unwanted");
    let kept = node.table("full", 1, 0).0.join("snapshots/other");
    fs::create_dir_all(&kept).unwrap();
    fs::write(kept.join("nb-1-big-Data.db"), "kept").unwrap();
    fs::write(
        node.agent.folders.saved_caches.join("KeyCache-e.db"),
        "positions",
    )
    .unwrap();
    let (work, ..) = Work::new();
    let wanted = Stage {
        shares: Vec::new(),
        mode: RestoreMode::InPlace,
        restore: "r1".into(),
        backup: FakeNode::backup("b1"),
        sources: vec![FakeNode::host_id(1)],
        manifests: BTreeMap::new(),
        tables: targets(),
    };
    node.stage(&wanted, &work).await.unwrap();
    node.control.go_down();
    node.process.is_supported.store(true, Ordering::SeqCst);
    node
}

/// Every file of the node by its path, journals aside; staged files may lie in either data directory.
pub(super) fn picture_of(node: &FakeNode) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![node.root.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in files::entries(&folder).unwrap() {
            let inside = entry
                .strip_prefix(node.root.path())
                .unwrap()
                .display()
                .to_string();
            if inside.starts_with("state") || inside.starts_with("bucket") {
                continue;
            }
            match entry.is_dir() {
                true => folders.push(entry),
                false => {
                    let bytes = fs::read(&entry).unwrap();
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    found.insert(inside, text);
                }
            }
        }
    }
    // Labels carry a hash of the temporary folder.
    found
        .into_iter()
        .map(|(path, text)| {
            (
                path.split('/')
                    .map(unlabelled)
                    .collect::<Vec<_>>()
                    .join("/"),
                text,
            )
        })
        .collect()
}

fn unlabelled(part: &str) -> &str {
    if part.starts_with("data") {
        part.split('-').next().unwrap_or(part)
    } else {
        part
    }
}

pub(crate) fn live(node: &FakeNode) -> Vec<String> {
    let mut all: Vec<String> = [("full", 1), ("gone", 2)]
        .iter()
        .flat_map(|(name, id)| (0..2).flat_map(|data| node.table(name, *id, data).contents()))
        .collect();
    all.sort();
    all
}

#[tokio::test]
async fn staged_files_go_live_and_old_ones_wait_aside() {
    let node = staged().await;
    assert_eq!(swap(&node.agent, "r1", &targets()).await.unwrap(), 2);
    assert_eq!(live(&node), ["one", "two"]);
    let picture = picture_of(&node);
    let has = |part: &str| picture.iter().any(|(path, _)| path.contains(part));
    assert!(
        has("snapshots/other/nb-1-big-Data.db"),
        "snapshots stay where they are"
    );
    assert!(has("old/data2/ks/gone"), "{picture:?}");
    assert!(has("saved_caches/KeyCache-e.db.ringkeep-old"));
    assert!(
        picture
            .iter()
            .any(|(path, text)| path.contains("old/") && text == "data of newer index")
    );
    assert!(
        picture
            .iter()
            .any(|(path, text)| path.starts_with("data") && text == "data of index")
    );
    assert_eq!(
        swap(&node.agent, "r1", &targets()).await.unwrap(),
        2,
        "again"
    );
    assert_eq!(live(&node), ["one", "two"]);
}

/// Fails at the nth rename, before or after it took effect.
pub(super) fn dying(at: usize, after: bool) -> (Rename, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let rename: Rename = Arc::new(move |from: &Path, to: &Path| {
        let number = counted.fetch_add(1, Ordering::SeqCst) + 1;
        let dead = || Err(FileError::at("move", from)(std::io::Error::other("killed")));
        match number {
            n if n < at => files::rename(from, to),
            n if n == at && after => files::rename(from, to).and_then(|()| dead()),
            _ => dead(),
        }
    });
    (rename, count)
}

#[tokio::test]
async fn a_swap_that_is_killed_at_any_rename_ends_the_same_when_repeated() {
    let whole = staged().await;
    swap(&whole.agent, "r1", &targets()).await.unwrap();
    let expected = live(&whole);
    for at in 1.. {
        for after in [false, true] {
            let node = staged().await;
            let (rename, count) = dying(at, after);
            let died = swap_files(&node.agent.folders, "r1", &targets(), rename)
                .await
                .is_err();
            if !died {
                assert!(at > 20, "only {} renames", count.load(Ordering::SeqCst));
                return;
            }
            assert_eq!(
                swap(&node.agent, "r1", &targets()).await.unwrap(),
                2,
                "{at} {after}"
            );
            assert_eq!(live(&node), expected, "{at} {after}");
            let picture = picture_of(&node);
            let olds = picture.keys().filter(|path| path.contains("/old/")).count();
            assert_eq!(olds, 15, "{at} {after}: every old file is aside");
        }
    }
}

#[tokio::test]
async fn a_running_cassandra_is_never_swapped_under() {
    let node = staged().await;
    for (mode, reason) in [
        ("NORMAL", "CASSANDRA_RUNNING"),
        ("DRAINED", "CASSANDRA_RUNNING"),
    ] {
        *node.control.mode.lock().unwrap() = Ok(mode.to_owned());
        let error = swap(&node.agent, "r1", &targets()).await.unwrap_err();
        assert_eq!(error.reason(), reason);
    }
    *node.control.mode.lock().unwrap() = Err(cassandra_node::ControlError::Unusable {
        why: "gone".into(),
        hint: "bring it back",
    });
    let error = swap(&node.agent, "r1", &targets()).await.unwrap_err();
    assert!(
        error.to_string().contains("cannot be determined"),
        "{error}"
    );
    assert_eq!(live(&node), ["newer", "unwanted"]);
}

#[tokio::test]
async fn of_a_table_from_before_2_1_the_folder_without_an_id_is_swapped_and_swapped_back() {
    let node = staged().await;
    let with_id = node.table("full", 1, 0).0;
    let plain = with_id.with_file_name("full");
    fs::rename(&with_id, &plain).unwrap();
    let before = picture_of(&node);
    let contents = || TableFolder(plain.clone()).contents();
    assert_eq!(contents(), ["newer"]);
    assert_eq!(swap(&node.agent, "r1", &targets()).await.unwrap(), 2);
    let second = node.table("full", 1, 1).0.with_file_name("full");
    let mut live = contents();
    live.extend(TableFolder(second).contents());
    live.sort();
    assert_eq!(live, ["one", "two"]);
    assert!(!with_id.exists(), "Cassandra would not open it");
    swap_back(&node.agent, "r1").await.unwrap();
    let mut after = picture_of(&node);
    let mut expected = before;
    for picture in [&mut after, &mut expected] {
        picture.retain(|path, _| path.starts_with("data"));
    }
    assert_eq!(after, expected);
}

#[tokio::test]
async fn what_is_not_staged_is_not_swapped() {
    let node = staged().await;
    let error = swap(&node.agent, "r9", &targets()).await.unwrap_err();
    assert_eq!(error.reason(), "NOT_STAGED");
    assert_eq!(live(&node), ["newer", "unwanted"]);
}

#[tokio::test]
async fn the_folder_of_a_table_from_before_2_1_is_swapped_as_cassandra_opens_it() {
    let node = staged().await;
    // While there is a folder without an id, Cassandra opens that one.
    let plain: Vec<_> = (0..2)
        .filter_map(|data| {
            let with_id = node.table("full", 1, data).0;
            let plain = with_id.with_file_name("full");
            fs::rename(&with_id, &plain).ok().map(|()| plain)
        })
        .collect();
    assert!(!plain.is_empty());
    swap(&node.agent, "r1", &targets()).await.unwrap();
    let contents = |folder: &PathBuf| crate::testing::TableFolder(folder.clone()).contents();
    let live: Vec<String> = plain.iter().flat_map(contents).collect();
    assert!(!live.contains(&"newer".to_owned()), "{live:?}");
    let table = TableRef::new("ks", "full");
    let files = node
        .agent
        .folders
        .data
        .live_files(&table, &FakeNode::table_id(1));
    let live = files.unwrap().into_iter().filter(|file| file.is_own_data());
    assert_eq!(
        live.count(),
        2,
        "all that was staged is where Cassandra looks"
    );
}
