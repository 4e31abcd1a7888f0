//! The port through which statements are run on the node by CQL.
//!
//! Rows come as JSON objects keyed by column name: uuids, addresses and blobs (`0x…`) as text, timestamps as
//! milliseconds, sets and lists as arrays. That is all that system tables need, and it makes a test's rows readable.

mod row;
mod session;
mod tls;
mod value;

use async_trait::async_trait;

use crate::error::{ErrorKind, NodeError};

pub use row::{Row, RowError};
pub use session::{CqlSession, CqlSettings};

/// The characters of a statement that an error repeats.
const STATEMENT_CHARS_MAX: usize = 300;

/// Why a statement was not run, or its result is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CqlError {
    /// Certificates and keys cannot be used.
    #[error("the settings for CQL do not work: {what}")]
    Settings {
        /// What is wrong with them.
        what: String,
    },
    /// Nothing serves CQL there, or the connection broke.
    #[error("Cassandra does not reply to CQL at {address}: {why}")]
    Down {
        /// host:port
        address: String,
        /// The failure of the connection.
        why: String,
    },
    /// User name or password are wrong, or missing.
    #[error("Cassandra at {address} refused to log in: {why}")]
    Login {
        /// host:port
        address: String,
        /// Cassandra's message.
        why: String,
    },
    /// The node's certificate is not trusted, or has another name.
    #[error("the certificate of Cassandra at {address} is not accepted: {why}")]
    Certificate {
        /// host:port
        address: String,
        /// What is wrong with it.
        why: String,
    },
    /// Cassandra refused the statement or failed to run it.
    #[error("`{}` failed: {why}", shorten(statement))]
    Statement {
        /// The statement.
        statement: String,
        /// Cassandra's message.
        why: String,
    },
    /// Cassandra may still be running it.
    #[error("`{}` took longer than {seconds} s", shorten(statement))]
    Timeout {
        /// The statement.
        statement: String,
        /// The limit.
        seconds: u64,
    },
    /// A system table has other columns than expected.
    #[error(
        "`{}` returned a row that was not expected: {source}",
        shorten(statement)
    )]
    Row {
        /// The statement.
        statement: String,
        /// What is unexpected.
        #[source]
        source: RowError,
    },
    /// Nodes have different schemas for too long.
    #[error(
        "the ring does not agree on a schema after {seconds} s: this node has {own}, and {others}"
    )]
    Disagreement {
        /// The limit.
        seconds: u64,
        /// This node's schema version.
        own: String,
        /// The others', by address.
        others: String,
    },
}

impl NodeError for CqlError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Settings { .. }
            | Self::Login { .. }
            | Self::Certificate { .. }
            | Self::Statement { .. } => ErrorKind::FailedPrecondition,
            Self::Down { .. } | Self::Timeout { .. } | Self::Disagreement { .. } => {
                ErrorKind::Unavailable
            }
            Self::Row { .. } => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Settings { .. } => "CQL_SETTINGS",
            Self::Login { .. } => "CQL_LOGIN",
            Self::Certificate { .. } => "CQL_CERTIFICATE",
            Self::Statement { .. } => "CQL_FAILED",
            Self::Down { .. } => "CASSANDRA_DOWN",
            Self::Timeout { .. } => "CQL_TIMEOUT",
            Self::Disagreement { .. } => "SCHEMA_DISAGREEMENT",
            Self::Row { .. } => "CQL_ROW",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Settings { .. } => "check cql_address and cql_tls in [cassandra]",
            Self::Login { .. } => "set cql_username and cql_password in [cassandra]",
            Self::Certificate { .. } => {
                "set server_name in [cassandra.cql_tls] to a name that the certificate has, or its ca to the authority that signed it"
            }
            Self::Down { .. } => "start Cassandra, or set cql_address and cql_tls in [cassandra]",
            Self::Timeout { .. } => "see Cassandra's log, or raise cql_timeout_seconds",
            Self::Disagreement { .. } => {
                "look for nodes that are down with `nodetool describecluster`"
            }
            Self::Statement { .. } | Self::Row { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

/// A statement as it fits an error message, on one line.
pub fn shorten(statement: &str) -> String {
    let line = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(STATEMENT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Runs statements on one node.
#[async_trait]
pub trait Cql: Send + Sync {
    /// host:port, for messages and to check whether something listens.
    fn address(&self) -> &str;

    /// Runs a statement that reads, on a new connection if the old one broke.
    async fn query(&self, statement: &str) -> Result<Vec<Row>, CqlError>;

    /// Runs a statement that changes something, once.
    async fn execute(&self, statement: &str) -> Result<(), CqlError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_statement_is_cut_on_a_character() {
        assert_eq!(shorten("a\n  b"), "a b");
        let cut = shorten(&"ä".repeat(1000));
        assert_eq!(cut.chars().count(), STATEMENT_CHARS_MAX + 1);
    }
}
