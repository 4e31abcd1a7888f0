//! The port through which a node is asked and told things by CQL.
//!
//! Rows come as JSON objects keyed by column name: uuids, addresses and blobs (`0x…`) as text, timestamps as
//! milliseconds, sets and lists as arrays. That is all that system tables need, and it makes a test's rows readable.

mod row;
mod session;
mod tls;
mod value;

use api::{ErrorKind, ServiceError};
use async_trait::async_trait;

pub use row::{Row, RowError};
pub use session::{CqlSession, CqlSettings};

/// The characters of a statement that an error repeats.
const STATEMENT_CHARS_MAX: usize = 300;

/// Why CQL gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CqlError {
    #[error("the settings for CQL do not work: {what}")]
    Settings { what: String },
    #[error("Cassandra does not answer CQL at {address}: {why}")]
    Down { address: String, why: String },
    #[error("Cassandra at {address} refused to log in: {why}")]
    Login { address: String, why: String },
    #[error("`{}` failed: {why}", shorten(statement))]
    Statement { statement: String, why: String },
    #[error("`{}` took longer than {seconds} s", shorten(statement))]
    Timeout { statement: String, seconds: u64 },
    #[error(
        "`{}` answered a row that was not expected: {source}",
        shorten(statement)
    )]
    Row {
        statement: String,
        #[source]
        source: RowError,
    },
    #[error(
        "the ring does not agree on a schema after {seconds} s: this node has {own}, and {others}"
    )]
    Disagreement {
        seconds: u64,
        own: String,
        others: String,
    },
}

impl ServiceError for CqlError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Settings { .. } | Self::Login { .. } | Self::Statement { .. } => {
                ErrorKind::FailedPrecondition
            }
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
            Self::Statement { .. } => "CQL_FAILED",
            Self::Down { .. } => "CASSANDRA_DOWN",
            Self::Timeout { .. } => "CQL_TIMEOUT",
            Self::Disagreement { .. } => "SCHEMA_DISAGREEMENT",
            Self::Row { .. } => "CQL_ROW",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Settings { .. } => "look at cql_address and cql_tls in [cassandra]",
            Self::Login { .. } => "set cql_username and cql_password in [cassandra]",
            Self::Down { .. } => "start Cassandra, or set cql_address and cql_tls in [cassandra]",
            Self::Timeout { .. } => "look at Cassandra's log, or raise cql_timeout_seconds",
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

#[async_trait]
pub trait Cql: Send + Sync {
    /// host:port, for messages and to see whether somebody listens.
    fn address(&self) -> &str;

    /// Runs a statement that reads, on a new connection where the old one broke.
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
