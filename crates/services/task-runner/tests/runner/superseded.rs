//! Old restores that must not put older rows over newer ones.

use api::pb::task_runner::TaskState;
use serde_json::Value;
use state_store::{Expected, Write};

use crate::fleet::Fault;
use crate::world::{Life, World, codes};

/// A restore of table `t` that has failed after it emptied it.
async fn old_restore(world: &World) -> (Life, String) {
    world.has_backup("b");
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("load n2", &[Fault::Damaged]);
    let id = life.restore("b").await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Failed);
    (life, id)
}

async fn succeeds(life: &mut Life, id: &str) {
    let task = life.ended(id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
}

async fn is_refused(life: &mut Life, old: &str, newer: &str) {
    let error = life.resume(old).await.expect_err("superseded");
    assert_eq!(error.reason, "TASK_SUPERSEDED");
    assert!(error.message.contains(newer), "{}", error.message);
    let hint = error.hint.expect("a hint");
    assert!(hint.contains("restore plan") && hint.contains(&format!("task cancel {old}")));
    let task = life.task(old).await.expect("a task");
    assert!(matches!(
        task.state(),
        TaskState::Failed | TaskState::Cancelled
    ));
}

#[tokio::test]
async fn a_newer_restore_ends_an_old_one_for_good() {
    let world = World::new(&["n1", "n2"]);
    let (mut life, old) = old_restore(&world).await;
    let newer = life.restore("b").await;
    succeeds(&mut life, &newer).await;
    assert_eq!(world.fleet.facts().pins.len(), 1, "that of the old one");
    let loads = world.fleet.count("load n2");
    is_refused(&mut life, &old, &newer).await;
    life.cancel(&old).await.expect("its tables are restored");
    let task = life
        .until(&old, |task| task.state() == TaskState::Cancelled)
        .await;
    assert!(codes(&task).is_empty(), "what it made is in use: {task:#?}");
    assert!(world.fleet.facts().pins.is_empty());
    is_refused(&mut life, &old, &newer).await;
    assert_eq!(world.fleet.count("load n2"), loads);
}

#[tokio::test]
async fn a_newer_restore_that_failed_after_it_emptied_a_table_ends_an_old_one_too() {
    let world = World::new(&["n1", "n2"]);
    let (mut life, old) = old_restore(&world).await;
    // It empties what the old one has loaded on n1, and loads nothing.
    let faults = [Fault::Damaged];
    world.fleet.fail("load n1", &faults);
    world.fleet.fail("load n2", &faults);
    let newer = life.restore("b").await;
    assert_eq!(life.ended(&newer).await.state(), TaskState::Failed);
    is_refused(&mut life, &old, &newer).await;
    let error = life.cancel(&old).await.expect_err("its table is empty");
    assert_eq!(error.reason, "RESTORE_PAST_POINT_OF_NO_RETURN");
    life.resume(&newer).await.expect("resumed");
    succeeds(&mut life, &newer).await;
    is_refused(&mut life, &old, &newer).await;
    life.cancel(&old).await.expect("its tables are restored");
    life.ended(&old).await;
}

#[tokio::test]
async fn a_newer_backup_has_the_rows_that_an_old_restore_would_replace() {
    let world = World::new(&["n1", "n2"]);
    let (mut life, old) = old_restore(&world).await;
    let newer = life.backup("c").await;
    succeeds(&mut life, &newer).await;
    is_refused(&mut life, &old, &newer).await;
    let error = life
        .cancel(&old)
        .await
        .expect_err("its tables are half empty");
    assert_eq!(error.reason, "RESTORE_PAST_POINT_OF_NO_RETURN");
    let again = life.restore("c").await;
    succeeds(&mut life, &again).await;
    life.cancel(&old).await.expect("its tables are restored");
    life.ended(&old).await;
}

#[tokio::test]
async fn tasks_about_other_tables_change_nothing() {
    let world = World::new(&["n1", "n2"]);
    let (mut life, old) = old_restore(&world).await;
    let backup = life.backup_of("c", "another").await;
    succeeds(&mut life, &backup).await;
    world.fleet.facts().planned_table = "u".into();
    let restore = life.restore("b").await;
    succeeds(&mut life, &restore).await;
    let error = life
        .cancel(&old)
        .await
        .expect_err("its table is half empty");
    assert_eq!(error.reason, "RESTORE_PAST_POINT_OF_NO_RETURN");
    life.resume(&old).await.expect("resumed");
    succeeds(&mut life, &old).await;
}

#[tokio::test]
async fn a_runner_that_dies_in_a_resume_does_not_go_on_with_it() {
    let world = World::new(&["n1", "n2"]);
    let (mut life, old) = old_restore(&world).await;
    let newer = life.restore("b").await;
    succeeds(&mut life, &newer).await;
    life.runner.kill().await;
    drop(life);
    // What the store has between the first write of a resume and the look for newer tasks.
    let store = world.open().await;
    let key = format!("tasks/{old}");
    let mut record = store.get(&key).await.expect("get").expect("the task").value;
    record["first_ended"] = record["finished_at"].take();
    record["state"] = "pending".into();
    record["reset"] = "unfinished".into();
    record["ending"].take();
    let writes = [
        Write::put(key, record, Expected::Anything),
        Write::put(format!("unfinished/{old}"), Value::Null, Expected::Anything),
    ];
    store.write(&writes, None).await.expect("written");
    let loads = world.fleet.count("load n2");
    let mut life = world.start_on(store);
    let task = life.ended(&old).await;
    assert!(task.error.contains(&newer), "{}", task.error);
    assert_eq!(world.fleet.count("load n2"), loads);
    is_refused(&mut life, &old, &newer).await;
}

#[tokio::test]
async fn the_task_that_forbids_a_resume_is_not_forgotten() {
    let mut world = World::new(&["n1", "n2"]);
    world.config.keep_finished_tasks = 1;
    let (mut life, old) = old_restore(&world).await;
    let newer = life.restore("b").await;
    succeeds(&mut life, &newer).await;
    for name in ["c", "d", "e"] {
        let backup = life.backup_of(name, "another").await;
        succeeds(&mut life, &backup).await;
    }
    is_refused(&mut life, &old, &newer).await;
}
