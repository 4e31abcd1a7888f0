//! Retention in the state store.
//!
//! - `retention/<cluster>/cluster` and `retention/<cluster>/schedules/<name>`: the policies.
//! - `retention-now/<cluster>`: the run that may delete, and the backup that it deletes; written only at the version that was
//!   read, so that of two runs one goes on.
//! - `retention-due/<cluster>`: a backup of a schedule has succeeded since the last run.
//! - `retention-runs/<cluster>/<task>`: past runs.

use jiff::Timestamp;
use model::{BackupName, ClusterName, TaskId};
use retention::{PastRun, PolicyState};
use schedule::ScheduleName;
use serde::{Deserialize, Serialize};
use state_store::{Direction, Entry, Expected, StateError, Write};

use crate::context::Context;
use crate::engine::{decode, encode};
use crate::error::RunnerError;

/// Past runs that are kept of each cluster.
const PAST_RUNS_MAX: usize = 20;

/// The run that may delete backups of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Now {
    pub task: TaskId,
    /// The backup whose deletion may have begun. The next run finishes it, whichever began it.
    #[serde(default)]
    pub deleting: Option<Deleting>,
}

/// A backup that is deleted, and on what grounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Deleting {
    pub name: BackupName,
    pub started_at: Timestamp,
    pub relies_on: Vec<BackupName>,
    /// After this time no request to delete it begins that was sent on these grounds.
    #[serde(default)]
    pub not_after: Option<Timestamp>,
}

/// With the version that it was read or written at; none if it is not kept yet.
#[derive(Debug, Clone)]
pub(crate) struct StoredNow {
    pub now: Now,
    pub version: Option<u64>,
}

/// The schedule whose backup has succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Due {
    pub after: ScheduleName,
}

const POLICIES: &str = "retention/";

fn policies_of(cluster: &ClusterName) -> String {
    format!("{POLICIES}{cluster}/")
}

fn policy_key(cluster: &ClusterName, schedule: Option<&ScheduleName>) -> String {
    let prefix = policies_of(cluster);
    match schedule {
        None => format!("{prefix}cluster"),
        Some(schedule) => format!("{prefix}schedules/{schedule}"),
    }
}

fn now_key(cluster: &ClusterName) -> String {
    format!("retention-now/{cluster}")
}

pub(super) const DUE: &str = "retention-due/";

pub(super) fn due_key(cluster: &ClusterName) -> String {
    format!("{DUE}{cluster}")
}

fn runs_of(cluster: &ClusterName) -> String {
    format!("retention-runs/{cluster}/")
}

fn run_key(cluster: &ClusterName, task: TaskId) -> String {
    format!("{}{task}", runs_of(cluster))
}

pub(super) async fn put_policy(context: &Context, state: &PolicyState) -> Result<(), RunnerError> {
    let key = policy_key(&state.cluster, state.schedule.as_ref());
    let value = encode(&key, state)?;
    context
        .store
        .put(&key, value, Expected::Anything, None)
        .await?;
    Ok(())
}

/// Also one that cannot be read.
pub(super) async fn has_policy(
    context: &Context,
    cluster: &ClusterName,
    schedule: Option<&ScheduleName>,
) -> Result<bool, RunnerError> {
    let entry = context.store.get(&policy_key(cluster, schedule)).await?;
    Ok(entry.is_some())
}

pub(super) async fn remove_policy(
    context: &Context,
    cluster: &ClusterName,
    schedule: Option<&ScheduleName>,
) -> Result<(), RunnerError> {
    let key = policy_key(cluster, schedule);
    context.store.delete(&key, Expected::Anything, None).await?;
    Ok(())
}

/// That of the cluster first, then those of schedules by name.
pub(super) async fn policies(
    context: &Context,
    cluster: &ClusterName,
) -> Result<Vec<PolicyState>, RunnerError> {
    let entries = context.store.list(&policies_of(cluster)).await?;
    entries.into_iter().map(decode).collect()
}

/// The policies of all clusters, not decoded.
pub(super) async fn all_policies(context: &Context) -> Result<Vec<Entry>, StateError> {
    context.store.list(POLICIES).await
}

/// The run that may delete; none if there was never any.
pub(crate) async fn now(
    context: &Context,
    cluster: &ClusterName,
) -> Result<Option<StoredNow>, RunnerError> {
    let Some(entry) = context.store.get(&now_key(cluster)).await? else {
        return Ok(None);
    };
    let version = Some(entry.version);
    let now = decode(entry)?;
    Ok(Some(StoredNow { now, version }))
}

/// The write of the run that may delete, at the version that it was read at.
pub(crate) fn write_now(cluster: &ClusterName, stored: &StoredNow) -> Result<Write, StateError> {
    let key = now_key(cluster);
    let expected = stored.version.map_or(Expected::Absent, Expected::Version);
    let value = encode(&key, &stored.now)?;
    Ok(Write::put(key, value, expected))
}

pub(crate) fn write_run(cluster: &ClusterName, run: &PastRun) -> Result<Write, StateError> {
    let key = run_key(cluster, run.task);
    let value = encode(&key, run)?;
    Ok(Write::put(key, value, Expected::Anything))
}

pub(crate) async fn past_run(
    context: &Context,
    cluster: &ClusterName,
    task: TaskId,
) -> Result<Option<PastRun>, RunnerError> {
    let entry = context.store.get(&run_key(cluster, task)).await?;
    entry.map(decode).transpose()
}

/// The last runs, newest first.
pub(super) async fn past_runs(
    context: &Context,
    cluster: &ClusterName,
) -> Result<Vec<PastRun>, RunnerError> {
    let newest = newest_runs(context, cluster).await?;
    newest.into_iter().map(decode).collect()
}

/// The last runs, newest first and not decoded.
pub(super) async fn newest_runs(
    context: &Context,
    cluster: &ClusterName,
) -> Result<Vec<Entry>, StateError> {
    let prefix = runs_of(cluster);
    let newest = context
        .store
        .page(&prefix, None, PAST_RUNS_MAX, Direction::Descending);
    Ok(newest.await?.entries)
}

/// Deletes the oldest past runs, if there are more than are kept.
pub(super) async fn prune(context: &Context, cluster: &ClusterName) -> Result<(), RunnerError> {
    let prefix = runs_of(cluster);
    // One is added at a time, so more are left only after a crash.
    let limit = 2 * PAST_RUNS_MAX;
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
