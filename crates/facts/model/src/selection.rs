//! Which tables a backup or a restore is about.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A table by keyspace and name, both as Cassandra stores them: no quotes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TableRef {
    pub keyspace: String,
    pub table: String,
}

impl TableRef {
    pub fn new(keyspace: impl Into<String>, table: impl Into<String>) -> Self {
        Self {
            keyspace: keyspace.into(),
            table: table.into(),
        }
    }
}

impl fmt::Display for TableRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.keyspace, self.table)
    }
}

/// Both lists empty: every table of every user keyspace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    #[serde(default)]
    pub keyspaces: Vec<String>,
    #[serde(default)]
    pub tables: Vec<TableRef>,
}

impl Selection {
    pub fn is_everything(&self) -> bool {
        self.keyspaces.is_empty() && self.tables.is_empty()
    }

    pub fn contains(&self, keyspace: &str, table: &str) -> bool {
        self.is_everything()
            || self.keyspaces.iter().any(|name| name == keyspace)
            || self
                .tables
                .iter()
                .any(|name| name.keyspace == keyspace && name.table == table)
    }
}

/// Keyspaces that belong to the product itself. Their files are never backed up: they hold a node's identity, or users
/// and permissions, or what the product makes again by itself.
const PRODUCT_KEYSPACES: &[&str] = &[
    "system",
    "system_schema",
    "system_auth",
    "system_distributed",
    "system_traces",
    "system_views",
    "system_virtual_schema",
    "system_cluster_metadata",
    "system_metrics",
    "system_backups",
    "dse_system",
    "dse_system_local",
    "dse_security",
    "dse_leases",
    "dse_perf",
    "dse_insights",
    "dse_insights_local",
    "dse_audit",
    "hcd_system",
    "OpsCenter",
    "reaper_db",
    "data_endpoint_auth",
];

/// The start of the names of scratch keyspaces, in which a restore is tried before anything live is replaced. No user
/// keyspace may have such a name: they are never backed up, and are dropped after the trial.
pub const TRIAL_KEYSPACE_PREFIX: &str = "ringkeep_trial_";

/// Whether a keyspace holds the user's own data.
pub fn is_user_keyspace(keyspace: &str) -> bool {
    !PRODUCT_KEYSPACES.contains(&keyspace) && !keyspace.starts_with(TRIAL_KEYSPACE_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_selection_is_everything() {
        assert!(Selection::default().contains("shop", "orders"));
    }

    #[test]
    fn a_keyspace_or_a_table_can_be_picked() {
        let selection = Selection {
            keyspaces: vec!["a".into()],
            tables: vec![TableRef::new("b", "t")],
        };
        assert!(selection.contains("a", "any"));
        assert!(selection.contains("b", "t"));
        assert!(!selection.contains("b", "u"));
        assert!(!selection.contains("c", "t"));
    }

    #[test]
    fn users_and_roles_are_not_user_data() {
        let of_products = [
            "system system_schema system_auth system_distributed system_traces system_views",
            "system_virtual_schema system_cluster_metadata dse_system dse_system_local dse_security",
            "dse_leases dse_perf dse_insights dse_insights_local hcd_system data_endpoint_auth",
        ];
        for keyspace in of_products.iter().flat_map(|names| names.split(' ')) {
            assert!(!is_user_keyspace(keyspace), "{keyspace}");
        }
        assert!(is_user_keyspace("system_of_record"));
        assert!(!is_user_keyspace("ringkeep_trial_1"));
    }
}
