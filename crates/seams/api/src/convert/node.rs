//! Nodes and rings between wire and model.

use std::collections::HashMap;
use std::sync::Arc;

use model::{
    DataDirectory, MemberVersion, NodeDescription, NodeFeatures, PeerView, RingMember,
    TableDescription,
};

use super::{ConversionError, all, all_into, parsed, required};
use crate::pb::types as pb;

impl From<RingMember> for pb::RingMember {
    fn from(member: RingMember) -> Self {
        Self {
            host_id: member.host_id.to_string(),
            address: member.address,
            datacenter: member.datacenter,
            rack: member.rack,
            tokens: member.tokens,
        }
    }
}

impl TryFrom<pb::RingMember> for RingMember {
    type Error = ConversionError;

    fn try_from(member: pb::RingMember) -> Result<Self, ConversionError> {
        Ok(Self {
            host_id: parsed("member.host_id", &member.host_id)?,
            address: member.address,
            datacenter: member.datacenter,
            rack: member.rack,
            tokens: member.tokens,
        })
    }
}

impl From<TableDescription> for pb::TableDescription {
    fn from(table: TableDescription) -> Self {
        Self {
            table: Some(table.table.into()),
            id: table.id.to_string(),
            view: table.view_of.is_some(),
            base_table: table.view_of.unwrap_or_default(),
            live_bytes: table.live_bytes,
            formats: table.formats,
            compaction_class: table.compaction_class,
        }
    }
}

impl TryFrom<pb::TableDescription> for TableDescription {
    type Error = ConversionError;

    fn try_from(table: pb::TableDescription) -> Result<Self, ConversionError> {
        Ok(Self {
            table: required("table.table", table.table)?.try_into()?,
            id: parsed("table.id", &table.id)?,
            view_of: table.view.then_some(table.base_table),
            live_bytes: table.live_bytes,
            formats: table.formats,
            compaction_class: table.compaction_class,
        })
    }
}

impl From<DataDirectory> for pb::DataDirectory {
    fn from(directory: DataDirectory) -> Self {
        Self {
            path: directory.path,
            free_bytes: directory.free_bytes,
            total_bytes: directory.total_bytes,
        }
    }
}

impl From<pb::DataDirectory> for DataDirectory {
    fn from(directory: pb::DataDirectory) -> Self {
        Self {
            path: directory.path,
            free_bytes: directory.free_bytes,
            total_bytes: directory.total_bytes,
        }
    }
}

impl From<NodeFeatures> for pb::NodeFeatures {
    fn from(features: NodeFeatures) -> Self {
        Self {
            materialized_views: features.materialized_views,
            user_defined_functions: features.user_defined_functions,
            sasi_indexes: features.sasi_indexes,
            time_sstable_ids: features.time_sstable_ids,
        }
    }
}

impl From<pb::NodeFeatures> for NodeFeatures {
    fn from(features: pb::NodeFeatures) -> Self {
        Self {
            materialized_views: features.materialized_views,
            user_defined_functions: features.user_defined_functions,
            sasi_indexes: features.sasi_indexes,
            time_sstable_ids: features.time_sstable_ids,
        }
    }
}

impl From<NodeDescription> for pb::NodeDescription {
    fn from(node: NodeDescription) -> Self {
        Self {
            agent: node.agent,
            cluster_name: node.cluster_name,
            release: Some(node.release.into()),
            member: Some(node.member.into()),
            ring: all_into(node.ring.iter().cloned()),
            ring_as: String::new(),
            partitioner: node.partitioner,
            schema_version: node.schema_version,
            schema_versions: node.schema_versions,
            tables: all_into(node.tables),
            data_directories: all_into(node.data_directories),
            can_restart: node.can_restart,
            readable_formats: node.readable_formats,
            written_format: node.written_format,
            storage_compatibility_mode: node.storage_compatibility_mode,
            features: Some(node.features.into()),
            unhealthy: node.unhealthy,
            setup: Some(node.setup.into()),
            dissenting: all_into(node.peers.dissenting),
            ghosts: texts(&node.peers.ghosts),
            recognition: Some(node.recognition.into()),
        }
    }
}

fn texts<T: ToString>(items: &[T]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

impl From<MemberVersion> for pb::MemberVersion {
    fn from(member: MemberVersion) -> Self {
        Self {
            host_id: member.host_id.to_string(),
            version: member.version,
        }
    }
}

impl TryFrom<pb::MemberVersion> for MemberVersion {
    type Error = ConversionError;

    fn try_from(member: pb::MemberVersion) -> Result<Self, ConversionError> {
        Ok(Self {
            host_id: parsed("dissenting.host_id", &member.host_id)?,
            version: member.version,
        })
    }
}

impl TryFrom<pb::NodeDescription> for NodeDescription {
    type Error = ConversionError;

    fn try_from(node: pb::NodeDescription) -> Result<Self, ConversionError> {
        Ok(Self {
            agent: node.agent,
            cluster_name: node.cluster_name,
            release: required("node.release", node.release)?.try_into()?,
            member: required("node.member", node.member)?.try_into()?,
            ring: Arc::new(all(node.ring)?),
            partitioner: node.partitioner,
            schema_version: node.schema_version,
            schema_versions: node.schema_versions,
            tables: all(node.tables)?,
            data_directories: all_into(node.data_directories),
            can_restart: node.can_restart,
            readable_formats: node.readable_formats,
            written_format: node.written_format,
            storage_compatibility_mode: node.storage_compatibility_mode,
            features: node.features.map(NodeFeatures::from).unwrap_or_default(),
            unhealthy: node.unhealthy,
            setup: node.setup.unwrap_or_default().into(),
            peers: PeerView {
                dissenting: all(node.dissenting)?,
                ghosts: node
                    .ghosts
                    .iter()
                    .map(|host_id| parsed("node.ghosts", host_id))
                    .collect::<Result<_, _>>()?,
            },
            recognition: node.recognition.unwrap_or_default().into(),
        })
    }
}

/// Nodes of one request, in which those that see the same ring as another name that other one instead.
pub(super) fn nodes_of_one_request(
    nodes: Vec<pb::NodeDescription>,
) -> Result<Vec<NodeDescription>, ConversionError> {
    let named: Vec<String> = nodes.iter().map(|node| node.ring_as.clone()).collect();
    let mut nodes: Vec<NodeDescription> = all(nodes)?;
    let rings: HashMap<String, Arc<Vec<RingMember>>> = nodes
        .iter()
        .zip(&named)
        .filter(|(_, named)| named.is_empty())
        .map(|(node, _)| (node.member.host_id.to_string(), node.ring.clone()))
        .collect();
    for (node, named) in nodes.iter_mut().zip(named) {
        if !named.is_empty() {
            let ring = rings.get(&named).ok_or_else(|| {
                ConversionError::invalid("node.ring_as", format!("no node {named} has a ring"))
            })?;
            node.ring = ring.clone();
        }
    }
    Ok(nodes)
}

/// Nodes for one request, in which those that share a ring with another name that other one instead: rings are the largest part
/// of a request, and the nodes of a healthy cluster all see the same one.
pub(super) fn nodes_to_one_request(nodes: Vec<NodeDescription>) -> Vec<pb::NodeDescription> {
    let mut first_of: HashMap<*const Vec<RingMember>, String> = HashMap::new();
    let mut wire = Vec::with_capacity(nodes.len());
    // All rings are alive until the end, so no two have one address.
    for node in &nodes {
        let ring = Arc::as_ptr(&node.ring);
        let first = first_of.get(&ring).cloned();
        let mut alone = node.clone();
        match &first {
            Some(_) => alone.ring = Arc::default(),
            None => {
                first_of.insert(ring, node.member.host_id.to_string());
            }
        }
        let mut message = pb::NodeDescription::from(alone);
        message.ring_as = first.unwrap_or_default();
        wire.push(message);
    }
    wire
}

#[cfg(test)]
mod tests;
