//! What the failure of a slice means: whose bytes are wrong, or what could not be read or written.

use std::path::Path;

use bucket::StoredReadError;
use cassandra_formats::Error;
use cassandra_node::files::FileError;
use chassis::work::Stopped;

use crate::stage::StageError;
use crate::stage::layout::StagedSstable;

/// Why no slice came of it.
pub(super) enum Failure {
    Format(Error),
    File(FileError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Format(error)
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl Failure {
    pub fn of(self, sstable: &StagedSstable, folder: &Path) -> StageError {
        let source_node = sstable.placement.source;
        let table = sstable.table.clone();
        let name = sstable.placement.from.clone();
        let error = match self {
            Self::File(error) => return error.into(),
            Self::Format(error) => error,
        };
        match error {
            Error::Damaged(damage) => StageError::Damaged {
                source_node,
                table,
                sstable: name,
                what: damage.to_string(),
            },
            Error::Unsupported { component, what } => StageError::NotSliceable {
                source_node,
                table,
                sstable: name,
                why: format!("{component}: {what}"),
            },
            Error::Write { component, source } => {
                FileError::at("write", folder.join(&*component))(source).into()
            }
            Error::Read { component, source } => match source.downcast::<StoredReadError>() {
                Ok(StoredReadError::Stopped) => Stopped.into(),
                Ok(StoredReadError::Store(error)) => {
                    StageError::of_read(error, &sstable.object_of(&component))
                }
                Ok(fault @ StoredReadError::Short { .. }) => StageError::Damaged {
                    source_node,
                    table,
                    sstable: name,
                    what: fault.to_string(),
                },
                Err(source) => FileError::at("read", folder.join(&*component))(source).into(),
            },
        }
    }
}
