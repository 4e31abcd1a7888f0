//! Callers that have lost their lease are refused at every call that changes something.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use api::access::{RPCS, Role, Rpc};
use api::client::node_agent_under;
use api::fence::Fences;
use api::level::{AGENT_API_LEVEL, AGENT_API_LEVEL_HEADER};
use api::pb::node_agent as pb;
use api::pb::node_agent::node_agent_server::{NodeAgent, NodeAgentServer};
use api::{RemoteError, fence};
use chassis::{App, CallerRoles};
use model::TaskId;
use tokio::time::{sleep, timeout};
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_prost::ProstCodec;
use uuid::Uuid;

use super::{NodeAgentGrpc, SameLevel};
use crate::agent::Agent;
use crate::testing::FakeNode;

const AGES: Duration = Duration::from_secs(60);

fn fences(task: u64, cluster: u64) -> Fences {
    Fences::of_task(TaskId(Uuid::from_u128(1)), task).and_cluster(Uuid::from_u128(2), cluster)
}

fn of_another_cluster() -> Fences {
    Fences::of_task(TaskId(Uuid::from_u128(3)), 1).and_cluster(Uuid::from_u128(4), 1)
}

fn serve(agent: &Arc<Agent>) -> Channel {
    let service = SameLevel(NodeAgentServer::new(NodeAgentGrpc::new(agent.clone())));
    let (routes, _): (Routes, _) = App::new().service(service).into_parts();
    chassis::in_memory(routes)
}

/// Every call of an agent that changes something, or waits for what another has changed.
fn changing() -> Vec<&'static Rpc> {
    let reads: BTreeSet<&str> = super::level::READS.into_iter().collect();
    let own = RPCS.iter().filter(|rpc| rpc.service.ends_with("NodeAgent"));
    let changing: Vec<&Rpc> = own.filter(|rpc| !reads.contains(rpc.method)).collect();
    assert!(changing.len() > 15, "{changing:?}");
    changing
}

/// How a call without any field ends.
async fn call(channel: &Channel, rpc: &Rpc, fences: &Fences) -> String {
    let mut grpc = tonic::client::Grpc::new(channel.clone());
    grpc.ready().await.unwrap();
    let mut request = Request::new(());
    let metadata = request.metadata_mut();
    metadata.insert(AGENT_API_LEVEL_HEADER, AGENT_API_LEVEL.into());
    if !fences.is_empty() {
        metadata.insert(fence::FENCE_HEADER, fences.to_string().parse().unwrap());
    }
    let path = rpc.path().parse().unwrap();
    let codec = ProstCodec::<(), ()>::default();
    let reply: Result<_, Status> = grpc.server_streaming(request, path, codec).await;
    let status = match reply {
        Ok(messages) => messages.into_inner().message().await.err(),
        Err(status) => Some(status),
    };
    status
        .map(|status| RemoteError::from(status).reason)
        .unwrap_or_default()
}

#[tokio::test]
async fn a_caller_that_has_lost_its_lease_is_refused_at_each_call_that_changes_something() {
    let node = FakeNode::new(1, "4.1.9");
    let control = node.control.clone();
    let FakeNode { agent, root, .. } = node;
    let agent = Arc::new(agent);
    let channel = serve(&agent);
    agent.fences.raise(&fences(2, 20)).await.unwrap();
    control.calls.lock().unwrap().clear();
    for rpc in changing() {
        for (lower, is_refused) in [
            (fences(1, 20), true),
            (fences(2, 19), true),
            (fences(2, 20), false),
            (of_another_cluster(), false),
            (Fences::default(), false),
        ] {
            let reason = call(&channel, rpc, &lower).await;
            let method = rpc.method;
            assert_eq!(reason == "FENCED", is_refused, "{method} {lower}: {reason}");
        }
    }
    let taken = control.calls.lock().unwrap().clone();
    assert!(!taken.iter().any(|call| call == "drain"), "{taken:?}");
    drop(root);
}

#[tokio::test]
async fn a_lower_fence_is_refused_also_once_the_agent_was_started_again() {
    let node = FakeNode::new(1, "4.1.9");
    let FakeNode { agent, root, .. } = node;
    let clear = |agent: &Arc<Agent>, fences: &Fences| {
        let mut client = node_agent_under(serve(agent), fences);
        let tag = "ringkeep-tag".to_owned();
        async move {
            client
                .clear_snapshot(pb::ClearSnapshotRequest { tag })
                .await
        }
    };
    let served = Arc::new(agent);
    clear(&served, &fences(2, 20)).await.unwrap();
    let mut agent = timeout(AGES, stopped(served)).await.expect("it ends");
    agent.fences = crate::fences::SeenFences::new(agent.folders.fences_file());
    let agent = Arc::new(agent);
    for (fences, reason) in [
        (fences(1, 20), "FENCED"),
        (fences(2, 19), "FENCED"),
        (fences(2, 20), ""),
        (of_another_cluster(), ""),
        (fences(3, 21), ""),
    ] {
        let refused = clear(&agent, &fences)
            .await
            .map_err(RemoteError::from)
            .err();
        let refused = refused.map(|error| (error.reason, error.hint.is_some()));
        let expected = (!reason.is_empty()).then(|| (reason.to_owned(), true));
        assert_eq!(refused, expected, "{fences}");
    }
    drop(root);
}

/// The agent, once nothing serves it any more.
async fn stopped(mut served: Arc<Agent>) -> Agent {
    loop {
        match Arc::try_unwrap(served) {
            Ok(agent) => return agent,
            Err(still_served) => served = still_served,
        }
        sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_call_that_is_meant_for_another_node_does_not_fence_this_one() {
    let node = FakeNode::new(1, "4.1.9");
    let FakeNode { agent, root, .. } = node;
    let agent = Arc::new(agent);
    let mut client = node_agent_under(serve(&agent), &fences(9, 90));
    let host_id = FakeNode::host_id(2).to_string();
    let request = pb::StopCassandraRequest {
        host_id,
        restore: "r1".to_owned(),
    };
    let refused = client.stop_cassandra(request).await.unwrap_err();
    assert_eq!(RemoteError::from(refused).reason, "WRONG_NODE");
    agent.fences.check(&fences(1, 10)).await.unwrap();
    drop(root);
}

#[tokio::test]
async fn a_call_whose_caller_loses_its_lease_while_it_waits_for_other_work_does_nothing() {
    let node = FakeNode::new(1, "4.1.9");
    let control = node.control.clone();
    let FakeNode { agent, root, .. } = node;
    let agent = Arc::new(agent);
    control.calls.lock().unwrap().clear();
    let other_work = agent.locks.lock("node").await;
    let mut client = node_agent_under(serve(&agent), &fences(1, 10));
    let host_id = FakeNode::host_id(1).to_string();
    let request = pb::StopCassandraRequest {
        host_id,
        restore: "r1".to_owned(),
    };
    let waiting = tokio::spawn(async move { client.stop_cassandra(request).await });
    let is_waiting = async {
        // Its fences are in force, so it is past all checks but the last.
        while agent.fences.check(&fences(0, 0)).await.is_ok() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(AGES, is_waiting).await.expect("it has begun");
    agent.fences.raise(&fences(2, 11)).await.unwrap();
    drop(other_work);
    let refused = waiting.await.unwrap().unwrap_err();
    assert_eq!(RemoteError::from(refused).reason, "FENCED");
    let calls = control.calls.lock().unwrap().clone();
    assert!(!calls.iter().any(|call| call == "drain"), "{calls:?}");
    drop(root);
}

#[tokio::test]
async fn a_task_runner_must_send_fences_and_what_is_no_fence_is_refused() {
    let node = FakeNode::new(1, "4.1.9");
    let FakeNode { agent, root, .. } = node;
    let grpc = NodeAgentGrpc::new(Arc::new(agent));
    let clear = async |roles: Option<&[Role]>, fences: &str| {
        let tag = "ringkeep-tag".to_owned();
        let mut request = Request::new(pb::ClearSnapshotRequest { tag });
        if let Some(roles) = roles {
            request.extensions_mut().insert(CallerRoles(roles.to_vec()));
        }
        if !fences.is_empty() {
            let fences = fences.parse().unwrap();
            request.metadata_mut().insert(fence::FENCE_HEADER, fences);
        }
        let refused = grpc.clear_snapshot(request).await.err();
        refused.map(|status| RemoteError::from(status).reason)
    };
    let good = fences(1, 10).to_string();
    let runner: &[Role] = &[Role::Agent, Role::Runner];
    for (roles, fences, refused) in [
        (None, "", None),
        (None, good.as_str(), None),
        (Some(runner), good.as_str(), None),
        (Some(runner), "", Some("FENCE_ABSENT")),
        (Some(runner), "7", Some("FENCE_SYNTAX")),
        (None, "task/x=1", Some("FENCE_SYNTAX")),
        (Some(&[Role::OperatorWrite] as &[Role]), "", None),
    ] {
        let reason = clear(roles, fences).await;
        assert_eq!(reason.as_deref(), refused, "{roles:?} {fences}");
    }
    drop(root);
}
