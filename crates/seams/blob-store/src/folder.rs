//! A store in a local or mounted folder.
//!
//! An object is written to a temporary file, flushed to the disk, and then linked to its name: the link fails if the
//! name exists, so that create-once is atomic, and a reader sees the whole object or none. An object is reported as
//! created only after the folder that holds its name is on the disk too. docs/decisions says why this is our own
//! code.

mod copy;
mod durable;
mod link;
mod listing;
mod temporary;

use std::io::{self, ErrorKind, SeekFrom};
use std::ops::{Range, RangeInclusive};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio::task::spawn_blocking;
use tokio_util::io::ReaderStream;

use crate::error::{not_copied, not_copied_size};
use crate::{BlobStore, ByteStream, Children, Meta, MetaStream, Put, StoreError, key};
use copy::{CopyError, copy_durably};
use durable::Durable;
use link::{link_durably, remove};
use temporary::Temporary;

/// Bytes that are read from a file at once.
const READ_BYTES: usize = 512 << 10;
/// Bytes that are written to a file at once.
const WRITE_BYTES: usize = 1 << 20;

/// A store in a folder. Two of them over one folder, even in two processes, act as one store.
///
/// One thing differs from S3: a key cannot be an object and the folder of other objects at once; creating the second
/// one fails.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
    store: String,
    durable: Durable,
}

impl Folder {
    /// Opens a folder, creates it if it does not exist, and removes the temporary files of writers that died. Fails
    /// with [`StoreError::Config`].
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        let fail = |source: io::Error| StoreError::Config {
            what: format!("the folder {} cannot be used", root.display()),
            source: Some(source.into()),
        };
        std::fs::create_dir_all(root).map_err(fail)?;
        let root = root.canonicalize().map_err(fail)?;
        temporary::sweep(&root).map_err(fail)?;
        Ok(Self {
            store: format!("folder {}", root.display()),
            root,
            durable: Durable::default(),
        })
    }

    /// The path of an object. The key is checked, so the path is below the root.
    fn path(&self, key: &str) -> Result<PathBuf, StoreError> {
        key::check(key)?;
        if key.split('/').next() == Some(temporary::FOLDER) {
            return Err(StoreError::Key {
                key: key.to_owned(),
                why: "`.tmp` holds what is being written",
            });
        }
        Ok(self.root.join(key))
    }

    fn error(&self, key: &str, source: io::Error) -> StoreError {
        let (key, store) = (key.to_owned(), self.store.clone());
        match source.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => StoreError::NotFound { key, store },
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                StoreError::PermissionDenied {
                    key,
                    store,
                    source: source.into(),
                }
            }
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                StoreError::QuotaExceeded {
                    key,
                    store,
                    source: source.into(),
                }
            }
            ErrorKind::Interrupted | ErrorKind::TimedOut | ErrorKind::StaleNetworkFileHandle => {
                StoreError::Unavailable {
                    key,
                    store,
                    source: source.into(),
                }
            }
            _ => StoreError::Other {
                key,
                store,
                source: source.into(),
            },
        }
    }

    /// Runs file work on the threads that may block.
    async fn blocking<T: Send + 'static>(
        &self,
        key: &str,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        match spawn_blocking(work).await {
            Ok(result) => result.map_err(|source| self.error(key, source)),
            Err(panicked) => Err(self.error(key, io::Error::other(panicked))),
        }
    }

    /// Flushes a written temporary file and gives it its name.
    async fn publish(&self, key: &str, temporary: Temporary) -> Result<Put, StoreError> {
        let (root, path) = (self.root.clone(), self.path(key)?);
        let durable = self.durable.clone();
        self.blocking(key, move || {
            link_durably(&root, &durable, &temporary, &path)
        })
        .await
    }

    async fn temporary(&self, key: &str) -> Result<Temporary, StoreError> {
        let root = self.root.clone();
        self.blocking(key, move || Temporary::create(&root)).await
    }

    async fn open_file(&self, key: &str) -> Result<(tokio::fs::File, u64), StoreError> {
        let path = self.path(key)?;
        let fail = |source| self.error(key, source);
        let file = tokio::fs::File::open(&path).await.map_err(fail)?;
        let metadata = file.metadata().await.map_err(fail)?;
        if !metadata.is_file() {
            return Err(self.error(key, ErrorKind::NotFound.into()));
        }
        Ok((file, metadata.len()))
    }
}

fn meta(key: String, metadata: &std::fs::Metadata) -> Meta {
    Meta {
        key,
        size: metadata.len(),
        tag: format!(
            "{}-{}-{}",
            metadata.ino(),
            metadata.mtime(),
            metadata.mtime_nsec()
        ),
    }
}

#[async_trait]
impl BlobStore for Folder {
    fn describe(&self) -> String {
        self.store.clone()
    }

    async fn put(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        let (root, path) = (self.root.clone(), self.path(key)?);
        let durable = self.durable.clone();
        self.blocking(key, move || {
            if path.is_file() {
                durable.object(&root, &path)?;
                return Ok(Put::Exists);
            }
            let temporary = Temporary::create(&root)?;
            io::Write::write_all(&mut temporary.file(), &bytes)?;
            link_durably(&root, &durable, &temporary, &path)
        })
        .await
    }

    async fn put_stream(
        &self,
        key: &str,
        _size_hint: Option<u64>,
        mut body: ByteStream,
    ) -> Result<Put, StoreError> {
        self.path(key)?;
        let temporary = self.temporary(key).await?;
        let fail = |source| self.error(key, source);
        let mut file = tokio::fs::File::from_std(temporary.file().try_clone().map_err(fail)?);
        file.set_max_buf_size(WRITE_BYTES);
        while let Some(chunk) = body.next().await {
            file.write_all(&chunk?).await.map_err(fail)?;
        }
        file.flush().await.map_err(fail)?;
        self.publish(key, temporary).await
    }

    async fn copy(
        &self,
        from: &str,
        key: &str,
        sizes: RangeInclusive<u64>,
    ) -> Result<Put, StoreError> {
        let (source, path) = (self.path(from)?, self.path(key)?);
        let (root, durable) = (self.root.clone(), self.durable.clone());
        let copied = spawn_blocking(move || copy_durably(&root, &durable, &source, &path, &sizes));
        match copied.await {
            Ok(copied) => copied.map_err(|error| match error {
                CopyError::Size(size, sizes) => not_copied_size(key, &self.store, size, &sizes),
                CopyError::NotLinked(why) => not_copied(key, &self.store, why.to_string()),
                CopyError::Source(error) => self.error(from, error),
                CopyError::Target(error) => self.error(key, error),
            }),
            Err(panicked) => Err(self.error(key, io::Error::other(panicked))),
        }
    }

    async fn get(&self, key: &str, bytes_max: u64) -> Result<Bytes, StoreError> {
        let (file, size) = self.open_file(key).await?;
        if size > bytes_max {
            return Err(StoreError::TooLarge {
                key: key.to_owned(),
                store: self.store.clone(),
                size,
                bytes_max,
            });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        let read = file.take(bytes_max).read_to_end(&mut bytes).await;
        read.map_err(|source| self.error(key, source))?;
        Ok(bytes.into())
    }

    async fn get_stream(
        &self,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<ByteStream, StoreError> {
        let (mut file, size) = self.open_file(key).await?;
        let range = range.unwrap_or(0..size);
        if range.end > size || range.start > range.end {
            return Err(StoreError::OutOfRange {
                key: key.to_owned(),
                store: self.store.clone(),
                size,
                start: range.start,
                end: range.end,
            });
        }
        let sought = file.seek(SeekFrom::Start(range.start)).await;
        sought.map_err(|source| self.error(key, source))?;
        let (store, key) = (self.clone(), key.to_owned());
        let reader = file.take(range.end - range.start);
        Ok(ReaderStream::with_capacity(reader, READ_BYTES)
            .map_err(move |source| store.error(&key, source))
            .boxed())
    }

    async fn head(&self, key: &str) -> Result<Option<Meta>, StoreError> {
        let path = self.path(key)?;
        match tokio::fs::metadata(&path).await {
            Ok(metadata) if metadata.is_file() => Ok(Some(meta(key.to_owned(), &metadata))),
            Ok(_) => Ok(None),
            Err(source) => match self.error(key, source) {
                error if error.is_not_found() => Ok(None),
                error => Err(error),
            },
        }
    }

    fn list(&self, prefix: &str) -> MetaStream {
        listing::list(self.clone(), prefix.to_owned())
    }

    async fn list_children(&self, prefix: &str) -> Result<Children, StoreError> {
        listing::children(self, prefix).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let (root, path) = (self.root.clone(), self.path(key)?);
        let durable = self.durable.clone();
        self.blocking(key, move || remove(&root, &durable, &path))
            .await
    }

    async fn make_durable(&self, key: &str) -> Result<(), StoreError> {
        let (root, path) = (self.root.clone(), self.path(key)?);
        let durable = self.durable.clone();
        self.blocking(key, move || durable.object(&root, &path))
            .await
    }

    async fn delete_many(&self, keys: &[String]) -> Result<(), StoreError> {
        for key in keys {
            self.delete(key).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
