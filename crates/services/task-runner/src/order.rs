//! What a task's steps share and what never changes once decided: kept apart from the task, which is written often.

use std::collections::BTreeMap;

use api::pb::node_agent::{SourceManifest, TableTarget};
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
    /// The hash of each source's node manifest by host id, as the backup manifest had it when the plan was made. Absent in
    /// orders of earlier releases.
    #[serde(default)]
    pub manifests: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Table {
    pub table: TableRef,
    pub source_id: String,
    pub target_id: String,
    /// Whether a table of this name, of whatever id, is dropped and made.
    #[serde(default)]
    pub recreated: bool,
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

    /// The node manifests of the sources; if the order does not know one, its host id.
    pub fn manifests_of(&self, sources: &[String]) -> Result<Vec<SourceManifest>, String> {
        let manifest = |source: &String| match self.manifests.get(source) {
            Some(blake3) => Ok(SourceManifest {
                host_id: source.clone(),
                blake3: blake3.clone(),
            }),
            None => Err(source.clone()),
        };
        sources.iter().map(manifest).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_of_before_there_were_hashes_names_the_source_that_has_none() {
        let old = r#"{"tables":[],"views":[],"cql":{}}"#;
        let mut order: Order = serde_json::from_str(old).expect("an order");
        assert_eq!(order.manifests_of(&["h1".to_owned()]), Err("h1".to_owned()));
        assert_eq!(order.manifests_of(&[]), Ok(Vec::new()));
        order.manifests.insert("h1".to_owned(), "00ff".to_owned());
        let text = serde_json::to_string(&order).expect("JSON");
        let read: Order = serde_json::from_str(&text).expect("an order");
        let manifests = read.manifests_of(&["h1".to_owned()]).expect("a hash");
        assert_eq!(manifests[0].blake3, "00ff");
    }
}
