//! Fetches files that lie side by side in a pack with one request, and divides what comes among them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bucket::{PackPart, Split};
use bytes::Bytes;
use cassandra_node::files::{FileError, Ownership, blocking};
use cassandra_node::held_folder::HeldFolder;
use futures::StreamExt;

use super::writer::Writer;
use super::{FETCH_BYTES, Fetcher, StageError, Target};
use crate::stage::layout::StagedFile;

/// What is gained by more is little.
const SYNCED_TOGETHER_MAX: usize = 16;
/// Files that all parts together may have open: a process may have 1,024 if the system's own limit is in force.
const OPEN_FILES: usize = 256;

/// How many files of one part are open at once if so many parts are fetched at once.
pub(super) fn synced_together(parallel: usize) -> usize {
    (OPEN_FILES / parallel.max(1)).clamp(1, SYNCED_TOGETHER_MAX)
}

impl Fetcher {
    /// Fetches the files of a part, and notes them if that is asked for. A file that did not come whole is fetched once more,
    /// by itself.
    pub(super) async fn fetch_part(
        &self,
        part: &PackPart,
        targets: Vec<Target>,
        notes: bool,
    ) -> Result<(), StageError> {
        for target in self.fetch_part_once(part, targets, notes).await? {
            self.fetch_to(&target.path, &target.file).await?;
            if notes {
                self.note(&[target.file]).await?;
            }
        }
        Ok(())
    }

    /// Returns the files that did not come whole.
    async fn fetch_part_once(
        &self,
        part: &PackPart,
        targets: Vec<Target>,
        notes: bool,
    ) -> Result<Vec<Target>, StageError> {
        self.work.check()?;
        let held = usize::try_from(part.bytes().min(FETCH_BYTES)).unwrap_or(usize::MAX);
        let _memory = self.memory(held).await?;
        let opened = self.bucket.open_part(part).await;
        let mut body = opened.map_err(|error| StageError::of_read(error, part.object()))?;
        let staging = self.directories.clone();
        let mut writing = Writing::new(part, targets, staging, self.synced_together);
        while let Some(piece) = self.work.or_stop(body.next()).await? {
            let piece = piece?;
            writing = self
                .advance(writing, notes, move |writing| writing.take(&piece))
                .await?;
        }
        writing = self.advance(writing, notes, Writing::end).await?;
        let Writing { targets, wrong, .. } = writing;
        Ok(wrong.iter().map(|at| targets[*at].clone()).collect())
    }

    /// Writes where it may block, and notes the files that are in their places now.
    async fn advance(
        &self,
        mut writing: Writing,
        notes: bool,
        write: impl FnOnce(&mut Writing) -> Result<Vec<usize>, FileError> + Send + 'static,
    ) -> Result<Writing, StageError> {
        let (writing, placed) = blocking(move || {
            let placed = write(&mut writing);
            (writing, placed)
        })
        .await;
        let placed: Vec<StagedFile> = placed?
            .into_iter()
            .map(|at| writing.targets[at].file.clone())
            .collect();
        if notes && !placed.is_empty() {
            self.note(&placed).await?;
        }
        self.work
            .add_bytes(placed.iter().map(|file| file.stored.bytes).sum());
        Ok(writing)
    }
}

/// The files of a part on their way to the disk, one after the other.
struct Writing {
    split: Split,
    targets: Arc<[Target]>,
    staging: HashMap<String, (PathBuf, Ownership)>,
    synced_together: usize,
    /// The folder of those that are open, and where it was when it was opened.
    folder: Option<(PathBuf, Arc<HeldFolder>)>,
    /// How many files were begun.
    begun: usize,
    /// The one that was begun last.
    current: Option<Writer>,
    /// Whole and checked, and not synced yet.
    written: Vec<(usize, Writer)>,
    wrong: Vec<usize>,
}

impl Writing {
    fn new(
        part: &PackPart,
        targets: Vec<Target>,
        staging: HashMap<String, (PathBuf, Ownership)>,
        synced_together: usize,
    ) -> Self {
        Self {
            split: part.split(),
            targets: targets.into(),
            staging,
            synced_together,
            folder: None,
            begun: 0,
            current: None,
            written: Vec::new(),
            wrong: Vec::new(),
        }
    }

    /// Writes the next bytes; returns the files that are in their places now. Blocks, as all of these do.
    fn take(&mut self, piece: &Bytes) -> Result<Vec<usize>, FileError> {
        let mut placed = Vec::new();
        for (at, bytes) in self.split.pass(piece) {
            self.reach(at, &mut placed)?;
            let writer = self.current.take();
            self.current = writer.map(|writer| writer.write(bytes)).transpose()?;
        }
        Ok(placed)
    }

    /// Ends all files, also those of which nothing came.
    fn end(&mut self) -> Result<Vec<usize>, FileError> {
        let mut placed = Vec::new();
        self.reach(self.targets.len() - 1, &mut placed)?;
        self.end_current(&mut placed)?;
        self.place(&mut placed)?;
        Ok(placed)
    }

    /// Ends the files before a file, and begins it.
    fn reach(&mut self, at: usize, placed: &mut Vec<usize>) -> Result<(), FileError> {
        while self.begun <= at {
            self.end_current(placed)?;
            let folder = self.enter_folder_of(self.begun, placed)?;
            let Target { file, path } = &self.targets[self.begun];
            let (_, ownership) = self.staging[&file.directory];
            let writer = Writer::create(folder, path, file.stored.bytes, ownership)?;
            self.current = Some(writer);
            self.begun += 1;
        }
        Ok(())
    }

    /// The folder of a file. If it is another than that of the file before, all that is open there is ended.
    fn enter_folder_of(
        &mut self,
        at: usize,
        placed: &mut Vec<usize>,
    ) -> Result<Arc<HeldFolder>, FileError> {
        let Target { file, path } = &self.targets[at];
        if let Some((_, held)) = self
            .folder
            .as_ref()
            .filter(|(of, _)| path.parent() == Some(of.as_path()))
        {
            return Ok(held.clone());
        }
        let (staging, ownership) = &self.staging[&file.directory];
        let held = Writer::folder(staging, path, *ownership)?;
        let of = path.parent().map(Path::to_owned).unwrap_or_default();
        self.folder = Some((of, held.clone()));
        self.place(placed)?;
        Ok(held)
    }

    fn end_current(&mut self, placed: &mut Vec<usize>) -> Result<(), FileError> {
        let Some(writer) = self.current.take() else {
            return Ok(());
        };
        let at = self.begun - 1;
        let stored = &self.targets[at].file.stored;
        let is_right = writer.bytes == stored.bytes
            && writer.blake3.finalize().to_hex().as_str() == stored.blake3;
        if is_right {
            self.written.push((at, writer));
        } else {
            self.wrong.push(at);
        }
        if self.written.len() >= self.synced_together {
            self.place(placed)?;
        }
        Ok(())
    }

    /// Gives all that is written its name, after all of it is on disk.
    fn place(&mut self, placed: &mut Vec<usize>) -> Result<(), FileError> {
        for (_, writer) in &self.written {
            writer.begin_sync();
        }
        for (_, writer) in &self.written {
            writer.sync()?;
        }
        for (at, writer) in self.written.drain(..) {
            writer.give_name()?;
            placed.push(at);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
