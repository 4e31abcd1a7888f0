//! By their fences agents know a runner that has lost its task: each driver has higher ones than all before it.

use api::clients::{NodeAgent, TaskRunner};
use api::fence::{FENCED, Fences, Scope};
use api::pb::task_runner::TaskState;

use crate::fleet::Fault;
use crate::world::{Life, World};

/// The fences of the last call of this name.
fn fences_of(world: &World, method: &str) -> Fences {
    let facts = world.fleet.facts();
    let mut calls = facts.fenced_calls.iter().rev();
    let found = calls.find(|(name, _)| name == method);
    found.unwrap_or_else(|| panic!("no {method}")).1.clone()
}

fn number(fences: &Fences, is_wanted: fn(&Scope) -> bool) -> Option<(Scope, u64)> {
    fences.iter().find(|(scope, _)| is_wanted(scope))
}

fn of_cluster(fences: &Fences) -> Option<(Scope, u64)> {
    number(fences, |scope| matches!(scope, Scope::Cluster(_)))
}

fn of_task(fences: &Fences) -> Option<(Scope, u64)> {
    number(fences, |scope| matches!(scope, Scope::Task(_)))
}

/// A restore that hangs at this call.
async fn hanging(call: &str) -> (World, Life, String) {
    let world = World::new(&["n1", "n2"]);
    world.has_backup("b");
    world.fleet.facts().in_place = true;
    let mut life = world.start_with_cluster().await;
    world.fleet.fail(call, &[Fault::Hang]);
    let id = life.restore("b").await;
    world.called(call).await;
    (world, life, id)
}

#[tokio::test]
async fn a_task_that_is_driven_again_has_higher_fences_and_what_its_first_driver_sends_late_is_refused()
 {
    let (world, life, id) = hanging("stop n2").await;
    let old = fences_of(&world, "StopCassandra");
    life.runner.kill().await;
    drop(life);
    let mut life = world.start().await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    let new = fences_of(&world, "StartCassandra");
    for of in [of_task, of_cluster] {
        let (old, new) = (of(&old).expect("a number"), of(&new).expect("a number"));
        assert_eq!(old.0, new.0, "the same scope");
        assert!(old.1 < new.1, "{old:?} {new:?}");
    }
    let host = crate::fleet::host_id(0).parse().expect("an id");
    let restore = id.parse().expect("an id");
    let agent = world.agent("n1").under(&old);
    let late = agent.stop_cassandra(restore, host).await;
    assert_eq!(late.expect_err("refused").reason, FENCED);
    assert!(world.fleet.facts().stopped.is_empty());
    world.check_rules();
}

#[tokio::test]
async fn of_a_task_that_was_ended_by_force_a_late_call_is_refused_once_another_task_has_the_cluster()
 {
    let (world, mut life, id) = hanging("swap n2").await;
    let old = fences_of(&world, "SwapStaged");
    life.fail(&id, true).await.expect("ended");
    life.ended(&id).await;
    world.fleet.facts().stopped.clear();
    let backup = life.backup("c").await;
    let task = life.ended(&backup).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    let new = fences_of(&world, "UploadSnapshot");
    assert_ne!(of_task(&old).map(|it| it.0), of_task(&new).map(|it| it.0));
    assert!(of_cluster(&old) < of_cluster(&new), "{old} {new}");
    let host = crate::fleet::host_id(1).parse().expect("an id");
    let restore = id.parse().expect("an id");
    let agent = world.agent("n2").under(&old);
    let late = agent.stop_cassandra(restore, host).await;
    assert_eq!(late.expect_err("refused").reason, FENCED);
}

#[tokio::test]
async fn leftovers_are_cleared_under_a_fence_of_their_own_task_alone() {
    let world = World::new(&["n1"]);
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("clear n1", &[Fault::Damaged]);
    let id = life.backup("b").await;
    life.ended(&id).await;
    let driver = of_task(&fences_of(&world, "UploadSnapshot")).expect("a number");
    let shop = "shop".parse().expect("a name");
    let task = id.parse().expect("an id");
    let cleared = life.typed.clear_leftovers(&shop, &[task], false).await;
    assert_eq!(cleared.expect("cleared").cleared.len(), 1);
    let fences = fences_of(&world, "ClearLeftovers");
    assert_eq!(
        of_cluster(&fences),
        None,
        "another task may have the cluster"
    );
    let cleaner = of_task(&fences).expect("a number");
    assert_eq!(cleaner.0, driver.0);
    assert!(cleaner.1 > driver.1, "{cleaner:?} {driver:?}");
    world.check_rules();
}

#[tokio::test]
async fn a_cluster_that_is_registered_again_counts_for_itself() {
    let world = World::new(&["n1"]);
    let mut life = world.start_with_cluster().await;
    let mut scopes = Vec::new();
    for name in ["b", "c"] {
        let id = life.backup(name).await;
        life.ended(&id).await;
        scopes.push(
            of_cluster(&fences_of(&world, "TakeSnapshot"))
                .expect("a number")
                .0,
        );
        let shop = "shop".parse().expect("a name");
        life.typed.remove_cluster(&shop).await.expect("removed");
        let nodes = world.fleet.nodes.clone();
        life.add_cluster(&nodes).await.expect("registered");
    }
    assert_ne!(scopes[0], scopes[1]);
}
