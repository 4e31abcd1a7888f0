//! A restore plan off the wire. How it reads is the planner's own affair: `plan` writes the text.

use api::pb::planner as pb;
use plan::render::Statements;
use plan::shown::{ShownNode, ShownPlan, ShownStep, ShownTable};

use super::{finding, some};
use crate::screen::Paint;

/// Never refuses: what a newer service has put there and this release does not know becomes none.
pub fn from_wire(plan: &pb::RestorePlan) -> ShownPlan {
    let backup = plan.backup.clone().unwrap_or_default();
    ShownPlan {
        backup: backup.name,
        cluster: backup.cluster,
        target: plan.target.clone(),
        mode: plan.mode().try_into().ok(),
        supported: plan.supported,
        findings: finding::all_from_wire(&plan.findings),
        nodes: plan.nodes.iter().map(node).collect(),
        steps: plan.steps.iter().map(step).collect(),
        tables: plan.tables.iter().map(table).collect(),
        coverage: plan.coverage.iter().cloned().map(Into::into).collect(),
        schema_changes: plan
            .schema_changes
            .iter()
            .cloned()
            .map(Into::into)
            .collect(),
        rewrites: plan.rewrites.iter().cloned().map(Into::into).collect(),
        seconds: plan.seconds,
        number: plan.number,
    }
}

fn node(node: &pb::NodePlan) -> ShownNode {
    ShownNode {
        node: node.node.clone(),
        agent: node.agent.clone(),
        host_id: node.host_id.clone(),
        sources: node.sources.clone(),
        download_bytes: node.download_bytes,
        disk_bytes_needed: node.disk_bytes_needed,
        sstables: node.sstables,
        sliced_sstables: node.sliced_sstables,
        requests: node.requests,
        seconds: node.seconds,
    }
}

fn step(step: &pb::PlanStep) -> ShownStep {
    ShownStep {
        id: step.id.clone(),
        kind: step.kind.clone(),
        node: some(&step.node),
        after: step.after.clone(),
        cql: step.cql.clone(),
    }
}

fn table(table: &pb::TablePlan) -> ShownTable {
    let name = table.table.clone().unwrap_or_default();
    ShownTable {
        keyspace: name.keyspace,
        table: name.table,
        source_id: some(&table.source_id),
        target_id: some(&table.target_id),
        action: table.action().try_into().ok(),
        bytes: table.bytes,
    }
}

/// The whole plan, for those who have yet to agree to it.
pub fn text(plan: &ShownPlan, statements: Statements, paint: &Paint) -> String {
    plan::render::restore_plan(plan, statements, &|tone, word| paint.tone(tone, word))
}

/// The verdict and the findings, for those who have agreed already.
pub fn brief(plan: &ShownPlan, paint: &Paint) -> String {
    plan::render::verdict(plan, &|tone, word| paint.tone(tone, word))
}
