//! Maintenance that commands ask for: which nodes, in which order, and what ends it.

use api::ErrorKind;
use api::pb::task_runner::{StartMaintenanceRequest, StepState, TaskKind, TaskState};
use api::pb::types::{MaintenanceCommand, MaintenanceJob, Selection};

use crate::fleet::Fault;
use crate::world::{Life, World, state_of};

pub fn job(command: MaintenanceCommand) -> MaintenanceJob {
    MaintenanceJob {
        command: command as i32,
        selection: Some(Selection::default()),
        ..MaintenanceJob::default()
    }
}

pub fn request(jobs: &[MaintenanceCommand]) -> StartMaintenanceRequest {
    StartMaintenanceRequest {
        cluster: "shop".into(),
        jobs: jobs.iter().map(|command| job(*command)).collect(),
        ..StartMaintenanceRequest::default()
    }
}

use MaintenanceCommand as C;

async fn started(life: &mut Life, request: StartMaintenanceRequest) -> String {
    life.maintain(request).await.expect("a task").task_id
}

/// Nodes with datacenter and rack: `a1` and `a2` in `dc1`/`r1`, `a3` in `dc1`/`r2`, `b1` in `dc2`/`r1`.
fn two_datacenters() -> World {
    let world = World::new(&["b1", "a3", "a2", "a1"]);
    for (node, datacenter, rack) in [
        ("a1", "dc1", "r1"),
        ("a2", "dc1", "r1"),
        ("a3", "dc1", "r2"),
        ("b1", "dc2", "r1"),
    ] {
        let place = (datacenter.to_owned(), rack.to_owned());
        world.fleet.facts().places.insert(node.to_owned(), place);
    }
    world
}

fn done(world: &World) -> Vec<String> {
    let facts = world.fleet.facts();
    let each = facts.maintenance.iter();
    each.map(|(node, _, job)| format!("{node} {}", job.command().as_str_name()))
        .map(|line| line.replace("MAINTENANCE_COMMAND_", "").to_lowercase())
        .collect()
}

#[tokio::test]
async fn each_job_runs_node_by_node_and_rack_by_rack_before_the_next() {
    let world = two_datacenters();
    let mut life = world.start_with_cluster().await;
    let id = started(&mut life, request(&[C::Flush, C::Cleanup])).await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert_eq!(task.kind(), TaskKind::Maintenance);
    assert_eq!(task.maintenance, ["flush", "cleanup"]);
    let order = ["a1", "a2", "a3", "b1"];
    let expected: Vec<String> = ["flush", "cleanup"]
        .iter()
        .flat_map(|word| order.map(|node| format!("{node} {word}")))
        .collect();
    assert_eq!(done(&world), expected);
    world.check_rules();
}

#[tokio::test]
async fn datacenters_and_racks_choose_nodes_and_their_order() {
    for (datacenters, racks, expected) in [
        (&["dc2", "dc1"][..], &[][..], "b1 a1 a2 a3"),
        (&["dc1"], &["r2"], "a3"),
        (&[], &["r1"], "a1 a2 b1"),
    ] {
        let world = two_datacenters();
        let mut life = world.start_with_cluster().await;
        let mut some = request(&[C::Cleanup]);
        some.datacenters = datacenters.iter().map(ToString::to_string).collect();
        some.racks = racks.iter().map(ToString::to_string).collect();
        let id = started(&mut life, some).await;
        life.ended(&id).await;
        let nodes: Vec<String> = done(&world)
            .iter()
            .map(|line| line.replace(" cleanup", ""))
            .collect();
        assert_eq!(nodes.join(" "), expected);
    }
}

#[tokio::test]
async fn as_many_nodes_of_a_rack_work_at_a_time_as_is_asked_for() {
    let world = two_datacenters();
    world.fleet.facts().maintained_max = 2;
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("cleanup a1", &[Fault::Hang]);
    world.fleet.fail("cleanup a2", &[Fault::Hang]);
    let mut two = request(&[C::Cleanup]);
    two.concurrency = 2;
    let id = started(&mut life, two).await;
    let task = life
        .until(&id, |task| {
            ["maintain-a1", "maintain-a2"]
                .iter()
                .all(|step| state_of(task, step) == StepState::Running)
        })
        .await;
    assert_eq!(state_of(&task, "maintain-a3"), StepState::Pending);
    world.called("cleanup a1").await;
    world.called("cleanup a2").await;
    life.cancel(&id).await.expect("cancelled");
    life.ended(&id).await;
    assert_eq!(world.fleet.count("cleanup a3"), 0);
    world.check_rules();
}

#[tokio::test]
async fn it_stops_at_the_first_node_that_fails_and_a_resume_goes_on_there() {
    let world = World::new(&["n1", "n2", "n3"]);
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("scrub n2", &[Fault::Damaged]);
    let id = started(&mut life, request(&[C::Scrub])).await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Failed);
    assert!(task.error.contains("on node n2 failed"), "{}", task.error);
    assert!(task.error.contains("task resume"), "{}", task.error);
    assert_eq!(state_of(&task, "maintain-n1"), StepState::Succeeded);
    assert_eq!(state_of(&task, "maintain-n3"), StepState::Pending);
    assert_eq!(world.fleet.count("scrub n3"), 0);
    life.resume(&id).await.expect("goes on");
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert_eq!(world.fleet.count("scrub n1"), 1);
    assert_eq!(world.fleet.count("scrub n3"), 1);
}

#[tokio::test]
async fn a_call_whose_reply_is_lost_is_made_again_by_the_same_step() {
    let world = World::new(&["n1"]);
    let mut life = world.start_with_cluster().await;
    world.fleet.facts().can_restart = true;
    world.fleet.fail("restart n1", &[Fault::LoseAnswer]);
    let id = started(&mut life, request(&[C::Restart])).await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    let facts = world.fleet.facts();
    let steps: Vec<&str> = facts
        .maintenance
        .iter()
        .map(|(_, step, _)| &**step)
        .collect();
    assert_eq!(steps, ["maintain-n1", "maintain-n1"]);
}

#[tokio::test]
async fn it_has_the_cluster_to_itself() {
    let world = World::new(&["n1"]);
    world.has_backup("b");
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("compact n1", &[Fault::Hang]);
    let id = started(&mut life, request(&[C::Compact])).await;
    world.called("compact n1").await;
    let error = life.start_restore("b").await.expect_err("busy");
    assert_eq!(error.reason, "CLUSTER_BUSY");
    let error = life.maintain(request(&[C::Flush])).await.expect_err("busy");
    assert_eq!(error.reason, "CLUSTER_BUSY");
    life.cancel(&id).await.expect("cancelled");
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Cancelled);
    world.fleet.fail("upload n1", &[Fault::Hang]);
    life.backup("c").await;
    world.called("upload n1").await;
    let error = life.maintain(request(&[C::Flush])).await.expect_err("busy");
    assert_eq!(error.reason, "CLUSTER_BUSY");
    assert_eq!(world.fleet.count("flush n1"), 0);
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_every_reason_before_anything_is_touched() {
    let world = two_datacenters();
    let mut life = world.start_with_cluster().await;
    let with = |command, change: fn(&mut StartMaintenanceRequest)| {
        let mut request = request(&[command]);
        change(&mut request);
        request
    };
    for (request, reason, words) in [
        (
            with(C::Cleanup, |it| {
                it.datacenters.push("dc3".into());
                it.racks.push("r9".into());
            }),
            "MAINTENANCE_REFUSED",
            &["`dc3`; there are dc1, dc2", "`r9`; there are r1, r2"][..],
        ),
        (
            with(C::Cleanup, |it| {
                it.datacenters.push("dc2".into());
                it.racks.push("r2".into());
            }),
            "MAINTENANCE_REFUSED",
            &["no node is in both"],
        ),
        (
            with(C::Restart, |_| {}),
            "MAINTENANCE_REFUSED",
            &["node a1 cannot be restarted", "node b1 cannot be restarted"],
        ),
        (
            with(C::Rebuild, |it| {
                it.jobs[0].source_datacenter = "dc1".into();
            }),
            "MAINTENANCE_REFUSED",
            &["node a1 is itself in datacenter dc1"],
        ),
        (
            with(C::Repair, |it| {
                it.jobs[0].primary_range = Some(true);
                it.racks.push("r1".into());
            }),
            "MAINTENANCE_REFUSED",
            &["a repair of primary ranges is one of all nodes"],
        ),
        (
            with(C::Flush, |it| it.jobs[0].no_snapshot = true),
            "INVALID_FIELD",
            &["`no_snapshot` is no argument of flush; it is one of scrub"],
        ),
        (
            with(C::Flush, |it| it.jobs.clear()),
            "INVALID_FIELD",
            &["jobs"],
        ),
        (
            with(C::Flush, |it| it.cluster.clear()),
            "INVALID_FIELD",
            &["cluster"],
        ),
    ] {
        let error = life.maintain(request).await.expect_err(reason);
        assert_eq!(error.reason, reason, "{error}");
        for words in words {
            assert!(error.message.contains(words), "{words}: {error}");
        }
    }
    assert!(life.tasks().await.is_empty());
    assert_eq!(done(&world), Vec::<String>::new());
}

#[tokio::test]
async fn a_repair_is_of_primary_ranges_if_every_node_is_repaired() {
    for (racks, is_primary) in [(&[][..], true), (&["r1"], false)] {
        let world = two_datacenters();
        let mut life = world.start_with_cluster().await;
        let mut repair = request(&[C::Repair]);
        repair.racks = racks.iter().map(ToString::to_string).collect();
        let id = started(&mut life, repair).await;
        life.ended(&id).await;
        let facts = world.fleet.facts();
        let mut jobs = facts.maintenance.iter();
        assert!(jobs.all(|(.., job)| job.primary_range == Some(is_primary)));
    }
}

#[tokio::test]
async fn a_node_without_an_agent_is_named() {
    let world = World::new(&["n1", "n2"]);
    let mut life = world.start().await;
    let only = world.fleet.nodes[..1].to_vec();
    life.add_cluster(&only).await.expect("a cluster");
    let error = life
        .maintain(request(&[C::Cleanup]))
        .await
        .expect_err("refused");
    assert_eq!(error.kind, ErrorKind::FailedPrecondition);
    let words = "node n2 of rack r1 is described by no agent";
    assert!(error.message.contains(words), "{error}");
}
