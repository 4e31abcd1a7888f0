//! How a node is set up, as far as a plan depends on it: its settings, and what its agent may do there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a node is set to, and as whom its agent speaks to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSetup {
    /// Settings by the names that the node has for them, with their values as it shows them; a list is `[a, b]`. Those that
    /// switch something off or limit it, and what only cassandra.yaml defines.
    pub settings: BTreeMap<String, String>,
    /// The role that the agent logs in as; absent without a login.
    pub role: Option<AgentRole>,
}

/// A role of the database, and what it may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRole {
    pub name: String,
    /// Absent if the node does not report it.
    pub superuser: Option<bool>,
    /// Its own and those of roles that it was granted; absent if the node does not report them, or has no authorizer.
    pub grants: Option<Vec<Grant>>,
    /// Tables of the product that an agent reads, and that this role may not: `keyspace.table`.
    pub unreadable: Vec<String>,
}

/// What a role may do with one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// As Cassandra names it, for example `<keyspace shop>`.
    pub resource: String,
    /// For example `MODIFY`.
    pub permissions: Vec<String>,
}

impl NodeSetup {
    /// The first of these settings that the node has.
    pub fn setting(&self, names: &[&str]) -> Option<(&str, &str)> {
        let mut known = names
            .iter()
            .filter_map(|name| self.settings.get_key_value(*name));
        known
            .next()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The items of a setting that is a list.
    pub fn items(value: &str) -> Vec<&str> {
        let inner = value.trim().trim_start_matches('[').trim_end_matches(']');
        let items = inner.split(',').map(str::trim);
        items.filter(|item| !item.is_empty()).collect()
    }
}
