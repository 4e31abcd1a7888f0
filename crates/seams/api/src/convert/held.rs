//! What a backup is made without, between wire and model.

use model::manifest::MissingNode;
use model::plan::KeyspaceCoverage;

use super::{ConversionError, parsed};
use crate::pb::types as pb;

impl From<MissingNode> for pb::MissingNode {
    fn from(node: MissingNode) -> Self {
        Self {
            host_id: node.host_id.to_string(),
            address: node.address,
            reason: node.reason,
        }
    }
}

impl TryFrom<pb::MissingNode> for MissingNode {
    type Error = ConversionError;

    fn try_from(node: pb::MissingNode) -> Result<Self, ConversionError> {
        Ok(Self {
            host_id: parsed("missing.host_id", &node.host_id)?,
            address: node.address,
            reason: node.reason,
        })
    }
}

impl From<KeyspaceCoverage> for pb::HeldReplicas {
    fn from(coverage: KeyspaceCoverage) -> Self {
        Self {
            keyspace: coverage.keyspace,
            datacenter: coverage.datacenter,
            replicas: coverage.replicas,
            held_ppm: coverage.held_ppm,
        }
    }
}

impl From<pb::HeldReplicas> for KeyspaceCoverage {
    fn from(held: pb::HeldReplicas) -> Self {
        Self {
            keyspace: held.keyspace,
            datacenter: held.datacenter,
            replicas: held.replicas,
            held_ppm: held.held_ppm,
        }
    }
}
