//! What a maintenance command does on a node, and when it does nothing.

use std::sync::atomic::Ordering;

use api::ServiceError;
use cassandra_node::process::Action;
use cassandra_node::testing::Upgrades;
use model::TableRef;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::restore::{LoadEvidence, RestoreRecord, RestoreState, TableTarget};
use crate::testing::{FakeNode, Misbehaviour};

use MaintenanceCommand as C;

fn job(command: C) -> MaintenanceJob {
    MaintenanceJob::new(command)
}

fn step(step: &str, job: MaintenanceJob) -> Run {
    Run {
        task: TaskId(Uuid::from_u128(7)),
        step: step.to_owned(),
        job,
    }
}

async fn run(node: &FakeNode, run: &Run) -> Result<u64, MaintenanceError> {
    let (work, progress, _stop) = Work::new();
    super::run(&node.agent, run, &work).await?;
    Ok(progress.borrow().items_done)
}

fn calls(node: &FakeNode) -> Vec<String> {
    std::mem::take(&mut *node.control.calls.lock().unwrap())
}

/// A node with the tables `ks.a` and `ks.b`.
fn node() -> FakeNode {
    let node = FakeNode::new(1, "4.1.9");
    node.tables(&["a", "b"]);
    node
}

#[tokio::test]
async fn a_command_runs_table_by_table_and_a_repeated_call_leaves_out_what_is_done() {
    let node = node();
    let first = step("maintain-n1", job(C::Cleanup));
    assert_eq!(run(&node, &first).await.unwrap(), 2);
    assert_eq!(calls(&node), ["cleanup ks.a", "cleanup ks.b"]);
    assert_eq!(run(&node, &first).await.unwrap(), 2, "it is done");
    assert!(calls(&node).is_empty());
    let second = step("maintain-2-n1", job(C::Cleanup));
    run(&node, &second).await.unwrap();
    assert_eq!(calls(&node), ["cleanup ks.a", "cleanup ks.b"]);
}

#[tokio::test]
async fn a_call_that_failed_goes_on_at_the_table_where_it_was() {
    let node = node();
    let mut only_a = job(C::Compact);
    only_a.selection.tables.push(TableRef::new("ks", "a"));
    run(&node, &step("s", only_a)).await.unwrap();
    node.control.misbehave(Misbehaviour::MaintenanceFails);
    let all = step("s", job(C::Compact));
    let error = run(&node, &all).await.unwrap_err();
    assert_eq!(error.reason(), "CONTROL_FAILED");
    assert_eq!(calls(&node), ["compact ks.a", "compact ks.b"]);
    node.control.behave();
    run(&node, &all).await.unwrap();
    assert_eq!(calls(&node), ["compact ks.b"]);
}

#[tokio::test]
async fn what_cassandra_is_still_at_is_waited_for() {
    let node = node();
    *node.control.busy.lock().unwrap() = 2;
    run(&node, &step("s", job(C::GarbageCollect)))
        .await
        .unwrap();
    let a = "garbagecollect ks.a";
    assert_eq!(calls(&node), [a, a, a, "garbagecollect ks.b"]);
    *node.control.busy.lock().unwrap() = 1;
    let mut rebuild = job(C::Rebuild);
    rebuild.args.source_datacenter = Some("dc2".into());
    run(&node, &step("s2", rebuild)).await.unwrap();
    assert_eq!(calls(&node), ["rebuild", "rebuild"]);
}

#[tokio::test]
async fn everything_is_what_the_command_makes_sense_for() {
    let node = node();
    let row = |(keyspace, id): (&str, u128)| {
        json!({ "keyspace_name": keyspace, "table_name": "t", "id": FakeNode::table_id(id).to_string(),
                "compaction": { "class": "STCS" } })
    };
    let rows: Vec<_> = [
        ("ks", 1),
        ("ringkeep_trial_1", 2),
        ("system", 3),
        ("system_auth", 4),
    ]
    .into_iter()
    .map(row)
    .collect();
    let statement = "SELECT keyspace_name, table_name, id, compaction FROM system_schema.tables";
    node.cql.set(statement, json!(rows));
    for (command, expected) in [
        (C::UpgradeSstables, "ks.t system.t system_auth.t"),
        (C::Cleanup, "cleanup ks.t cleanup system_auth.t"),
        (C::Repair, "repair ks repair system_auth"),
        (C::Flush, "flush ks.t"),
    ] {
        let units = units::of(&node.agent, &job(command)).await.unwrap();
        let names: Vec<String> = units.iter().map(ToString::to_string).collect();
        assert_eq!(names.join(" "), expected);
    }
    let mut named = job(C::Repair);
    named.selection.tables.push(TableRef::new("ks", "t"));
    run(&node, &step("s", named)).await.unwrap();
    assert_eq!(calls(&node), ["repair ks"]);
    let mut gone = job(C::Scrub);
    gone.selection.tables.push(TableRef::new("ks", "gone"));
    let error = run(&node, &step("s", gone)).await.unwrap_err();
    assert_eq!(error.reason(), "TABLE_NOT_FOUND");
}

#[tokio::test]
async fn an_upgrade_succeeds_by_its_files_also_with_threads() {
    let node = node();
    *node.control.upgrades.lock().unwrap() = Some(Upgrades {
        writes: "big-nb",
        skips: &[],
    });
    let folder = node.table("a", 1, 0).0;
    std::fs::write(folder.join("me-1-big-Data.db"), "x").unwrap();
    let mut threads = job(C::UpgradeSstables);
    threads.args.jobs = Some(2);
    // The fake's own command for it rewrites nothing.
    let error = run(&node, &step("s", threads)).await.unwrap_err();
    assert_eq!(error.reason(), "UPGRADE_INCOMPLETE", "{error}");
    assert_eq!(calls(&node), ["upgradesstables ks.a"]);
    let upgrade = step("s2", job(C::UpgradeSstables));
    assert_eq!(run(&node, &upgrade).await.unwrap(), 2);
    assert!(folder.join("nb-2-big-Data.db").exists());
}

/// Writes records of a restore of `ks.a` into its journal on this node.
async fn restoring(node: &FakeNode, records: &[RestoreRecord]) {
    let (journal, _) = RestoreState::open(&node.agent.folders, "r1").await.unwrap();
    for record in records {
        journal.append(record).await.unwrap();
    }
}

fn begun() -> RestoreRecord {
    RestoreRecord::Begun {
        backup: FakeNode::backup("b"),
        sources: Vec::new(),
        tables: vec![TableTarget {
            source: None,
            table: TableRef::new("ks", "a"),
            source_id: FakeNode::table_id(1),
            target_id: FakeNode::table_id(1),
        }],
        shares: Vec::new(),
    }
}

#[tokio::test]
async fn a_table_that_is_being_loaded_is_left_alone_and_others_are_not() {
    let node = node();
    let table = FakeNode::table_id(1);
    let evidence = Vec::<LoadEvidence>::new();
    restoring(
        &node,
        &[begun(), RestoreRecord::Loading { table, evidence }],
    )
    .await;
    let all = step("s", job(C::Compact));
    let error = run(&node, &all).await.unwrap_err();
    assert_eq!(error.reason(), "RESTORE_UNFINISHED");
    assert!(error.to_string().contains("`ks.a`"), "{error}");
    assert!(error.hint().unwrap().contains("task resume r1"));
    let mut other = job(C::Compact);
    other.selection.tables.push(TableRef::new("ks", "b"));
    run(&node, &step("s", other)).await.unwrap();
    assert_eq!(calls(&node), ["compact ks.b"]);
    restoring(&node, &[RestoreRecord::Loaded { table }]).await;
    run(&node, &all).await.unwrap();
    assert_eq!(calls(&node), ["compact ks.a"]);
}

#[tokio::test]
async fn nothing_runs_and_nothing_restarts_on_a_node_that_is_half_swapped_or_quiet() {
    let table = FakeNode::table_id(1);
    let marked = RestoreRecord::Marked {
        table,
        before: None,
        cutoff_ms: 1,
    };
    let aside = RestoreRecord::Aside { table, files: None };
    for (record, how) in [(marked, "quiet"), (aside, "half swapped")] {
        let node = node();
        node.process.is_supported.store(true, Ordering::SeqCst);
        restoring(&node, &[begun(), record]).await;
        for command in [C::Restart, C::Flush] {
            let error = run(&node, &step("s", job(command))).await.unwrap_err();
            assert_eq!(error.reason(), "RESTORE_UNFINISHED");
            assert!(error.to_string().contains(how), "{error}");
        }
        assert!(calls(&node).is_empty(), "{how}");
        assert!(node.process.begun.lock().unwrap().is_empty(), "{how}");
    }
}

#[tokio::test]
async fn a_restart_that_is_repeated_restarts_nothing_again() {
    let node = node();
    node.process.is_supported.store(true, Ordering::SeqCst);
    let restart = step("s", job(C::Restart));
    assert_eq!(run(&node, &restart).await.unwrap(), 1);
    assert_eq!(calls(&node), ["drain"]);
    let expected = [Action::Stop, Action::Start];
    assert_eq!(*node.process.begun.lock().unwrap(), expected);
    run(&node, &restart).await.unwrap();
    assert_eq!(*node.process.begun.lock().unwrap(), expected);
    assert!(calls(&node).is_empty());
}

#[tokio::test]
async fn a_restart_that_was_cut_off_starts_what_is_down() {
    let node = node();
    node.process.is_supported.store(true, Ordering::SeqCst);
    node.control.go_down();
    run(&node, &step("s", job(C::Restart))).await.unwrap();
    assert_eq!(*node.process.begun.lock().unwrap(), [Action::Start]);
}

#[tokio::test]
async fn a_node_is_not_restarted_while_another_is_down_and_not_done_until_it_sees_it() {
    let mut node = node();
    let restart = step("s", job(C::Restart));
    let error = run(&node, &restart).await.unwrap_err();
    assert_eq!(error.reason(), "CANNOT_RESTART");
    node.process.is_supported.store(true, Ordering::SeqCst);
    let other = ["10.0.0.2".parse().unwrap()];
    node.control.unsettled.lock().unwrap().down = other.into();
    let error = run(&node, &restart).await.unwrap_err();
    assert_eq!(error.reason(), "PEERS_DOWN");
    assert_eq!(
        error.kind(),
        api::ErrorKind::Unavailable,
        "it is tried again"
    );
    assert!(node.process.begun.lock().unwrap().is_empty());
    node.control.unsettled.lock().unwrap().down.clear();
    run(&node, &restart).await.unwrap();
    node.control.unsettled.lock().unwrap().down = other.into();
    node.agent.node.settings.start_timeout_seconds = 0;
    let error = run(&node, &restart).await.unwrap_err();
    assert_eq!(error.reason(), "PEERS_NOT_SEEN");
    assert!(error.to_string().contains("10.0.0.2"), "{error}");
}

#[tokio::test]
async fn while_the_ring_changes_nothing_is_cleaned_up_or_restarted() {
    let node = node();
    node.process.is_supported.store(true, Ordering::SeqCst);
    let joins = [("10.0.0.4".parse().unwrap(), "joining")];
    node.control.unsettled.lock().unwrap().changing = joins.into();
    for command in [C::Cleanup, C::Restart] {
        let error = run(&node, &step("s", job(command))).await.unwrap_err();
        assert_eq!(error.reason(), "RING_CHANGING");
        assert_eq!(error.kind(), api::ErrorKind::Unavailable);
        assert!(error.to_string().contains("10.0.0.4 is joining"), "{error}");
    }
    assert!(calls(&node).is_empty());
    assert!(node.process.begun.lock().unwrap().is_empty());
    run(&node, &step("s", job(C::Compact))).await.unwrap();
    node.control.unsettled.lock().unwrap().changing.clear();
    run(&node, &step("s2", job(C::Cleanup))).await.unwrap();
}

#[tokio::test]
async fn what_selects_no_table_does_not_succeed() {
    let node = node();
    let mut empty = job(C::Repair);
    let statement = "SELECT keyspace_name, table_name, id, compaction FROM system_schema.tables";
    node.cql.set(statement, json!([]));
    let error = run(&node, &step("s", empty.clone())).await.unwrap_err();
    assert_eq!(error.reason(), "NOTHING_SELECTED");
    empty.command = C::Compact;
    let error = run(&node, &step("s", empty)).await.unwrap_err();
    assert_eq!(error.reason(), "NOTHING_SELECTED");
    assert!(calls(&node).is_empty());
}

#[tokio::test]
async fn a_wait_for_cassandra_is_noted_once() {
    for command in [C::GarbageCollect, C::Repair] {
        let node = FakeNode::new(1, "4.1.9");
        node.tables(&["a"]);
        *node.control.busy.lock().unwrap() = 3;
        let (work, progress, _stop) = Work::new();
        let waiting = step("s", job(command));
        super::run(&node.agent, &waiting, &work).await.unwrap();
        let note = progress.borrow().note.clone();
        // The note of the wait is the last one: none was made for the tries after it.
        assert!(note.contains("waits until Cassandra is done"), "{note}");
    }
}

#[tokio::test]
async fn a_view_that_is_named_for_repair_is_refused() {
    let node = node();
    let statement =
        "SELECT keyspace_name, view_name, id, base_table_name, compaction FROM system_schema.views";
    let view = json!({ "keyspace_name": "ks", "view_name": "v", "id": FakeNode::table_id(9).to_string(),
                       "base_table_name": "a", "compaction": { "class": "STCS" } });
    node.cql.set(statement, json!([view]));
    let mut repair = job(C::Repair);
    for table in ["a", "v"] {
        repair.selection.tables.push(TableRef::new("ks", table));
    }
    let error = run(&node, &step("s", repair)).await.unwrap_err();
    assert_eq!(error.reason(), "TABLE_IS_VIEW");
    assert!(error.to_string().contains("`ks.v`"), "{error}");
    assert!(calls(&node).is_empty());
}
