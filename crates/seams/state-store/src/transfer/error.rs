//! Why a state was not moved.

use std::path::PathBuf;

use crate::StateError;

/// Why a state was not moved.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages name every field")]
pub enum TransferError {
    #[error("the state could not be read or written")]
    State(#[from] StateError),
    #[error("could not read or write the file")]
    File(#[from] std::io::Error),
    #[error("could not read or write `{path}`", path = path.display())]
    Path {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("line {line} of `{path}` is not what an export has there: {what}", path = path.display())]
    Format {
        path: PathBuf,
        line: u64,
        what: String,
    },
    #[error("the state has entries already, for example `{key}`")]
    NotEmpty { key: String },
    #[error("there is no state in etcd under the prefix `{prefix}`")]
    Absent { prefix: String },
    #[error("the state is in use: {holder} holds the lease `{lease}`")]
    InUse { lease: String, holder: String },
}

impl TransferError {
    /// What to do about it, if anything can be done.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::State(error) => error.hint(),
            Self::File(_) | Self::Path { .. } => {
                Some("check the path, its rights and the space on its disk")
            }
            Self::Format { .. } => Some("export the state again; nothing was imported"),
            Self::NotEmpty { .. } => {
                Some("import into an empty state, or use --replace, which deletes what is there")
            }
            Self::Absent { .. } => Some("check `state.etcd.prefix`"),
            Self::InUse { .. } => Some(
                "stop all task-runners of this state; leases of killed ones run out by themselves",
            ),
        }
    }
}
