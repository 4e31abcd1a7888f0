//! What tasks have left on this node: found by names that only Ringkeep gives, and deleted one by one on request.
//!
//! Which task lives is known to the caller alone. What nothing but this node can know is checked here: that a name is
//! Ringkeep's, that no work goes on under it, and that old files are not the only copy of what was live.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use api::ServiceError;
use cassandra_node::files::{self, FileError, blocking};
use model::TaskId;
use model::leftover::{ClearedLeftover, Leftover, LeftoverKind};
use tracing::info;

use crate::agent::{Agent, on_restore, on_snapshot};
use crate::error::AgentError;
use crate::folders::Folders;
use crate::restore::{self, RestoreState};
use crate::{journal, snapshot, swap};

/// Snapshots of backups have this before their task's id.
const TAG_PREFIX: &str = "ringkeep-";
const JOURNAL_SUFFIX: &str = ".jsonl";

/// What is to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clear {
    pub leftovers: Vec<(LeftoverKind, TaskId)>,
    /// Tasks of which nothing is deleted.
    pub live: BTreeSet<TaskId>,
}

/// Everything that is named after a task.
pub async fn list(agent: &Agent) -> Result<Vec<Leftover>, AgentError> {
    let folders = agent.folders.clone();
    let (snapshots, restores) = blocking(move || {
        let restores = restores(&folders)?;
        Ok::<_, FileError>((snapshots(&folders)?, restores))
    })
    .await?;
    let snapshots = snapshots.into_iter().map(|(task, bytes)| Leftover {
        kind: LeftoverKind::Snapshot,
        task,
        bytes,
        half_swapped: false,
    });
    let mut found: Vec<Leftover> = snapshots.collect();
    for (task, bytes) in restores {
        let swapped = Swapped::of(agent, task).await?;
        found.push(Leftover {
            kind: swapped.kind(),
            task,
            bytes,
            half_swapped: swapped.is_half,
        });
    }
    Ok(found)
}

/// Deletes what is named, and says of each whether it is gone.
pub async fn clear(agent: &Agent, clear: Clear) -> Vec<ClearedLeftover> {
    let mut results = Vec::with_capacity(clear.leftovers.len());
    for (kind, task) in clear.leftovers {
        let cleared = match clear.live.contains(&task) {
            true => Err("its task is not at its end, or can be resumed".to_owned()),
            false => clear_one(agent, kind, task).await,
        };
        if let Ok(freed_bytes) = &cleared {
            info!(?kind, %task, freed_bytes, "leftover cleared");
        }
        results.push(ClearedLeftover {
            kind,
            task,
            freed_bytes: *cleared.as_ref().unwrap_or(&0),
            kept_because: cleared.err(),
        });
    }
    results
}

/// Never waits for other work: by the time that it ends, the task may have been resumed.
async fn clear_one(agent: &Agent, kind: LeftoverKind, task: TaskId) -> Result<u64, String> {
    let name = match kind {
        LeftoverKind::Snapshot => on_snapshot(&tag(task)),
        LeftoverKind::Staged | LeftoverKind::OldFiles => on_restore(&task.to_string()),
    };
    let Some(_held) = agent.locks.try_lock(name.as_str()) else {
        return Err("the agent is at work on it".to_owned());
    };
    if kind == LeftoverKind::Snapshot {
        return clear_snapshot(agent, task).await;
    }
    let swapped = Swapped::of(agent, task).await.map_err(why)?;
    if swapped.is_half {
        return Err(
            "a swap has begun and not ended, so the old files may be the only copy of what was live"
                .to_owned(),
        );
    }
    if swapped.kind() == LeftoverKind::OldFiles && kind != LeftoverKind::OldFiles {
        return Err("it has old files of a restore in place".to_owned());
    }
    clear_restore(agent, task, kind == LeftoverKind::OldFiles).await
}

async fn clear_snapshot(agent: &Agent, task: TaskId) -> Result<u64, String> {
    let folders = agent.folders.clone();
    let before = blocking(move || snapshots(&folders)).await;
    let mut before = before.map_err(why_file)?;
    let bytes = before.remove(&task).unwrap_or_default();
    snapshot::clear(agent, &tag(task)).await.map_err(why)?;
    Ok(bytes)
}

async fn clear_restore(agent: &Agent, task: TaskId, delete_old_files: bool) -> Result<u64, String> {
    let restore = task.to_string();
    let finished = restore::finish(agent, &restore, delete_old_files).await;
    let freed = finished.map_err(why)?;
    let roots = agent.folders.restore_roots(&restore).unwrap_or_default();
    let rest = blocking(move || {
        let freed = roots.iter().map(|root| files::remove_tree(root));
        freed.sum::<Result<u64, FileError>>()
    })
    .await
    .map_err(why_file)?;
    let path = agent.folders.restore_journal(&restore);
    journal::remove(path).await.map_err(why)?;
    Ok(freed + rest)
}

/// How far the swap of a restore has come.
struct Swapped {
    has_begun: bool,
    is_half: bool,
}

impl Swapped {
    /// A journal that cannot be read may be that of a swap.
    async fn of(agent: &Agent, task: TaskId) -> Result<Self, AgentError> {
        let restore = task.to_string();
        let roots = agent.folders.restore_roots(&restore).unwrap_or_default();
        let records = journal::peek(agent.folders.restore_journal(&restore)).await;
        let is_unreadable = records.is_err();
        let state = RestoreState::replay(records.unwrap_or_default());
        let swapped = blocking(move || {
            let has_old = swap::keeps_old_files(&roots)?;
            Ok::<_, FileError>(Self {
                has_begun: has_old || !is_swapped_back(&state),
                is_half: swap::half_swapped(&roots, &state)?.is_some(),
            })
        })
        .await?;
        Ok(Self {
            has_begun: swapped.has_begun || is_unreadable,
            is_half: swapped.is_half,
        })
    }

    fn kind(&self) -> LeftoverKind {
        match self.has_begun {
            true => LeftoverKind::OldFiles,
            false => LeftoverKind::Staged,
        }
    }
}

/// Whether no table has the files of the restore: the swap has not begun, or all of it was taken back. Then what is left are
/// files of the backup.
fn is_swapped_back(state: &RestoreState) -> bool {
    let mut swapped = state.aside.iter().chain(&state.swapped);
    swapped.all(|table| state.swapped_back.contains(table))
}

fn tag(task: TaskId) -> String {
    format!("{TAG_PREFIX}{task}")
}

/// The task of a name that is exactly what this or another release makes of it.
fn task_named(name: &str) -> Option<TaskId> {
    // A trial load has folders of its own, which go with those of its restore.
    let name = name.strip_suffix("-trial").unwrap_or(name);
    let task: TaskId = name.parse().ok()?;
    (task.to_string() == name).then_some(task)
}

/// Bytes by task.
fn snapshots(folders: &Folders) -> Result<BTreeMap<TaskId, u64>, FileError> {
    let task_of = |path: &Path| task_named(files::name_of(path).strip_prefix(TAG_PREFIX)?);
    let mut found: BTreeMap<TaskId, u64> = BTreeMap::new();
    for data in &folders.data {
        for table in folders_in(&folders_of(&data.path)?)? {
            for snapshot in files::entries(&table.join("snapshots"))? {
                if let Some(task) = task_of(&snapshot) {
                    *found.entry(task).or_default() += files::tree_bytes(&snapshot)?;
                }
            }
        }
    }
    for journal in journals(&folders.state.join("snapshots"))? {
        if let Some(task) = task_of(Path::new(&journal)) {
            found.entry(task).or_default();
        }
    }
    Ok(found)
}

/// Bytes by task.
fn restores(folders: &Folders) -> Result<BTreeMap<TaskId, u64>, FileError> {
    let mut staging: Vec<PathBuf> = Vec::new();
    for data in &folders.data {
        // If nothing can be staged for a data directory, nothing was.
        if let Ok(folder) = folders.staging(data)
            && !staging.contains(&folder)
        {
            staging.push(folder);
        }
    }
    let mut found: BTreeMap<TaskId, u64> = BTreeMap::new();
    for root in folders_in(&staging)? {
        if let Some(task) = task_named(files::name_of(&root)) {
            *found.entry(task).or_default() += files::tree_bytes(&root)?;
        }
    }
    for journal in journals(&folders.state.join("restores"))? {
        if let Some(task) = task_named(&journal) {
            found.entry(task).or_default();
        }
    }
    Ok(found)
}

/// Names of journals, without their suffix.
fn journals(folder: &Path) -> Result<Vec<String>, FileError> {
    let entries = files::entries(folder)?;
    let names = entries.iter().map(|path| files::name_of(path));
    let names = names.filter_map(|name| name.strip_suffix(JOURNAL_SUFFIX));
    Ok(names.map(str::to_owned).collect())
}

fn folders_in(folders: &[PathBuf]) -> Result<Vec<PathBuf>, FileError> {
    let mut found = Vec::new();
    for folder in folders {
        found.extend(folders_of(folder)?);
    }
    Ok(found)
}

fn folders_of(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let mut found = files::entries(folder)?;
    found.retain(|path| fs::metadata(path).is_ok_and(|found| found.is_dir()));
    Ok(found)
}

fn why_file(error: FileError) -> String {
    why(AgentError::from(error))
}

/// An error with its hint, for people.
fn why(error: impl ServiceError) -> String {
    let text = api::error::chain(&error);
    match error.hint() {
        Some(hint) => format!("{text} ({hint})"),
        None => text,
    }
}

#[cfg(test)]
mod tests;
