//! Restores from the plan to the end.

use api::ErrorKind;
use api::pb::planner::{Rename, RenamingRestore, RestoreOptions};
use api::pb::task_runner::{self as pb, StepState, TaskState};
use api::pb::types::BackupRef;

use crate::fake_catalog::verification;
use crate::fleet::Fault;
use crate::world::{DEADLINE, World, codes, state_of};

fn world() -> World {
    let world = World::new(&["n1", "n2"]);
    world.has_backup("b");
    world
}

#[tokio::test]
async fn an_online_restore_does_what_its_plan_says() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    let id = life.restore("b").await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{task:#?}");
    assert_eq!(
        codes(&task),
        ["AUTH_NOT_INCLUDED"],
        "the plan's closing words"
    );
    world.check_rules();
    let facts = world.fleet.facts();
    assert_eq!(facts.loaded.len(), 2);
    assert!(facts.staged.is_empty(), "staging is gone");
    assert!(facts.pins.is_empty(), "the pin is gone");
    let count = |call: &str| facts.calls.iter().filter(|made| *made == call).count();
    assert_eq!(
        (count("cql n1"), count("cql n2")),
        (2, 0),
        "CQL runs on one node"
    );
    assert_eq!(
        (count("views n1"), count("views n2")),
        (2, 2),
        "views are awaited on all, and once more when they are built again"
    );
}

#[tokio::test]
async fn a_restore_in_place_stops_all_swaps_all_starts_all() {
    let world = world();
    world.fleet.facts().in_place = true;
    let mut life = world.start_with_cluster().await;
    let id = life.restore("b").await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{task:#?}");
    world.check_rules();
    let facts = world.fleet.facts();
    assert_eq!(facts.loaded.len(), 2);
    assert!(facts.stopped.is_empty(), "all run again");
}

#[tokio::test]
async fn a_refused_restore_shows_its_plan_and_touches_nothing() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    world.fleet.facts().refusal = Some("VERSION_DOWNGRADE".into());
    let started = life.start_restore("b").await.expect("an answer");
    assert_eq!(started.task_id, "");
    let plan = started.plan.expect("a plan");
    assert_eq!(plan.findings[0].code, "VERSION_DOWNGRADE");
    assert_eq!(world.fleet.changes(), Vec::<String>::new());
    assert!(life.tasks().await.is_empty());
}

#[tokio::test]
async fn a_plan_is_started_by_its_number_as_it_was_shown() {
    let world = world();
    world.fleet.facts().ranges = vec![("1".into(), "5".into())];
    let mut life = world.start_with_cluster().await;
    let first = life.plan_restore("b").await;
    let second = life.plan_restore("b").await;
    assert_eq!((first.number, second.number), (1, 2));
    assert_eq!(world.fleet.changes(), Vec::<String>::new());
    let started = life.start_plan(first.number).await.expect("a restore");
    assert_eq!(started.plan.expect("a plan"), first);
    let task = life.ended(&started.task_id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{task:#?}");
    let mut shares = world.fleet.facts().shares.clone();
    shares.sort();
    let host_ids: Vec<String> = world.fleet.ring().into_iter().map(|m| m.host_id).collect();
    let expected = [
        format!("n1 of {} (1, 5]", host_ids[0]),
        format!("n2 of {} (1, 5]", host_ids[1]),
    ];
    assert_eq!(shares, expected);
}

fn asked(renamed: Option<&str>) -> pb::PlanRestoreRequest {
    let options = Some(RestoreOptions::default());
    let rename = |to: &str| Rename {
        keyspace: "ks".into(),
        new_keyspace: to.into(),
        ..Rename::default()
    };
    let renaming = renamed.map(|to| RenamingRestore {
        options: options.clone(),
        renames: vec![rename(to)],
    });
    pb::PlanRestoreRequest {
        backup: Some(BackupRef {
            cluster: "shop".into(),
            name: "b".into(),
        }),
        target: "shop".into(),
        options: if renaming.is_some() { None } else { options },
        renaming,
    }
}

#[tokio::test]
async fn a_plan_is_started_only_as_the_restore_that_it_is_of() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    let plain = life.plan_of(asked(None)).await.number;
    let renamed = life.plan_of(asked(Some("copy"))).await;
    assert_eq!(
        renamed.tables[0].table.as_ref().expect("a name").keyspace,
        "copy"
    );
    let of = |name: &str, cluster: &str, target: &str| {
        let mut asked = asked(None);
        asked.backup = Some(BackupRef {
            cluster: cluster.into(),
            name: name.into(),
        });
        asked.target = target.into();
        asked
    };
    let mut skipping = asked(None);
    skipping.options.as_mut().expect("options").skip_trial = true;
    for (number, restore) in [
        (plain, asked(Some("copy"))),
        (renamed.number, asked(None)),
        (renamed.number, asked(Some("other"))),
        (plain, of("c", "shop", "shop")),
        (plain, of("b", "other", "shop")),
        (plain, of("b", "shop", "other")),
        (plain, skipping),
    ] {
        let error = life.start_plan_of(number, restore.clone()).await;
        let error = error.expect_err("another restore");
        assert_eq!(error.reason, "PLAN_DIFFERS", "{restore:?}");
    }
    assert_eq!(world.fleet.changes(), Vec::<String>::new());
    assert!(life.tasks().await.is_empty());
    let started = life
        .start_plan_of(renamed.number, asked(Some("copy")))
        .await;
    let started = started.expect("a restore");
    assert_eq!(started.plan.expect("a plan"), renamed);
    life.ended(&started.task_id).await;
    // The first restore has changed the cluster.
    let plain = life.plan_of(asked(None)).await.number;
    let started = life.start_plan_of(plain, of("b", "", "shop")).await;
    life.ended(&started.expect("a restore").task_id).await;
}

#[tokio::test]
async fn a_plan_that_would_come_out_otherwise_is_not_started() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    let plan = life.plan_restore("b").await;
    world.fleet.facts().ranges = vec![("1".into(), "5".into())];
    let error = life.start_plan(plan.number).await.expect_err("outdated");
    assert_eq!(error.reason, "PLAN_OUTDATED");
    world.fleet.facts().ranges.clear();
    world.fleet.facts().refusal = Some("DISK_SPACE".into());
    let error = life.start_plan(plan.number).await.expect_err("refused");
    assert_eq!(error.reason, "PLAN_OUTDATED");
    assert!(error.message.contains("so it is"), "{}", error.message);
    assert_eq!(world.fleet.changes(), Vec::<String>::new());
    let error = life.start_plan(99).await.expect_err("not there");
    assert_eq!(error.reason, "PLAN_NOT_FOUND");
}

#[tokio::test]
async fn a_refused_plan_gets_no_number() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    world.fleet.facts().refusal = Some("VERSION_DOWNGRADE".into());
    assert_eq!(life.plan_restore("b").await.number, 0);
}

#[tokio::test]
async fn a_plan_outlives_the_runner() {
    let world = world();
    let number = {
        let mut life = world.start_with_cluster().await;
        let number = life.plan_restore("b").await.number;
        life.runner.kill().await;
        number
    };
    let mut life = world.start().await;
    let started = life.start_plan(number).await.expect("a restore");
    assert!(!started.task_id.is_empty());
    assert_eq!(life.plan_restore("b").await.number, number + 1);
}

#[tokio::test]
async fn keys_that_the_backup_needs_are_asked_of_every_node() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    life.plan_restore("b").await;
    assert_eq!(world.fleet.facts().target_keys, Vec::<String>::new());
    world.fleet.facts().keys = vec!["system_key".into()];
    life.plan_restore("b").await;
    assert_eq!(
        world.fleet.facts().target_keys,
        ["n1 system_key n1", "n2 system_key n2"]
    );
}

#[tokio::test]
async fn the_planner_is_given_what_verifications_have_found() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    life.plan_restore("b").await;
    assert_eq!(world.fleet.facts().verifications, [verification()]);
}

#[tokio::test]
async fn a_backup_that_is_not_there_is_the_catalogs_answer() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    let error = life.start_restore("nothing").await.expect_err("not there");
    assert_eq!(
        (error.kind, error.reason.as_str()),
        (ErrorKind::NotFound, "BACKUP_NOT_FOUND")
    );
}

/// Lets a restore wait in its staging, changes the world, and lets it go on.
async fn change_while_staging(change: impl Fn(&World)) -> (World, String, crate::world::Life) {
    let world = world();
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("stage n2", &[Fault::Hang]);
    let id = life.restore("b").await;
    life.until(&id, |task| {
        state_of(task, "stage-n1") == StepState::Succeeded
    })
    .await;
    world.called("stage n2").await;
    change(&world);
    life.runner.drain().await;
    drop(life);
    let life = world.start().await;
    (world, id, life)
}

#[tokio::test]
async fn a_plan_that_no_longer_fits_is_not_carried_out() {
    type Change = fn(&World);
    let changes: [(&str, Change); 3] = [
        ("agent n1:7401 is of the node", |world| {
            world.fleet.facts().swapped_addresses = true;
        }),
        ("another ring", |world| {
            world.fleet.facts().rack = "r2".into()
        }),
        ("schema version schema-7", |world| {
            world.fleet.facts().schema_version = "schema-7".into();
        }),
    ];
    for (why, change) in changes {
        let (world, id, mut life) = change_while_staging(change).await;
        let task = life.ended(&id).await;
        assert_eq!(task.state(), TaskState::Failed, "{why}");
        assert!(task.error.starts_with("PLAN_OUTDATED"), "{}", task.error);
        assert!(task.error.contains(why), "{}", task.error);
        assert_eq!(state_of(&task, "schema"), StepState::Pending);
        {
            let facts = world.fleet.facts();
            assert!(
                facts.loaded.is_empty() && facts.stopped.is_empty() && !facts.schema_applied,
                "nothing was replaced"
            );
            assert!(
                facts.staged.is_empty() && facts.pins.is_empty(),
                "nothing is left"
            );
        }
        let error = life.resume(&id).await.expect_err("no use");
        assert_eq!(error.reason, "TASK_NOT_RESUMABLE");
        assert!(error.hint.expect("a hint").contains("restore plan"));
    }
}

#[tokio::test]
async fn a_task_that_cannot_be_driven_gives_its_lease_back() {
    let world = world();
    let store = world.open().await;
    let mut life = world.start_on(store.clone());
    life.add_cluster(&world.fleet.nodes)
        .await
        .expect("a cluster");
    world.fleet.fail("load n2", &[Fault::Damaged]);
    let id = life.restore("b").await;
    assert_eq!(life.ended(&id).await.state(), TaskState::Failed);
    let key = format!("documents/{id}/restore/000000");
    let anything = state_store::Expected::Anything;
    store.delete(&key, anything, None).await.expect("deletes");
    life.resume(&id).await.expect_err("its order is lost");
    let lease = format!("tasks/{id}");
    testkit::eventually(DEADLINE, || async {
        store.acquire(&lease, "test", DEADLINE).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn what_a_load_has_lost_is_staged_again_once() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("load n2", &[Fault::Restage]);
    let id = life.restore("b").await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{task:#?}");
    let counts = |call: &str| (world.fleet.count(call), world.fleet.count("load n2"));
    assert_eq!(counts("stage n2"), (2, 2));
    assert_eq!(world.fleet.count("stage n1"), 1);
    world
        .fleet
        .fail("load n2", &[Fault::Restage, Fault::Restage]);
    let id = life.restore("b").await;
    assert_eq!(life.ended(&id).await.state(), TaskState::Failed);
    assert_eq!(counts("stage n2"), (4, 4));
    world.check_rules();
}

#[tokio::test]
async fn a_ring_that_changes_while_sstables_are_loaded_fails_the_restore() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    world.fleet.facts().rack_after_load = Some("r2".into());
    let id = life.restore("b").await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Failed);
    assert!(task.error.contains("another ring"), "{}", task.error);
    assert!(!world.fleet.facts().loaded.is_empty());
}

#[tokio::test]
async fn a_failed_restore_keeps_what_it_has_staged_and_resumes_from_there() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("load n2", &[Fault::Damaged]);
    let id = life.restore("b").await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Failed);
    assert!(
        task.error.contains(&format!("ringkeep task resume {id}")),
        "{}",
        task.error
    );
    assert_eq!(world.fleet.facts().staged.len(), 2);
    assert_eq!(world.fleet.facts().pins.len(), 1);
    let error = life.cancel(&id).await.expect_err("half replaced");
    assert_eq!(error.reason, "RESTORE_PAST_POINT_OF_NO_RETURN");
    let resumed = life.resume(&id).await.expect("resumed");
    assert_eq!(resumed.attempt, 2);
    let task = life.ended(&id).await;
    assert_eq!(
        (task.state(), task.attempt),
        (TaskState::Succeeded, 2),
        "{task:#?}"
    );
    assert_eq!(task.error, "");
    assert_eq!(world.fleet.count("stage n1"), 1, "what succeeded stays");
    assert_eq!(world.fleet.count("load n2"), 2);
    assert!(world.fleet.facts().pins.is_empty());
    world.check_rules();
}

#[tokio::test]
async fn a_failed_restore_that_replaced_nothing_can_be_given_up() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("stage n2", &[Fault::Damaged]);
    let id = life.restore("b").await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Failed);
    assert!(
        task.error.contains("nothing was replaced yet"),
        "{}",
        task.error
    );
    life.cancel(&id).await.expect("given up");
    let task = life
        .until(&id, |task| task.state() == TaskState::Cancelled)
        .await;
    assert!(codes(&task).is_empty(), "{task:#?}");
    let facts = world.fleet.facts();
    assert!(
        facts.staged.is_empty() && facts.pins.is_empty(),
        "nothing is left"
    );
}

#[tokio::test]
async fn a_cancelled_restore_starts_over_when_resumed() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("stage n2", &[Fault::Hang]);
    let id = life.restore("b").await;
    life.until(&id, |task| {
        state_of(task, "stage-n1") == StepState::Succeeded
    })
    .await;
    world.called("stage n2").await;
    life.cancel(&id).await.expect("cancelled");
    life.ended(&id).await;
    life.resume(&id).await.expect("resumed");
    let task = life
        .until(&id, |task| task.state() == TaskState::Succeeded)
        .await;
    assert_eq!(task.attempt, 2);
    assert_eq!(world.fleet.count("stage n1"), 2, "its staging was gone");
    world.check_rules();
}

#[tokio::test]
async fn a_resume_waits_until_the_cluster_is_free() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("stage n2", &[Fault::Damaged]);
    let restore = life.restore("b").await;
    life.ended(&restore).await;
    world.fleet.fail("upload n1", &[Fault::Hang]);
    let backup = life.backup("c").await;
    let error = life.resume(&restore).await.expect_err("busy");
    assert_eq!(error.reason, "CLUSTER_BUSY");
    assert_eq!(
        life.task(&restore).await.expect("a task").state(),
        TaskState::Failed,
        "as before"
    );
    life.cancel(&backup).await.expect("cancelled");
    life.ended(&backup).await;
    life.resume(&restore).await.expect("free");
    life.until(&restore, |task| task.state() == TaskState::Succeeded)
        .await;
}

#[tokio::test]
async fn staging_that_stays_takes_nothing_from_a_restore() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("finish n1", &[Fault::Damaged]);
    world.fleet.fail("unpin", &[Fault::Damaged]);
    let id = life.restore("b").await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded);
    assert_eq!(
        codes(&task),
        [
            "STAGING_NOT_REMOVED",
            "PIN_NOT_RELEASED",
            "AUTH_NOT_INCLUDED"
        ]
    );
}

#[tokio::test]
async fn what_the_bucket_lacks_is_known_to_the_plan() {
    let world = world();
    let mut life = world.start_with_cluster().await;
    world.fleet.facts().damage = vec!["an/object".into()];
    let plan = life.plan_restore("b").await;
    assert!(!plan.supported);
    assert!(world.fleet.facts().looked_for_missing);
    let codes: Vec<&str> = plan.findings.iter().map(|it| it.code.as_str()).collect();
    assert!(codes.contains(&"OBJECTS_MISSING"), "{codes:?}");
    assert_eq!(world.fleet.changes(), Vec::<String>::new());
}
