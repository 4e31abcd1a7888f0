//! Why an agent cannot be built, and the errors that its operations have in common.

use api::{ErrorKind, ServiceError};
use blob_store::StoreError;

use crate::bucket::BucketError;
use crate::control::ControlError;
use crate::cql::CqlError;
use crate::files::FileError;
use crate::folders::FolderError;
use crate::journal::JournalError;
use crate::path_name::PathNameError;
use crate::work::Stopped;
use crate::yaml::YamlError;

/// Why an agent cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("the settings of Cassandra cannot be used")]
    Yaml(#[from] YamlError),
    #[error("the object store cannot be opened")]
    Store(#[from] StoreError),
    #[error("cql_username and cql_password in [cassandra] are given together or not at all")]
    Login,
    #[error("`nodetool` in [cassandra] is empty")]
    Nodetool,
    #[error("staging_dir_name `{0}` in [agent] is no name of one folder")]
    StagingName(String),
}

/// An error that most of an agent's operations can fail with; each names what it is about.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    #[error(transparent)]
    Name(#[from] PathNameError),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Cql(#[from] CqlError),
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    Bucket(#[from] BucketError),
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl From<StoreError> for AgentError {
    fn from(error: StoreError) -> Self {
        BucketError::from(error).into()
    }
}

impl AgentError {
    fn error(&self) -> &dyn ServiceError {
        match self {
            Self::Name(error) => error,
            Self::Folder(error) => error,
            Self::File(error) => error,
            Self::Journal(error) => error,
            Self::Cql(error) => error,
            Self::Control(error) => error,
            Self::Bucket(error) => error,
            Self::Stopped(error) => error,
        }
    }
}

impl ServiceError for AgentError {
    fn kind(&self) -> ErrorKind {
        self.error().kind()
    }

    fn reason(&self) -> &'static str {
        self.error().reason()
    }

    fn hint(&self) -> Option<String> {
        self.error().hint()
    }

    fn field(&self) -> Option<&str> {
        self.error().field()
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
    fn a_cause_keeps_the_field_and_the_kind_that_it_had() {
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
}
