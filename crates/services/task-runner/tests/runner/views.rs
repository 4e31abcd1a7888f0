//! Views are built twice on several nodes, and once on one.

use api::pb::task_runner::{Task, TaskState};

use crate::fleet::Fault;
use crate::world::World;

fn world(nodes: &[&str]) -> World {
    let world = World::new(nodes);
    world.has_backup("b");
    world
}

async fn restored(world: &World) -> Task {
    let mut life = world.start_with_cluster().await;
    let id = life.restore("b").await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    world.check_rules();
    assert!(world.fleet.facts().forgotten.is_empty());
    task
}

/// The calls that have to do with views, in rounds; those of a round, which may be made at once, are sorted.
fn calls(world: &World) -> Vec<Vec<String>> {
    let calls = world.fleet.facts().calls.clone();
    let words = ["views", "forget", "rebuild"];
    let calls = calls
        .into_iter()
        .filter(|call| words.iter().any(|word| call.starts_with(word)));
    let mut rounds: Vec<Vec<String>> = Vec::new();
    for call in calls {
        let word = call.split(' ').next().unwrap_or_default();
        match rounds.last_mut() {
            Some(round) if round[0].starts_with(word) => round.push(call),
            _ => rounds.push(vec![call]),
        }
    }
    rounds.iter_mut().for_each(|round| round.sort());
    rounds
}

#[tokio::test]
async fn all_nodes_forget_before_one_of_them_has_all_build_again() {
    let world = world(&["n1", "n2"]);
    restored(&world).await;
    let views = vec!["views n1", "views n2"];
    let forget = vec!["forget n1", "forget n2"];
    assert_eq!(
        calls(&world),
        [views.clone(), forget, vec!["rebuild n1"], views]
    );
}

#[tokio::test]
async fn a_single_node_builds_once() {
    let world = world(&["n1"]);
    restored(&world).await;
    assert_eq!(calls(&world), [["views n1"]]);
}

#[tokio::test]
async fn a_node_that_does_not_forget_is_passed_over() {
    let world = world(&["n1", "n2"]);
    world.fleet.facts().forget_nothing.insert("n1".to_owned());
    restored(&world).await;
    assert_eq!(world.fleet.count("rebuild n2"), 1, "which has forgotten");
    assert_eq!(world.fleet.count("rebuild n1"), 0);
}

#[tokio::test]
async fn an_agent_of_an_earlier_release_is_passed_over() {
    let world = world(&["n1", "n2"]);
    world.fleet.fail("forget n1", &[Fault::NotThere]);
    restored(&world).await;
    assert_eq!(world.fleet.count("rebuild n2"), 1, "which has forgotten");
}

#[tokio::test]
async fn nothing_is_built_again_if_no_node_forgets() {
    let world = world(&["n1", "n2"]);
    for node in ["n1", "n2"] {
        let fault = [Fault::NotThere];
        world.fleet.fail(&format!("forget {node}"), &fault);
    }
    restored(&world).await;
    let rounds = calls(&world);
    assert_eq!(rounds.len(), 2, "{rounds:?}");
}

/// What an earlier try has forgotten is never waited for before it is built again; the fakes see to that.
#[tokio::test]
async fn a_try_goes_on_from_where_the_one_before_has_ended() {
    for (call, fault, views, forget, rebuild) in [
        ("forget n1", Fault::LoseAnswer, 2, 2, 1),
        ("forget n1", Fault::Unavailable, 2, 2, 1),
        ("rebuild n1", Fault::Unavailable, 2, 2, 2),
        ("rebuild n1", Fault::LoseAnswer, 2, 2, 2),
    ] {
        let world = world(&["n1", "n2"]);
        world.fleet.fail(call, &[fault]);
        restored(&world).await;
        let counts = ["views n1", "forget n1", "rebuild n1"].map(|call| world.fleet.count(call));
        assert_eq!(counts, [views, forget, rebuild], "{call}, {fault:?}");
    }
}

#[tokio::test]
async fn a_second_build_that_is_not_waited_for_is_not_begun_again() {
    let world = world(&["n1", "n2"]);
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("rebuild n1", &[Fault::Gate]);
    let id = life.restore("b").await;
    while world.fleet.count("rebuild n1") == 0 {
        tokio::task::yield_now().await;
    }
    world.fleet.fail("views n2", &[Fault::Break]);
    world.fleet.facts().gate.cancel();
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{}", task.error);
    world.check_rules();
    let counts = ["views n2", "forget n2", "rebuild n1"].map(|call| world.fleet.count(call));
    assert_eq!(counts, [3, 1, 1]);
}
