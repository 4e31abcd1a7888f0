//! The typed client of the task-runner: each method leads to its call, and back in the words of the model.

use api::ErrorKind;
use api::clients::{CreateBackup, NamedBackup, PlanRestore, StartRestore, TaskRunner, TaskWatch};
use futures::StreamExt;
use model::manifest::BackupKind;
use model::plan::RestoreOptions;
use model::task::{QueueOptions, ShownTask, TaskKind, TaskState};
use model::{BackupName, Cluster, ClusterName, SampleParts, Selection, TaskId, VerifyLevel};
use tokio::time::timeout;

use crate::fleet::Fault;
use crate::world::{DEADLINE, Life, World};

fn shop() -> ClusterName {
    "shop".parse().expect("a name")
}

fn name(text: &str) -> BackupName {
    text.parse().expect("a name")
}

/// Named without its cluster.
fn backup(text: &str) -> NamedBackup {
    NamedBackup {
        cluster: None,
        name: name(text),
    }
}

fn create(text: &str) -> CreateBackup {
    CreateBackup {
        cluster: shop(),
        name: Some(name(text)),
        kind: BackupKind::Full,
        selection: Selection::default(),
        base: None,
        keep_damaged: false,
        reupload: false,
        completeness: model::plan::Completeness::All,
        queue: QueueOptions::default(),
    }
}

fn restore(text: &str) -> PlanRestore {
    PlanRestore {
        backup: backup(text),
        target: shop(),
        options: RestoreOptions::default(),
    }
}

async fn last(mut watch: TaskWatch) -> ShownTask {
    let mut last = None;
    while let Some(now) = timeout(DEADLINE, watch.next()).await.expect("in time") {
        last = Some(now.expect("no error"));
    }
    last.expect("at least the task as it was")
}

async fn ended(life: &Life, id: TaskId) -> ShownTask {
    last(life.typed.watch_task(id).await.expect("a watch")).await
}

#[tokio::test]
async fn a_cluster_is_added_shown_and_removed() {
    let world = World::new(&["n1", "n2"]);
    let life = world.start().await;
    let cluster = Cluster {
        name: shop(),
        agents: vec!["n1:7401".into(), "n2:7401".into()],
    };
    let added = life.typed.add_cluster(cluster.clone(), false).await;
    assert_eq!(added.expect("a cluster"), cluster);
    let listed = life.typed.list_clusters().await.expect("a list");
    assert_eq!(listed, std::slice::from_ref(&cluster));
    let state = life.typed.get_cluster(&shop()).await.expect("its state");
    assert_eq!(state.cluster, cluster);
    assert_eq!((state.nodes.len(), state.unreachable.len()), (2, 0));
    life.typed.remove_cluster(&shop()).await.expect("removed");
    let error = life.typed.get_cluster(&shop()).await.expect_err("gone");
    assert_eq!(
        (error.kind, error.reason.as_str()),
        (ErrorKind::NotFound, "CLUSTER_NOT_FOUND")
    );
}

#[tokio::test]
async fn a_backup_is_made_restored_verified_and_deleted() {
    let world = World::new(&["n1"]);
    let life = world.start_with_cluster().await;
    let created = life.typed.create_backup(create("b")).await.expect("a task");
    assert_eq!(created.backup.to_string(), "shop/b");
    let made = ended(&life, created.task.expect("not refused")).await;
    assert_eq!(made.state, Some(TaskState::Succeeded));

    let plan = life.typed.plan_restore(restore("b")).await.expect("a plan");
    let as_usual = QueueOptions::default();
    let shown = StartRestore::AsShown {
        number: plan.number,
        restore: Some(restore("b")),
    };
    let started = life
        .typed
        .start_restore(shown, as_usual)
        .await
        .expect("a task");
    assert_eq!(started.plan, plan);
    let restored = ended(&life, started.task.expect("not refused")).await;
    assert_eq!(restored.state, Some(TaskState::Succeeded));
    let now = StartRestore::PlannedNow(restore("b"));
    let started = life
        .typed
        .start_restore(now, as_usual)
        .await
        .expect("a task");
    ended(&life, started.task.expect("not refused")).await;

    let level = VerifyLevel::Objects;
    let verifying = life
        .typed
        .verify_backup(backup("b"), level, None, None)
        .await;
    let verifying = verifying.expect("a task");
    assert_eq!(verifying.backup.to_string(), "shop/b");
    let verified = ended(&life, verifying.task).await;
    let report = verified.verification.expect("a report");
    assert_eq!((report.ok, report.level), (true, Some(level)));
    assert_eq!(report.sample, None);
    let parts = SampleParts::new(20).expect("parts");
    let sampling = life
        .typed
        .verify_backup(backup("b"), level, Some(parts), None)
        .await;
    let sampled = ended(&life, sampling.expect("a task").task).await;
    let read = sampled.verification.expect("a report").sample;
    assert_eq!(read.expect("a part").sample.of, parts);

    let deleting = life
        .typed
        .delete_backup(backup("b"), api::clients::KnownDead::default())
        .await;
    let deleted = ended(&life, deleting.expect("a task").task).await;
    assert_eq!(deleted.kind, Some(TaskKind::Delete));
    assert_eq!(deleted.deletion.expect("a result").objects, 3);
}

#[tokio::test]
async fn tasks_are_listed_in_pages_or_all_at_once() {
    let world = World::new(&["n1"]);
    let life = world.start_with_cluster().await;
    let mut made = Vec::new();
    for name in ["a", "b", "c"] {
        let created = life.typed.create_backup(create(name)).await;
        let id = created.expect("a task").task.expect("not refused");
        ended(&life, id).await;
        made.insert(0, id);
    }
    let ids = |tasks: &[ShownTask]| tasks.iter().map(|now| now.id).collect::<Vec<_>>();
    let all = life.typed.list_tasks(Some(&shop())).await.expect("a list");
    assert_eq!(ids(&all), made);
    let (mut paged, mut token) = (Vec::new(), None);
    loop {
        let page = life.typed.list_task_page(None, 1, token).await;
        let page = page.expect("a page");
        assert!(page.tasks.len() <= 1);
        paged.extend(ids(&page.tasks));
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(paged, made);
    let other = "other".parse().expect("a name");
    let none = life.typed.list_tasks(Some(&other)).await.expect("a list");
    assert!(none.is_empty());
}

#[tokio::test]
async fn a_task_is_cancelled_and_what_ended_well_is_not_resumed() {
    let world = World::new(&["n1"]);
    world.has_backup("b");
    let life = world.start_with_cluster().await;
    world.fleet.fail("verify", &[Fault::Hang]);
    let level = VerifyLevel::Manifest;
    let started = life
        .typed
        .verify_backup(backup("b"), level, None, None)
        .await;
    let id = started.expect("a task").task;
    world.called("verify").await;
    life.typed.cancel_task(id).await.expect("cancelled");
    assert_eq!(ended(&life, id).await.state, Some(TaskState::Cancelled));
    let now = life.typed.get_task(id).await.expect("a task");
    assert_eq!((now.id, now.eta_seconds), (id, None));
    let error = life
        .typed
        .resume_task(id, false)
        .await
        .expect_err("not resumed");
    assert_eq!(error.reason, "TASK_NOT_RESUMABLE");
}
