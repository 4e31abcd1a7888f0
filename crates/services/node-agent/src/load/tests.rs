use api::ServiceError;
use model::plan::RestoreMode;

use super::*;
use crate::stage::Stage;
use crate::testing::{FakeNode, Misbehaviour};

fn targets() -> Vec<TableTarget> {
    [("full", 1), ("empty", 2)]
        .map(|(table, id)| TableTarget {
            source: None,
            table: TableRef::new("ks", table),
            source_id: FakeNode::table_id(id),
            target_id: FakeNode::table_id(id),
        })
        .into()
}

/// A node of this release on which a backup of two SSTables is staged, and which has one of its own.
async fn staged(release: &str) -> FakeNode {
    let node = source_of(release).await;
    stage_again(&node).await;
    node
}

async fn stage_again(node: &FakeNode) {
    let (work, ..) = Work::new();
    let wanted = Stage {
        shares: Vec::new(),
        mode: RestoreMode::Online,
        restore: "r1".into(),
        backup: FakeNode::backup("b1"),
        sources: vec![FakeNode::host_id(1)],
        manifests: Default::default(),
        tables: targets(),
    };
    assert_eq!(node.stage(&wanted, &work).await.unwrap(), 2);
}

async fn source_of(release: &str) -> FakeNode {
    let format = if release.starts_with('3') { "me" } else { "nb" };
    let source = FakeNode::new(1, release);
    source.tables(&["full", "empty"]);
    source
        .table("full", 1, 0)
        .sstable(&format!("{format}-1-big"), "one");
    source
        .table("full", 1, 0)
        .sstable(&format!("{format}-2-big"), "two");
    source
        .table("full", 1, 0)
        .index("by_name")
        .sstable(&format!("{format}-1-big"), "index");
    source.back_up("b1", None).await;
    let mut node = FakeNode::beside(&source, release);
    node.tables(&["full", "empty"]);
    node.table("full", 1, 0)
        .sstable(&format!("{format}-1-big"), "live");
    // The bucket goes with the source.
    node.keep_alive(source);
    node
}

async fn run(node: &FakeNode) -> Result<u64, LoadError> {
    let (work, ..) = Work::new();
    load(&node.agent, "r1", &targets(), &work).await
}

fn contents(node: &FakeNode) -> Vec<String> {
    node.table("full", 1, 0).contents()
}

const RELEASES: [&str; 2] = ["4.1.9", "3.11.19"];

#[tokio::test]
async fn staged_sstables_go_live_beside_what_is_there() {
    for release in RELEASES {
        let node = staged(release).await;
        assert_eq!(run(&node).await.unwrap(), 2, "{release}");
        assert_eq!(contents(&node), ["live", "one", "two"], "{release}");
        assert_eq!(
            run(&node).await.unwrap(),
            2,
            "{release}: a second call loads nothing twice"
        );
        assert_eq!(contents(&node), ["live", "one", "two"], "{release}");
    }
}

#[tokio::test]
async fn an_exit_code_of_0_is_not_believed() {
    for release in RELEASES {
        let node = staged(release).await;
        node.control.misbehave(Misbehaviour::LoadsNothing);
        let error = run(&node).await.unwrap_err();
        assert_eq!(error.reason(), "LOAD_INCOMPLETE", "{release}: {error}");
        node.control.behave();
        assert_eq!(run(&node).await.unwrap(), 2, "{release}");
        assert_eq!(contents(&node), ["live", "one", "two"], "{release}");
    }
}

#[tokio::test]
async fn an_sstable_that_left_staging_and_is_not_live_is_missed_on_every_try() {
    let node = staged("4.1.9").await;
    node.control.misbehave(Misbehaviour::LosesOne);
    for _ in 0..3 {
        let error = run(&node).await.unwrap_err();
        assert!(
            matches!(&error, LoadError::NotTaken { files, .. } if files.len() == 1),
            "{error}"
        );
        assert_eq!(error.reason(), "RESTAGE_NEEDED");
        assert!(error.hint().unwrap().contains("task resume"));
        node.control.behave();
    }
    stage_again(&node).await;
    assert_eq!(run(&node).await.unwrap(), 2);
    assert_eq!(contents(&node), ["live", "one", "two"]);
}

#[tokio::test]
async fn a_load_that_cassandra_died_in_is_staged_again_and_goes_on() {
    let node = staged("4.1.9").await;
    node.control.misbehave(Misbehaviour::DiesHalfWay);
    for _ in 0..2 {
        let error = run(&node).await.unwrap_err();
        assert!(
            matches!(&error, LoadError::NotTaken { files, .. } if files.len() == 1),
            "{error}"
        );
        assert_eq!(error.reason(), "RESTAGE_NEEDED");
        node.control.behave();
        assert_eq!(contents(&node), ["live", "one"]);
    }
    stage_again(&node).await;
    assert_eq!(run(&node).await.unwrap(), 2);
    assert_eq!(contents(&node), ["live", "one", "two"]);
    let files = sstables::list(&node.table("full", 1, 0).0).unwrap();
    for (sstable, components) in sstables::by_sstable(&files) {
        let missing = sstables::missing(&components).unwrap();
        assert!(missing.is_empty(), "{sstable:?} lacks {missing:?}");
    }
}

#[tokio::test]
async fn what_was_found_live_is_not_staged_again() {
    let node = staged("4.1.9").await;
    node.control.misbehave(Misbehaviour::DiesHalfWay);
    run(&node).await.unwrap_err();
    node.control.behave();
    let live = node.table("full", 1, 0).0;
    std::fs::remove_dir_all(&live).unwrap();
    node.table("full", 1, 0)
        .sstable("nb-50-big", "one, compacted");
    stage_again(&node).await;
    assert_eq!(run(&node).await.unwrap(), 2);
    assert_eq!(contents(&node), ["one, compacted", "two"]);
}

#[tokio::test]
async fn staging_that_is_deleted_between_two_tries_is_missed() {
    let node = staged("4.1.9").await;
    node.control.misbehave(Misbehaviour::LoadsNothing);
    run(&node).await.unwrap_err();
    node.control.behave();
    std::fs::remove_dir_all(node.root.path().join("ringkeep-staging")).unwrap();
    for _ in 0..2 {
        let error = run(&node).await.unwrap_err();
        assert!(
            matches!(&error, LoadError::NotTaken { files, .. } if files.len() == 2),
            "{error}"
        );
        assert_eq!(contents(&node), ["live"]);
    }
    stage_again(&node).await;
    assert_eq!(run(&node).await.unwrap(), 2);
    assert_eq!(contents(&node), ["live", "one", "two"]);
}

/// As if the agent had died before it wrote these records.
fn forget(node: &FakeNode, records: &[&str]) {
    let cut: String = journal_of(node)
        .lines()
        .filter(|line| {
            !records
                .iter()
                .any(|name| line.starts_with(&format!("{{\"{name}\":")))
        })
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(node.agent.folders.restore_journal("r1"), cut).unwrap();
}

fn journal_of(node: &FakeNode) -> String {
    std::fs::read_to_string(node.agent.folders.restore_journal("r1")).unwrap()
}

#[tokio::test]
async fn only_what_was_found_live_may_have_been_compacted_since() {
    for release in RELEASES {
        let node = staged(release).await;
        run(&node).await.unwrap();
        let format = if release.starts_with('3') { "me" } else { "nb" };
        std::fs::remove_dir_all(node.table("full", 1, 0).0).unwrap();
        node.table("full", 1, 0)
            .sstable(&format!("{format}-50-big"), "compacted");
        forget(&node, &["loaded", "compaction_on"]);
        assert_eq!(run(&node).await.unwrap(), 2, "{release}");
        forget(&node, &["loaded", "compaction_on", "seen"]);
        let error = run(&node).await.unwrap_err();
        assert!(
            matches!(&error, LoadError::NotTaken { files, .. } if files.len() == 2),
            "{release}: {error}"
        );
    }
}

#[tokio::test]
async fn what_an_import_that_failed_took_is_noted_before_compaction_is_on_again() {
    let node = staged("4.1.9").await;
    node.control.misbehave(Misbehaviour::LosesOne);
    run(&node).await.unwrap_err();
    let seen: Vec<String> = journal_of(&node)
        .lines()
        .filter(|line| line.starts_with("{\"seen\":") || line.contains("compaction_on"))
        .map(|line| line.split(':').next().unwrap().to_owned())
        .collect();
    assert_eq!(seen, ["{\"seen\"", "{\"compaction_on\""]);
}

#[tokio::test]
async fn compaction_is_as_before_whatever_happened() {
    let node = staged("4.1.9").await;
    node.control.misbehave(Misbehaviour::LoadsNothing);
    run(&node).await.unwrap_err();
    assert!(node.control.compaction_off.lock().unwrap().is_empty());
    // An operator has turned it off: it stays so.
    node.control.behave();
    node.control
        .compaction_off
        .lock()
        .unwrap()
        .insert(TableRef::new("ks", "full"));
    run(&node).await.unwrap();
    assert_eq!(node.control.compaction_off.lock().unwrap().len(), 1);
}

/// A table whose compaction an earlier restore has left off.
async fn left_off() -> FakeNode {
    let node = staged("4.1.9").await;
    let record = format!(
        "{{\"compaction_off\":{{\"table\":\"{}\"}}}}\n",
        FakeNode::table_id(1)
    );
    let begun = journal_of(&node).lines().next().unwrap().to_owned();
    std::fs::write(
        node.agent.folders.restore_journal("r0"),
        format!("{begun}\n{record}"),
    )
    .unwrap();
    let table = TableRef::new("ks", "full");
    node.control.compaction_off.lock().unwrap().insert(table);
    node
}

#[tokio::test]
async fn compaction_that_a_killed_restore_left_off_is_turned_on_by_the_next() {
    let node = left_off().await;
    run(&node).await.unwrap();
    assert!(node.control.compaction_off.lock().unwrap().is_empty());
}

#[tokio::test]
async fn compaction_that_a_killed_restore_left_off_is_turned_on_when_the_agent_starts() {
    let node = left_off().await;
    crate::restore::turn_on_all(&node.agent).await;
    assert!(node.control.compaction_off.lock().unwrap().is_empty());
    let journal = std::fs::read_to_string(node.agent.folders.restore_journal("r0")).unwrap();
    assert!(journal.contains("compaction_on"), "{journal}");
}

#[tokio::test]
async fn compaction_that_a_running_restore_needs_off_is_left_to_it() {
    let node = left_off().await;
    let others = || crate::restore::left_off_by_others(&node.agent, "r1");
    assert_eq!(others().await.unwrap().len(), 1);
    let _at_work = node.agent.locks.lock("restore r0").await;
    assert!(others().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_load_that_was_killed_after_cassandra_took_the_files_is_counted_once() {
    for release in RELEASES {
        let node = staged(release).await;
        run(&node).await.unwrap();
        forget(&node, &["seen", "loaded", "compaction_on"]);
        assert_eq!(run(&node).await.unwrap(), 2, "{release}");
        assert_eq!(contents(&node), ["live", "one", "two"], "{release}");
    }
}

#[tokio::test]
async fn a_table_without_an_id_in_its_folders_name_is_loaded_into_that_folder() {
    for release in RELEASES {
        let node = staged(release).await;
        let with_id = node.table("full", 1, 0).0;
        let plain = crate::testing::TableFolder(with_id.with_file_name("full"));
        std::fs::rename(&with_id, &plain.0).unwrap();
        assert_eq!(run(&node).await.unwrap(), 2, "{release}");
        assert_eq!(plain.contents(), ["live", "one", "two"], "{release}");
        assert!(!with_id.exists(), "{release}");
    }
}

#[tokio::test]
async fn links_that_were_half_made_are_made_again() {
    let node = staged("3.11.19").await;
    let live = node.table("full", 1, 0).0;
    let data = &node.agent.folders.data[0];
    let folder = node.agent.folders.staging_of(data, "r1").unwrap();
    let folder = folder.join("ks").join(live.file_name().unwrap());
    // A kill after the first component of an SSTable.
    std::fs::hard_link(
        folder.join("me-1-big-Index.db"),
        live.join("me-100002-big-Index.db"),
    )
    .unwrap();
    assert_eq!(run(&node).await.unwrap(), 2);
    assert_eq!(contents(&node), ["live", "one", "two"]);
    let whole = sstables::list(&live).unwrap();
    let names: Vec<_> = whole.iter().map(|file| file.name().to_owned()).collect();
    assert_eq!(sstables::by_sstable(&whole).len(), 3, "{names:?}");
}

#[tokio::test]
async fn what_is_not_staged_is_not_loaded() {
    let node = staged("4.1.9").await;
    let (work, ..) = Work::new();
    let error = load(&node.agent, "other", &targets(), &work)
        .await
        .unwrap_err();
    assert_eq!(error.reason(), "NOT_STAGED");
}

#[tokio::test]
async fn staging_that_lost_an_sstable_is_not_loaded_in_part() {
    let node = staged("4.1.9").await;
    let data = &node.agent.folders.data[0];
    let folder = node.agent.folders.staging_of(data, "r1").unwrap();
    let table = folder.join(format!("ks/full-{}", FakeNode::table_id(1).folder_suffix()));
    std::fs::remove_file(table.join("nb-1-big-Data.db")).unwrap();
    let error = run(&node).await.unwrap_err();
    assert!(matches!(error, LoadError::StagingLost { found: 1, .. }));
    assert_eq!(error.reason(), "RESTAGE_NEEDED");
    assert_eq!(contents(&node), ["live"]);
    stage_again(&node).await;
    assert_eq!(run(&node).await.unwrap(), 2);
}

#[tokio::test]
async fn after_a_failure_no_other_table_is_begun_and_the_next_try_loads_all() {
    let names = ["t1", "t2", "t3", "t4", "t5", "t6"];
    let source = FakeNode::new(1, "4.1.9");
    source.tables(&names);
    let tables: Vec<TableTarget> = (1..)
        .zip(names)
        .map(|(id, table)| {
            source.table(table, id, 0).sstable("nb-1-big", table);
            TableTarget {
                source: None,
                table: TableRef::new("ks", table),
                source_id: FakeNode::table_id(id),
                target_id: FakeNode::table_id(id),
            }
        })
        .collect();
    source.back_up("b1", None).await;
    let mut node = FakeNode::beside(&source, "4.1.9");
    node.tables(&names);
    node.keep_alive(source);
    let (work, ..) = Work::new();
    let wanted = Stage {
        shares: Vec::new(),
        mode: RestoreMode::Online,
        restore: "r1".into(),
        backup: FakeNode::backup("b1"),
        sources: vec![FakeNode::host_id(1)],
        manifests: Default::default(),
        tables: tables.clone(),
    };
    node.stage(&wanted, &work).await.unwrap();

    node.control.misbehave(Misbehaviour::LoadsNothing);
    let failed = load(&node.agent, "r1", &tables, &work).await.unwrap_err();
    assert_eq!(failed.reason(), "LOAD_INCOMPLETE", "{failed}");
    let calls = node.control.calls.lock().unwrap().clone();
    let imports = calls.iter().filter(|call| call.starts_with("import"));
    let imports = imports.count();
    assert!((1..=TABLES_AT_ONCE).contains(&imports), "{calls:?}");

    node.control.behave();
    let loaded = load(&node.agent, "r1", &tables, &work).await;
    assert_eq!(loaded.unwrap(), names.len() as u64);
    for (id, table) in (1..).zip(names) {
        assert_eq!(node.table(table, id, 0).contents(), [table]);
    }
}
