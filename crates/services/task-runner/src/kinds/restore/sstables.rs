//! What a plan needs to know of the backup's SSTables, and of the keys that they need on the target.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use model::manifest::NodeSstables;
use model::plan::NodeKeys;
use model::{BackupRef, NodeDescription, Selection};

use crate::context::Context;
use crate::error::RunnerError;

pub(super) async fn gather(
    context: &Context,
    backup: &BackupRef,
    selection: &Selection,
    nodes: &[NodeDescription],
) -> Result<(Vec<NodeSstables>, Vec<NodeKeys>), RunnerError> {
    let sstables = context.catalog.list_sstables(backup, selection).await;
    let sstables = sstables.map_err(RunnerError::remote("storage-catalog"))?;
    let keys = sstables.iter().flat_map(|node| &node.keys);
    let names: BTreeSet<String> = keys.map(|key| key.name.clone()).collect();
    if names.is_empty() {
        return Ok((sstables, Vec::new()));
    }
    let names: Vec<String> = names.into_iter().collect();
    let each = nodes
        .iter()
        .map(|node| fingerprints(context, node, backup, &names));
    Ok((sstables, try_join_all(each).await?))
}

async fn fingerprints(
    context: &Context,
    node: &NodeDescription,
    backup: &BackupRef,
    names: &[String],
) -> Result<NodeKeys, RunnerError> {
    let agent = context
        .agent(&node.agent)
        .map_err(|source| RunnerError::Connect {
            address: node.agent.clone(),
            source,
        })?;
    let keys = agent.fingerprint_keys(backup, names).await;
    Ok(NodeKeys {
        node: node.member.address.clone(),
        keys: keys.map_err(RunnerError::remote("node-agent"))?,
    })
}
