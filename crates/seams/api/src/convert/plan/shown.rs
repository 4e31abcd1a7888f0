//! A restore plan as it is shown, off the wire: what a newer service has put there and this release does not know is none.

use model::plan::{ShownNode, ShownPlan, ShownStep, ShownTable};

use crate::convert::{ConversionError, all, all_into, required, some};
use crate::pb::planner as pb;

impl TryFrom<pb::RestorePlan> for ShownPlan {
    type Error = ConversionError;

    fn try_from(plan: pb::RestorePlan) -> Result<Self, ConversionError> {
        let mode = plan.mode().try_into().ok();
        let backup = required("plan.backup", plan.backup)?;
        Ok(Self {
            backup: backup.name,
            cluster: backup.cluster,
            target: plan.target,
            mode,
            supported: plan.supported,
            findings: all(plan.findings)?,
            nodes: all_into(plan.nodes),
            steps: all_into(plan.steps),
            tables: all_into(plan.tables),
            coverage: all_into(plan.coverage),
            schema_changes: all_into(plan.schema_changes),
            rewrites: all_into(plan.rewrites),
            seconds: plan.seconds,
            number: plan.number,
        })
    }
}

impl From<pb::NodePlan> for ShownNode {
    fn from(node: pb::NodePlan) -> Self {
        Self {
            node: node.node,
            agent: node.agent,
            host_id: node.host_id,
            sources: node.sources,
            download_bytes: node.download_bytes,
            disk_bytes_needed: node.disk_bytes_needed,
            sstables: node.sstables,
            sliced_sstables: node.sliced_sstables,
            requests: node.requests,
            seconds: node.seconds,
        }
    }
}

impl From<pb::PlanStep> for ShownStep {
    fn from(step: pb::PlanStep) -> Self {
        Self {
            id: step.id,
            kind: step.kind,
            node: some(step.node),
            after: step.after,
            cql: step.cql,
        }
    }
}

impl From<pb::TablePlan> for ShownTable {
    fn from(table: pb::TablePlan) -> Self {
        let action = table.action().try_into().ok();
        let name = table.table.unwrap_or_default();
        let source = table.source;
        Self {
            keyspace: name.keyspace,
            table: name.table,
            source: source.map(|source| format!("{}.{}", source.keyspace, source.table)),
            source_id: some(table.source_id),
            target_id: some(table.target_id),
            action,
            missing: table.missing,
            bytes: table.bytes,
        }
    }
}
