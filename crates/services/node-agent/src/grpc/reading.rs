//! Calls that only read: the node, its schema, its keys, and what tasks have left on it.

use std::net::SocketAddr;

use api::convert::{all_into, required};
use api::level::AGENT_API_LEVEL;
use api::pb::node_agent as pb;
use api::status;
use cassandra_node::{keys, schema};
use tonic::{Response, Status};

use super::call::Reply;
use crate::agent::Agent;
use crate::error::AgentError;
use crate::{describe, leftovers, meant};

/// `address` is the one that the caller has reached.
pub(super) async fn describe(
    agent: &Agent,
    address: Option<SocketAddr>,
) -> Reply<pb::DescribeResponse> {
    let mut node = describe::describe(agent).await.map_err(status)?;
    node.agent = address
        .map(|address| address.to_string())
        .unwrap_or_default();
    Ok(Response::new(pb::DescribeResponse {
        node: Some(node.into()),
        api_level: AGENT_API_LEVEL,
    }))
}

pub(super) async fn get_schema(
    agent: &Agent,
    request: pb::GetSchemaRequest,
) -> Reply<pb::GetSchemaResponse> {
    let schema = schema::read(&agent.node, &request.keyspaces)
        .await
        .map_err(agent_status)?;
    Ok(Response::new(pb::GetSchemaResponse {
        schema: Some(schema.into()),
    }))
}

pub(super) async fn fingerprint_keys(
    agent: &Agent,
    request: pb::FingerprintKeysRequest,
) -> Reply<pb::FingerprintKeysResponse> {
    let backup = required("backup", request.backup)
        .and_then(TryInto::try_into)
        .map_err(status)?;
    let keys = keys::fingerprints(&agent.node, &backup, request.names)
        .await
        .map_err(agent_status)?;
    Ok(Response::new(pb::FingerprintKeysResponse {
        keys: all_into(keys),
    }))
}

pub(super) async fn list_leftovers(agent: &Agent) -> Reply<pb::ListLeftoversResponse> {
    let host_id = meant::own(agent).await.map_err(status)?;
    let found = leftovers::list(agent).await.map_err(agent_status)?;
    Ok(Response::new(pb::ListLeftoversResponse {
        host_id: host_id.to_string(),
        leftovers: all_into(found),
    }))
}

fn agent_status(error: impl Into<AgentError>) -> Status {
    status(error.into())
}
