//! A restore plan as it is shown: text and JSON are made from this, on whichever side of the wire it was read.
//!
//! The JSON shape is a contract: fields may be added, none may change. A plan of a newer release must still be shown, so
//! words are kept as they came, and what this release does not know is none.

use serde::{Serialize, Serializer};

use super::{
    KeyspaceCoverage, NodePlan, PlanStep, RestoreMode, RestorePlan, SchemaChange, SchemaRewrite,
    TableAction, TablePlan,
};
use crate::Finding;

/// A restore plan as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShownPlan {
    /// The backup's name.
    pub backup: String,
    /// The cluster that the backup is of.
    pub cluster: String,
    pub target: String,
    /// None if it is not decided.
    #[serde(serialize_with = "mode")]
    pub mode: Option<RestoreMode>,
    pub supported: bool,
    pub findings: Vec<Finding>,
    pub nodes: Vec<ShownNode>,
    pub steps: Vec<ShownStep>,
    pub tables: Vec<ShownTable>,
    pub coverage: Vec<KeyspaceCoverage>,
    pub schema_changes: Vec<SchemaChange>,
    pub rewrites: Vec<SchemaRewrite>,
    /// From the first step to the last, estimated.
    pub seconds: u64,
    /// 0 for a plan that is not kept.
    pub number: u64,
}

/// What one target node takes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShownNode {
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
    /// Reads of the object store.
    pub requests: u64,
    /// Its own steps, estimated.
    pub seconds: u64,
}

/// A step of the plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShownStep {
    pub id: String,
    pub kind: String,
    /// None for a step of the whole cluster.
    pub node: Option<String>,
    pub after: Vec<String>,
    pub cql: Vec<String>,
}

/// What becomes of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShownTable {
    pub keyspace: String,
    pub table: String,
    /// `keyspace.table` in the backup, if it gets another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    pub source_id: Option<String>,
    pub target_id: Option<String>,
    #[serde(serialize_with = "action")]
    pub action: Option<TableAction>,
    /// In place: it is not there and is made first.
    pub missing: bool,
    /// What the backup's nodes together hold of it.
    pub bytes: u64,
}

/// For `serialize_with`, whose argument is what the field is.
fn mode<S: Serializer>(mode: &Option<RestoreMode>, serializer: S) -> Result<S::Ok, S::Error> {
    match mode {
        Some(mode) => mode.serialize(serializer),
        None => serializer.serialize_str("auto"),
    }
}

fn action<S: Serializer>(action: &Option<TableAction>, serializer: S) -> Result<S::Ok, S::Error> {
    match action {
        Some(action) => action.serialize(serializer),
        None => serializer.serialize_str("unknown"),
    }
}

impl From<&RestorePlan> for ShownPlan {
    fn from(plan: &RestorePlan) -> Self {
        Self {
            backup: plan.backup.name.to_string(),
            cluster: plan.backup.cluster.to_string(),
            target: plan.target.to_string(),
            mode: Some(plan.mode),
            supported: plan.supported,
            findings: plan.findings.clone(),
            nodes: plan.nodes.iter().map(ShownNode::from).collect(),
            steps: plan.steps.iter().map(ShownStep::from).collect(),
            tables: plan.tables.iter().map(ShownTable::from).collect(),
            coverage: plan.coverage.clone(),
            schema_changes: plan.schema_changes.clone(),
            rewrites: plan.rewrites.clone(),
            seconds: plan.seconds,
            number: plan.number,
        }
    }
}

impl From<&NodePlan> for ShownNode {
    fn from(node: &NodePlan) -> Self {
        Self {
            node: node.node.clone(),
            agent: node.agent.clone(),
            host_id: node.host_id.to_string(),
            sources: node.sources.iter().map(ToString::to_string).collect(),
            download_bytes: node.download_bytes,
            disk_bytes_needed: node.disk_bytes_needed,
            sstables: node.sstables,
            sliced_sstables: node.sliced_sstables,
            requests: node.requests,
            seconds: node.seconds,
        }
    }
}

impl From<&PlanStep> for ShownStep {
    fn from(step: &PlanStep) -> Self {
        Self {
            id: step.id.clone(),
            kind: step.kind.to_string(),
            node: (!step.node.is_empty()).then(|| step.node.clone()),
            after: step.after.clone(),
            cql: step.cql.clone(),
        }
    }
}

impl From<&TablePlan> for ShownTable {
    fn from(table: &TablePlan) -> Self {
        Self {
            keyspace: table.table.keyspace.clone(),
            table: table.table.table.clone(),
            source: table.source.as_ref().map(ToString::to_string),
            source_id: Some(table.source_id.to_string()),
            target_id: Some(table.target_id.to_string()),
            action: Some(table.action),
            missing: table.missing,
            bytes: table.bytes,
        }
    }
}
