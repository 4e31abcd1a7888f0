//! Tasks that are cancelled, or paused and then cancelled, at each of their steps: nothing of them is left.

use api::pb::task_runner::{StartMaintenanceRequest, TaskState};
use api::pb::types::MaintenanceCommand;

use crate::fleet::{BackupNow, Fault};
use crate::maintenance;
use crate::world::{Life, World};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Backup,
    Online,
    InPlace,
    Verify,
    Maintenance,
}

#[derive(Debug, Clone, Copy)]
enum How {
    Cancelled,
    PausedFirst,
}

fn world(kind: Kind) -> World {
    let world = World::new(&["n1", "n2"]);
    world.has_backup("old");
    let mut facts = world.fleet.facts();
    facts.in_place = kind == Kind::InPlace;
    facts.with_trial = kind == Kind::Online;
    facts.can_restart = true;
    drop(facts);
    world
}

async fn start(life: &mut Life, kind: Kind) -> String {
    match kind {
        Kind::Backup => life.backup("b").await,
        Kind::Online | Kind::InPlace => life.restore("old").await,
        Kind::Verify => life.verify("old").await.expect("a task"),
        Kind::Maintenance => {
            let request: StartMaintenanceRequest =
                maintenance::request(&[MaintenanceCommand::Cleanup]);
            life.maintain(request).await.expect("a task").task_id
        }
    }
}

/// What a task may leave on nodes and in the bucket.
fn left(world: &World) -> Vec<String> {
    let facts = world.fleet.facts();
    let mut left = Vec::new();
    let mut note = |what: &str, is_left: bool| {
        if is_left {
            left.push(what.to_owned());
        }
    };
    note("snapshots", !facts.snapshots.is_empty());
    note("pins", !facts.pins.is_empty());
    note("staged files", !facts.staged.is_empty());
    note("scratch keyspaces", facts.scratch);
    note("nodes that are down", !facts.stopped.is_empty());
    note("clients that are cut off", !facts.cut_off.is_empty());
    note("calls", !facts.hanging.is_empty());
    let name = facts.backups.get("b").map(|(now, _)| now);
    note("a name", matches!(name, Some(BackupNow::Running)));
    left
}

async fn leaves_nothing(kind: Kind, call: &str, how: How) {
    let place = format!("{kind:?} at `{call}`, {how:?}");
    let world = world(kind);
    world.fleet.fail(call, &[Fault::Hang]);
    let mut life = world.start_with_cluster().await;
    let id = start(&mut life, kind).await;
    world.called(call).await;
    if let How::PausedFirst = how {
        let paused = life.pause(&id, "").await.expect(&place);
        assert_eq!(paused.state(), TaskState::Paused, "{place}");
    }
    life.cancel(&id).await.expect(&place);
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Cancelled, "{place}: {task:#?}");
    assert_eq!(left(&world), Vec::<String>::new(), "{place}");
    // Tables that a restore has made stay, because others may use them by now.
    let mut findings = task.findings.iter();
    let unexpected = findings.find(|finding| finding.code != "MADE_AND_KEPT");
    assert_eq!(unexpected, None, "{place}");
    // Its cluster is free.
    let next = life.backup("next").await;
    assert_eq!(
        life.ended(&next).await.state(),
        TaskState::Succeeded,
        "{place}"
    );
    world.check_rules();
}

async fn leave_nothing(kind: Kind, calls: &[&str]) {
    for call in calls {
        for how in [How::Cancelled, How::PausedFirst] {
            leaves_nothing(kind, call, how).await;
        }
    }
}

#[tokio::test]
async fn a_backup_leaves_nothing_wherever_it_is_cancelled() {
    let calls = ["snapshot n1", "snapshot n2", "upload n1", "upload n2"];
    leave_nothing(Kind::Backup, &calls).await;
}

#[tokio::test]
async fn a_restore_leaves_nothing_wherever_it_is_cancelled_before_it_replaces_data() {
    let calls = [
        "pin",
        "stage n1",
        "stage n2",
        "makescratch n1",
        "try n1",
        "try n2",
        "dropscratch n1",
        "cql n1",
    ];
    leave_nothing(Kind::Online, &calls).await;
}

#[tokio::test]
async fn a_restore_in_place_lets_clients_in_again_wherever_it_is_cancelled_before_it_swaps() {
    let calls = [
        "stage n2",
        "mark n1",
        "mark n2",
        "cut-off n2",
        "stop n1",
        "stop n2",
    ];
    for call in calls {
        for how in [How::Cancelled, How::PausedFirst] {
            let place = format!("{call}, {how:?}");
            let world = world(Kind::InPlace);
            world.fleet.fail(call, &[Fault::Hang]);
            let mut life = world.start_with_cluster().await;
            let id = start(&mut life, Kind::InPlace).await;
            world.called(call).await;
            if let How::PausedFirst = how {
                life.pause(&id, "").await.expect(&place);
            }
            life.cancel(&id).await.expect(&place);
            let task = life.ended(&id).await;
            assert_eq!(task.state(), TaskState::Cancelled, "{place}: {task:#?}");
            assert_eq!(left(&world), Vec::<String>::new(), "{place}");
        }
    }
}

#[tokio::test]
async fn a_verification_and_maintenance_leave_nothing_wherever_they_are_cancelled() {
    leave_nothing(Kind::Verify, &["verify"]).await;
    leave_nothing(Kind::Maintenance, &["cleanup n1", "cleanup n2"]).await;
}
