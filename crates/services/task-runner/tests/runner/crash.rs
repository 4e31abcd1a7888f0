//! Kills the runner at every write, starts it again, and wants the same end each time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use api::pb::task_runner::{StepState, Task, TaskKind, TaskState};
use state_store::StateStore;
use tokio::time::{Instant, sleep, timeout};

use crate::dying_store::{Death, DyingStore};
use crate::fleet::{BackupNow, Fault};
use crate::world::{DEADLINE, Life, World, state_of};

/// More writes than any of these tasks makes.
pub const WRITES_MAX: i64 = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Story {
    Backup,
    FailingBackup,
    Online,
    /// An online restore with a trial load.
    Trial,
    InPlace,
    Rollback,
    AutomaticAcceptance,
    Verify,
    Delete,
    /// Maintenance that a document asks for.
    Maintenance,
}

pub fn world(story: Story) -> World {
    let mut world = World::new(&["n1", "n2"]);
    match story {
        Story::Backup => {}
        Story::Maintenance => world.has_backup("b"),
        Story::FailingBackup => {
            world.config.step_retry_for_seconds = 10;
            world.fleet.fail("upload n1", &[Fault::Damaged; 4]);
        }
        Story::Online | Story::Verify | Story::Delete => world.has_backup("b"),
        Story::Trial => {
            world.has_backup("b");
            world.fleet.facts().with_trial = true;
        }
        Story::InPlace | Story::Rollback | Story::AutomaticAcceptance => {
            world.has_backup("b");
            world.fleet.facts().in_place = true;
            if story == Story::AutomaticAcceptance {
                world.config.accept_in_place_after_hours = 1;
            }
        }
    }
    world
}

/// Asks for the task; a runner that dies meanwhile answers nothing.
pub async fn ask(life: &mut Life, story: Story) {
    match story {
        Story::Backup | Story::FailingBackup => drop(life.create_backup("b").await),
        Story::Online | Story::Trial | Story::InPlace => drop(life.start_restore("b").await),
        Story::Rollback => {
            let restore = life.tasks().await[0].id.clone();
            drop(life.roll_back(&restore).await);
        }
        // The runner asks itself.
        Story::AutomaticAcceptance => {}
        Story::Verify => drop(life.verify("b").await),
        Story::Delete => drop(life.delete("b").await),
        Story::Maintenance => drop(
            life.maintain(crate::maintenance_documents::document("d"))
                .await,
        ),
    }
}

/// The story's own task.
async fn task_of(life: &mut Life, story: Story) -> Option<Task> {
    let mut of_kind = async |kind: Option<TaskKind>| {
        let mut tasks = life.tasks().await.into_iter();
        tasks.find(|task| kind.is_none_or(|kind| task.kind() == kind))
    };
    match story {
        Story::Rollback => of_kind(Some(TaskKind::Rollback)).await,
        Story::AutomaticAcceptance => loop {
            let found = of_kind(Some(TaskKind::Accept)).await;
            if found.is_some() {
                break found;
            }
            sleep(Duration::from_millis(2)).await;
        },
        _ => of_kind(None).await,
    }
}

/// Lives until the store dies at the given write, or to the end of the task. Answers whether it died.
async fn live(world: &World, story: Story, writes: i64, death: Death) -> bool {
    let store = Arc::new(DyingStore::new(world.open().await, writes, death));
    let mut life = world.start_on(store.clone());
    let story = async {
        ask(&mut life, story).await;
        let id = task_of(&mut life, story).await.expect("a task").id;
        life.ended(&id).await;
        // The driver has still to leave.
        life.runner.drain().await;
    };
    let died = tokio::select! {
        () = store.dead.cancelled() => true,
        () = story => store.dead.is_cancelled(),
    };
    life.runner.kill().await;
    died
}

#[track_caller]
pub fn check_end(world: &World, story: Story, state: TaskState, place: &str) {
    let facts = world.fleet.facts();
    assert_eq!(facts.violations, Vec::<String>::new(), "{place}");
    let backup = facts.backups.get("b").map(|(now, _)| now);
    let (wanted, backup_is_right) = match story {
        Story::Backup
        | Story::Online
        | Story::Trial
        | Story::InPlace
        | Story::Rollback
        | Story::AutomaticAcceptance
        | Story::Maintenance
        | Story::Verify => (TaskState::Succeeded, backup == Some(&BackupNow::Complete)),
        Story::Delete => (TaskState::Succeeded, backup.is_none()),
        Story::FailingBackup => (
            TaskState::Failed,
            matches!(backup, Some(BackupNow::Failed(_))),
        ),
    };
    assert_eq!(state, wanted, "{place}");
    assert!(backup_is_right, "{place}: {backup:?}");
    if matches!(
        story,
        Story::Online | Story::Trial | Story::InPlace | Story::AutomaticAcceptance
    ) {
        assert_eq!(facts.loaded.len(), 2, "{place}");
        assert!(facts.stopped.is_empty(), "{place}");
    }
    if matches!(story, Story::Online | Story::Trial) {
        let rebuilt = facts.calls.iter().any(|call| call == "rebuild n1");
        assert!(rebuilt && facts.forgotten.is_empty(), "{place}");
    }
    if story == Story::Maintenance {
        let mut nodes: Vec<&str> = facts.maintenance.iter().map(|(node, ..)| &**node).collect();
        nodes.dedup();
        assert_eq!(nodes, ["n1", "n2"], "{place}: one after the other");
    }
    if story == Story::Rollback {
        assert!(
            facts.loaded.is_empty() && facts.stopped.is_empty(),
            "{place}"
        );
    }
    assert!(facts.snapshots.is_empty() && !facts.scratch, "{place}");
    let tried = facts.calls.iter().any(|call| call == "try n2");
    assert_eq!(tried, story == Story::Trial, "{place}");
    assert!(facts.cut_off.is_empty() && facts.pins.is_empty(), "{place}");
    // In place the old files wait in the staging folder until the restore is accepted.
    let kept = if story == Story::InPlace { 2 } else { 0 };
    assert_eq!(facts.staged.len(), kept, "{place}");
}

/// Dies at one write, lives again, and looks at the end. Answers whether there was such a write.
async fn dies_at(story: Story, writes: i64, death: Death) -> bool {
    let place = format!("{story:?}, {death:?} {writes}");
    let world = world(story);
    let mut life = world.start_with_cluster().await;
    if matches!(story, Story::Rollback | Story::AutomaticAcceptance) {
        let id = life.restore("b").await;
        life.ended(&id).await;
        life.runner.drain().await;
    }
    world.clock_ahead.store(3_600, Ordering::Relaxed);
    life.runner.kill().await;
    drop(life);
    let changes = world.fleet.changes().len();
    let died = timeout(DEADLINE, live(&world, story, writes, death))
        .await
        .unwrap_or_else(|_| panic!("{place}: neither dead nor done"));
    let store = world.open().await;
    let mut life = world.start_on(store.clone());
    let task = match task_of(&mut life, story).await {
        Some(task) => life.ended(&task.id).await,
        None => {
            // It died before the task was on disk: nobody was answered, nothing was touched, and it can be asked again.
            assert_eq!(world.fleet.changes().len(), changes, "{place}");
            ask(&mut life, story).await;
            let task = task_of(&mut life, story).await.expect("a task");
            life.ended(&task.id).await
        }
    };
    check_end(&world, story, task.state(), &place);
    let found: BTreeSet<String> = task.findings.iter().map(|it| format!("{it:?}")).collect();
    assert_eq!(found.len(), task.findings.len(), "{place}: none twice");
    let tasks = life.tasks().await;
    let accepts = tasks.iter().filter(|task| task.kind() == TaskKind::Accept);
    let expected = usize::from(story == Story::AutomaticAcceptance);
    assert_eq!(accepts.count(), expected, "{place}");
    let ids: Vec<String> = tasks.into_iter().map(|task| task.id).collect();
    no_document_is_orphaned(store.as_ref(), &ids, &place).await;
    life.runner.kill().await;
    died
}

/// What was written for a task that was never created goes, too.
async fn no_document_is_orphaned(store: &dyn StateStore, tasks: &[String], place: &str) {
    let until = Instant::now() + DEADLINE;
    loop {
        let announced = store.list("creating/").await.expect("a list");
        let documents = store.list("documents/").await.expect("a list");
        let is_orphan = |key: &str| !tasks.iter().any(|task| key.contains(task));
        let orphans = documents.iter().filter(|entry| is_orphan(&entry.key));
        let orphans = announced.len() + orphans.count();
        if orphans == 0 {
            return;
        }
        assert!(Instant::now() < until, "{place}: {orphans} are left");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_report_of_a_try_that_was_cut_short_is_not_shown_for_one_that_failed() {
    let mut failed = 0;
    for writes in 0..WRITES_MAX {
        let world = world(Story::Verify);
        world.start_with_cluster().await.runner.kill().await;
        let died = live(&world, Story::Verify, writes, Death::AfterWrite).await;
        if !died {
            break;
        }
        let reported = world.fleet.count("verify") > 0;
        world.fleet.fail("verify", &[Fault::Damaged]);
        let mut life = world.start().await;
        if let Some(task) = life.tasks().await.first() {
            let task = life.ended(&task.id.clone()).await;
            let is_failed = task.state() == TaskState::Failed;
            assert_eq!(task.verification.is_none(), is_failed, "at write {writes}");
            failed += usize::from(is_failed && reported);
        }
        life.runner.kill().await;
    }
    assert!(
        failed > 0,
        "the runner died between a report and its step's end"
    );
}

async fn dies_everywhere(story: Story, places_min: usize) {
    let mut deaths = 0;
    for death in [Death::BeforeWrite, Death::AfterWrite] {
        for writes in 0..WRITES_MAX {
            if !dies_at(story, writes, death).await {
                break;
            }
            deaths += 1;
        }
    }
    assert!(deaths >= places_min, "only {deaths} places to die at");
}

#[tokio::test]
async fn a_backup_killed_at_any_write_ends_as_if_it_had_not_been() {
    dies_everywhere(Story::Backup, 21).await;
}

#[tokio::test]
async fn a_backup_that_fails_killed_at_any_write_is_still_undone() {
    dies_everywhere(Story::FailingBackup, 21).await;
}

#[tokio::test]
async fn an_online_restore_killed_at_any_write_ends_as_if_it_had_not_been() {
    dies_everywhere(Story::Online, 21).await;
}

#[tokio::test]
async fn a_restore_with_a_trial_killed_at_any_write_ends_as_if_it_had_not_been() {
    dies_everywhere(Story::Trial, 30).await;
}

#[tokio::test]
async fn a_restore_in_place_killed_at_any_write_ends_as_if_it_had_not_been() {
    dies_everywhere(Story::InPlace, 21).await;
}

#[tokio::test]
async fn a_rollback_killed_at_any_write_ends_as_if_it_had_not_been() {
    dies_everywhere(Story::Rollback, 15).await;
}

#[tokio::test]
async fn an_automatic_acceptance_killed_at_any_write_ends_as_if_it_had_not_been() {
    dies_everywhere(Story::AutomaticAcceptance, 8).await;
}

#[tokio::test]
async fn a_verification_killed_at_any_write_ends_as_if_it_had_not_been() {
    dies_everywhere(Story::Verify, 10).await;
}

#[tokio::test]
async fn a_deletion_killed_at_any_write_ends_as_if_it_had_not_been() {
    dies_everywhere(Story::Delete, 10).await;
}

#[tokio::test]
async fn maintenance_killed_at_any_write_ends_as_if_it_had_not_been() {
    dies_everywhere(Story::Maintenance, 10).await;
}

#[tokio::test]
async fn a_runner_that_drains_leaves_its_task_running_and_the_next_goes_on() {
    let world = World::new(&["n1", "n2"]);
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("upload n2", &[Fault::Hang]);
    let id = life.backup("b").await;
    life.until(&id, |task| {
        state_of(task, "upload-n1") == StepState::Succeeded
            && state_of(task, "upload-n2") == StepState::Running
    })
    .await;
    world.called("upload n2").await;
    timeout(Duration::from_secs(5), life.runner.drain())
        .await
        .expect("a drain does not wait for the agents");
    let task = life.task(&id).await.expect("the task");
    assert_eq!(task.state(), TaskState::Running);
    drop(life);
    sleep(Duration::from_millis(10)).await;
    let mut life = world.start().await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded);
    assert_eq!(
        world.fleet.count("upload n1"),
        1,
        "what was done is not done again"
    );
    assert_eq!(world.fleet.count("upload n2"), 2);
}
