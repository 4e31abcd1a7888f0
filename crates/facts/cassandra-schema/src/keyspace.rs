//! Keyspaces, and how their tables are replicated.

use std::collections::BTreeMap;

use model::cql::{literal, quote};

use crate::class::simple_name;
use crate::option::Options;

/// A keyspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyspace {
    /// Its name.
    pub name: String,
    /// The options of the replication: `class`, and for example datacenters with their replicas.
    pub replication: BTreeMap<String, String>,
    /// Whether its writes go through the commit log.
    pub durable_writes: bool,
    /// All other options, for example `graph_engine`.
    pub options: Options,
}

impl Keyspace {
    /// The replication class without its package.
    pub fn replication_class(&self) -> &str {
        let class = self.replication.get("class").map_or("", String::as_str);
        simple_name(class)
    }

    /// The statement that creates it.
    pub fn to_cql(&self) -> String {
        let mut cql = format!(
            "CREATE KEYSPACE {} WITH replication = {} AND durable_writes = {}",
            quote(&self.name),
            replication_text(&self.replication),
            self.durable_writes
        );
        for (name, value) in &self.options {
            cql.push_str(&format!(" AND {} = {value}", quote(name)));
        }
        cql
    }
}

/// A replication map as CQL.
pub(crate) fn replication_text(replication: &BTreeMap<String, String>) -> String {
    let class = replication.iter().filter(|(key, _)| *key == "class");
    let others = replication.iter().filter(|(key, _)| *key != "class");
    let entries: Vec<String> = class
        .chain(others)
        .map(|(key, value)| format!("{}: {}", literal(key), literal(value)))
        .collect();
    format!("{{{}}}", entries.join(", "))
}

/// A replication with a replica on every node.
pub(crate) fn everywhere(nodes: &BTreeMap<String, u32>) -> BTreeMap<String, String> {
    let class = "NetworkTopologyStrategy".to_owned();
    let each = nodes.iter();
    let mut replication: BTreeMap<String, String> = each
        .map(|(datacenter, nodes)| (datacenter.clone(), nodes.to_string()))
        .collect();
    replication.insert("class".to_owned(), class);
    replication
}
