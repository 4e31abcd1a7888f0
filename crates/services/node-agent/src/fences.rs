//! The highest fence of each scope that this node has seen: calls of a caller that has lost its lease are refused.
//!
//! A runner that is paused for longer than its lease goes on, once it wakes, with a task that another runner drives by now. It
//! could stop this node while the other starts it. What is seen is on disk before the call that brings it is carried out, so
//! that a restart of the agent forgets none.

mod error;
mod seen;

use std::path::PathBuf;
use std::sync::Arc;

use api::fence::Fences;
use cassandra_node::files::{self, FileError, blocking};
use tokio::sync::Mutex;
use tracing::error;

use seen::Seen;

pub use error::FenceError;

/// The highest fences, in memory and on disk.
#[derive(Clone)]
pub struct SeenFences {
    path: Arc<PathBuf>,
    /// None until the file was read.
    memory: Arc<Mutex<Option<Memory>>>,
}

struct Memory {
    seen: Seen,
    /// Whether the file has the same.
    is_saved: bool,
}

impl SeenFences {
    pub fn new(path: PathBuf) -> Self {
        Self {
            path: Arc::new(path),
            memory: Arc::new(Mutex::new(None)),
        }
    }

    /// Refuses fences below those that were seen.
    pub async fn check(&self, fences: &Fences) -> Result<(), FenceError> {
        if fences.is_empty() {
            return Ok(());
        }
        let mut memory = self.memory.lock().await;
        self.loaded(&mut memory).await?.seen.check(fences)
    }

    /// The same, and from now on lower ones are refused, also once the agent was started again.
    pub async fn raise(&self, fences: &Fences) -> Result<(), FenceError> {
        Ok(self.try_raise(fences).await??)
    }

    /// The same for a call that frees space: a disk that is too full for the new numbers does not refuse it. They hold until
    /// the agent stops.
    pub async fn raise_if_possible(&self, fences: &Fences) -> Result<(), FenceError> {
        if let Err(error) = self.try_raise(fences).await? {
            error!(%error, "the fences of a call could not be kept; a restart of the agent forgets them");
        }
        Ok(())
    }

    /// Whether the numbers are on disk. They are in memory either way.
    async fn try_raise(&self, fences: &Fences) -> Result<Result<(), FileError>, FenceError> {
        if fences.is_empty() {
            return Ok(Ok(()));
        }
        // To its end, also if the caller goes away: the lock keeps all others off the file until it is written.
        let (seen, fences) = (self.clone(), fences.clone());
        let raising = tokio::spawn(async move { seen.raise_to_the_end(&fences).await });
        match raising.await {
            Ok(raised) => raised,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    async fn raise_to_the_end(&self, fences: &Fences) -> Result<Result<(), FileError>, FenceError> {
        let mut memory = self.memory.lock().await;
        let memory = self.loaded(&mut memory).await?;
        memory.seen.check(fences)?;
        memory.is_saved &= !memory.seen.raise(fences);
        if memory.is_saved {
            return Ok(Ok(()));
        }
        let (path, text) = (self.path.clone(), memory.seen.to_text());
        let written = blocking(move || files::replace(&path, text.as_bytes())).await;
        memory.is_saved = written.is_ok();
        Ok(written)
    }

    async fn loaded<'a>(
        &self,
        memory: &'a mut Option<Memory>,
    ) -> Result<&'a mut Memory, FenceError> {
        let known = match memory.take() {
            Some(known) => known,
            None => {
                let path = self.path.clone();
                Memory {
                    seen: blocking(move || Seen::read(&path)).await?,
                    is_saved: true,
                }
            }
        };
        Ok(memory.insert(known))
    }
}

#[cfg(test)]
mod tests;
