//! Cuts what this node takes of an SSTable out of the bucket: the small components come whole and are checked, of the
//! rows come the chunks that hold wanted partitions. Where all partitions turn out to be wanted, it comes whole.
//!
//! What is being written is apart from what is staged, and is moved there when it is whole and on disk.

mod failure;
mod watch;
mod whole;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bucket::{PACKED_FILE_BYTES_MAX, StoredSstable};
use cassandra_formats::slice::{self, slice_reading};
use cassandra_formats::{DATA, DIGEST, FILTER, STATISTICS, TOC, parse_file_name};
use cassandra_node::files::{self, FileError, Ownership, blocking};
use cassandra_node::held_folder::HeldFolder;
use cassandra_tokens::TokenRanges;
use chassis::work::Work;
use model::manifest::StoredFile;
use sstable_files::{NewSstable, SstableFiles};

use super::StageError;
use super::fetch::{Fetcher, Target};
use super::layout::{StagedFile, StagedSstable};
use super::share::Portion;
use crate::agent::Agent;
use crate::journal::Journal;
use crate::restore::{RestoreRecord, RestoreState};

use failure::Failure;
use watch::SliceReads;
use whole::{Made, Whole, move_in, take_uncut, take_whole};

/// Where slices are made, beside the keyspaces in the staging folder of a data directory. No keyspace has such a name.
const UNFINISHED_FOLDER: &str = ".slicing";
/// In the folder of one slice, the components that came whole from its source.
const SOURCE_FOLDER: &str = "source";
/// What a slice does not need of its source, because it is made again.
const NOT_READ: [&str; 3] = [DIGEST, FILTER, TOC];

/// Bytes of each component of a slice that is staged; none where no partition was in the ranges.
type Sliced = BTreeMap<String, u64>;

pub(super) struct Slicer<'a> {
    fetcher: &'a Fetcher,
    journal: Journal<RestoreRecord>,
    work: Work,
    read_bytes: usize,
    whole_bytes_max: u64,
    before: &'a BTreeMap<String, Sliced>,
}

/// Tries of this process, so that no two of them write in one folder.
static TRIES: AtomicU64 = AtomicU64::new(0);

/// What earlier tries have left half done.
pub(super) async fn clear_unfinished(agent: &Agent, restore: &str) -> Result<(), StageError> {
    let mut folders = Vec::new();
    for data in &agent.folders.data {
        folders.push(
            agent
                .folders
                .staging_of(data, restore)?
                .join(UNFINISHED_FOLDER),
        );
    }
    let removed = blocking(move || {
        let mut each = folders.iter();
        each.try_for_each(|folder| files::remove_tree(folder).map(drop))
    });
    Ok(removed.await?)
}

impl<'a> Slicer<'a> {
    pub fn new(
        agent: &Agent,
        fetcher: &'a Fetcher,
        journal: Journal<RestoreRecord>,
        state: &'a RestoreState,
        work: Work,
    ) -> Self {
        Self {
            fetcher,
            journal,
            work,
            read_bytes: agent.config.slice_read_bytes.max(1),
            whole_bytes_max: agent.config.slice_whole_bytes_max,
            before: &state.sliced,
        }
    }

    /// Those that earlier tries have staged, but for the empty ones, and those that are still to be sliced.
    pub fn missing(
        &self,
        slices: Vec<StagedSstable>,
        work: &Work,
    ) -> (Vec<StagedSstable>, Vec<StagedSstable>) {
        let (mut staged, mut missing) = (Vec::new(), Vec::new());
        for sstable in slices {
            let done = self.done(&sstable);
            work.update(|progress| {
                progress.items_total += 1;
                match done {
                    Some(_) => progress.items_done += 1,
                    None => progress.bytes_total += sstable.bytes(),
                }
            });
            match done {
                None => missing.push(sstable),
                Some(components) if components.is_empty() => {}
                Some(_) => staged.push(sstable),
            }
        }
        (staged, missing)
    }

    /// The bytes that these take of each data directory: themselves, and for as long as they are made what came whole of
    /// the largest of them, as many as are made at once.
    pub fn disk_bytes(&self, slices: &[StagedSstable], parallel: usize) -> Vec<(String, u64)> {
        let directory = |sstable: &StagedSstable| sstable.placement.directory.clone();
        let mut beside: Vec<(String, u64)> = slices
            .iter()
            .map(|sstable| (directory(sstable), self.fetched_whole(sstable)))
            .collect();
        beside.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        beside.truncate(parallel.max(1));
        let own = slices
            .iter()
            .map(|sstable| (directory(sstable), sstable.bytes()));
        own.chain(beside).collect()
    }

    /// What an earlier try came to, where it is still there.
    fn done(&self, sstable: &StagedSstable) -> Option<&'a Sliced> {
        let sliced = self.before.get(&sstable.journal_path())?;
        let (staging, _) = self.fetcher.staging(&sstable.placement.directory);
        let folder = staging.join(&sstable.folder);
        let whole = sliced.iter().all(|(component, bytes)| {
            let path = folder.join(format!("{}-{component}", sstable.placement.to));
            fs::metadata(path).is_ok_and(|found| found.len() == *bytes)
        });
        whole.then_some(sliced)
    }

    /// Stages the slice, and returns it unless no partition is in the ranges.
    pub async fn slice(&self, sstable: StagedSstable) -> Result<Option<StagedSstable>, StageError> {
        self.work.check()?;
        let sliced = match self.stage(&sstable).await {
            // The transfer may be at fault, and not what is in the bucket.
            Err(StageError::Damaged { .. }) => self.stage(&sstable).await?,
            once => once?,
        };
        Ok((!sliced.is_empty()).then_some(sstable))
    }

    async fn stage(&self, sstable: &StagedSstable) -> Result<Sliced, StageError> {
        let Portion::Slice { ranges, trims, .. } = &sstable.portion else {
            return Ok(Sliced::new());
        };
        let (staging, ownership) = self.fetcher.staging(&sstable.placement.directory);
        let number = TRIES.fetch_add(1, Ordering::Relaxed);
        let own = format!("{}-{number}", sstable.placement.to);
        let unfinished = staging.join(UNFINISHED_FOLDER).join(own);
        let target = staging.join(&sstable.folder);
        // Also when this future is dropped, the reading ends.
        let work = self.work.child();
        let _stop = work.stop_when_dropped();
        let reads = Arc::new(SliceReads {
            counter: work.counter(),
            work,
        });
        let result = self
            .slice_into(sstable, ranges, &unfinished, ownership, reads.clone())
            .await;
        let source = unfinished.join(SOURCE_FOLDER);
        // What was made, with the bytes that were fetched after it.
        let moved = match result {
            Ok(Made::Slice(whole)) => blocking(move || move_in(whole, &target, ownership)).await,
            Ok(Made::Nothing) => Ok((Sliced::new(), 0)),
            Ok(Made::Everything) => take_whole(self.fetcher, sstable, &source).await,
            Err(StageError::NotSliceable { .. }) if *trims => {
                take_uncut(&self.journal, self.fetcher, sstable, &source).await
            }
            Err(error) => Err(error),
        };
        let (sliced, fetched_after) = match moved {
            Ok(moved) => moved,
            Err(error) => {
                reads.counter.take_back();
                // The first error is the one to report; the next try clears what could not be removed here.
                drop(blocking(move || files::remove_tree(&unfinished)).await);
                return Err(error);
            }
        };
        blocking(move || files::remove_tree(&unfinished)).await?;
        self.journal
            .append(&RestoreRecord::Sliced {
                path: sstable.journal_path(),
                components: sliced.clone(),
            })
            .await?;
        let fetched = reads.counter.bytes() + self.fetched_whole(sstable) + fetched_after;
        self.work.update(|progress| {
            progress.bytes_total = (progress.bytes_total + fetched).saturating_sub(sstable.bytes());
        });
        Ok(sliced)
    }

    /// What of it is fetched before it is sliced. Statistics.db is parsed as a whole, so nothing of it may be unchecked. What
    /// is in a pack is small and comes with its neighbours, also what is only needed if all partitions are wanted.
    fn comes_whole(&self, file: &StagedFile) -> bool {
        let component = file.component();
        if cassandra_node::sstables::is_attached_index(component) {
            return false;
        }
        let stored = &file.stored;
        if stored.offset.is_some() && stored.bytes <= PACKED_FILE_BYTES_MAX {
            return true;
        }
        let small = stored.bytes <= self.whole_bytes_max || component == STATISTICS;
        is_read(file) && component != DATA && small
    }

    fn fetched_whole(&self, sstable: &StagedSstable) -> u64 {
        let files = sstable.files.iter();
        files
            .filter(|file| self.comes_whole(file))
            .map(|file| file.stored.bytes)
            .sum()
    }

    /// Makes the slice in a folder of its own.
    async fn slice_into(
        &self,
        sstable: &StagedSstable,
        ranges: &Arc<TokenRanges>,
        unfinished: &Path,
        ownership: Ownership,
        reads: Arc<SliceReads>,
    ) -> Result<Made, StageError> {
        let source = unfinished.join(SOURCE_FOLDER);
        let descriptor = |name: &str| {
            let file = format!("{name}-{DATA}");
            parse_file_name(&file)
                .map(|(descriptor, _)| descriptor)
                .map_err(|_| StageError::NotComponent {
                    source_node: sstable.placement.source,
                    file,
                })
        };
        let from = descriptor(&sstable.placement.from)?;
        let to = descriptor(&sstable.placement.to)?;
        let mut fetched = BTreeMap::new();
        let mut whole = Vec::new();
        let mut stored: BTreeMap<String, StoredFile> = BTreeMap::new();
        for file in &sstable.files {
            let component = file.component();
            let (comes_whole, is_read) = (self.comes_whole(file), is_read(file));
            if comes_whole {
                whole.push(Target {
                    path: source.join(format!("{from}-{component}")),
                    file: file.clone(),
                });
            }
            if comes_whole && is_read {
                fetched.insert(component.to_owned(), file.stored.bytes);
            }
            if is_read {
                stored.insert(component.to_owned(), file.stored.clone());
            }
        }
        self.fetcher.fetch_all_to(whole).await?;
        let stored = StoredSstable::new(self.fetcher.bucket(), from.clone(), stored)
            .with_local(SstableFiles::new(&source, from.clone(), fetched))
            .watched_by(reads);
        let (folder, ranges) = (unfinished.join("new"), ranges.clone());
        let (staging, _) = self.fetcher.staging(&sstable.placement.directory);
        let inside = folder.strip_prefix(staging).unwrap_or(&folder).to_owned();
        let staging = staging.to_owned();
        let read_bytes = self.read_bytes;
        // For what is read at once, and what is made of it.
        let memory = self.fetcher.memory(read_bytes.saturating_mul(2)).await?;
        let made = blocking(move || -> Result<Made, Failure> {
            let _memory = memory;
            let held = HeldFolder::make(&staging, &inside, &ownership)?;
            let mut new = NewSstable::new(&held.path(), to.clone());
            let sliced = slice_reading(&stored, &from.format, &ranges, read_bytes, &mut new)?;
            let slice = match sliced {
                slice::Sliced::Nothing => return Ok(Made::Nothing),
                slice::Sliced::Everything => return Ok(Made::Everything),
                slice::Sliced::Part(slice) => slice,
            };
            let mut components = Vec::new();
            for component in slice.components {
                let path = folder.join(format!("{to}-{component}"));
                ownership.apply_to_file(&path)?;
                let found = fs::metadata(&path).map_err(FileError::at("stat", &path))?;
                components.push((component.to_owned(), found.len(), path));
            }
            new.seal().map_err(FileError::at("sync", &folder))?;
            Ok(Made::Slice(Whole { components }))
        });
        made.await
            .map_err(|failure| failure.of(sstable, unfinished))
    }
}

fn is_read(file: &StagedFile) -> bool {
    let component = file.component();
    !NOT_READ.contains(&component) && !cassandra_node::sstables::is_attached_index(component)
}
