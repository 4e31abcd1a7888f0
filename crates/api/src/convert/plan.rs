//! Plans, and what is asked of the planner, between wire and model.

use plan::{
    BackupPlan, BackupRequest, Compatibility, NodePlan, PlanStep, RequestedMode, RestoreMode,
    RestorePlan, RestoreRequest, TableAction, TablePlan, UnreachableAgent,
};

use super::{ConversionError, all, all_into, parsed, required};
use crate::pb::planner as pb;

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
            nodes: all_into(request.nodes),
            selection: Some(request.selection.into()),
            unreachable: all_into(request.unreachable),
        }
    }
}

impl TryFrom<pb::PlanBackupRequest> for BackupRequest {
    type Error = ConversionError;

    fn try_from(request: pb::PlanBackupRequest) -> Result<Self, ConversionError> {
        let kind = request.kind().try_into()?;
        Ok(Self {
            backup: required("backup", request.backup)?.try_into()?,
            kind,
            nodes: all(request.nodes)?,
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
            tables: all_into(plan.tables),
        }
    }
}

impl TryFrom<pb::PlanBackupResponse> for BackupPlan {
    type Error = ConversionError;

    fn try_from(plan: pb::PlanBackupResponse) -> Result<Self, ConversionError> {
        Ok(Self {
            supported: plan.supported,
            findings: all(plan.findings)?,
            tables: all(plan.tables)?,
        })
    }
}

impl From<RequestedMode> for pb::RestoreMode {
    fn from(mode: RequestedMode) -> Self {
        match mode {
            RequestedMode::Auto => Self::Auto,
            RequestedMode::Online => Self::Online,
            RequestedMode::InPlace => Self::InPlace,
        }
    }
}

impl From<pb::RestoreMode> for RequestedMode {
    fn from(mode: pb::RestoreMode) -> Self {
        match mode {
            pb::RestoreMode::Unspecified | pb::RestoreMode::Auto => Self::Auto,
            pb::RestoreMode::Online => Self::Online,
            pb::RestoreMode::InPlace => Self::InPlace,
        }
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
        Self {
            backup: Some(request.backup.into()),
            target: request.target.into(),
            nodes: all_into(request.nodes),
            unreachable: all_into(request.unreachable),
            schema: Some(request.schema.into()),
            selection: Some(request.selection.into()),
            mode: pb::RestoreMode::from(request.mode) as i32,
            allow_unlisted_version: request.allow_unlisted_version,
        }
    }
}

impl TryFrom<pb::PlanRestoreRequest> for RestoreRequest {
    type Error = ConversionError;

    fn try_from(request: pb::PlanRestoreRequest) -> Result<Self, ConversionError> {
        let mode = request.mode().into();
        Ok(Self {
            backup: required("backup", request.backup)?.try_into()?,
            target: parsed("target", &request.target)?,
            nodes: all(request.nodes)?,
            unreachable: all_into(request.unreachable),
            // Nobody can read the schema of a cluster of which no agent answers; the plan says so better than an error.
            schema: request.schema.unwrap_or_default().try_into()?,
            // None is the empty one: everything.
            selection: request.selection.unwrap_or_default().try_into()?,
            mode,
            allow_unlisted_version: request.allow_unlisted_version,
        })
    }
}

impl From<RestorePlan> for pb::RestorePlan {
    fn from(plan: RestorePlan) -> Self {
        Self {
            backup: Some(plan.backup.into()),
            target: plan.target.into(),
            mode: pb::RestoreMode::from(plan.mode) as i32,
            supported: plan.supported,
            findings: all_into(plan.findings),
            nodes: all_into(plan.nodes),
            steps: all_into(plan.steps),
            tables: all_into(plan.tables),
            target_schema_version: plan.target_schema_version,
            target_ring: plan.target_ring,
        }
    }
}

impl TryFrom<pb::RestorePlan> for RestorePlan {
    type Error = ConversionError;

    fn try_from(plan: pb::RestorePlan) -> Result<Self, ConversionError> {
        let mode = plan.mode().try_into()?;
        Ok(Self {
            backup: required("plan.backup", plan.backup)?.try_into()?,
            target: parsed("plan.target", &plan.target)?,
            mode,
            supported: plan.supported,
            findings: all(plan.findings)?,
            nodes: all(plan.nodes)?,
            steps: all(plan.steps)?,
            tables: all(plan.tables)?,
            target_schema_version: plan.target_schema_version,
            target_ring: plan.target_ring,
        })
    }
}

impl From<NodePlan> for pb::NodePlan {
    fn from(node: NodePlan) -> Self {
        Self {
            node: node.node,
            agent: node.agent,
            host_id: node.host_id.to_string(),
            sources: node.sources.iter().map(ToString::to_string).collect(),
            download_bytes: node.download_bytes,
            disk_bytes_needed: node.disk_bytes_needed,
            sstables: node.sstables,
            sliced_sstables: node.sliced_sstables,
        }
    }
}

impl TryFrom<pb::NodePlan> for NodePlan {
    type Error = ConversionError;

    fn try_from(node: pb::NodePlan) -> Result<Self, ConversionError> {
        let sources = node
            .sources
            .iter()
            .map(|source| parsed("node.sources", source));
        Ok(Self {
            host_id: parsed("node.host_id", &node.host_id)?,
            sources: sources.collect::<Result<_, _>>()?,
            node: node.node,
            agent: node.agent,
            download_bytes: node.download_bytes,
            disk_bytes_needed: node.disk_bytes_needed,
            sstables: node.sstables,
            sliced_sstables: node.sliced_sstables,
        })
    }
}

impl From<TablePlan> for pb::TablePlan {
    fn from(table: TablePlan) -> Self {
        let action = match table.action {
            TableAction::Create => pb::TableAction::Create,
            TableAction::Truncate => pb::TableAction::Truncate,
            TableAction::Recreate => pb::TableAction::Recreate,
            TableAction::RebuildView => pb::TableAction::RebuildView,
            TableAction::Swap => pb::TableAction::Swap,
        };
        Self {
            table: Some(table.table.into()),
            source_id: table.source_id.to_string(),
            target_id: table.target_id.to_string(),
            action: action as i32,
        }
    }
}

impl TryFrom<pb::TablePlan> for TablePlan {
    type Error = ConversionError;

    fn try_from(table: pb::TablePlan) -> Result<Self, ConversionError> {
        let action = table.action().try_into()?;
        Ok(Self {
            table: required("table.table", table.table)?.try_into()?,
            source_id: parsed("table.source_id", &table.source_id)?,
            target_id: parsed("table.target_id", &table.target_id)?,
            action,
        })
    }
}

impl TryFrom<pb::TableAction> for TableAction {
    type Error = ConversionError;

    fn try_from(action: pb::TableAction) -> Result<Self, ConversionError> {
        match action {
            pb::TableAction::Create => Ok(Self::Create),
            pb::TableAction::Truncate => Ok(Self::Truncate),
            pb::TableAction::Recreate => Ok(Self::Recreate),
            pb::TableAction::RebuildView => Ok(Self::RebuildView),
            pb::TableAction::Swap => Ok(Self::Swap),
            pb::TableAction::Unspecified => Err(ConversionError::missing("table.action")),
        }
    }
}

impl From<PlanStep> for pb::PlanStep {
    fn from(step: PlanStep) -> Self {
        Self {
            id: step.id,
            kind: step.kind.to_string(),
            node: step.node,
            after: step.after,
            cql: step.cql,
        }
    }
}

impl TryFrom<pb::PlanStep> for PlanStep {
    type Error = ConversionError;

    fn try_from(step: pb::PlanStep) -> Result<Self, ConversionError> {
        Ok(Self {
            kind: parsed("step.kind", &step.kind)?,
            id: step.id,
            node: step.node,
            after: step.after,
            cql: step.cql,
        })
    }
}

#[cfg(test)]
mod tests;
