//! Stages a restore: every byte that it needs comes to local disk and is checked, and no live file is touched.

mod error;
mod fetch;
mod layout;
mod plan;
mod probe;
mod share;
mod slice;

use std::collections::{BTreeMap, BTreeSet};

use bucket::{Run, keys};
use cassandra_node::files::{self, blocking};
use chassis::work::Work;
use model::manifest::NodeManifest;
use model::plan::RestoreMode;
use model::{BackupRef, HostId, SourceShare, TableId};
use tracing::info;

use crate::agent::Agent;
use crate::journal::Journal;
use crate::path_name;
use crate::restore::{Begun, RestoreRecord, RestoreState, TableTarget};

pub use error::StageError;

use fetch::{Fetcher, by_request};
use layout::{StagedFile, StagedSstable};
use plan::plan;
use share::Portion;
use slice::Slicer;

/// What to stage.
#[derive(Debug, Clone)]
pub struct Stage {
    pub restore: String,
    pub backup: BackupRef,
    pub sources: Vec<HostId>,
    /// The hash of each source's node manifest, as the backup manifest had it when the restore was planned.
    pub manifests: BTreeMap<HostId, String>,
    pub tables: Vec<TableTarget>,
    /// What is taken of each source; none: everything.
    pub shares: Vec<SourceShare>,
    /// How what is staged goes live.
    pub mode: RestoreMode,
}

/// Stages; returns the number of staged SSTables, indexes not counted.
pub async fn stage(agent: &Agent, stage: &Stage, work: &Work) -> Result<u64, StageError> {
    check_request(stage)?;
    let (journal, state) = RestoreState::open(&agent.folders, &stage.restore).await?;
    begin(stage, &journal, &state).await?;
    if let Some(staged) = &state.staged
        && stage
            .tables
            .iter()
            .all(|target| state.is_past_staging(&target.target_id))
    {
        return Ok(staged.values().sum());
    }
    probe::probe(agent, stage).await?;
    let manifests = manifests(agent, stage).await?;
    let (sstables, kept) = plan(agent, stage, &state, &manifests).await?;
    for sstable in sstables.iter().filter(|sstable| !sstable.placed_before) {
        journal
            .append(&RestoreRecord::Placed(sstable.placement.clone()))
            .await?;
    }
    slice::clear_unfinished(agent, &stage.restore).await?;
    let children = work.child();
    let limits = agent.limits.of(&stage.restore);
    let fetcher = Fetcher::new(
        agent,
        agent.bucket_within(&limits),
        &stage.restore,
        journal.clone(),
        &state,
        children.clone(),
    )?;
    let slicer = Slicer::new(agent, &fetcher, journal.clone(), &state, children.clone());
    let (whole, slices) = sstables
        .into_iter()
        .partition::<Vec<_>, _>(|sstable| !matches!(sstable.portion, Portion::Slice { .. }));
    note_uncut(&whole, &state, &journal).await?;
    let (mut staged, slices) = slicer.missing(slices, work);
    let files: Vec<StagedFile> = whole.iter().flat_map(|s| s.files.clone()).collect();
    let missing = fetcher.missing(files, work).await?;
    let slice_bytes = slicer.disk_bytes(&slices, agent.config.parallel_files);
    fetcher.check_room(agent, &missing, &slice_bytes).await?;
    let jobs = by_request(missing).into_iter().map(Job::Fetch);
    let jobs = jobs.chain(slices.into_iter().map(Job::Slice)).collect();
    let run = |job| async {
        match job {
            Job::Fetch(run) => {
                let files = run.files().len() as u64;
                fetcher.fetch(run).await.map(|()| (files, None))
            }
            Job::Slice(sstable) => slicer.slice(sstable).await.map(|sliced| (1, sliced)),
        }
    };
    let ended = |(items, sliced): (u64, Option<StagedSstable>)| {
        work.update(|progress| progress.items_done += items);
        staged.extend(sliced);
    };
    let parallel = agent.config.parallel_files;
    limits
        .for_each(&children, parallel, jobs, run, ended)
        .await?;
    staged.extend(whole);
    sync_folders(agent, stage).await?;
    let counts = count(&staged, kept, stage);
    let total = counts.values().sum();
    journal
        .append(&RestoreRecord::Staged { sstables: counts })
        .await?;
    info!(restore = stage.restore, sstables = total, "restore staged");
    Ok(total)
}

/// A piece of the work.
enum Job {
    Fetch(Run<StagedFile>),
    Slice(StagedSstable),
}

fn check_request(stage: &Stage) -> Result<(), StageError> {
    path_name::check("restore", &stage.restore)?;
    for target in &stage.tables {
        path_name::check("tables.table.keyspace", &target.table.keyspace)?;
        path_name::check("tables.table.table", &target.table.table)?;
    }
    let mut sources = stage.sources.iter();
    sources.try_for_each(|source| hash_of(stage, *source).map(drop))
}

/// An absent hash must not mean that any manifest will do.
fn hash_of(stage: &Stage, source: HostId) -> Result<&str, StageError> {
    let hash = stage.manifests.get(&source).map(String::as_str);
    hash.filter(|hash| !hash.is_empty())
        .ok_or(StageError::NoHash {
            source_node: source,
        })
}

async fn begin(
    stage: &Stage,
    journal: &Journal<RestoreRecord>,
    state: &RestoreState,
) -> Result<(), StageError> {
    match &state.begun {
        Some(begun) => {
            let wanted = Begun {
                backup: stage.backup.clone(),
                sources: stage.sources.clone(),
                tables: stage.tables.clone(),
                shares: stage.shares.clone(),
            };
            if *begun != wanted {
                return Err(StageError::OtherRestore {
                    restore: stage.restore.clone(),
                    backup: begun.backup.clone(),
                });
            }
        }
        None => {
            journal
                .append(&RestoreRecord::Begun {
                    backup: stage.backup.clone(),
                    sources: stage.sources.clone(),
                    tables: stage.tables.clone(),
                    shares: stage.shares.clone(),
                })
                .await?;
        }
    }
    Ok(())
}

async fn manifests(
    agent: &Agent,
    stage: &Stage,
) -> Result<Vec<(HostId, NodeManifest)>, StageError> {
    let bucket = agent.bucket();
    let mut found = Vec::new();
    for source in &stage.sources {
        let blake3 = hash_of(stage, *source)?;
        let read = bucket
            .node_manifest_of_hash(&stage.backup, source, blake3)
            .await;
        let Some(manifest) = read? else {
            return Err(StageError::NoManifest {
                object: keys::node_manifest(&stage.backup, source),
            });
        };
        found.push((*source, manifest));
    }
    Ok(found)
}

/// Notes before anything of them is fetched which tables have SSTables that are taken uncut.
async fn note_uncut(
    whole: &[StagedSstable],
    state: &RestoreState,
    journal: &Journal<RestoreRecord>,
) -> Result<(), StageError> {
    let uncut = whole
        .iter()
        .filter(|sstable| matches!(sstable.portion, Portion::Uncut));
    let tables: BTreeSet<TableId> = uncut.map(|sstable| sstable.placement.table).collect();
    for table in tables.difference(&state.uncut) {
        let table = *table;
        journal.append(&RestoreRecord::Uncut { table }).await?;
    }
    Ok(())
}

/// The names of the staged files survive a power cut from here on.
async fn sync_folders(agent: &Agent, stage: &Stage) -> Result<(), StageError> {
    let roots = agent.folders.restore_roots(&stage.restore)?;
    blocking(move || {
        let mut folders = roots;
        while let Some(folder) = folders.pop() {
            if !folder.is_dir() {
                continue;
            }
            files::sync_folder(&folder)?;
            let entries = files::entries(&folder)?;
            folders.extend(entries.into_iter().filter(|entry| entry.is_dir()));
        }
        Ok(())
    })
    .await
}

/// SSTables of each table; a table without data counts with none, so that it is known to be staged.
fn count(
    sstables: &[StagedSstable],
    kept: BTreeMap<TableId, u64>,
    stage: &Stage,
) -> BTreeMap<TableId, u64> {
    let mut counts = kept;
    for target in &stage.tables {
        counts.entry(target.target_id).or_insert_with(|| {
            let own = |s: &&StagedSstable| {
                s.placement.table == target.target_id && s.placement.index.is_none()
            };
            sstables.iter().filter(own).count() as u64
        });
    }
    counts
}

#[cfg(test)]
mod differential_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod pack_tests;
#[cfg(test)]
mod renamed_tests;
#[cfg(test)]
mod slice_tests;
#[cfg(test)]
mod tests;
