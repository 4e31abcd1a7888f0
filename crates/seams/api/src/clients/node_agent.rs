//! A node-agent as its callers see it.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use model::leftover::{ClearedLeftover, Leftover, LeftoverKind};
use model::manifest::KeyFingerprint;
use model::task::{NodeLimits, TransferLimits};
use model::{BackupRef, HostId, NodeDescription, Schema, Selection, TableRef, TaskId};

use super::call::OnProgress;
use crate::RemoteError;
use crate::fence::Fences;

mod remote;
mod requests;

pub use remote::RemoteNodeAgent;
pub use requests::{RestoreOnNode, RunMaintenance, StageRestore, Taking, TryLoad, UploadSnapshot};

/// The reason of a load that goes on once the restore is staged again on that node: Cassandra is not known to have taken
/// some SSTables, and they are no longer whole in staging.
pub const RESTAGE_NEEDED: &str = "RESTAGE_NEEDED";

/// The agent beside one Cassandra node. Calls that change something name the node that they are meant for by its host id, and
/// an agent of another node refuses them, because addresses change owners.
#[async_trait]
pub trait NodeAgent: Send + Sync + 'static {
    /// The same agent, whose calls are made under these fences: it refuses those that change something once it has seen a
    /// higher number, with [`FENCED`](crate::fence::FENCED).
    fn under(&self, fences: &Fences) -> Arc<dyn NodeAgent>;

    /// The node as it is now. Fails with [`API_LEVEL`](crate::level::API_LEVEL) if the agent is of a release that this caller
    /// must not work with. The description's `agent` is empty: an agent does not know by which address it was called.
    async fn describe(&self) -> Result<NodeDescription, RemoteError>;

    /// The schema of the user keyspaces.
    async fn schema(&self) -> Result<Schema, RemoteError>;

    /// Fingerprints of the node's system keys of these names, salted with the backup.
    async fn fingerprint_keys(
        &self,
        backup: &BackupRef,
        names: &[String],
    ) -> Result<Vec<KeyFingerprint>, RemoteError>;

    /// Takes a snapshot; returns when it was taken. A snapshot that is there already is kept.
    async fn take_snapshot(
        &self,
        tag: &str,
        selection: &Selection,
    ) -> Result<Timestamp, RemoteError>;

    /// Uploads a snapshot, and last its node manifest.
    async fn upload_snapshot(
        &self,
        upload: UploadSnapshot,
        on_progress: OnProgress<'_>,
    ) -> Result<(), RemoteError>;

    /// Removes a snapshot. Succeeds if there is none.
    async fn clear_snapshot(&self, tag: &str) -> Result<(), RemoteError>;

    /// Brings the node's share of a backup to its disks, checked.
    async fn stage_restore(
        &self,
        stage: StageRestore,
        on_progress: OnProgress<'_>,
    ) -> Result<(), RemoteError>;

    /// Loads one staged SSTable of each format into scratch tables, and reads from them.
    async fn try_load(
        &self,
        trial: TryLoad,
        on_progress: OnProgress<'_>,
    ) -> Result<(), RemoteError>;

    /// Deletes from the node's disks what is left of scratch keyspaces that were dropped.
    async fn clear_trial(&self, host: HostId) -> Result<(), RemoteError>;

    /// Runs statements in order, each safe to run again.
    async fn execute_cql(&self, host: HostId, statements: &[String]) -> Result<(), RemoteError>;

    /// Loads staged SSTables into the running node. Fails with [`RESTAGE_NEEDED`] if some of them must be staged again.
    async fn load_staged(
        &self,
        restore: RestoreOnNode,
        on_progress: OnProgress<'_>,
    ) -> Result<(), RemoteError>;

    /// Has writes of before `cutoff`, which has not come yet, dropped from these tables once Cassandra has started again.
    async fn mark_truncated(
        &self,
        restore: RestoreOnNode,
        cutoff: Timestamp,
    ) -> Result<(), RemoteError>;

    /// Cuts clients off; returns once `cutoff` has passed.
    async fn cut_clients_off(&self, host: HostId, cutoff: Timestamp) -> Result<(), RemoteError>;

    /// Lets clients in again, starts Cassandra for it if it is down, and takes back what was marked.
    async fn let_clients_in(&self, restore: TaskId, host: HostId) -> Result<(), RemoteError>;

    /// Drains and stops Cassandra.
    async fn stop_cassandra(&self, restore: TaskId, host: HostId) -> Result<(), RemoteError>;

    /// Moves live files aside and staged files into their place.
    async fn swap_staged(&self, restore: RestoreOnNode) -> Result<(), RemoteError>;

    /// Moves restored files aside and the old ones back into their place.
    async fn swap_back(&self, restore: TaskId, host: HostId) -> Result<(), RemoteError>;

    /// Starts Cassandra, and compares what it has opened of these tables with what is there.
    async fn start_cassandra(&self, restore: RestoreOnNode) -> Result<(), RemoteError>;

    /// Rewrites SSTables of older formats.
    async fn upgrade_sstables(
        &self,
        host: HostId,
        tables: &[TableRef],
        on_progress: OnProgress<'_>,
    ) -> Result<(), RemoteError>;

    /// Waits until the node has built these views.
    async fn await_views(
        &self,
        host: HostId,
        views: &[TableRef],
        on_progress: OnProgress<'_>,
    ) -> Result<(), RemoteError>;

    /// Has the node forget that it has built these views. Returns false if Cassandra has refused it.
    async fn forget_built_views(
        &self,
        host: HostId,
        views: &[TableRef],
    ) -> Result<bool, RemoteError>;

    /// Has every node of the ring build those of these views that it does not know as built.
    async fn rebuild_views(&self, host: HostId, views: &[TableRef]) -> Result<(), RemoteError>;

    /// Runs a maintenance command. Another call of the same task and step leaves out what is done.
    async fn run_maintenance(
        &self,
        maintenance: RunMaintenance,
        on_progress: OnProgress<'_>,
    ) -> Result<(), RemoteError>;

    /// Changes what the transfers of a task may take on the node; returns what is in force. An agent of an earlier release
    /// does not know the call: the error's [`origin`](RemoteError::origin) says so.
    async fn set_limits(
        &self,
        host: HostId,
        task: TaskId,
        limits: TransferLimits,
    ) -> Result<NodeLimits, RemoteError>;

    /// Removes what a restore has left on the node; the old files of a restore in place only with `delete_old_files`.
    /// Succeeds if there is nothing.
    async fn finish_restore(
        &self,
        restore: TaskId,
        host: HostId,
        delete_old_files: bool,
    ) -> Result<(), RemoteError>;

    /// What tasks have left on the node, and the node's own host id.
    async fn list_leftovers(&self) -> Result<(HostId, Vec<Leftover>), RemoteError>;

    /// Deletes what tasks have left, except what is named after one of the `live` tasks.
    async fn clear_leftovers(
        &self,
        host: HostId,
        leftovers: &[(LeftoverKind, TaskId)],
        live: &[TaskId],
    ) -> Result<Vec<ClearedLeftover>, RemoteError>;
}
