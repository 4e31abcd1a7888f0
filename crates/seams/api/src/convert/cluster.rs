//! Registered clusters between wire and model.

use model::{Cluster, ClusterNode, ClusterState};

use super::{ConversionError, all, all_into, parsed, required};
use crate::pb::task_runner as pb;
use crate::pb::types::NodeDescription;

impl From<Cluster> for pb::Cluster {
    fn from(cluster: Cluster) -> Self {
        Self {
            name: cluster.name.into(),
            agents: cluster.agents,
        }
    }
}

impl TryFrom<pb::Cluster> for Cluster {
    type Error = ConversionError;

    fn try_from(cluster: pb::Cluster) -> Result<Self, ConversionError> {
        Ok(Self {
            name: parsed("cluster.name", &cluster.name)?,
            agents: cluster.agents,
        })
    }
}

impl TryFrom<pb::GetClusterResponse> for ClusterState {
    type Error = ConversionError;

    fn try_from(response: pb::GetClusterResponse) -> Result<Self, ConversionError> {
        Ok(Self {
            cluster: required("cluster", response.cluster)?.try_into()?,
            nodes: all(response.nodes)?,
            unreachable: all_into(response.unreachable),
        })
    }
}

impl TryFrom<NodeDescription> for ClusterNode {
    type Error = ConversionError;

    fn try_from(node: NodeDescription) -> Result<Self, ConversionError> {
        let directories = node.data_directories.iter();
        Ok(Self {
            agent: node.agent,
            member: required("node.member", node.member)?.try_into()?,
            cluster_name: node.cluster_name,
            release: node.release.and_then(|release| release.try_into().ok()),
            recognition: node.recognition.unwrap_or_default().into(),
            unhealthy: node.unhealthy,
            tables: node.tables.len() as u64,
            live_bytes: node.tables.iter().map(|table| table.live_bytes).sum(),
            free_bytes: directories.map(|directory| directory.free_bytes).sum(),
            can_restart: node.can_restart,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_survives_the_wire() {
        let cluster = Cluster {
            name: "prod".parse().expect("a name"),
            agents: vec!["10.0.0.1:7401".into()],
        };
        let wire = pb::Cluster::from(cluster.clone());
        assert_eq!(Cluster::try_from(wire), Ok(cluster));
    }

    #[test]
    fn a_cluster_that_is_missing_is_refused() {
        let empty = pb::GetClusterResponse::default();
        let error = ClusterState::try_from(empty).expect_err("no cluster");
        assert_eq!(error.field, "cluster");
    }
}
