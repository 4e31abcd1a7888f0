//! An append-only journal of JSON lines, so that a restarted agent goes on where it stopped.
//!
//! A line counts once it is on disk with its newline. What a crash leaves of a last line is cut off when the journal is
//! opened, and what a failed append leaves of it at once; damage anywhere else is an error, because records behind it
//! would be believed out of context.

mod file;

use std::fs::{self, OpenOptions};
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::{Arc, Mutex, PoisonError};

use api::{ErrorKind, ServiceError};
use cassandra_node::NodeError;
use cassandra_node::files::{self, FileError, blocking};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::wire_kind;

use file::LineFile;

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("line {line} of the journal `{}` does not read as a record", path.display())]
    Damaged {
        path: PathBuf,
        line: usize,
        #[source]
        source: serde_json::Error,
    },
}

impl ServiceError for JournalError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::File(error) => wire_kind(error),
            Self::Damaged { .. } => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::File(error) => error.reason(),
            Self::Damaged { .. } => "JOURNAL_DAMAGED",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::File(error) => error.hint(),
            // Whether it may be deleted is known to whose journal it is.
            Self::Damaged { .. } => None,
        }
    }
}

/// A journal that is open for appending; clones append to the same file.
pub struct Journal<Record> {
    path: PathBuf,
    file: Arc<Mutex<LineFile>>,
    record: PhantomData<fn(Record)>,
}

impl<Record> Clone for Journal<Record> {
    fn clone(&self) -> Self {
        Self {
            path: self.path.clone(),
            file: self.file.clone(),
            record: PhantomData,
        }
    }
}

impl<Record: Serialize + DeserializeOwned + Send + 'static> Journal<Record> {
    /// Opens or makes a journal and returns what it holds.
    pub async fn open(path: PathBuf) -> Result<(Self, Vec<Record>), JournalError> {
        blocking(move || Self::open_blocking(path)).await
    }

    fn open_blocking(path: PathBuf) -> Result<(Self, Vec<Record>), JournalError> {
        let folder = path.parent().unwrap_or(Path::new("."));
        files::make_folder(folder)?;
        let (records, good_bytes) = read(&path)?;
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(FileError::at("open", &path))?;
        file.set_len(good_bytes)
            .map_err(FileError::at("cut", &path))?;
        files::sync_folder(folder)?;
        let journal = Self {
            path,
            file: Arc::new(Mutex::new(LineFile::new(file, good_bytes))),
            record: PhantomData,
        };
        Ok((journal, records))
    }

    /// Appends a record; it is on disk when this returns.
    pub async fn append(&self, record: &Record) -> Result<(), JournalError> {
        self.append_all(slice::from_ref(record)).await
    }

    /// Appends records, with few writes. They are on disk when this returns; a crash before may leave the first of them.
    pub async fn append_all(&self, records: &[Record]) -> Result<(), JournalError> {
        let mut lines = Vec::new();
        for record in records {
            serde_json::to_writer(&mut lines, record).map_err(|source| JournalError::Damaged {
                path: self.path.clone(),
                line: 0,
                source,
            })?;
            lines.push(b'\n');
        }
        let (file, path) = (self.file.clone(), self.path.clone());
        blocking(move || {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.append(&lines)
                .map_err(FileError::at("append to", path))
        })
        .await?;
        Ok(())
    }
}

/// What a journal holds; nothing if there is none.
pub async fn peek<Record: DeserializeOwned + Send + 'static>(
    path: PathBuf,
) -> Result<Vec<Record>, JournalError> {
    blocking(move || Ok(read(&path)?.0)).await
}

/// Deletes a journal. Succeeds if there is none.
pub async fn remove(path: PathBuf) -> Result<(), JournalError> {
    blocking(move || match fs::remove_file(&path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(FileError::at("delete", path)(error).into()),
    })
    .await
}

fn read<Record: DeserializeOwned>(path: &Path) -> Result<(Vec<Record>, u64), JournalError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(FileError::at("read", path)(error).into()),
    };
    let mut records = Vec::new();
    let mut good_bytes = 0;
    let lines: Vec<&[u8]> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
    for (at, line) in lines.iter().enumerate() {
        match serde_json::from_slice(line) {
            Ok(record) if line.ends_with(b"\n") => records.push(record),
            // The last line may be torn, with or without a newline from a block that was written out of order.
            _ if at + 1 == lines.len() => break,
            Ok(_) => unreachable!("only the last piece lacks its newline"),
            Err(source) => {
                return Err(JournalError::Damaged {
                    path: path.to_owned(),
                    line: at + 1,
                    source,
                });
            }
        }
        good_bytes += line.len() as u64;
    }
    Ok((records, good_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn numbers(path: &Path) -> Result<Vec<u32>, JournalError> {
        Ok(Journal::open(path.to_owned()).await?.1)
    }

    #[tokio::test]
    async fn a_torn_last_line_is_cut_wherever_it_was_torn() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("deep/journal.jsonl");
        let (journal, _) = Journal::open(path.clone()).await.unwrap();
        for number in [1u32, 22, 333] {
            journal.append(&number).await.unwrap();
        }
        let whole = fs::read(&path).unwrap();
        for len in 0..whole.len() {
            fs::write(&path, &whole[..len]).unwrap();
            let complete = whole[..len].iter().filter(|&&byte| byte == b'\n').count();
            assert_eq!(
                numbers(&path).await.unwrap(),
                [1, 22, 333][..complete],
                "{len}"
            );
            let (journal, _) = Journal::open(path.clone()).await.unwrap();
            journal.append(&7u32).await.unwrap();
            assert_eq!(numbers(&path).await.unwrap().last(), Some(&7), "{len}");
        }
    }

    #[tokio::test]
    async fn damage_in_the_middle_is_an_error_that_names_the_line() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("journal.jsonl");
        fs::write(&path, "1\n\0\0\n3\n").unwrap();
        let error = numbers(&path).await.unwrap_err();
        assert!(error.to_string().starts_with("line 2 of"), "{error}");
    }
}
