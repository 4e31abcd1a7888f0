//! Maintenance that documents ask for: the same document is the same task, and its cluster is found by its datacenter.

use std::sync::atomic::Ordering;

use api::pb::task_runner::{MaintenanceDocument, StartMaintenanceRequest, TaskState};
use api::pb::types::MaintenanceCommand;

use crate::fleet::Fault;
use crate::maintenance::request;
use crate::world::World;

const TTL_SECONDS: u64 = 3_600;

/// A document that asks for upgradesstables in datacenter dc1, and names no cluster.
pub fn document(name: &str) -> StartMaintenanceRequest {
    StartMaintenanceRequest {
        cluster: String::new(),
        datacenters: vec!["dc1".into()],
        document: Some(MaintenanceDocument {
            kind: "CassandraTask".into(),
            namespace: String::new(),
            name: name.into(),
            content: "{\"one\":1}".into(),
            ttl_seconds: TTL_SECONDS,
        }),
        ..request(&[MaintenanceCommand::Upgradesstables])
    }
}

#[tokio::test]
async fn the_same_document_is_the_same_task_for_good_and_another_takes_its_name_after_its_time() {
    let world = World::new(&["n1"]);
    let mut life = world.start_with_cluster().await;
    let first = life.maintain(document("d")).await.expect("a task");
    assert_eq!((first.existed, first.cluster.as_str()), (false, "shop"));
    life.ended(&first.task_id).await;
    let again = life.maintain(document("d")).await.expect("the task");
    assert_eq!((again.existed, &again.task_id), (true, &first.task_id));
    assert_eq!(world.fleet.count("upgradesstables n1"), 1);

    let mut other = document("d");
    other.document.as_mut().expect("one").content = "{\"two\":2}".into();
    let error = life.maintain(other.clone()).await.expect_err("another");
    assert_eq!(error.reason, "DOCUMENT_DIFFERS");
    assert!(error.message.contains(&first.task_id), "{error}");

    let found = life.document("d").await.expect("the document");
    assert_eq!(found.document.expect("one").content, "{\"one\":1}");
    assert_eq!(found.task.expect("one").state(), TaskState::Succeeded);
    let error = life.document("e").await.expect_err("none");
    assert_eq!(error.reason, "DOCUMENT_NOT_FOUND");

    world.clock_ahead.store(3_700, Ordering::Relaxed);
    let again = life.maintain(document("d")).await.expect("the task");
    assert_eq!((again.existed, &again.task_id), (true, &first.task_id));
    let later = life.maintain(other).await.expect("a new task");
    assert!(!later.existed && later.task_id != first.task_id);
    life.ended(&later.task_id).await;
    assert_eq!(world.fleet.count("upgradesstables n1"), 2);
}

#[tokio::test]
async fn a_document_that_was_refused_is_applied_once_it_can_be() {
    let world = World::new(&["n1"]);
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("upload n1", &[Fault::Hang]);
    let backup = life.backup("c").await;
    world.called("upload n1").await;
    let error = life.maintain(document("d")).await.expect_err("busy");
    assert_eq!(error.reason, "CLUSTER_BUSY");
    let error = life.document("d").await.expect_err("no task");
    assert_eq!(error.reason, "DOCUMENT_NOT_FOUND");
    life.cancel(&backup).await.expect("cancelled");
    life.ended(&backup).await;
    let mut changed = document("d");
    changed.document.as_mut().expect("one").content = "{}".into();
    let applied = life.maintain(changed).await.expect("a task");
    assert!(!applied.existed);
    let task = life.ended(&applied.task_id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
}

#[tokio::test]
async fn two_who_apply_a_document_at_once_have_one_task() {
    let world = World::new(&["n1"]);
    let life = world.start_with_cluster().await;
    let applying = (0..8).map(|_| {
        let mut client = life.client.clone();
        async move { client.start_maintenance(document("d")).await }
    });
    let mut ids: Vec<String> = futures::future::join_all(applying)
        .await
        .into_iter()
        // Some may meet the first while it takes its cluster.
        .filter_map(|started| Some(started.ok()?.into_inner().task_id))
        .collect();
    ids.dedup();
    assert_eq!(ids.len(), 1);
    let mut life = life;
    let task = life.ended(&ids[0]).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert_eq!(world.fleet.count("upgradesstables n1"), 1);
}

#[tokio::test]
async fn of_two_documents_of_a_name_at_once_none_is_told_the_task_of_the_other() {
    let world = World::new(&["n1"]);
    let life = world.start_with_cluster().await;
    let applying = (0..8).map(|at| {
        let mut client = life.client.clone();
        let mut document = document("d");
        let content = format!("{{\"one\":{}}}", at % 2);
        document.document.as_mut().expect("one").content = content.clone();
        async move { Some((content, client.start_maintenance(document).await.ok()?)) }
    });
    let mut tasks = std::collections::BTreeMap::new();
    for (content, started) in futures::future::join_all(applying)
        .await
        .into_iter()
        .flatten()
    {
        let task = started.into_inner().task_id;
        let of = tasks.entry(task).or_insert_with(|| content.clone());
        assert_eq!(*of, content, "a task has one document");
    }
    assert!(!tasks.is_empty());
}

#[tokio::test]
async fn a_finished_task_is_kept_while_its_name_is_taken() {
    let mut world = World::new(&["n1"]);
    world.config.keep_finished_tasks = 0;
    let mut life = world.start_with_cluster().await;
    let first = life.maintain(document("d")).await.expect("a task");
    life.ended(&first.task_id).await;
    let other = life
        .maintain(request(&[MaintenanceCommand::Flush]))
        .await
        .expect("a task");
    life.until_forgotten(&other.task_id).await;
    let again = life.maintain(document("d")).await.expect("the task");
    assert!(again.existed);
}

#[tokio::test]
async fn a_datacenter_that_no_cluster_or_no_certain_one_has_is_refused_by_name() {
    let world = World::new(&["n1"]);
    let mut life = world.start_with_cluster().await;
    let mut other = document("d");
    other.datacenters = vec!["dc7".into()];
    let error = life.maintain(other).await.expect_err("unknown");
    assert_eq!(error.reason, "DATACENTER_NOT_FOUND");
    assert!(error.message.contains("dc7: shop has dc1"), "{error}");
    let hint = error.hint.expect("a hint");
    assert!(hint.contains("--cluster") && hint.contains("ringkeep/cluster"));

    // A cluster that nobody can ask might have it, too.
    life.runner.kill().await;
    drop(life);
    let store = world.open().await;
    let silent = serde_json::json!({ "name": "silent", "agents": ["gone:7401"] });
    let absent = state_store::Expected::Absent;
    store
        .put("clusters/silent", silent, absent, None)
        .await
        .expect("written");
    let mut life = world.start_on(store);
    let error = life.maintain(document("d")).await.expect_err("not certain");
    assert_eq!(error.reason, "CLUSTER_AMBIGUOUS");
    assert!(error.message.contains("shop or silent"), "{error}");
    let mut named = document("d");
    named.cluster = "shop".into();
    life.maintain(named).await.expect("a task");
}

#[tokio::test]
async fn a_name_that_would_leave_its_key_is_refused() {
    let world = World::new(&["n1"]);
    let mut life = world.start_with_cluster().await;
    for name in ["", "a/b", "ü", "a b"] {
        let error = life.maintain(document(name)).await.expect_err(name);
        assert_eq!(error.field.as_deref(), Some("document.name"), "{name}");
    }
}
