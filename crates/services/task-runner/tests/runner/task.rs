//! Looking at tasks, watching, cancelling; and that one task has one driver.

use std::time::Duration;

use api::ErrorKind;
use api::pb::task_runner::{self as pb, StepState, TaskState};
use tokio::time::timeout;

use crate::fleet::{BackupNow, Fault};
use crate::world::{DEADLINE, World, is_final, state_of};

#[tokio::test]
async fn a_task_that_is_not_there_is_not_found() {
    let world = World::new(&["n1"]);
    let mut life = world.start().await;
    let id = uuid::Uuid::nil().to_string();
    let found = life.task(&id).await.expect_err("none");
    let cancelled = life.cancel(&id).await.expect_err("none");
    let resumed = life.resume(&id).await.expect_err("none");
    for error in [found, cancelled, resumed] {
        assert_eq!(
            (error.kind, error.reason.as_str()),
            (ErrorKind::NotFound, "TASK_NOT_FOUND")
        );
    }
    let error = life.task("x").await.expect_err("no id");
    assert_eq!(error.kind, ErrorKind::InvalidArgument);
}

#[tokio::test]
async fn a_watch_shows_the_task_at_once_each_change_and_the_end() {
    let world = World::new(&["n1"]);
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("upload n1", &[Fault::Hang]);
    let id = life.backup("b").await;
    life.running(&id, "upload-n1").await;
    let request = pb::WatchTaskRequest { id: id.clone() };
    let mut watches = Vec::new();
    for _ in 0..3 {
        let mut watch = life
            .client
            .watch_task(request.clone())
            .await
            .expect("a watch")
            .into_inner();
        let first = watch
            .message()
            .await
            .expect("a message")
            .expect("the task now");
        assert_eq!(
            state_of(&first.task.expect("a task"), "upload-n1"),
            StepState::Running
        );
        watches.push(watch);
    }
    life.cancel(&id).await.expect("cancelled");
    for mut watch in watches {
        let mut last = None;
        while let Some(message) = timeout(DEADLINE, watch.message())
            .await
            .expect("in time")
            .expect("no error")
        {
            last = message.task;
        }
        assert_eq!(
            last.expect("a task").state(),
            TaskState::Cancelled,
            "ends after the end"
        );
    }
    let mut watch = life
        .client
        .watch_task(request)
        .await
        .expect("a watch")
        .into_inner();
    let only = watch.message().await.expect("a message").expect("the task");
    assert!(is_final(only.task.expect("a task").state()));
    assert!(watch.message().await.expect("the end").is_none());
}

#[tokio::test]
async fn a_watch_of_a_runner_that_goes_down_says_so() {
    let world = World::new(&["n1"]);
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("upload n1", &[Fault::Hang]);
    let id = life.backup("b").await;
    let mut watch = life
        .client
        .watch_task(pb::WatchTaskRequest { id })
        .await
        .expect("a watch")
        .into_inner();
    life.runner.drain().await;
    let error = loop {
        match timeout(DEADLINE, watch.message()).await.expect("in time") {
            Ok(Some(_)) => {}
            Ok(None) => panic!("ended without a final state"),
            Err(status) => break api::RemoteError::from(status),
        }
    };
    assert_eq!(
        (error.kind, error.reason.as_str()),
        (ErrorKind::Unavailable, "SHUTTING_DOWN")
    );
    let error = life.create_backup("c").await.expect_err("no more");
    assert_eq!(error.reason, "SHUTTING_DOWN");
}

#[tokio::test]
async fn tasks_are_listed_newest_first_and_the_oldest_are_forgotten() {
    let mut world = World::new(&["n1"]);
    world.config.keep_finished_tasks = 2;
    let mut life = world.start_with_cluster().await;
    let mut made = Vec::new();
    for name in ["a", "b", "c"] {
        let id = life.backup(name).await;
        life.ended(&id).await;
        made.insert(0, id);
    }
    let until = tokio::time::Instant::now() + DEADLINE;
    loop {
        let listed: Vec<String> = life.tasks().await.into_iter().map(|task| task.id).collect();
        if listed == made[..2] {
            break;
        }
        assert!(tokio::time::Instant::now() < until, "{listed:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let request = pb::ListTasksRequest {
        cluster: "other".into(),
        ..pb::ListTasksRequest::default()
    };
    let none = life
        .client
        .list_tasks(request)
        .await
        .expect("a list")
        .into_inner()
        .tasks;
    assert!(none.is_empty());
}

#[tokio::test]
async fn a_backup_can_be_cancelled_at_each_step_until_its_commit() {
    for (call, step) in [
        ("snapshot n1", "snapshot-n1"),
        ("describe n1", "capture"),
        ("upload n2", "upload-n2"),
    ] {
        let world = World::new(&["n1", "n2"]);
        let mut life = world.start_with_cluster().await;
        // The first description of a backup is for its plan.
        let faults = match step {
            "capture" => [Fault::LoseAnswer, Fault::Hang],
            _ => [Fault::Hang, Fault::Hang],
        };
        world.fleet.fail(call, &faults);
        let id = life.backup("b").await;
        life.running(&id, step).await;
        let answered = life.cancel(&id).await.expect("cancelled");
        assert_ne!(answered.state(), TaskState::Succeeded);
        life.cancel(&id).await.expect("twice is fine");
        let task = life.ended(&id).await;
        assert_eq!(task.state(), TaskState::Cancelled, "{step}");
        assert_eq!(state_of(&task, "commit"), StepState::Cancelled);
        let facts = world.fleet.facts();
        assert!(facts.snapshots.is_empty(), "{step}");
        assert!(
            matches!(facts.backups["b"].0, BackupNow::Failed(_)),
            "{step}"
        );
    }
    let world = World::new(&["n1"]);
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("commit", &[Fault::Hang]);
    let id = life.backup("b").await;
    life.running(&id, "commit").await;
    let error = life.cancel(&id).await.expect_err("too late");
    assert_eq!(
        (error.kind, error.reason.as_str()),
        (ErrorKind::FailedPrecondition, "BACKUP_COMMITTING")
    );
}

#[tokio::test]
async fn a_restore_can_be_cancelled_at_each_step_until_it_replaces_something() {
    for (call, step) in [
        ("pin", "pin"),
        ("stage n2", "stage-n2"),
        ("cql n1", "schema"),
    ] {
        let world = World::new(&["n1", "n2"]);
        world.has_backup("b");
        let mut life = world.start_with_cluster().await;
        world.fleet.fail(call, &[Fault::Hang]);
        let id = life.restore("b").await;
        life.running(&id, step).await;
        life.cancel(&id).await.expect("cancelled");
        let task = life.ended(&id).await;
        assert_eq!(task.state(), TaskState::Cancelled, "{step}");
        let facts = world.fleet.facts();
        assert!(facts.staged.is_empty() && facts.pins.is_empty(), "{step}");
        assert!(!facts.schema_applied && facts.loaded.is_empty(), "{step}");
    }
    for (call, step) in [("replace n1", "replace"), ("load n1", "load-n1")] {
        let world = World::new(&["n1", "n2"]);
        world.has_backup("b");
        let mut life = world.start_with_cluster().await;
        world.fleet.fail(call, &[Fault::Hang]);
        let id = life.restore("b").await;
        life.running(&id, step).await;
        let error = life.cancel(&id).await.expect_err("too late");
        assert_eq!(error.kind, ErrorKind::FailedPrecondition);
        assert_eq!(error.reason, "RESTORE_PAST_POINT_OF_NO_RETURN", "{step}");
        assert!(error.hint.expect("a hint").contains("resume"));
        assert_eq!(
            life.task(&id).await.expect("a task").state(),
            TaskState::Running
        );
    }
}

#[tokio::test]
async fn what_moves_data_keeps_to_the_limit_and_snapshots_do_not() {
    let mut world = World::new(&["n1", "n2", "n3"]);
    world.config.parallel_steps = 1;
    let mut life = world.start_with_cluster().await;
    for node in ["n1", "n2", "n3"] {
        world
            .fleet
            .fail(&format!("snapshot {node}"), &[Fault::Hang]);
        world.fleet.fail(&format!("upload {node}"), &[Fault::Hang]);
    }
    let id = life.backup("b").await;
    let running = |task: &pb::Task, kind: &str| {
        let of_kind = task.steps.iter().filter(|step| step.kind == kind);
        of_kind
            .filter(|step| step.state() == StepState::Running)
            .count()
    };
    life.until(&id, |task| running(task, "snapshot") == 3).await;
    for node in ["n1", "n2", "n3"] {
        world.called(&format!("snapshot {node}")).await;
    }
    life.runner.drain().await;
    drop(life);
    let mut life = world.start().await;
    let task = life.until(&id, |task| running(task, "upload") > 0).await;
    assert_eq!(running(&task, "upload"), 1);
}

#[tokio::test]
async fn two_runners_never_drive_one_task() {
    let world = World::new(&["n1", "n2"]);
    let store = world.open().await;
    let mut one = world.start_on(store.clone());
    one.add_cluster(&world.fleet.nodes)
        .await
        .expect("a cluster");
    world.fleet.fail("upload n1", &[Fault::Hang]);
    let id = one.backup("b").await;
    one.running(&id, "upload-n1").await;
    let mut two = world.start_on(store.clone());
    let held = store.acquire(&format!("tasks/{id}"), "two", DEADLINE).await;
    held.expect_err("it is the other's");
    assert_eq!(
        two.create_backup("c").await.expect_err("busy").reason,
        "CLUSTER_BUSY"
    );
    assert_eq!(
        state_of(&two.task(&id).await.expect("a task"), "upload-n1"),
        StepState::Running
    );
    world.called("upload n1").await;
    assert_eq!(world.fleet.count("upload n1"), 1);
    // The other learns of the end through the store.
    let watch = two
        .client
        .watch_task(pb::WatchTaskRequest { id: id.clone() })
        .await;
    let mut watch = watch.expect("a watch").into_inner();
    one.cancel(&id).await.expect("its own");
    let mut last = TaskState::Unspecified;
    while let Some(message) = timeout(DEADLINE, watch.message())
        .await
        .expect("in time")
        .expect("no error")
    {
        last = message.task.expect("a task").state();
    }
    assert_eq!(last, TaskState::Cancelled);
}

#[tokio::test]
async fn a_runner_whose_lease_was_taken_writes_nothing_more() {
    let world = World::new(&["n1"]);
    let store = world.open().await;
    let mut one = world.start_on(store.clone());
    one.add_cluster(&world.fleet.nodes)
        .await
        .expect("a cluster");
    world.fleet.fail("snapshot n1", &[Fault::Hang]);
    let id = one.backup("b").await;
    one.running(&id, "snapshot-n1").await;
    // What a lease that ran out and was taken looks like to the one who had it.
    let key = format!("tasks/{id}");
    let before = store.get(&key).await.expect("get").expect("the task");
    let stale = state_store::Fence {
        lease: key.clone(),
        token: 1,
    };
    store.release(&stale).await.expect("the test takes it away");
    let taken = store
        .acquire(&key, "another", DEADLINE)
        .await
        .expect("free");
    assert_eq!(taken.token, 2);
    let refused = one.cancel(&id).await.expect_err("not its own any more");
    assert_eq!(refused.reason, "TASK_DRIVEN_ELSEWHERE");
    let after = store.get(&key).await.expect("get").expect("the task");
    assert_eq!(before.version, after.version, "nothing was written");
}

#[tokio::test]
async fn tasks_are_listed_in_pages_newest_first() {
    let world = World::new(&["n1"]);
    let mut life = world.start_with_cluster().await;
    let mut made = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        let id = life.backup(name).await;
        life.ended(&id).await;
        made.insert(0, id);
    }
    let mut request = pb::ListTasksRequest {
        cluster: "shop".into(),
        page_size: 2,
        page_token: String::new(),
    };
    let mut pages = Vec::new();
    loop {
        let page = life.client.list_tasks(request.clone()).await;
        let page = page.expect("a page").into_inner();
        let ids: Vec<String> = page.tasks.into_iter().map(|task| task.id).collect();
        pages.push(ids);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(pages.concat(), made);
    assert!(pages.iter().all(|page| page.len() <= 2), "{pages:?}");
}
