//! Retention: its policies are kept, and tasks apply them, through every death of the runner.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::ErrorKind;
use api::clients::TaskRunner;
use api::pb::task_runner::{RetentionOutcome, RetentionReport, Task, TaskKind, TaskState};
use model::{ClusterName, Selection, Zone};
use retention::Policy;
use schedule::{Kinds, Overlap, Schedule, ScheduleName};
use tokio::time::{Instant, sleep, timeout};

use crate::crash::WRITES_MAX;
use crate::dying_store::{Death, DyingStore};
use crate::fleet::{BackupNow, Fault};
use crate::sharing::{SHORT_LEASE, end_of, shared};
use crate::signals;
use crate::world::{DEADLINE, Life, World, codes};

fn shop() -> ClusterName {
    "shop".parse().expect("a name")
}

fn nightly() -> ScheduleName {
    "nightly".parse().expect("a name")
}

fn last(last: u32) -> Policy {
    Policy {
        last,
        floor: 1,
        ..Policy::new()
    }
}

/// Two chains of a full backup and a differential, and two full ones. The last two stay.
fn world() -> World {
    let world = World::new(&["n1"]);
    world.has_backup_of("f1", 28, None);
    world.has_backup_of("d1", 27, Some("f1"));
    world.has_backup_of("f2", 20, None);
    world.has_backup_of("d2", 19, Some("f2"));
    world.has_backup_of("f3", 2, None);
    world.has_backup_of("f4", 1, None);
    world
}

async fn world_with_policy() -> (World, Life) {
    let world = world();
    let life = world.start_with_cluster().await;
    life.set(None, last(2)).await;
    (world, life)
}

impl Life {
    async fn set(&self, schedule: Option<&ScheduleName>, policy: Policy) {
        let put = self.typed.put_retention(&shop(), schedule, policy).await;
        put.expect("a policy");
    }

    async fn retain(&self) -> String {
        let started = self.typed.run_retention(&shop()).await;
        started.expect("a task").to_string()
    }

    /// The same while the runner may still be removing a task that was never created.
    async fn retain_soon(&self) -> String {
        let until = Instant::now() + DEADLINE;
        loop {
            match self.typed.run_retention(&shop()).await {
                Ok(id) => return id.to_string(),
                Err(error) => {
                    assert_eq!(error.reason, "RETENTION_RUNS", "{error}");
                    assert!(Instant::now() < until, "{error}");
                }
            }
            sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// The task once it has ended, with its report.
    async fn retained(&mut self, id: &str) -> (Task, RetentionReport) {
        let task = self.until(id, |task| task.retention.is_some()).await;
        let report = task.retention.clone().expect("a report");
        (task, report)
    }
}

fn left(world: &World) -> Vec<String> {
    world.fleet.facts().backups.keys().cloned().collect()
}

fn deleted(world: &World) -> Vec<String> {
    let facts = world.fleet.facts();
    facts.deleted.iter().map(|(name, _)| name.clone()).collect()
}

fn outcomes(report: &RetentionReport) -> Vec<String> {
    let text = |entry: &api::pb::task_runner::RetentionReportEntry| {
        format!("{} {:?}", entry.backup, entry.outcome())
    };
    report.entries.iter().map(text).collect()
}

#[tokio::test]
async fn policies_are_set_shown_and_cleared() {
    let world = World::new(&["n1"]);
    let life = world.start_with_cluster().await;
    life.set(None, last(2)).await;
    life.set(None, last(3)).await;
    let (states, runs) = life.typed.get_retention(&shop()).await.expect("it");
    assert_eq!(states.len(), 1);
    assert_eq!(states[0].policy, last(3));
    assert!(runs.is_empty());
    let (shop, nightly) = (shop(), nightly());
    let unknown = life.typed.put_retention(&shop, Some(&nightly), last(1));
    assert_eq!(
        unknown.await.expect_err("none").reason,
        "SCHEDULE_NOT_FOUND"
    );
    let other: ClusterName = "other".parse().expect("a name");
    let unknown = life.typed.put_retention(&other, None, last(1)).await;
    assert_eq!(unknown.expect_err("none").reason, "CLUSTER_NOT_FOUND");
    let without_rules = life.typed.put_retention(&shop, None, Policy::new());
    let error = without_rules.await.expect_err("it keeps nothing");
    assert_eq!(error.kind, ErrorKind::InvalidArgument);
    let cleared = life.typed.delete_retention(&shop, None, false).await;
    cleared.expect("it was there");
    for refused in [
        life.typed.delete_retention(&shop, None, false).await,
        life.typed.run_retention(&shop).await.map(drop),
        life.typed.preview_retention(&shop).await.map(drop),
    ] {
        let error = refused.expect_err("there is none");
        assert_eq!(
            (error.kind, error.reason.as_str()),
            (ErrorKind::NotFound, "RETENTION_NOT_SET")
        );
    }
}

#[tokio::test]
async fn clearing_the_policy_of_a_schedule_keeps_its_backups_until_the_caller_says_otherwise() {
    let (_world, life) = world_with_policy().await;
    let rarely = Schedule {
        cron: "0 0 29 2 *".parse().expect("an expression"),
        ..every_second()
    };
    let put = life.typed.put_schedule(rarely, false).await;
    put.expect("a schedule");
    life.set(Some(&nightly()), last(5)).await;
    let (shop, nightly) = (shop(), nightly());
    let clear = |use_cluster_policy| {
        let typed = &life.typed;
        typed.delete_retention(&shop, Some(&nightly), use_cluster_policy)
    };
    // The reply to the first call may have been lost.
    for _ in 0..2 {
        clear(false).await.expect("it was there");
        let (states, _) = life.typed.get_retention(&shop).await.expect("it");
        assert!(states[1].policy.keep_all, "{states:?}");
    }
    clear(true).await.expect("it was there");
    let (states, _) = life.typed.get_retention(&shop).await.expect("it");
    assert_eq!(states.len(), 1);
    let error = clear(true).await.expect_err("there is none");
    assert_eq!(error.reason, "RETENTION_NOT_SET");
}

#[tokio::test]
async fn what_no_rule_keeps_goes_a_differential_before_its_base() {
    let (world, mut life) = world_with_policy().await;
    let preview = life.typed.preview_retention(&shop()).await.expect("it");
    let goes: Vec<&str> = preview
        .iter()
        .filter(|verdict| verdict.goes)
        .map(|verdict| verdict.backup.as_str())
        .collect();
    assert_eq!(goes, ["d1", "d2", "f1", "f2"]);
    assert_eq!(left(&world).len(), 6, "a preview deletes nothing");
    let id = life.retain().await;
    let (task, report) = life.retained(&id).await;
    assert_eq!(task.kind(), TaskKind::Retention);
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert_eq!(deleted(&world), ["d1", "d2", "f1", "f2"]);
    assert_eq!(left(&world), ["f3", "f4"]);
    let facts = world.fleet.facts().deleted.clone();
    assert!(
        facts.iter().all(|(_, relied_on)| *relied_on == ["f4"]),
        "{facts:?}"
    );
    assert_eq!(report.kept_backups, 2);
    assert_eq!(report.entries[0].why, "no rule keeps it");
    let all = report.entries.iter();
    assert!(
        all.clone()
            .all(|entry| entry.outcome() == RetentionOutcome::Deleted)
    );
    assert_eq!(all.map(|entry| entry.freed_bytes).sum::<u64>(), 36);
    let (_, runs) = life.typed.get_retention(&shop()).await.expect("it");
    assert_eq!(runs.len(), 1);
    assert_eq!(
        (runs[0].deleted, runs[0].freed_bytes, runs[0].refused),
        (4, 36, 0)
    );
    assert!(runs[0].finished_at.is_some() && runs[0].after.is_none());
    assert_eq!(runs[0].task.to_string(), id);
}

#[tokio::test]
async fn what_is_pinned_while_a_run_deletes_stays() {
    let (world, mut life) = world_with_policy().await;
    world.fleet.facts().kept_next.insert("d2".into());
    let id = life.retain().await;
    let (task, report) = life.retained(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert_eq!(left(&world), ["d2", "f2", "f3", "f4"]);
    assert_eq!(
        outcomes(&report),
        ["d1 Deleted", "d2 Kept", "f1 Deleted", "f2 Kept"]
    );
    assert_eq!(world.fleet.count("delete"), 2, "nothing else was tried");
}

#[tokio::test]
async fn a_backup_that_is_lost_while_a_run_deletes_keeps_the_others() {
    let (world, life) = world_with_policy().await;
    world.fleet.fail("delete", &[Fault::Unavailable]);
    world.fleet.fail("list-backups", &[Fault::Hang]);
    let id = life.retain().await;
    world.called("list-backups").await;
    // The two that count are gone before the run has decided.
    for name in ["f3", "f4"] {
        world.fleet.facts().backups.remove(name);
    }
    life.runner.kill().await;
    drop(life);
    let mut life = world.start().await;
    let (task, _) = life.retained(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert_eq!(left(&world), ["d2", "f2"]);
}

#[tokio::test]
async fn a_refused_deletion_is_a_finding_and_the_others_go() {
    let (world, mut life) = world_with_policy().await;
    world.fleet.facts().undeletable.insert("d1".into());
    let id = life.retain().await;
    let (task, report) = life.retained(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert_eq!(codes(&task), ["RETENTION_REFUSED"]);
    assert!(
        task.findings[0].message.contains("pinned"),
        "{:?}",
        task.findings
    );
    assert_eq!(left(&world), ["d1", "f1", "f3", "f4"]);
    assert_eq!(outcomes(&report)[0], "d1 Refused");
    let (_, runs) = life.typed.get_retention(&shop()).await.expect("it");
    assert_eq!((runs[0].deleted, runs[0].refused), (2, 1));
}

#[tokio::test]
async fn gauges_show_the_policies_and_what_could_not_be_deleted() {
    const POLICIES: &str = r#"ringkeep_retention_policies{cluster="shop"}"#;
    const REFUSED: &str = r#"ringkeep_retention_refused_backups{cluster="shop"}"#;
    let mut world = world();
    world.config.signals_every_seconds = 1;
    let mut life = world.start_with_cluster().await;
    signals::is(&life, signals::REGISTERED, 1.0).await;
    assert_eq!(signals::value(&life, POLICIES), None);
    life.set(None, last(2)).await;
    signals::is(&life, POLICIES, 1.0).await;
    assert_eq!(signals::value(&life, REFUSED), None, "it never ran");
    world.fleet.facts().undeletable.insert("d1".into());
    let id = life.retain().await;
    life.retained(&id).await;
    signals::is(&life, REFUSED, 1.0).await;
    world.fleet.facts().undeletable.clear();
    let id = life.retain().await;
    life.retained(&id).await;
    signals::is(&life, REFUSED, 0.0).await;
}

#[tokio::test]
async fn a_deletion_that_is_cut_short_or_whose_reply_is_lost_is_finished() {
    let (world, mut life) = world_with_policy().await;
    let faults = [Fault::LoseAnswer, Fault::Break, Fault::Unavailable];
    world.fleet.fail("delete", &faults);
    let id = life.retain().await;
    let (task, report) = life.retained(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert_eq!(left(&world), ["f3", "f4"]);
    assert!(
        report
            .entries
            .iter()
            .all(|it| it.outcome() == RetentionOutcome::Deleted)
    );
}

#[tokio::test]
async fn a_run_that_is_cancelled_finishes_the_deletion_that_has_begun_and_no_other() {
    let (world, mut life) = world_with_policy().await;
    world.fleet.fail("delete", &[Fault::Break, Fault::Hang]);
    let id = life.retain().await;
    life.until(&id, |_| world.fleet.count("delete") == 2).await;
    let now = world.fleet.facts().backups["d1"].0.clone();
    assert_eq!(now, BackupNow::Deleting);
    life.cancel(&id).await.expect("cancelled");
    let (task, _) = life.retained(&id).await;
    assert_eq!(task.state(), TaskState::Cancelled);
    assert_eq!(codes(&task), Vec::<&str>::new());
    assert_eq!(left(&world), ["d2", "f1", "f2", "f3", "f4"]);
    let error = life.resume(&id).await.expect_err("it decides again");
    assert_eq!(error.reason, "TASK_NOT_RESUMABLE");
    let id = life.retain().await;
    life.retained(&id).await;
    assert_eq!(left(&world), ["f3", "f4"]);
}

#[tokio::test]
async fn a_deletion_that_was_left_half_done_is_finished_by_the_next_run() {
    let (world, mut life) = world_with_policy().await;
    world.fleet.fail("delete", &[Fault::Break, Fault::Hang]);
    let id = life.retain().await;
    life.until(&id, |_| world.fleet.count("delete") == 2).await;
    life.fail(&id, true).await.expect("ended");
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Failed);
    assert_eq!(codes(&task), ["DELETION_CUT_SHORT"]);
    let id = life.retain().await;
    let (task, _) = life.retained(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert_eq!(left(&world), ["f3", "f4"]);
}

#[tokio::test]
async fn a_refusal_of_a_deletion_that_has_begun_is_not_taken_for_a_backup_that_stays() {
    let (world, mut life) = world_with_policy().await;
    world.fleet.facts().refused_half_done.insert("d1".into());
    let id = life.retain().await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Failed);
    assert!(!codes(&task).contains(&"RETENTION_REFUSED"), "{task:?}");
    assert!(deleted(&world).is_empty(), "nothing else is deleted");
    // Another one shows it for what it is, and goes on with the others.
    let (_, report) = {
        let id = life.retain().await;
        life.retained(&id).await
    };
    assert_eq!(outcomes(&report)[0], "d2 Deleted");
    assert!(left(&world).contains(&"d1".to_owned()));
}

/// Requests to delete may arrive late for a short time only.
async fn short_lived_world() -> (World, Life) {
    let mut world = world();
    world.config.lease_seconds = SHORT_LEASE;
    let life = world.start_with_cluster().await;
    life.set(None, last(2)).await;
    (world, life)
}

/// A run whose request to delete the first backup is on its way, when its policies change and its runner dies.
async fn killed_while_policies_change(world: &World, life: Life, faults: &[Fault]) -> String {
    world.fleet.fail("delete", faults);
    let id = life.retain().await;
    let until = Instant::now() + DEADLINE;
    while world.fleet.count("delete") < faults.len() {
        assert!(Instant::now() < until, "it never deletes");
        sleep(std::time::Duration::from_millis(2)).await;
    }
    life.set(None, last(6)).await;
    life.runner.kill().await;
    id
}

#[tokio::test]
async fn a_request_to_delete_that_may_still_arrive_is_waited_for_before_its_backup_counts_as_kept()
{
    let (world, life) = short_lived_world().await;
    let id = killed_while_policies_change(&world, life, &[Fault::Hang]).await;
    // A list is nothing that breaks: the first one goes through.
    world
        .fleet
        .fail("list-backups", &[Fault::Break, Fault::Gate]);
    let before = world.fleet.count("list-backups");
    let mut life = world.start().await;
    life.until(&id, |_| world.fleet.count("list-backups") == before + 2)
        .await;
    // The dead runner's request arrives, and ends in the middle.
    let deleting = (BackupNow::Deleting, String::new());
    world.fleet.facts().backups.insert("d1".into(), deleting);
    world.fleet.facts().gate.cancel();
    let (task, report) = life.retained(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert_eq!(outcomes(&report)[0], "d1 Deleted");
    assert_eq!(left(&world), ["d2", "f1", "f2", "f3", "f4"]);
}

#[tokio::test]
async fn a_deletion_that_has_left_only_its_mark_is_taken_back_if_the_backup_is_to_stay() {
    let (world, life) = short_lived_world().await;
    let faults = [Fault::Break, Fault::Hang];
    let id = killed_while_policies_change(&world, life, &faults).await;
    world.fleet.facts().only_marked.insert("d1".into());
    let mut life = world.start().await;
    let (task, report) = life.retained(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert_eq!(codes(&task), ["RETENTION_REFUSED"]);
    assert_eq!(outcomes(&report)[0], "d1 Kept");
    assert_eq!(left(&world).len(), 6);
    let now = world.fleet.facts().backups["d1"].0.clone();
    assert_eq!(now, BackupNow::Complete);
}

#[tokio::test]
async fn policies_that_change_after_the_decision_keep_its_backup() {
    let (world, mut life) = world_with_policy().await;
    world.fleet.fail("list-backups", &[Fault::Gate]);
    let id = life.retain().await;
    // Decided by the policies that were read before the list.
    world.called("list-backups").await;
    life.set(None, last(6)).await;
    world.fleet.facts().gate.cancel();
    let (task, report) = life.retained(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert_eq!(codes(&task), ["RETENTION_REFUSED"]);
    assert_eq!(outcomes(&report)[0], "d1 Kept");
    assert_eq!(world.fleet.count("delete"), 0);
    assert_eq!(left(&world).len(), 6);
}

#[tokio::test]
async fn a_run_ends_if_its_policies_change() {
    let (world, life) = short_lived_world().await;
    world.fleet.fail("delete", &[Fault::Hang]);
    let id = life.retain().await;
    world.called("delete").await;
    life.set(None, last(1)).await;
    life.runner.kill().await;
    drop(life);
    let mut life = world.start().await;
    let (task, _) = life.retained(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert_eq!(codes(&task), ["RETENTION_REFUSED"]);
    assert!(task.findings[0].message.contains("policies"), "{task:?}");
    assert_eq!(left(&world).len(), 6);
}

#[tokio::test]
async fn a_leap_in_the_dates_of_backups_keeps_all_and_is_a_finding() {
    let (world, mut life) = world_with_policy().await;
    // All of the others are of a year before, by their dates.
    for name in ["f1", "d1", "f2", "d2"] {
        let mut facts = world.fleet.facts();
        let date = facts.started[name]
            .parse::<jiff::Timestamp>()
            .expect("a time");
        let date = date - jiff::SignedDuration::from_hours(24 * 365);
        facts.started.insert(name.into(), format!("{date:.3}"));
    }
    let id = life.retain().await;
    let (task, report) = life.retained(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert_eq!(codes(&task), ["RETENTION_CLOCK"]);
    assert_eq!(report.kept_backups, 6);
    assert_eq!(left(&world).len(), 6);
}

#[tokio::test]
async fn one_run_at_a_time_deletes() {
    let (world, mut life) = world_with_policy().await;
    world.fleet.fail("delete", &[Fault::Hang]);
    let id = life.retain().await;
    world.called("delete").await;
    let error = life
        .typed
        .run_retention(&shop())
        .await
        .expect_err("it runs");
    assert_eq!(
        (error.kind, error.reason.as_str()),
        (ErrorKind::FailedPrecondition, "RETENTION_RUNS")
    );
    assert!(error.message.contains(&id), "{error}");
    life.cancel(&id).await.expect("cancelled");
    life.ended(&id).await;
    life.retain().await;
}

#[tokio::test]
async fn a_run_of_a_dead_runner_is_taken_over_and_no_call_is_good_for_longer_than_its_lease() {
    let mut world = world();
    world.config.lease_seconds = SHORT_LEASE;
    let store = shared(&world).await;
    let one = world.start_on(store.clone());
    one.set(None, last(2)).await;
    world.fleet.fail("delete", &[Fault::Hang]);
    let id = one.retain().await;
    world.called("delete").await;
    let mut two = world.start_on(store.clone());
    let error = two.typed.run_retention(&shop()).await;
    assert_eq!(error.expect_err("it runs").reason, "RETENTION_RUNS");
    one.runner.kill().await;
    assert_eq!(end_of(&mut two, &id).await, TaskState::Succeeded);
    assert_eq!(deleted(&world), ["d1", "d2", "f1", "f2"]);
    let lease = jiff::SignedDuration::from_secs(SHORT_LEASE as i64);
    let latest = jiff::Timestamp::now() + lease;
    let not_after = world.fleet.facts().not_after.clone();
    assert_eq!(not_after.len(), 4);
    for time in not_after {
        let time: jiff::Timestamp = time.parse().expect("a time");
        assert!(time <= latest, "{time}");
    }
}

#[tokio::test]
async fn a_backup_that_the_clock_puts_into_the_future_takes_no_place() {
    let (world, mut life) = world_with_policy().await;
    world.has_backup_of("f5", -400, None);
    let id = life.retain().await;
    life.retained(&id).await;
    assert_eq!(left(&world), ["f3", "f4", "f5"]);
}

/// Runs retention until the store dies at the given write, or until the run has ended. Returns whether it died.
async fn live(world: &World, writes: i64, death: Death) -> bool {
    let store = Arc::new(DyingStore::new(world.open().await, writes, death));
    let mut life = world.start_on(store.clone());
    let story = async {
        let id = life.retain().await;
        life.retained(&id).await;
        life.runner.drain().await;
    };
    let died = tokio::select! {
        () = store.dead.cancelled() => true,
        () = story => store.dead.is_cancelled(),
    };
    life.runner.kill().await;
    died
}

#[tokio::test]
async fn a_run_killed_at_any_write_ends_as_if_it_had_not_been() {
    let mut deaths = 0;
    for death in [Death::BeforeWrite, Death::AfterWrite] {
        for writes in 0..WRITES_MAX {
            let place = format!("{death:?} {writes}");
            let (world, life) = world_with_policy().await;
            life.runner.kill().await;
            drop(life);
            // So that a deletion is half done at some of the writes.
            world.fleet.fail("delete", &[Fault::Break]);
            let died = timeout(DEADLINE, live(&world, writes, death)).await;
            let died = died.unwrap_or_else(|_| panic!("{place}: neither dead nor done"));
            let mut life = world.start().await;
            let id = match life.tasks().await.first() {
                Some(task) => task.id.clone(),
                None => life.retain_soon().await,
            };
            let (task, report) = life.retained(&id).await;
            assert_eq!(
                task.state(),
                TaskState::Succeeded,
                "{place}: {}",
                task.error
            );
            assert_eq!(left(&world), ["f3", "f4"], "{place}");
            let names: BTreeSet<String> = deleted(&world).into_iter().collect();
            assert_eq!(names.len(), deleted(&world).len(), "{place}: none twice");
            let all = report.entries.iter();
            assert!(
                all.clone()
                    .all(|it| it.outcome() == RetentionOutcome::Deleted),
                "{place}"
            );
            assert_eq!(all.count(), 4, "{place}");
            // Nothing keeps the next run away.
            let id = life.retain().await;
            life.retained(&id).await;
            life.runner.kill().await;
            if !died {
                break;
            }
            deaths += 1;
        }
    }
    assert!(deaths >= 20, "only {deaths} places to die at");
}

fn every_second() -> Schedule {
    Schedule {
        cluster: shop(),
        name: nightly(),
        cron: "* * * * * *".parse().expect("an expression"),
        zone: Zone::default(),
        start: None,
        window: None,
        jitter_seconds: 0,
        kinds: Kinds::Full,
        selection: Selection::default(),
        completeness: model::plan::Completeness::All,
        overlap: Overlap::Wait,
        catch_up_seconds: 3_600,
        deadline_seconds: None,
        objective: None,
        pause: None,
    }
}

#[tokio::test]
async fn retention_follows_the_backups_of_a_schedule_by_itself() {
    let mut world = world();
    world.config.schedules_every_seconds = 1;
    let life = world.start_with_cluster().await;
    let put = life.typed.put_schedule(every_second(), false).await;
    put.expect("a schedule");
    life.set(Some(&nightly()), last(2)).await;
    let until = Instant::now() + 3 * DEADLINE;
    let run = loop {
        let (_, runs) = life.typed.get_retention(&shop()).await.expect("it");
        if let Some(run) = runs.iter().find(|run| run.deleted > 0) {
            break run.clone();
        }
        assert!(Instant::now() < until, "{runs:?}");
        sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_eq!(run.after, Some(nightly()));
    let is_scheduled = |name: &&String| name.starts_with("nightly-");
    assert!(
        deleted(&world).iter().all(|name| is_scheduled(&name)),
        "others are not touched"
    );
    let (stays, goes): (Vec<String>, Vec<String>) = left(&world)
        .into_iter()
        .partition(|name| !is_scheduled(&name));
    assert_eq!(stays.len(), 6);
    assert!(goes.len() >= 2, "{goes:?}");
}

#[tokio::test]
async fn a_backup_without_a_policy_for_it_starts_no_retention() {
    let mut world = world();
    world.config.schedules_every_seconds = 1;
    let life = world.start_with_cluster().await;
    let other = Schedule {
        name: "other".parse().expect("a name"),
        cron: "0 0 29 2 *".parse().expect("an expression"),
        ..every_second()
    };
    life.typed
        .put_schedule(other, false)
        .await
        .expect("a schedule");
    life.set(Some(&"other".parse().expect("a name")), last(1))
        .await;
    let put = life.typed.put_schedule(every_second(), false).await;
    put.expect("a schedule");
    let until = Instant::now() + 3 * DEADLINE;
    loop {
        let got = life.typed.get_schedule(&shop(), &nightly()).await;
        let past = got.expect("it").1;
        let good = past
            .iter()
            .filter(|run| run.outcome == schedule::RunOutcome::Succeeded);
        if good.count() >= 2 {
            break;
        }
        assert!(Instant::now() < until, "{past:?}");
        sleep(std::time::Duration::from_millis(50)).await;
    }
    let (_, runs) = life.typed.get_retention(&shop()).await.expect("it");
    assert!(runs.is_empty(), "{runs:?}");
}
