//! Registering clusters.

use api::ErrorKind;
use api::pb::task_runner as pb;

use crate::fleet::Fault;
use crate::world::World;

fn names(nodes: &[&str]) -> Vec<String> {
    nodes.iter().map(|node| (*node).to_owned()).collect()
}

#[tokio::test]
async fn a_cluster_is_registered_and_described() {
    let world = World::new(&["n1", "n2"]);
    let mut life = world.start().await;
    life.add_cluster(&world.fleet.nodes).await.expect("added");
    life.add_cluster(&world.fleet.nodes)
        .await
        .expect("again is fine");
    let listed = life.client.list_clusters(pb::ListClustersRequest {}).await;
    let listed = listed.expect("a list").into_inner().clusters;
    assert_eq!(listed.len(), 1);
    world.fleet.fail("describe n2", &[Fault::Unavailable]);
    let request = pb::GetClusterRequest {
        name: "shop".into(),
    };
    let shown = life
        .client
        .get_cluster(request)
        .await
        .expect("shown")
        .into_inner();
    assert_eq!(shown.nodes.len(), 1);
    assert_eq!(
        shown.nodes[0].agent, "n1:7401",
        "by the address that was asked"
    );
    assert_eq!(shown.unreachable[0].agent, "n2:7401");
}

#[tokio::test]
async fn agents_that_make_no_cluster_are_refused_with_all_reasons() {
    let world = World::new(&["n1", "n2"]);
    let mut life = world.start().await;
    let error = life
        .add_cluster(&names(&["n1", "n1", "n9"]))
        .await
        .expect_err("refused");
    assert_eq!(
        (error.kind, error.reason.as_str()),
        (ErrorKind::FailedPrecondition, "CLUSTER_REFUSED")
    );
    for part in [
        "agent n1:7401 is named twice",
        "agent n9:7401 does not describe its node",
        "stand beside the same node",
    ] {
        assert!(error.message.contains(part), "{part} in {}", error.message);
    }
    let error = life
        .add_cluster(&names(&["n8", "n9"]))
        .await
        .expect_err("refused");
    assert_eq!(
        (error.kind, error.reason.as_str()),
        (ErrorKind::Unavailable, "AGENTS_UNREACHABLE")
    );
    let listed = life.client.list_clusters(pb::ListClustersRequest {}).await;
    assert!(listed.expect("a list").into_inner().clusters.is_empty());
}

#[tokio::test]
async fn agents_that_would_be_called_in_the_clear_are_refused_before_any_is_called() {
    let world = World::new(&["n1"]);
    let mut life = world.start().await;
    let request = pb::AddClusterRequest {
        name: "shop".into(),
        agents: vec!["n1:7401".into(), "http://n2:7401".into()],
        find_agents: false,
    };
    let error = life.client.add_cluster(request).await.expect_err("refused");
    let error = api::RemoteError::from(error);
    assert_eq!(
        (error.kind, error.reason.as_str()),
        (ErrorKind::InvalidArgument, "AGENTS_WITHOUT_TLS")
    );
    assert!(error.message.contains("http://n2:7401"), "{error:?}");
    assert!(!error.message.contains("n1:7401"), "{error:?}");
    assert!(error.hint.expect("a hint").contains("https://"));
}

#[tokio::test]
async fn agents_of_another_level_are_refused_with_what_to_upgrade() {
    let world = World::new(&["n1", "n2"]);
    let mut life = world.start().await;
    world.fleet.facts().api_level = 0;
    let error = life.add_cluster(&names(&["n1", "n2"])).await;
    let message = error.expect_err("refused").message;
    for part in [
        "n2:7401",
        "the level of its calls is 0",
        "upgrade this agent",
    ] {
        assert!(message.contains(part), "{part} in {message}");
    }
}

#[tokio::test]
async fn a_name_that_is_taken_by_other_agents_is_refused() {
    let world = World::new(&["n1", "n2"]);
    let mut life = world.start().await;
    life.add_cluster(&world.fleet.nodes).await.expect("added");
    let error = life.add_cluster(&names(&["n1"])).await.expect_err("others");
    assert_eq!(
        (error.kind, error.reason.as_str()),
        (ErrorKind::AlreadyExists, "CLUSTER_EXISTS")
    );
    assert!(error.hint.expect("a hint").contains("cluster remove"));
}

#[tokio::test]
async fn agents_of_the_other_members_are_found_by_the_ring() {
    let world = World::new(&["n1", "n2", "n3"]);
    let mut life = world.start().await;
    let find = |agents: &[&str]| pb::AddClusterRequest {
        name: "shop".into(),
        agents: names(agents),
        find_agents: true,
    };
    world.fleet.fail("describe n3", &[Fault::Unavailable]);
    let error = life.client.add_cluster(find(&["n2:7401"])).await;
    let error = api::RemoteError::from(error.expect_err("one does not reply"));
    assert_eq!(error.reason, "CLUSTER_REFUSED");
    assert!(error.message.contains("agent n3:7401"), "{error:?}");
    for _ in 0..2 {
        let added = life.client.add_cluster(find(&["n2:7401"])).await;
        let cluster = added.expect("added").into_inner().cluster;
        let mut agents = cluster.expect("a cluster").agents;
        agents.sort();
        assert_eq!(agents, ["n1:7401", "n2:7401", "n3:7401"]);
    }
}

#[tokio::test]
async fn one_ring_is_not_registered_under_two_names() {
    let world = World::new(&["n1", "n2"]);
    let mut life = world.start().await;
    life.add_cluster(&world.fleet.nodes).await.expect("added");
    let request = pb::AddClusterRequest {
        name: "shop-again".into(),
        agents: vec!["n1:7401".into(), "n2:7401".into()],
        find_agents: false,
    };
    let error = life.client.add_cluster(request).await.expect_err("twice");
    let error = api::RemoteError::from(error);
    assert_eq!(error.kind, ErrorKind::FailedPrecondition);
    assert!(
        error.message.contains("`shop` already"),
        "{}",
        error.message
    );
}

#[tokio::test]
async fn a_cluster_is_forgotten_only_while_no_task_works_on_it() {
    let world = World::new(&["n1"]);
    let mut life = world.start_with_cluster().await;
    world.fleet.fail("upload n1", &[Fault::Hang]);
    let id = life.backup("b").await;
    let request = pb::RemoveClusterRequest {
        name: "shop".into(),
    };
    let error = life
        .client
        .remove_cluster(request.clone())
        .await
        .expect_err("busy");
    let error = api::RemoteError::from(error);
    assert_eq!(error.reason, "CLUSTER_BUSY");
    assert!(error.message.contains(&id), "{}", error.message);
    life.cancel(&id).await.expect("cancelled");
    life.ended(&id).await;
    life.client
        .remove_cluster(request.clone())
        .await
        .expect("free");
    let error = life.client.remove_cluster(request).await.expect_err("gone");
    assert_eq!(api::RemoteError::from(error).reason, "CLUSTER_NOT_FOUND");
}
