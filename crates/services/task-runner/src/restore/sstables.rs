//! What a plan needs to know of the backup's SSTables, and of the keys that they need on the target.

use std::collections::{BTreeMap, BTreeSet};

use api::convert::required;
use api::pb::node_agent::FingerprintKeysRequest;
use api::pb::planner::NodeKeys;
use api::pb::storage_catalog::{Backup, ListSstablesRequest, NodeSstables};
use api::pb::types::{BackupRef, NodeDescription, Selection};
use futures::future::try_join_all;

use crate::describe::member;
use crate::error::RunnerError;
use crate::services::{CATALOG_DEADLINE, DESCRIBE_DEADLINE, Services, within};

pub(super) async fn gather(
    services: &Services,
    backup: &Backup,
    selection: &Selection,
    nodes: &[NodeDescription],
) -> Result<(Vec<NodeSstables>, Vec<NodeKeys>), RunnerError> {
    let summary = required("backup.summary", backup.summary.clone())?;
    let backup = required("summary.backup", summary.backup)?;
    let sstables = list(services, &backup, selection).await?;
    let names: BTreeSet<&str> = sstables
        .iter()
        .flat_map(|node| &node.keys)
        .map(|key| key.name.as_str())
        .collect();
    if names.is_empty() {
        return Ok((sstables, Vec::new()));
    }
    let request = FingerprintKeysRequest {
        backup: Some(backup),
        names: names.into_iter().map(str::to_owned).collect(),
    };
    let keys = try_join_all(
        nodes
            .iter()
            .map(|node| fingerprints(services, node, request.clone())),
    )
    .await?;
    Ok((sstables, keys))
}

async fn list(
    services: &Services,
    backup: &BackupRef,
    selection: &Selection,
) -> Result<Vec<NodeSstables>, RunnerError> {
    let request = ListSstablesRequest {
        backup: Some(backup.clone()),
        selection: Some(selection.clone()),
    };
    let mut catalog = services.catalog();
    let mut stream = within(CATALOG_DEADLINE, catalog.list_sstables(request))
        .await
        .map_err(RunnerError::remote("storage-catalog"))?;
    // By host id: a node that came twice would count twice.
    let mut nodes = BTreeMap::new();
    while let Some(message) = stream
        .message()
        .await
        .map_err(|status| RunnerError::remote("storage-catalog")(status.into()))?
    {
        let node = required("node", message.node)?;
        nodes.insert(node.host_id.clone(), node);
    }
    Ok(nodes.into_values().collect())
}

async fn fingerprints(
    services: &Services,
    node: &NodeDescription,
    request: FingerprintKeysRequest,
) -> Result<NodeKeys, RunnerError> {
    let mut agent = services
        .agent(&node.agent)
        .map_err(|source| RunnerError::Connect {
            address: node.agent.clone(),
            source,
        })?;
    let answer = within(DESCRIBE_DEADLINE, agent.fingerprint_keys(request))
        .await
        .map_err(RunnerError::remote("node-agent"))?;
    Ok(NodeKeys {
        node: member(node).address,
        keys: answer.keys,
    })
}
