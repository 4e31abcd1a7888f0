//! Why an agent cannot be built, and the errors that its operations have in common.

use api::{ErrorKind, ServiceError};
use blob_store::StoreError;
use bucket::BucketError;
use cassandra_node::files::FileError;
use cassandra_node::keys::KeyError;
use cassandra_node::schema::SchemaError;
use cassandra_node::statements::StatementError;
use cassandra_node::tables::SelectionError;
use cassandra_node::{ControlError, CqlError, NodeError, OpenError};
use chassis::work::Stopped;

use crate::folders::FolderError;
use crate::journal::JournalError;
use crate::owner::OwnerError;
use crate::path_name::{ForeignTagError, PathNameError};

/// Why an agent cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("the settings of Cassandra cannot be used")]
    Cassandra(#[from] OpenError),
    #[error("the object store cannot be opened")]
    Store(#[from] StoreError),
    #[error("staging_dir_name `{0}` in [agent] is not the name of one folder")]
    StagingName(String),
    #[error("transfer_memory_bytes in [agent] is {0}, and must be at least 1048576")]
    TransferMemory(u64),
    #[error("the folder of the journals cannot be used")]
    State(#[from] OwnerError),
}

impl BuildError {
    /// Whether the node's cassandra.yaml is to blame, not the settings of the agent.
    pub fn is_of_the_node(&self) -> bool {
        matches!(self, Self::Cassandra(OpenError::Yaml(_)))
    }
}

/// An error that most of an agent's operations can fail with; each names what it is about.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    #[error(transparent)]
    Name(#[from] PathNameError),
    #[error(transparent)]
    Tag(#[from] ForeignTagError),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Bucket(#[from] BucketError),
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Cql(#[from] CqlError),
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error(transparent)]
    Schema(#[from] SchemaError),
    #[error(transparent)]
    Selection(#[from] SelectionError),
    #[error(transparent)]
    Statement(Box<StatementError>),
}

// In a box, because it is larger than all others.
impl From<StatementError> for AgentError {
    fn from(error: StatementError) -> Self {
        Self::Statement(Box::new(error))
    }
}

impl From<StoreError> for AgentError {
    fn from(error: StoreError) -> Self {
        BucketError::from(error).into()
    }
}

/// The error that an [`AgentError`] is: the agent's own, or one of the node's.
enum Part<'a> {
    Agent(&'a dyn ServiceError),
    Node(&'a dyn NodeError),
}

impl AgentError {
    fn part(&self) -> Part<'_> {
        match self {
            Self::Name(error) => Part::Agent(error),
            Self::Tag(error) => Part::Agent(error),
            Self::Folder(error) => Part::Agent(error),
            Self::Journal(error) => Part::Agent(error),
            Self::Bucket(error) => Part::Agent(error),
            Self::Stopped(error) => Part::Agent(error),
            Self::File(error) => Part::Node(error),
            Self::Cql(error) => Part::Node(error),
            Self::Control(error) => Part::Node(error),
            Self::Keys(error) => Part::Node(error),
            Self::Schema(error) => Part::Node(error),
            Self::Selection(error) => Part::Node(error),
            Self::Statement(error) => Part::Node(error.as_ref()),
        }
    }
}

impl ServiceError for AgentError {
    fn kind(&self) -> ErrorKind {
        match self.part() {
            Part::Agent(error) => error.kind(),
            Part::Node(error) => wire_kind(error),
        }
    }

    fn reason(&self) -> &'static str {
        match self.part() {
            Part::Agent(error) => error.reason(),
            Part::Node(error) => error.reason(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self.part() {
            Part::Agent(error) => error.hint(),
            Part::Node(error) => error.hint(),
        }
    }

    fn field(&self) -> Option<&str> {
        match self.part() {
            Part::Agent(error) => error.field(),
            Part::Node(error) => error.field(),
        }
    }
}

/// The kind of a node's error on the wire.
pub fn wire_kind(error: &dyn NodeError) -> ErrorKind {
    match error.kind() {
        cassandra_node::ErrorKind::InvalidArgument => ErrorKind::InvalidArgument,
        cassandra_node::ErrorKind::NotFound => ErrorKind::NotFound,
        cassandra_node::ErrorKind::FailedPrecondition => ErrorKind::FailedPrecondition,
        cassandra_node::ErrorKind::Unavailable => ErrorKind::Unavailable,
        cassandra_node::ErrorKind::ResourceExhausted => ErrorKind::ResourceExhausted,
        cassandra_node::ErrorKind::Internal => ErrorKind::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::LoadError;
    use crate::snapshot::SnapshotError;
    use crate::stage::StageError;
    use crate::swap::SwapError;
    use crate::upload::UploadError;

    fn damaged() -> JournalError {
        JournalError::Damaged {
            path: "/state/j.jsonl".into(),
            line: 3,
            source: serde_json::from_str::<u8>("x").unwrap_err(),
        }
    }

    /// A restore's journal knows what has gone live; a snapshot's only what can be found again.
    #[test]
    fn only_a_snapshots_damaged_journal_may_be_deleted() {
        let errors: [(Box<dyn ServiceError>, bool); 5] = [
            (Box::new(UploadError::from(damaged())), true),
            (Box::new(SnapshotError::from(damaged())), true),
            (Box::new(StageError::from(damaged())), false),
            (Box::new(LoadError::from(damaged())), false),
            (Box::new(SwapError::from(damaged())), false),
        ];
        for (error, may_go) in errors {
            assert_eq!(
                error.to_string(),
                "line 3 of the journal `/state/j.jsonl` does not read as a record"
            );
            assert_eq!(error.reason(), "JOURNAL_DAMAGED");
            assert_eq!(error.hint().is_some(), may_go, "{error:?}");
        }
    }

    #[test]
    fn what_an_error_rests_on_keeps_its_field_and_kind() {
        let name = crate::path_name::check("restore", "a/b").unwrap_err();
        let error = StageError::from(name);
        assert_eq!(
            (error.kind(), error.field()),
            (ErrorKind::InvalidArgument, Some("restore"))
        );
        let error = LoadError::from(Stopped);
        assert_eq!(
            (error.kind(), error.reason()),
            (ErrorKind::Cancelled, "STOPPED")
        );
    }

    #[test]
    fn errors_of_the_node_reach_the_wire_with_all_that_they_report() {
        let control = ControlError::Unreachable {
            operation: "drain".to_owned(),
            why: "Connection refused".to_owned(),
            hint: "start it",
        };
        let key = KeyError::Name {
            name: "../x".to_owned(),
        };
        let statement = StatementError {
            number: 1,
            total: 2,
            statement: "TRUNCATE a.b".to_owned(),
            source: CqlError::Disagreement {
                seconds: 3,
                own: "v1".to_owned(),
                others: "n2 has v2".to_owned(),
            },
        };
        for (error, kind, reason, field, hint) in [
            (
                AgentError::from(control),
                ErrorKind::Unavailable,
                "CASSANDRA_DOWN",
                None,
                Some("start it"),
            ),
            (
                key.into(),
                ErrorKind::InvalidArgument,
                "BAD_NAME",
                Some("names"),
                None,
            ),
            (
                SelectionError::Keyspace("k".to_owned()).into(),
                ErrorKind::NotFound,
                "TABLE_NOT_FOUND",
                None,
                Some("keyspaces and tables are case-sensitive here, and written without quotes"),
            ),
            (
                statement.into(),
                ErrorKind::Unavailable,
                "SCHEMA_DISAGREEMENT",
                None,
                Some("look for nodes that are down with `nodetool describecluster`"),
            ),
        ] {
            assert_eq!(
                (error.kind(), error.reason(), error.field()),
                (kind, reason, field)
            );
            assert_eq!(error.hint().as_deref(), hint, "{error}");
        }
    }
}
