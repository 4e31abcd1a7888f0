//! Fetches files of a backup: checked while they are written, on disk before they get their names.

mod together;
mod writer;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use blob_store::{Budget, Reservation};
use bucket::{Bucket, Run, RunLimits, pack_place, runs};
use cassandra_node::files::{Ownership, blocking};
use chassis::work::{Stopped, Work};
use futures::StreamExt;
use model::manifest::StoredFile;

use super::StageError;
use super::layout::StagedFile;
use crate::agent::Agent;
use crate::journal::Journal;
use crate::restore::{RestoreRecord, RestoreState};

use together::synced_together;
use writer::Writer;

/// A transfer may break without the bucket being at fault; a second one that is wrong too means that it is.
const FETCH_TRIES_MAX: u32 = 2;
/// What one transfer holds at once: a piece on its way to the disk, and what the connection has read ahead.
const FETCH_BYTES: u64 = 1 << 20;

/// Of a part of a pack that comes with one request. It passes through, so its size costs no memory. What takes the time of
/// small files is to sync them, so that several such parts are to be at work at once.
const RUN_LIMITS: RunLimits = RunLimits {
    bytes_max: 16 << 20,
    files_max: 512,
};

/// A file, and where it is to be.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub file: StagedFile,
    pub path: PathBuf,
}

/// Groups files by what comes with one request.
pub(super) fn by_request(files: Vec<StagedFile>) -> Vec<Run<StagedFile>> {
    runs(files, |file| pack_place(&file.stored), RUN_LIMITS)
}

pub(super) struct Fetcher {
    bucket: Bucket,
    budget: Budget,
    work: Work,
    journal: Journal<RestoreRecord>,
    /// The staging folder and the ownership of each data directory, by label.
    directories: HashMap<String, (PathBuf, Ownership)>,
    fetched: HashMap<String, StoredFile>,
    reserved_bytes: u64,
    /// Files of one part of a pack that are written before they are synced one after the other. Each is open until then.
    synced_together: usize,
}

impl Fetcher {
    pub fn new(
        agent: &Agent,
        bucket: Bucket,
        restore: &str,
        journal: Journal<RestoreRecord>,
        state: &RestoreState,
        work: Work,
    ) -> Result<Self, StageError> {
        let mut directories = HashMap::new();
        for data in &agent.folders.data {
            let staging = agent.folders.staging_of(data, restore)?;
            directories.insert(
                data.label.clone(),
                (staging, agent.folders.ownership(data)?),
            );
        }
        Ok(Self {
            bucket,
            budget: agent.budget.clone(),
            work,
            journal,
            directories,
            fetched: state.fetched.clone(),
            reserved_bytes: agent.config.reserved_bytes,
            synced_together: synced_together(agent.config.parallel_files),
        })
    }

    /// The staging folder of a data directory, and whom what is in it belongs to.
    pub fn staging(&self, directory: &str) -> (&Path, Ownership) {
        let (path, ownership) = &self.directories[directory];
        (path, *ownership)
    }

    pub fn bucket(&self) -> Bucket {
        self.bucket.clone()
    }

    pub fn path(&self, file: &StagedFile) -> PathBuf {
        self.directories[&file.directory].0.join(&file.path)
    }

    fn journal_path(file: &StagedFile) -> String {
        format!("{}/{}", file.directory, file.path)
    }

    /// Which files are still to be fetched; the others count as progress at once.
    pub async fn missing(
        &self,
        files: Vec<StagedFile>,
        work: &Work,
    ) -> Result<Vec<StagedFile>, StageError> {
        work.update(|progress| {
            progress.bytes_total += files.iter().map(|file| file.stored.bytes).sum::<u64>();
            progress.items_total += files.len() as u64;
        });
        let mut missing = Vec::new();
        for file in files {
            if self.has(&file) {
                work.update(|progress| {
                    progress.bytes_done += file.stored.bytes;
                    progress.items_done += 1;
                });
            } else {
                missing.push(file);
            }
        }
        Ok(missing)
    }

    /// Whether an earlier try fetched it, and it is still there.
    pub fn has(&self, file: &StagedFile) -> bool {
        let journaled = self.fetched.get(&Self::journal_path(file));
        let known = journaled.is_some_and(|stored| stored.blake3 == file.stored.blake3);
        let size = fs::metadata(self.path(file)).map(|found| found.len());
        known && size.is_ok_and(|size| size == file.stored.bytes)
    }

    /// Refuses before the first byte what could not end well. `slices` are what slices take of each data directory.
    pub async fn check_room(
        &self,
        agent: &Agent,
        missing: &[StagedFile],
        slices: &[(String, u64)],
    ) -> Result<(), StageError> {
        let mut needed: BTreeMap<u64, u64> = BTreeMap::new();
        let folders = agent.folders.clone();
        let rooms = blocking(move || super::layout::disk_spaces(&folders)).await?;
        let files = missing
            .iter()
            .map(|file| (&file.directory, file.stored.bytes));
        let slices = slices.iter().map(|(directory, bytes)| (directory, *bytes));
        for (directory, bytes) in files.chain(slices) {
            if let Some(room) = rooms.iter().find(|room| room.label == *directory) {
                *needed.entry(room.device).or_default() += bytes;
            }
        }
        for (data, room) in agent.folders.data.iter().zip(&rooms) {
            let bytes = needed.get(&room.device).copied().unwrap_or(0);
            if bytes > 0 && bytes + self.reserved_bytes > room.free_bytes {
                return Err(StageError::InsufficientSpace {
                    path: data.path.clone(),
                    needed: bytes + self.reserved_bytes,
                    free: room.free_bytes,
                    reserved: self.reserved_bytes,
                });
            }
        }
        Ok(())
    }

    /// Waits for memory of the agent's budget. While it is held, no other is to be waited for.
    pub async fn memory(&self, bytes: usize) -> Result<Reservation, Stopped> {
        self.work.or_stop(self.budget.reserve(bytes)).await
    }

    /// Fetches what comes with one request to where it is staged, and notes it.
    pub async fn fetch(&self, run: Run<StagedFile>) -> Result<(), StageError> {
        match run {
            Run::Whole(file) => {
                self.fetch_to(&self.path(&file), &file).await?;
                self.note(&[file]).await
            }
            Run::Part(part, files) => {
                let files = files.into_iter().map(|file| Target {
                    path: self.path(&file),
                    file,
                });
                self.fetch_part(&part, files.collect(), true).await
            }
        }
    }

    /// Fetches files to any places in their staging folders.
    pub async fn fetch_all_to(&self, targets: Vec<Target>) -> Result<(), StageError> {
        for run in runs(
            targets,
            |target| pack_place(&target.file.stored),
            RUN_LIMITS,
        ) {
            match run {
                Run::Whole(Target { file, path }) => self.fetch_to(&path, &file).await?,
                Run::Part(part, targets) => self.fetch_part(&part, targets, false).await?,
            }
        }
        Ok(())
    }

    /// Notes that files are in their places, whole and checked.
    pub async fn note(&self, files: &[StagedFile]) -> Result<(), StageError> {
        let fetched = files.iter().map(|file| RestoreRecord::Fetched {
            path: Self::journal_path(file),
            file: file.stored.clone(),
        });
        let fetched: Vec<RestoreRecord> = fetched.collect();
        Ok(self.journal.append_all(&fetched).await?)
    }

    /// Fetches a file to any place in its staging folder.
    async fn fetch_to(&self, path: &Path, file: &StagedFile) -> Result<(), StageError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let counted = self.work.counter();
            match self.fetch_once(path, file, &counted).await {
                Ok(()) => return Ok(()),
                Err(StageError::Length { .. } | StageError::Hash { .. })
                    if tries < FETCH_TRIES_MAX =>
                {
                    counted.take_back();
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn fetch_once(
        &self,
        path: &Path,
        file: &StagedFile,
        counted: &chassis::work::Counter,
    ) -> Result<(), StageError> {
        let stored = &file.stored;
        let object = || stored.object.clone();
        self.work.check()?;
        let held = usize::try_from(stored.bytes.min(FETCH_BYTES)).unwrap_or(usize::MAX);
        let _memory = self.memory(held).await?;
        let opened = self.bucket.open(stored, None).await;
        let mut body = opened.map_err(|error| StageError::of_read(error, &stored.object))?;
        let (staging, ownership) = self.directories[&file.directory].clone();
        let (at, bytes) = (path.to_owned(), stored.bytes);
        let mut writer = blocking(move || {
            let folder = Writer::folder(&staging, &at, ownership)?;
            Writer::create(folder, &at, bytes, ownership)
        })
        .await?;
        while let Some(piece) = self.work.or_stop(body.next()).await? {
            let piece = piece?;
            counted.add_bytes(piece.len() as u64);
            if writer.bytes + piece.len() as u64 > stored.bytes {
                return Err(StageError::Length {
                    object: object(),
                    expected: stored.bytes,
                    found: writer.bytes + piece.len() as u64,
                });
            }
            writer = blocking(move || writer.write(piece)).await?;
        }
        if writer.bytes != stored.bytes {
            return Err(StageError::Length {
                object: object(),
                expected: stored.bytes,
                found: writer.bytes,
            });
        }
        let found = writer.blake3.finalize().to_hex().to_string();
        if found != stored.blake3 {
            return Err(StageError::Hash {
                object: object(),
                expected: stored.blake3.clone(),
                found,
            });
        }
        Ok(blocking(move || writer.finish()).await?)
    }
}
