//! What tasks have left on nodes and in the bucket, and what becomes of it.

use api::clients::TaskRunner;
use api::pb::task_runner::TaskState;
use api::pb::types::LeftoverKind as Wire;
use model::leftover::{LeftoverKind, LeftoverOwner};
use model::{ClusterName, TaskId};
use tokio::time::{Duration, Instant, sleep};

use crate::fleet::{BackupNow, Fault, Fleet};
use crate::world::{DEADLINE, Life, World, codes};

fn shop() -> ClusterName {
    "shop".parse().expect("a name")
}

fn id(text: &str) -> TaskId {
    text.parse().expect("an id")
}

/// Waits until the world is so.
async fn until(fleet: &Fleet, what: &str, holds: impl Fn(&crate::fleet::Facts) -> bool) {
    let until = Instant::now() + DEADLINE;
    while !holds(&fleet.facts()) {
        assert!(Instant::now() < until, "{what}: {:#?}", fleet.facts());
        sleep(Duration::from_millis(5)).await;
    }
}

async fn listed(life: &Life) -> Vec<(String, LeftoverKind, LeftoverOwner)> {
    let found = life.typed.list_leftovers(&shop()).await.expect("a list");
    let each = found.found.into_iter();
    each.map(|found| (found.agent, found.leftover.kind, found.owner))
        .collect()
}

#[tokio::test]
async fn a_snapshot_that_a_down_agent_kept_goes_at_the_next_look() {
    let mut world = World::new(&["n1", "n2"]);
    world.config.step_retry_for_seconds = 0;
    world.config.leftovers_every_seconds = 1;
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("clear n2", &[Fault::Unavailable; 3]);
    // It is down for the first looks, too.
    world.fleet.fail("leftovers n2", &[Fault::Unavailable; 2]);
    let backup = life.backup("b").await;
    let task = life.ended(&backup).await;
    assert_eq!(task.state(), TaskState::Succeeded);
    assert_eq!(codes(&task), ["SNAPSHOT_NOT_CLEARED"]);
    until(&world.fleet, "the snapshot goes", |facts| {
        facts.snapshots.is_empty()
    })
    .await;
    world.check_rules();
}

#[tokio::test]
async fn what_a_dead_runner_left_of_an_ended_task_goes_at_the_next_start_and_nothing_else() {
    let world = World::new(&["n1", "n2"]);
    world.has_backup("b");
    let mut life = world.start_with_cluster().await;
    let ended = life.backup("ended").await;
    life.ended(&ended).await;
    world.fleet.fail("cql n1", &[Fault::Damaged]);
    let failed = life.restore("b").await;
    life.ended(&failed).await;
    let stranger = uuid::Uuid::now_v7().to_string();
    let left = [
        ("n1", Wire::Snapshot, &ended),
        ("n2", Wire::OldFiles, &ended),
        ("n1", Wire::Staged, &failed),
        ("n2", Wire::Staged, &stranger),
    ];
    let left = left.map(|(node, kind, task)| (node.to_owned(), kind, task.clone()));
    world.fleet.facts().left.extend(left.clone());
    life.runner.kill().await;
    drop(life);

    let life = world.start().await;
    until(&world.fleet, "the snapshot goes", |facts| {
        !facts.left.contains(&left[0])
    })
    .await;
    assert_eq!(world.fleet.facts().left.len(), 3, "the others stay");
    assert_eq!(
        listed(&life).await,
        [
            (
                "n1:7401".to_owned(),
                LeftoverKind::Staged,
                LeftoverOwner::Resumable
            ),
            (
                "n2:7401".to_owned(),
                LeftoverKind::Staged,
                LeftoverOwner::Unknown
            ),
            (
                "n2:7401".to_owned(),
                LeftoverKind::OldFiles,
                LeftoverOwner::Ended
            ),
        ]
    );

    let clear = async |task: &str, old_files: bool| {
        let (cluster, tasks) = (shop(), [id(task)]);
        life.typed
            .clear_leftovers(&cluster, &tasks, old_files)
            .await
    };
    let error = clear(&failed, true).await.expect_err("it is in use");
    assert_eq!(error.reason, "LEFTOVERS_IN_USE");
    assert!(error.hint.expect("a hint").contains("task cancel"));
    let kept = clear(&ended, false).await.expect("a result").cleared;
    let why = kept[0].1.kept_because.clone().expect("old files stay");
    assert!(why.contains("--old-files"), "{why}");
    assert_eq!(world.fleet.facts().left.len(), 3);
    for (task, old_files) in [(&ended, true), (&stranger, false)] {
        let cleared = clear(task, old_files).await.expect("a result").cleared;
        assert_eq!(cleared.len(), 1);
        assert_eq!(cleared[0].1.kept_because, None);
    }
    assert_eq!(
        world.fleet.facts().left.len(),
        1,
        "what can be resumed stays"
    );
    let none = life.typed.clear_leftovers(&shop(), &[], true).await;
    assert_eq!(
        none.expect_err("none is not all").field.as_deref(),
        Some("task_ids")
    );
    world.check_rules();
}

#[tokio::test]
async fn a_pin_and_a_name_that_ended_tasks_still_hold_are_released_later() {
    let mut world = World::new(&["n1"]);
    world.config.step_retry_for_seconds = 0;
    world.has_backup("b");
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("unpin", &[Fault::Unavailable; 3]);
    let restore = life.restore("b").await;
    let task = life.ended(&restore).await;
    assert!(codes(&task).contains(&"PIN_NOT_RELEASED"), "{task:?}");
    world.fleet.fail("upload n1", &[Fault::Damaged]);
    world.fleet.fail("abandon", &[Fault::Unavailable; 3]);
    let backup = life.backup("c").await;
    let task = life.ended(&backup).await;
    assert_eq!(codes(&task), ["BACKUP_NOT_ABANDONED"]);
    life.runner.kill().await;
    drop(life);
    world.fleet.facts().faults.clear();

    let mut life = world.start().await;
    until(&world.fleet, "the pin goes", |facts| facts.pins.is_empty()).await;
    until(&world.fleet, "the name is free", |facts| {
        matches!(facts.backups["c"].0, BackupNow::Failed(_))
    })
    .await;
    assert_eq!(
        life.task(&restore).await.expect("kept").state(),
        TaskState::Succeeded
    );
    let calls = world.fleet.count("unpin");
    life.runner.drain().await;
    drop(life);
    let life = world.start().await;
    let again = listed(&life).await;
    assert_eq!(
        (again.len(), world.fleet.count("unpin")),
        (0, calls),
        "once"
    );
}
