//! Limits of tasks that run: set on all agents, kept over restarts, and reported where they are not in force.

use api::pb::task_runner::{StepLimits, Task, TaskState};

use crate::fake_agent::OWN_FILES;
use crate::fleet::Fault;
use crate::sharing::shared;
use crate::world::{Life, World};

pub const MIB: u64 = 1 << 20;

/// A backup whose uploads hang.
async fn uploading(world: &World, life: &mut Life) -> String {
    for upload in ["upload n1", "upload n2"] {
        world.fleet.fail(upload, &[Fault::Hang]);
    }
    let id = life.backup("b").await;
    world.called("upload n1").await;
    world.called("upload n2").await;
    id
}

fn limits_of<'a>(task: &'a Task, step: &str) -> Option<&'a StepLimits> {
    let step = task.steps.iter().find(|found| found.id == step);
    step.expect("the step").limits.as_ref()
}

pub fn set_at(world: &World, node: &str, id: &str) -> Option<(u64, u32)> {
    let key = (node.to_owned(), id.to_owned());
    world.fleet.facts().limits.get(&key).copied()
}

/// Where the first call of each kind was.
fn order(world: &World, calls: [&str; 2]) -> [Option<usize>; 2] {
    let facts = world.fleet.facts();
    calls.map(|call| facts.calls.iter().position(|made| made == call))
}

#[tokio::test]
async fn limits_of_a_running_backup_come_to_all_of_its_agents_and_it_goes_on() {
    let world = World::new(&["n1", "n2"]);
    let mut life = world.start_with_cluster().await;
    let id = uploading(&world, &mut life).await;
    assert_eq!(world.fleet.count("limits n1"), 0, "none were set");
    let task = life.set_limits(&id, Some(50 * MIB), Some(100)).await;
    let task = task.expect("set");
    assert_eq!(task.limits.expect("limits").parallel_files, 100);
    for (node, step) in [("n1", "upload-n1"), ("n2", "upload-n2")] {
        assert_eq!(set_at(&world, node, &id), Some((50 * MIB, 100)));
        let limits = limits_of(&task, step).expect("limits");
        let in_force = limits.in_force.expect("in force");
        assert_eq!(in_force.bandwidth_bytes_per_second, 50 * MIB);
        // The agent allows no more by itself.
        assert_eq!(in_force.parallel_files, OWN_FILES);
        assert_eq!(limits.error, "");
    }
    // What is not named stays, and 0 lifts.
    let task = life.set_limits(&id, Some(0), None).await.expect("set");
    assert_eq!(set_at(&world, "n2", &id), Some((0, 100)));
    assert_eq!(task.state(), TaskState::Running);
    assert_eq!(
        world.fleet.count("upload n1"),
        1,
        "the upload was not begun again"
    );
    world.check_rules();
}

#[tokio::test]
async fn limits_are_kept_over_a_restart_and_set_before_data_is_moved() {
    let world = World::new(&["n1", "n2"]);
    let mut life = world.start_with_cluster().await;
    let id = uploading(&world, &mut life).await;
    life.set_limits(&id, Some(MIB), None).await.expect("set");
    life.runner.drain().await;
    drop(life);
    {
        // As agents that were started again.
        let mut facts = world.fleet.facts();
        facts.limits.clear();
        facts.calls.clear();
    }
    world.fleet.fail("limits n1", &[Fault::Unavailable]);
    let mut life = world.start().await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    for node in ["n1", "n2"] {
        assert_eq!(set_at(&world, node, &id), Some((MIB, 0)));
        let calls = [format!("limits {node}"), format!("upload {node}")];
        let [set, uploaded] = order(&world, [&calls[0], &calls[1]]);
        assert!(set < uploaded, "{set:?} {uploaded:?}");
    }
    // Nothing is moved while it is not known whether the limits are in force.
    assert_eq!(world.fleet.count("limits n1"), 2);
    assert_eq!(world.fleet.count("upload n1"), 1);
    world.check_rules();
}

#[tokio::test]
async fn an_agent_that_does_not_know_limits_is_named_and_goes_on_without() {
    let world = World::new(&["n1", "n2"]);
    world.has_backup("b");
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("limits n2", &[Fault::NotThere; 2]);
    world.fleet.fail("stage n1", &[Fault::Gate]);
    world.fleet.fail("stage n2", &[Fault::Gate]);
    let id = life.restore("b").await;
    world.called("stage n1").await;
    world.called("stage n2").await;
    let task = life.set_limits(&id, None, Some(1)).await.expect("set");
    let known = limits_of(&task, "stage-n1").expect("limits");
    assert_eq!(known.in_force.expect("in force").parallel_files, 1);
    let unknown = limits_of(&task, "stage-n2").expect("limits");
    assert_eq!(unknown.in_force, None);
    assert!(
        unknown.error.contains("of an earlier release"),
        "{unknown:?}"
    );
    world.fleet.facts().gate.cancel();
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    assert_eq!(world.fleet.count("stage n2"), 1);
}

#[tokio::test]
async fn an_agent_that_cannot_be_reached_gets_the_limits_once_it_can() {
    let world = World::new(&["n1", "n2"]);
    let mut life = world.start_with_cluster().await;
    let id = uploading(&world, &mut life).await;
    world.fleet.fail("limits n1", &[Fault::Unavailable]);
    let task = life.set_limits(&id, Some(MIB), None).await.expect("set");
    let limits = limits_of(&task, "upload-n1").expect("limits");
    assert!(
        limits.in_force.is_none() && !limits.error.is_empty(),
        "{limits:?}"
    );
    life.until(&id, |task| {
        limits_of(task, "upload-n1").is_some_and(|limits| limits.in_force.is_some())
    })
    .await;
    assert_eq!(set_at(&world, "n1", &id), Some((MIB, 0)));
}

#[tokio::test]
async fn a_step_that_waits_for_its_next_try_is_not_waited_for() {
    let world = World::new(&["n1", "n2"]);
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("upload n1", &[Fault::Unavailable; 1000]);
    let id = life.backup("b").await;
    let is_retried = |task: &Task| {
        let mut steps = task.steps.iter();
        steps.any(|step| step.id == "upload-n1" && !step.error.is_empty())
    };
    life.until(&id, is_retried).await;
    // Whatever a try between two looks makes of it: its agent has replied, or it is not asked before the next try.
    let started_at = std::time::Instant::now();
    let task = life.set_limits(&id, Some(MIB), None).await.expect("set");
    assert!(
        started_at.elapsed().as_secs() < 5,
        "{:?}",
        started_at.elapsed()
    );
    let open = limits_of(&task, "upload-n1");
    assert!(
        open.is_none_or(|limits| limits.in_force.is_some() || !limits.error.is_empty()),
        "{open:?}"
    );
}

#[tokio::test]
async fn limits_of_a_paused_task_are_in_force_once_it_goes_on() {
    let world = World::new(&["n1", "n2"]);
    let mut life = world.start_with_cluster().await;
    let id = uploading(&world, &mut life).await;
    life.pause(&id, "").await.expect("paused");
    let task = life.set_limits(&id, Some(MIB), None).await.expect("set");
    assert_eq!(task.state(), TaskState::Paused);
    assert_eq!(world.fleet.count("limits n1"), 0, "nothing runs");
    life.resume(&id).await.expect("it goes on");
    assert_eq!(life.ended(&id).await.state(), TaskState::Succeeded);
    assert_eq!(set_at(&world, "n1", &id), Some((MIB, 0)));
    world.check_rules();
}

#[tokio::test]
async fn another_runner_sets_the_limits_of_a_task_that_it_does_not_drive() {
    let world = World::new(&["n1", "n2"]);
    let store = shared(&world).await;
    let mut one = world.start_on(store.clone());
    let mut two = world.start_on(store);
    let id = uploading(&world, &mut one).await;
    let task = two.set_limits(&id, Some(MIB), Some(2)).await.expect("set");
    let limits = limits_of(&task, "upload-n2").expect("limits");
    assert_eq!(limits.in_force.expect("in force").parallel_files, 2);
    assert_eq!(set_at(&world, "n1", &id), Some((MIB, 2)));
    world.check_rules();
}

#[tokio::test]
async fn limits_of_a_verification_are_those_of_the_storage_catalog() {
    let world = World::new(&["n1", "n2"]);
    world.has_backup("b");
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("verify", &[Fault::Hang]);
    let id = life.verify("b").await.expect("a task");
    world.called("verify").await;
    let task = life.set_limits(&id, Some(MIB), Some(2)).await.expect("set");
    let limits = limits_of(&task, "verify").expect("limits");
    assert_eq!(limits.in_force.expect("in force").parallel_files, 2);
    assert_eq!(set_at(&world, "catalog", &id), Some((MIB, 2)));
    world.fleet.fail("verifylimits", &[Fault::NotThere]);
    let task = life.set_limits(&id, Some(0), None).await.expect("set");
    let limits = limits_of(&task, "verify").expect("limits");
    assert!(limits.error.contains("of an earlier release"), "{limits:?}");
    world.check_rules();
}

#[tokio::test]
async fn limits_are_refused_by_name_where_they_mean_nothing() {
    let world = World::new(&["n1", "n2"]);
    let mut life = world.start_with_cluster().await;
    let id = life.backup("b").await;
    life.ended(&id).await;
    let ended = life.set_limits(&id, Some(MIB), None).await;
    assert_eq!(ended.expect_err("ended").reason, "TASK_ENDED");
    world.fleet.fail("delete", &[Fault::Hang]);
    let id = life.delete("b").await.expect("a task");
    let deleting = life.set_limits(&id, Some(MIB), None).await;
    assert_eq!(
        deleting.expect_err("a deletion").reason,
        "TASK_LIMITS_REFUSED"
    );
    for (bandwidth, field) in [(None, "limits"), (Some(7), "bandwidth_bytes_per_second")] {
        let error = life.set_limits(&id, bandwidth, None).await;
        assert_eq!(error.expect_err("refused").field.as_deref(), Some(field));
    }
}
