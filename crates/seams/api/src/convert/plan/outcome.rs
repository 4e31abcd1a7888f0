//! Plans of restores between wire and model.

use model::plan::{
    KeyspaceCoverage, NodePlan, PlanStep, RestorePlan, SchemaChange, SchemaRewrite, TableAction,
    TablePlan, TrialTable,
};

use crate::convert::{ConversionError, all, all_into, parsed, required};
use crate::pb::planner as pb;
use crate::pb::types as types_pb;

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
            coverage: all_into(plan.coverage),
            schema_changes: all_into(plan.schema_changes),
            rewrites: all_into(plan.rewrites),
            trials: all_into(plan.trials),
            seconds: plan.seconds,
            number: plan.number,
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
            coverage: all_into(plan.coverage),
            schema_changes: all_into(plan.schema_changes),
            rewrites: all_into(plan.rewrites),
            trials: all(plan.trials)?,
            seconds: plan.seconds,
            number: plan.number,
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
            shares: all_into(node.shares),
            requests: node.requests,
            seconds: node.seconds,
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
            shares: all(node.shares)?,
            requests: node.requests,
            seconds: node.seconds,
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
            source: table.source.map(Into::into),
            source_id: table.source_id.to_string(),
            target_id: table.target_id.to_string(),
            action: action as i32,
            missing: table.missing,
            bytes: table.bytes,
        }
    }
}

impl TryFrom<pb::TablePlan> for TablePlan {
    type Error = ConversionError;

    fn try_from(table: pb::TablePlan) -> Result<Self, ConversionError> {
        let action = table.action().try_into()?;
        Ok(Self {
            table: required("table.table", table.table)?.try_into()?,
            source: table.source.map(TryInto::try_into).transpose()?,
            source_id: parsed("table.source_id", &table.source_id)?,
            target_id: parsed("table.target_id", &table.target_id)?,
            action,
            missing: table.missing,
            bytes: table.bytes,
        })
    }
}

impl From<TrialTable> for types_pb::TrialTable {
    fn from(table: TrialTable) -> Self {
        Self {
            table: Some(table.table.into()),
            target_id: table.target_id.to_string(),
            trial: Some(table.trial.into()),
        }
    }
}

impl TryFrom<types_pb::TrialTable> for TrialTable {
    type Error = ConversionError;

    fn try_from(table: types_pb::TrialTable) -> Result<Self, ConversionError> {
        Ok(Self {
            table: required("trial.table", table.table)?.try_into()?,
            target_id: parsed("trial.target_id", &table.target_id)?,
            trial: required("trial.trial", table.trial)?.try_into()?,
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

impl From<KeyspaceCoverage> for pb::KeyspaceCoverage {
    fn from(coverage: KeyspaceCoverage) -> Self {
        Self {
            keyspace: coverage.keyspace,
            datacenter: coverage.datacenter,
            replicas: coverage.replicas,
            held_ppm: coverage.held_ppm,
        }
    }
}

impl From<pb::KeyspaceCoverage> for KeyspaceCoverage {
    fn from(coverage: pb::KeyspaceCoverage) -> Self {
        Self {
            keyspace: coverage.keyspace,
            datacenter: coverage.datacenter,
            replicas: coverage.replicas,
            held_ppm: coverage.held_ppm,
        }
    }
}

impl From<SchemaChange> for pb::SchemaChange {
    fn from(change: SchemaChange) -> Self {
        Self {
            subject: change.subject,
            what: change.what,
            forward_cql: change.forward_cql,
        }
    }
}

impl From<pb::SchemaChange> for SchemaChange {
    fn from(change: pb::SchemaChange) -> Self {
        Self {
            subject: change.subject,
            what: change.what,
            forward_cql: change.forward_cql,
        }
    }
}

impl From<SchemaRewrite> for pb::SchemaRewrite {
    fn from(rewrite: SchemaRewrite) -> Self {
        Self {
            subject: rewrite.subject,
            what: rewrite.what,
            applied: rewrite.applied,
        }
    }
}

impl From<pb::SchemaRewrite> for SchemaRewrite {
    fn from(rewrite: pb::SchemaRewrite) -> Self {
        Self {
            subject: rewrite.subject,
            what: rewrite.what,
            applied: rewrite.applied,
        }
    }
}
