//! Requests to the planner between wire and model.

use model::plan::{
    BackupPlan, BackupRequest, Compatibility, NodeKeys, PlannedNode, Rates, RestoreMode,
    RestoreRequest, UnreachableAgent,
};

use super::node::{nodes_of_one_request, nodes_to_one_request};
use super::{ConversionError, all, all_into, parsed, required, time};
use crate::pb::planner as pb;

mod options;
mod outcome;
mod renames;
mod shown;

pub use renames::{options_of_wire, options_to_wire};

impl From<UnreachableAgent> for pb::UnreachableAgent {
    fn from(agent: UnreachableAgent) -> Self {
        Self {
            agent: agent.agent,
            reason: agent.reason,
        }
    }
}

impl From<pb::UnreachableAgent> for UnreachableAgent {
    fn from(agent: pb::UnreachableAgent) -> Self {
        Self {
            agent: agent.agent,
            reason: agent.reason,
        }
    }
}

impl From<Compatibility> for pb::CheckCompatibilityResponse {
    fn from(compatibility: Compatibility) -> Self {
        Self {
            supported: compatibility.supported,
            findings: all_into(compatibility.findings),
        }
    }
}

impl TryFrom<pb::CheckCompatibilityResponse> for Compatibility {
    type Error = ConversionError;

    fn try_from(answer: pb::CheckCompatibilityResponse) -> Result<Self, ConversionError> {
        Ok(Self {
            supported: answer.supported,
            findings: all(answer.findings)?,
        })
    }
}

impl From<BackupRequest> for pb::PlanBackupRequest {
    fn from(request: BackupRequest) -> Self {
        Self {
            backup: Some(request.backup.into()),
            kind: crate::pb::types::BackupKind::from(request.kind) as i32,
            nodes: nodes_to_one_request(request.nodes),
            selection: Some(request.selection.into()),
            unreachable: all_into(request.unreachable),
            completeness: pb::Completeness::from(request.completeness) as i32,
            schema: Some(request.schema.into()),
        }
    }
}

impl TryFrom<pb::PlanBackupRequest> for BackupRequest {
    type Error = ConversionError;

    fn try_from(request: pb::PlanBackupRequest) -> Result<Self, ConversionError> {
        let kind = request.kind().try_into()?;
        let completeness = request.completeness().into();
        Ok(Self {
            backup: required("backup", request.backup)?.try_into()?,
            kind,
            completeness,
            schema: request.schema.unwrap_or_default().try_into()?,
            nodes: nodes_of_one_request(request.nodes)?,
            unreachable: all_into(request.unreachable),
            // None is the empty one: everything.
            selection: request.selection.unwrap_or_default().try_into()?,
        })
    }
}

impl From<BackupPlan> for pb::PlanBackupResponse {
    fn from(plan: BackupPlan) -> Self {
        Self {
            supported: plan.supported,
            findings: all_into(plan.findings),
            nodes: all_into(plan.nodes),
            steps: all_into(plan.steps),
            missing: all_into(plan.missing),
            held: all_into(plan.coverage),
        }
    }
}

impl TryFrom<pb::PlanBackupResponse> for BackupPlan {
    type Error = ConversionError;

    fn try_from(plan: pb::PlanBackupResponse) -> Result<Self, ConversionError> {
        Ok(Self {
            supported: plan.supported,
            findings: all(plan.findings)?,
            nodes: all(plan.nodes)?,
            steps: all(plan.steps)?,
            missing: all(plan.missing)?,
            coverage: all_into(plan.held),
        })
    }
}

impl From<PlannedNode> for pb::PlannedNode {
    fn from(node: PlannedNode) -> Self {
        Self {
            host_id: node.host_id.to_string(),
            address: node.address,
            agent: node.agent,
        }
    }
}

impl TryFrom<pb::PlannedNode> for PlannedNode {
    type Error = ConversionError;

    fn try_from(node: pb::PlannedNode) -> Result<Self, ConversionError> {
        Ok(Self {
            host_id: parsed("node.host_id", &node.host_id)?,
            address: node.address,
            agent: node.agent,
        })
    }
}

impl From<RestoreMode> for pb::RestoreMode {
    fn from(mode: RestoreMode) -> Self {
        match mode {
            RestoreMode::Online => Self::Online,
            RestoreMode::InPlace => Self::InPlace,
        }
    }
}

impl TryFrom<pb::RestoreMode> for RestoreMode {
    type Error = ConversionError;

    fn try_from(mode: pb::RestoreMode) -> Result<Self, ConversionError> {
        match mode {
            pb::RestoreMode::Online => Ok(Self::Online),
            pb::RestoreMode::InPlace => Ok(Self::InPlace),
            pb::RestoreMode::Unspecified | pb::RestoreMode::Auto => {
                Err(ConversionError::invalid("plan.mode", "is not decided"))
            }
        }
    }
}

impl From<RestoreRequest> for pb::PlanRestoreRequest {
    fn from(request: RestoreRequest) -> Self {
        let (options, renaming) = options_to_wire(request.options);
        Self {
            backup: Some(request.backup.into()),
            target: request.target.into(),
            nodes: nodes_to_one_request(request.nodes),
            unreachable: all_into(request.unreachable),
            schema: Some(request.schema.into()),
            options,
            renaming,
            sstables: all_into(request.sstables),
            target_keys: all_into(request.target_keys),
            verifications: all_into(request.verifications),
            looked_for_missing: request.missing.is_some(),
            missing: all_into(request.missing.unwrap_or_default()),
            now: time(request.now),
            rates: Some(request.rates.into()),
        }
    }
}

impl TryFrom<pb::PlanRestoreRequest> for RestoreRequest {
    type Error = ConversionError;

    fn try_from(request: pb::PlanRestoreRequest) -> Result<Self, ConversionError> {
        Ok(Self {
            backup: required("backup", request.backup)?.try_into()?,
            target: parsed("target", &request.target)?,
            nodes: nodes_of_one_request(request.nodes)?,
            unreachable: all_into(request.unreachable),
            // The schema of a cluster of which no agent replies cannot be read; the plan's finding is better than an error.
            schema: request.schema.unwrap_or_default().try_into()?,
            options: options_of_wire(request.options, request.renaming)?,
            sstables: all(request.sstables)?,
            target_keys: all_into(request.target_keys),
            verifications: all(request.verifications)?,
            missing: request
                .looked_for_missing
                .then(|| all_into(request.missing)),
            now: parsed("now", &request.now)?,
            rates: request.rates.map(Rates::from).unwrap_or_default(),
        })
    }
}

impl From<NodeKeys> for pb::NodeKeys {
    fn from(node: NodeKeys) -> Self {
        Self {
            node: node.node,
            keys: all_into(node.keys),
        }
    }
}

impl From<pb::NodeKeys> for NodeKeys {
    fn from(node: pb::NodeKeys) -> Self {
        Self {
            node: node.node,
            keys: all_into(node.keys),
        }
    }
}

impl From<Rates> for pb::Rates {
    fn from(rates: Rates) -> Self {
        Self {
            download_bytes_per_second: rates.download_bytes_per_second,
            load_bytes_per_second: rates.load_bytes_per_second,
            upgrade_bytes_per_second: rates.upgrade_bytes_per_second,
        }
    }
}

impl From<pb::Rates> for Rates {
    fn from(rates: pb::Rates) -> Self {
        Self {
            download_bytes_per_second: rates.download_bytes_per_second,
            load_bytes_per_second: rates.load_bytes_per_second,
            upgrade_bytes_per_second: rates.upgrade_bytes_per_second,
        }
    }
}

#[cfg(test)]
mod tests;
