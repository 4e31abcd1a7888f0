//! `[cassandra]`: the settings that lead to the node.

pub(crate) mod masked;

use std::path::PathBuf;

use cassandra_versions::{Product, ReleaseError, Stated};
use secret::Secret;
use serde::{Deserialize, Serialize};

/// `[cassandra]`: the node beside this agent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CassandraConfig {
    /// What the node is, for builds that do not show it themselves. Checked against what the node shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<Product>,
    /// Of `product`, which must be given too. Of HCD the node shows no more than the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_version: Option<String>,
    /// cassandra.yaml.
    pub config_file: PathBuf,
    /// What Cassandra itself calls `cassandra.storagedir`: where the data lies that cassandra.yaml gives no folders for,
    /// and what relative folders in it are relative to.
    pub storage_dir: PathBuf,
    /// nodetool with the arguments that it always needs, such as host and port.
    #[serde(serialize_with = "masked::serialize")]
    pub nodetool: Vec<String>,
    /// host:port of JMX, by which commands need no Java process each. Absent: where `nodetool` looks, if its arguments
    /// are no others than host and port. nodetool is used if JMX cannot be, for example because it wants TLS, or does not
    /// lead to the node of CQL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jmx_address: Option<String>,
    /// Empty: JMX without a login.
    pub jmx_username: String,
    /// Given together with the user name or not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jmx_password: Option<Secret>,
    /// host:port; from cassandra.yaml if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cql_address: Option<String>,
    /// Empty: CQL without a login.
    pub cql_username: String,
    /// Given together with the user name or not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cql_password: Option<Secret>,
    /// Absent: CQL without TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cql_tls: Option<CqlTls>,
    /// Where the system keys of encrypted tables are, for their fingerprints. Absent: none but on DSE, which has its own
    /// place for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_key_directory: Option<PathBuf>,
    /// Empty: Cassandra cannot be restarted, so nothing is restored in place.
    #[serde(serialize_with = "masked::serialize")]
    pub stop_command: Vec<String>,
    /// Empty: as for `stop_command`.
    #[serde(serialize_with = "masked::serialize")]
    pub start_command: Vec<String>,
    /// The most that a command through JMX or nodetool may take. Rewriting SSTables has no limit.
    pub nodetool_timeout_seconds: u64,
    /// The most that Cassandra may take to start, and to stop.
    pub start_timeout_seconds: u64,
    /// The most that one CQL statement may take, and that the ring may take to agree on a schema.
    pub cql_timeout_seconds: u64,
}

/// PEM files for CQL over TLS.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CqlTls {
    /// Roots to trust.
    pub ca: PathBuf,
    /// The name that the node's certificate must have. Absent: the host of `cql_address` or its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// The certificate of this client, if the node requires one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// The key of the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
}

impl CassandraConfig {
    /// What the settings state about the node; none if they leave it to what the node shows.
    pub(crate) fn stated(&self) -> Result<Option<Stated>, ProductError> {
        match (self.product, self.product_version.as_deref()) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(ProductError::Missing),
            (Some(product), version) => Ok(Some(Stated::new(product, version)?)),
        }
    }
}

/// Why `product` and `product_version` state nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProductError {
    /// A version of no product.
    #[error("product_version in [cassandra] is given together with `product` or not at all")]
    Missing,
    /// No version of a product.
    #[error("product_version in [cassandra] does not work: {0}")]
    Version(#[from] ReleaseError),
}

impl Default for CassandraConfig {
    fn default() -> Self {
        Self {
            product: None,
            product_version: None,
            config_file: "/etc/cassandra/cassandra.yaml".into(),
            storage_dir: "/var/lib/cassandra".into(),
            nodetool: vec!["nodetool".to_owned()],
            jmx_address: None,
            jmx_username: String::new(),
            jmx_password: None,
            cql_address: None,
            cql_username: String::new(),
            cql_password: None,
            cql_tls: None,
            system_key_directory: None,
            stop_command: Vec::new(),
            start_command: Vec::new(),
            nodetool_timeout_seconds: 3600,
            start_timeout_seconds: 600,
            cql_timeout_seconds: 120,
        }
    }
}
