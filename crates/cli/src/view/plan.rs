//! A restore plan, as a person reads it before agreeing to it.

use api::pb::planner as pb;
use model::Finding;
use serde::Serialize;

use super::{dash, finding, some};
use crate::human;
use crate::screen::{Colour, Paint};
use crate::table::Table;

#[derive(Debug, Clone, Serialize)]
pub struct PlanView {
    pub backup: String,
    /// The cluster that the backup is of.
    pub cluster: String,
    pub target: String,
    pub mode: &'static str,
    pub supported: bool,
    pub findings: Vec<Finding>,
    pub nodes: Vec<NodePlanView>,
    pub steps: Vec<StepView>,
    pub tables: Vec<TablePlanView>,
}

#[derive(Debug, Clone, Serialize)]
pub struct NodePlanView {
    /// The target node's address.
    pub node: String,
    pub agent: String,
    pub host_id: String,
    /// Host ids of the source nodes.
    pub sources: Vec<String>,
    pub download_bytes: u64,
    pub disk_bytes_needed: u64,
    pub sstables: u64,
    pub sliced_sstables: u64,
}

#[derive(Debug, Clone, Serialize)]
pub struct StepView {
    pub id: String,
    pub kind: String,
    /// Null for a step of the whole cluster.
    pub node: Option<String>,
    pub after: Vec<String>,
    pub cql: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct TablePlanView {
    pub keyspace: String,
    pub table: String,
    pub source_id: Option<String>,
    pub target_id: Option<String>,
    pub action: &'static str,
}

fn mode(mode: pb::RestoreMode) -> &'static str {
    match mode {
        pb::RestoreMode::Online => "online",
        pb::RestoreMode::InPlace => "in-place",
        pb::RestoreMode::Auto | pb::RestoreMode::Unspecified => "auto",
    }
}

fn action(action: pb::TableAction) -> &'static str {
    match action {
        pb::TableAction::Create => "create",
        pb::TableAction::Truncate => "truncate",
        pb::TableAction::Recreate => "recreate",
        pb::TableAction::RebuildView => "rebuild-view",
        pb::TableAction::Swap => "swap",
        pb::TableAction::Unspecified => "unknown",
    }
}

impl From<&pb::RestorePlan> for PlanView {
    fn from(plan: &pb::RestorePlan) -> Self {
        let backup = plan.backup.clone().unwrap_or_default();
        Self {
            backup: backup.name,
            cluster: backup.cluster,
            target: plan.target.clone(),
            mode: mode(plan.mode()),
            supported: plan.supported,
            findings: finding::all_from_wire(&plan.findings),
            nodes: plan.nodes.iter().map(NodePlanView::from).collect(),
            steps: plan.steps.iter().map(StepView::from).collect(),
            tables: plan.tables.iter().map(TablePlanView::from).collect(),
        }
    }
}

impl From<&pb::NodePlan> for NodePlanView {
    fn from(node: &pb::NodePlan) -> Self {
        Self {
            node: node.node.clone(),
            agent: node.agent.clone(),
            host_id: node.host_id.clone(),
            sources: node.sources.clone(),
            download_bytes: node.download_bytes,
            disk_bytes_needed: node.disk_bytes_needed,
            sstables: node.sstables,
            sliced_sstables: node.sliced_sstables,
        }
    }
}

impl From<&pb::PlanStep> for StepView {
    fn from(step: &pb::PlanStep) -> Self {
        Self {
            id: step.id.clone(),
            kind: step.kind.clone(),
            node: some(&step.node),
            after: step.after.clone(),
            cql: step.cql.clone(),
        }
    }
}

impl From<&pb::TablePlan> for TablePlanView {
    fn from(table: &pb::TablePlan) -> Self {
        let name = table.table.clone().unwrap_or_default();
        Self {
            keyspace: name.keyspace,
            table: name.table,
            source_id: some(&table.source_id),
            target_id: some(&table.target_id),
            action: action(table.action()),
        }
    }
}

/// The whole plan, for those who have yet to agree to it.
pub fn text(plan: &PlanView, paint: &Paint) -> String {
    let mut text = brief(plan, paint);
    let sections = [
        tables_text(&plan.tables),
        nodes_text(&plan.nodes),
        steps_text(&plan.steps),
    ];
    for section in sections.iter().filter(|section| !section.is_empty()) {
        text.push('\n');
        text.push_str(section);
    }
    text
}

/// The verdict and the findings, for those who have agreed already.
pub fn brief(plan: &PlanView, paint: &Paint) -> String {
    let verdict = match plan.supported {
        true => paint.word(Colour::Green, "can be done"),
        false => paint.word(Colour::Red, "REFUSED"),
    };
    let mode = match plan.mode {
        "in-place" => "in place",
        "auto" => "mode not decided",
        mode => mode,
    };
    let mut text = format!(
        "restore of {}/{} into {}, {mode}: {verdict}\n",
        plan.cluster, plan.backup, plan.target
    );
    let findings = finding::text(&plan.findings, paint);
    if !findings.is_empty() {
        text.push('\n');
        text.push_str(&findings);
    }
    text
}

fn tables_text(tables: &[TablePlanView]) -> String {
    if tables.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["TABLE", "WHAT HAPPENS TO IT"]);
    for plan in tables {
        let what = match plan.action {
            "create" => "is not there: created",
            "truncate" => "is there: emptied, then loaded",
            "recreate" => "is there in another form: dropped, created as it was, then loaded",
            "rebuild-view" => "a view: dropped, and built anew from its base table",
            "swap" => "its files are swapped while Cassandra is stopped",
            other => other,
        };
        table.row([format!("{}.{}", plan.keyspace, plan.table), what.into()]);
    }
    table.render()
}

fn nodes_text(nodes: &[NodePlanView]) -> String {
    if nodes.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&[
        "NODE",
        ">DOWNLOAD",
        ">DISK NEEDED",
        ">SSTABLES",
        ">SLICED",
        "FROM",
    ]);
    for node in nodes {
        table.row([
            node.node.clone(),
            human::bytes(node.download_bytes),
            human::bytes(node.disk_bytes_needed),
            node.sstables.to_string(),
            node.sliced_sstables.to_string(),
            dash(Some(&node.sources.join(", "))),
        ]);
    }
    table.render()
}

/// The steps in the planner's order, the CQL of each below it: what runs on a live cluster is shown word by word.
fn steps_text(steps: &[StepView]) -> String {
    if steps.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["STEP", "KIND", "NODE", "AFTER"]);
    for step in steps {
        table.row([
            step.id.clone(),
            step.kind.clone(),
            dash(step.node.as_deref()),
            dash(Some(&step.after.join(", "))),
        ]);
    }
    let mut text = table.render();
    for step in steps.iter().filter(|step| !step.cql.is_empty()) {
        text.push_str(&format!("\nCQL of {}\n", step.id));
        for statement in &step.cql {
            let lines = statement.lines().map(|line| format!("    {line}"));
            text.push_str(&format!("{};\n", lines.collect::<Vec<_>>().join("\n")));
        }
    }
    text
}
