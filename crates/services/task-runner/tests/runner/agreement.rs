//! A change of the schema takes some seconds to spread: plans wait for it.

use api::pb::task_runner::TaskState;

use crate::world::World;

#[tokio::test]
async fn a_backup_waits_until_the_nodes_agree_on_the_schema() {
    let world = World::new(&["n1", "n2"]);
    let mut life = world.start_with_cluster().await;
    world.fleet.facts().behind = 2;
    let id = life.backup("b").await;
    let task = life.ended(&id).await;
    assert_eq!(task.state(), TaskState::Succeeded, "{task:#?}");
}

#[tokio::test]
async fn a_restore_waits_until_the_nodes_agree_on_the_schema() {
    let world = World::new(&["n1", "n2"]);
    world.has_backup("b");
    let mut life = world.start_with_cluster().await;
    world.fleet.facts().behind = 2;
    let plan = life.plan_restore("b").await;
    assert!(plan.supported, "{:?}", plan.findings);
}

#[tokio::test]
async fn nodes_that_go_on_to_disagree_are_refused_in_the_end() {
    let mut world = World::new(&["n1", "n2"]);
    world.config.schema_agreement_seconds = 0;
    let mut life = world.start_with_cluster().await;
    world.fleet.facts().behind = u32::MAX;
    let created = life.create_backup("b").await.expect("a response");
    assert_eq!(created.findings[0].code, "SCHEMA_DISAGREEMENT");
    assert_eq!(created.task_id, "");
    assert_eq!(world.fleet.changes(), Vec::<String>::new());
}

#[tokio::test]
async fn each_change_of_the_schema_has_reached_every_node_before_the_restore_goes_on() {
    for statement in ["CREATE TABLE", "TRUNCATE", "CREATE SOMETHING"] {
        let world = World::new(&["n1", "n2"]);
        world.has_backup("b");
        let mut life = world.start_with_cluster().await;
        world.fleet.facts().behind_after = Some((statement, 2));
        let id = life.restore("b").await;
        let task = life.ended(&id).await;
        assert_eq!(task.state(), TaskState::Succeeded, "{statement}: {task:#?}");
        assert_eq!(world.fleet.facts().behind_after, None, "{statement}");
        world.check_rules();
    }
}
