//! Schedules in the state store.
//!
//! - `schedules/<cluster>/<name>`: a schedule with how far it has come; written only at the version that was read.
//! - `runs/<cluster>/<name>/<due>`: a run that came, or runs that were left out, by when the first of them was due.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::{ClusterName, TaskId};
use schedule::{PastRun, ScheduleName, ScheduleState};
use state_store::{Direction, Entry, Expected, Fence, StateError, Write};

use crate::context::Context;
use crate::engine::{Unreadable, decode, decode_readable, encode};
use crate::error::RunnerError;
use crate::events::Event;

const SCHEDULES: &str = "schedules/";
const RUNS: &str = "runs/";
/// Past runs that are kept of each schedule.
const PAST_RUNS_MAX: usize = 100;
/// Past runs that are deleted at once. One is added at a time, so more are left only after a crash.
const PRUNED_AT_ONCE: usize = 50;

/// A schedule with the version that it was read or written at.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub state: ScheduleState,
    /// None if it is not kept yet.
    version: Option<u64>,
}

impl Stored {
    pub fn new(state: ScheduleState) -> Self {
        Self {
            state,
            version: None,
        }
    }

    fn read(entry: Entry) -> Result<Self, RunnerError> {
        let version = Some(entry.version);
        let state = decode(entry)?;
        Ok(Self { state, version })
    }
}

fn of_cluster(cluster: &ClusterName) -> String {
    format!("{SCHEDULES}{cluster}/")
}

fn schedule_key(cluster: &ClusterName, name: &ScheduleName) -> String {
    format!("{}{name}", of_cluster(cluster))
}

fn runs_of(cluster: &ClusterName, name: &ScheduleName) -> String {
    format!("{RUNS}{cluster}/{name}/")
}

/// Sorted by time: times of the common era have texts of one length if they have whole seconds, which all runs have.
fn run_key(cluster: &ClusterName, name: &ScheduleName, due: Timestamp) -> String {
    format!(
        "{}{}",
        runs_of(cluster, name),
        due.strftime("%Y%m%dT%H%M%SZ")
    )
}

pub(crate) async fn find(
    context: &Context,
    cluster: &ClusterName,
    name: &ScheduleName,
) -> Result<Option<Stored>, RunnerError> {
    let entry = context.store.get(&schedule_key(cluster, name)).await?;
    entry.map(Stored::read).transpose()
}

pub(super) async fn get(
    context: &Context,
    cluster: &ClusterName,
    name: &ScheduleName,
) -> Result<Stored, RunnerError> {
    let found = find(context, cluster, name).await?;
    found.ok_or_else(|| RunnerError::UnknownSchedule(cluster.clone(), name.clone()))
}

pub(super) async fn list(
    context: &Context,
    cluster: Option<&ClusterName>,
) -> Result<Vec<Stored>, RunnerError> {
    let prefix = cluster.map_or_else(|| SCHEDULES.to_owned(), of_cluster);
    let entries = context.store.list(&prefix).await?;
    let mut all = Vec::new();
    for entry in entries {
        let key = entry.key.clone();
        match Stored::read(entry) {
            Ok(stored) => all.push(stored),
            // It must not hold up the others.
            Err(error) => {
                let error = api::error::chain(&error);
                tracing::error!(key, error, "schedule left out: it cannot be read");
            }
        }
    }
    Ok(all)
}

/// Tasks whose end a schedule has still to note.
pub(crate) async fn waited_for(context: &Context) -> Result<BTreeSet<TaskId>, RunnerError> {
    let stored = list(context, None).await?;
    let tasks = stored.iter().filter_map(|stored| stored.state.task);
    Ok(tasks.collect())
}

/// Those schedules that can be read.
pub(crate) async fn readable(
    context: &Context,
    unreadable: &mut Unreadable,
) -> Result<Vec<ScheduleState>, StateError> {
    let entries = context.store.list(SCHEDULES).await?;
    Ok(decode_readable(entries, unreadable))
}

/// Whether a cluster has schedules.
pub(crate) async fn has_any(context: &Context, cluster: &ClusterName) -> Result<bool, RunnerError> {
    let prefix = of_cluster(cluster);
    let page = context.store.page(&prefix, None, 1, Direction::Ascending);
    Ok(!page.await?.entries.is_empty())
}

/// Writes a schedule if nothing has changed it since it was read; none otherwise.
pub(super) async fn save(context: &Context, stored: Stored) -> Result<Option<Stored>, RunnerError> {
    save_with(context, stored, &[], None).await
}

/// The same together with an event, under the lease of the leader.
pub(super) async fn save_with_event(
    context: &Context,
    stored: Stored,
    event: &Event,
    leader: &Fence,
) -> Result<Option<Stored>, RunnerError> {
    let writes = context.tasks.outbox.writes(event)?;
    save_all(context, stored, writes, Some(leader)).await
}

/// The same together with past runs, and under the lease of the leader if there is one.
pub(super) async fn save_with(
    context: &Context,
    stored: Stored,
    past: &[PastRun],
    leader: Option<&Fence>,
) -> Result<Option<Stored>, RunnerError> {
    save_and(context, stored, past, Vec::new(), leader).await
}

/// The same together with other writes.
pub(super) async fn save_and(
    context: &Context,
    stored: Stored,
    past: &[PastRun],
    others: Vec<Write>,
    leader: Option<&Fence>,
) -> Result<Option<Stored>, RunnerError> {
    let schedule = &stored.state.schedule;
    let mut writes = Vec::new();
    for run in past {
        let key = run_key(&schedule.cluster, &schedule.name, run.first_due);
        writes.push(Write::put(&key, encode(&key, run)?, Expected::Anything));
    }
    writes.extend(others);
    save_all(context, stored, writes, leader).await
}

async fn save_all(
    context: &Context,
    stored: Stored,
    others: Vec<Write>,
    leader: Option<&Fence>,
) -> Result<Option<Stored>, RunnerError> {
    let schedule = &stored.state.schedule;
    let key = schedule_key(&schedule.cluster, &schedule.name);
    let expected = stored.version.map_or(Expected::Absent, Expected::Version);
    let mut writes = vec![Write::put(&key, encode(&key, &stored.state)?, expected)];
    writes.extend(others);
    match context.store.write(&writes, leader).await {
        Ok(version) => Ok(Some(Stored {
            version: Some(version),
            ..stored
        })),
        Err(StateError::Conflict { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The last runs, newest first.
pub(super) async fn past_runs(
    context: &Context,
    cluster: &ClusterName,
    name: &ScheduleName,
) -> Result<Vec<PastRun>, RunnerError> {
    let prefix = runs_of(cluster, name);
    let newest = context
        .store
        .page(&prefix, None, PAST_RUNS_MAX, Direction::Descending);
    newest.await?.entries.into_iter().map(decode).collect()
}

/// A past run by when it was due.
pub(super) async fn past_run(
    context: &Context,
    cluster: &ClusterName,
    name: &ScheduleName,
    due: Timestamp,
) -> Result<Option<PastRun>, RunnerError> {
    let entry = context.store.get(&run_key(cluster, name, due)).await?;
    entry.map(decode).transpose()
}

/// Deletes the oldest past runs, if there are more than are kept.
pub(super) async fn prune(
    context: &Context,
    cluster: &ClusterName,
    name: &ScheduleName,
) -> Result<(), RunnerError> {
    let prefix = runs_of(cluster, name);
    let limit = PAST_RUNS_MAX + PRUNED_AT_ONCE;
    let newest = context
        .store
        .page(&prefix, None, limit, Direction::Descending);
    let old = newest.await?.entries.into_iter().skip(PAST_RUNS_MAX);
    let deletes: Vec<Write> = old
        .map(|entry| Write::delete(&entry.key, Expected::Anything))
        .collect();
    if !deletes.is_empty() {
        context.store.write(&deletes, None).await?;
    }
    Ok(())
}

/// Removes a schedule, then its history: a crash in between leaves runs that nothing shows, and that a schedule of the same
/// name goes on with.
pub(super) async fn remove(
    context: &Context,
    cluster: &ClusterName,
    name: &ScheduleName,
) -> Result<(), RunnerError> {
    let store = &context.store;
    let key = schedule_key(cluster, name);
    // Also one that cannot be read.
    if store.get(&key).await?.is_none() {
        return Err(RunnerError::UnknownSchedule(cluster.clone(), name.clone()));
    }
    store.delete(&key, Expected::Anything, None).await?;
    let prefix = runs_of(cluster, name);
    loop {
        let page = store.page(&prefix, None, PRUNED_AT_ONCE, Direction::Ascending);
        let page = page.await?;
        let deletes: Vec<Write> = page
            .entries
            .iter()
            .map(|entry| Write::delete(&entry.key, Expected::Anything))
            .collect();
        if deletes.is_empty() {
            return Ok(());
        }
        store.write(&deletes, None).await?;
    }
}
