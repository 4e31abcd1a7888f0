//! What a task's steps share and what never changes once decided: kept apart from the task, which is written often.

use std::collections::BTreeMap;

use api::pb::node_agent::TableTarget;
use api::pb::types as pb;
use cassandra_versions::Release;
use model::{RingMember, Schema, SourceShare, TableRef};
use serde::{Deserialize, Serialize};

/// Name of a restore's order among the task's documents.
pub(crate) const ORDER: &str = "order";
/// Name of a backup's capture among the task's documents.
pub(crate) const CAPTURE: &str = "capture";

/// The tables and statements of a restore, as its plan was shown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Order {
    /// Tables that are staged and loaded or swapped.
    pub tables: Vec<Table>,
    /// Views that are built anew.
    pub views: Vec<TableRef>,
    /// Statements by the id of their step.
    pub cql: BTreeMap<String, Vec<String>>,
    /// What each node takes of its sources, by address; none: all of it.
    #[serde(default)]
    pub shares: BTreeMap<String, Vec<SourceShare>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Table {
    pub table: TableRef,
    pub source_id: String,
    pub target_id: String,
}

impl Order {
    pub fn targets(&self) -> Vec<TableTarget> {
        self.tables
            .iter()
            .map(|table| TableTarget {
                table: Some(table.table.clone().into()),
                source_id: table.source_id.clone(),
                target_id: table.target_id.clone(),
            })
            .collect()
    }

    pub fn table_refs(&self) -> Vec<pb::TableRef> {
        api::convert::all_into(self.tables.iter().map(|table| table.table.clone()))
    }

    pub fn view_refs(&self) -> Vec<pb::TableRef> {
        api::convert::all_into(self.views.clone())
    }

    pub fn shares_of(&self, node: &str) -> Vec<pb::SourceShare> {
        let shares = self.shares.get(node).cloned().unwrap_or_default();
        api::convert::all_into(shares)
    }

    pub fn statements(&self, step: &str) -> &[String] {
        self.cql.get(step).map_or(&[], Vec::as_slice)
    }
}

/// The cluster as it was when the snapshots had been taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Capture {
    pub cluster_name: String,
    /// The lowest among the nodes.
    pub release: Release,
    pub partitioner: String,
    pub ring: Vec<RingMember>,
    pub schema: Schema,
}
