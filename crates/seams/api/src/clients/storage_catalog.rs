//! The storage-catalog as its callers see it.

use async_trait::async_trait;
use cassandra_versions::Release;
use jiff::Timestamp;
use model::manifest::MissingNode;
use model::manifest::{BackupKind, BackupManifest, NodeSstables, VerificationResult};
use model::plan::KeyspaceCoverage;
use model::task::{Deletion, TransferLimits};
use model::{
    BackupName, BackupRef, BackupSummary, ClusterName, Damage, Garbage, HostId, RingMember,
    SampleParts, Schema, Selection, ShownBackup, StoreStatus, TaskId, VerifyLevel, VerifyReport,
};

use super::call::OnProgress;
use crate::RemoteError;

mod remote;

pub use remote::RemoteStorageCatalog;

/// Keeps what is in the bucket.
#[async_trait]
pub trait StorageCatalog: Send + Sync + 'static {
    /// Reserves the name of a backup for a task.
    async fn begin_backup(&self, begin: BeginBackup) -> Result<BegunBackup, RemoteError>;

    /// Makes a backup of what its nodes have uploaded.
    async fn commit_backup(&self, commit: CommitBackup) -> Result<(), RemoteError>;

    /// Marks a backup that was begun as failed.
    async fn abandon_backup(
        &self,
        backup: &BackupRef,
        task: TaskId,
        reason: &str,
    ) -> Result<(), RemoteError>;

    /// The backups of one cluster or of all, newest first, in whatever state they are.
    async fn list_backups(
        &self,
        cluster: Option<&ClusterName>,
    ) -> Result<Vec<BackupSummary>, RemoteError>;

    /// A complete backup; without a cluster the one of this name in the whole bucket, if there is just one.
    async fn get_backup(
        &self,
        cluster: Option<&ClusterName>,
        name: &BackupName,
    ) -> Result<CompleteBackup, RemoteError>;

    /// The same backup as it is shown: also one of a newer catalog, of which not every word is known.
    async fn show_backup(
        &self,
        cluster: Option<&ClusterName>,
        name: &BackupName,
    ) -> Result<ShownBackup, RemoteError>;

    /// The backup of this name in whatever state it is; without a cluster the one in the whole bucket, if there is just one.
    async fn find_backup(
        &self,
        cluster: Option<&ClusterName>,
        name: &BackupName,
    ) -> Result<FoundBackup, RemoteError>;

    /// What is known of the backup's SSTables, by node.
    async fn list_sstables(
        &self,
        backup: &BackupRef,
        selection: &Selection,
    ) -> Result<Vec<NodeSstables>, RemoteError>;

    /// Keeps a backup from being deleted while a task needs it.
    async fn pin_backup(&self, backup: &BackupRef, task: TaskId) -> Result<(), RemoteError>;

    /// Releases the task's pin. Succeeds if there is none.
    async fn unpin_backup(&self, backup: &BackupRef, task: TaskId) -> Result<(), RemoteError>;

    /// Keeps a backup from being deleted because people want to keep it, until a time or without end.
    async fn pin_by_people(
        &self,
        backup: &BackupRef,
        reason: &str,
        until: Option<Timestamp>,
    ) -> Result<(), RemoteError>;

    /// Releases all pins of people. Returns how many there were.
    async fn unpin_by_people(&self, backup: &BackupRef) -> Result<u32, RemoteError>;

    /// Checks a backup in the bucket, or one part of so many, for a task: if that is tried again, the same part again.
    async fn verify_backup(
        &self,
        backup: &BackupRef,
        level: VerifyLevel,
        sample: Option<SampleParts>,
        task: TaskId,
        on_progress: OnProgress<'_>,
    ) -> Result<VerifyReport, RemoteError>;

    /// Changes what a task that verifies may take; returns what is in force. A catalog of an earlier release does not know the
    /// call: the error's [`origin`](RemoteError::origin) says so.
    async fn set_verify_limits(
        &self,
        task: TaskId,
        limits: TransferLimits,
    ) -> Result<TransferLimits, RemoteError>;

    /// Looks whether every object that a backup names is there with its size, and changes nothing; returns what is not.
    async fn check_objects(&self, backup: &BackupRef) -> Result<Vec<Damage>, RemoteError>;

    /// Deletes a backup and all objects that only it needs.
    async fn delete_backup(
        &self,
        backup: &BackupRef,
        how: DeleteBackup,
        on_progress: OnProgress<'_>,
    ) -> Result<Deletion, RemoteError>;

    /// What is of no use in the bucket under a cluster.
    async fn find_garbage(&self, cluster: &ClusterName) -> Result<Vec<Garbage>, RemoteError>;

    /// Which store it is, and whether it can be reached.
    async fn get_store_status(&self) -> Result<StoreStatus, RemoteError>;
}

/// A backup in whatever state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundBackup {
    pub backup: BackupRef,
    /// When it was begun; none if nothing that can be read says so, or if an older catalog does not.
    pub started_at: Option<Timestamp>,
}

/// A complete backup and what verifications have found in it.
#[derive(Debug, Clone, PartialEq)]
pub struct CompleteBackup {
    pub manifest: BackupManifest,
    /// The newest of each level.
    pub verifications: Vec<VerificationResult>,
}

/// What must hold for a backup to be deleted. By default it must not be running.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeleteBackup {
    /// Deletes also one that is recorded as being made.
    pub even_if_running: bool,
    /// When the one that is meant was begun; none: whichever has the name.
    pub started_at: Option<Timestamp>,
    /// Backups of the cluster that must be complete and not being deleted.
    pub relies_on: Vec<BackupName>,
    /// Only if it is of no use to anyone.
    pub only_garbage: bool,
    /// Earlier deletions are known to be dead: if this one is refused, their marks go, too.
    pub earlier_are_dead: bool,
    /// Only if it begins until then, by the clock of the storage-catalog.
    pub not_after: Option<Timestamp>,
    /// Only if an earlier deletion has begun to delete; one that has only left marks is taken back.
    pub only_if_begun: bool,
}

impl DeleteBackup {
    /// Whether there are conditions that an older storage-catalog does not know.
    pub fn has_conditions(&self) -> bool {
        self.started_at.is_some()
            || !self.relies_on.is_empty()
            || self.only_garbage
            || self.not_after.is_some()
            || self.only_if_begun
    }
}

/// What a backup is begun with.
#[derive(Debug, Clone, PartialEq)]
pub struct BeginBackup {
    pub backup: BackupRef,
    pub kind: BackupKind,
    /// The full backup to build on; none: the newest, for a differential backup.
    pub base: Option<BackupName>,
    pub task: TaskId,
    pub selection: Selection,
}

/// A backup that was begun.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BegunBackup {
    /// The base that was pinned for it; none for a full backup.
    pub base: Option<BackupName>,
    /// What the nodes of a full backup may copy from; none: they upload everything.
    pub copy_from: Option<BackupName>,
}

/// What a backup is committed with: the cluster as it was when the snapshots had been taken.
#[derive(Debug, Clone, PartialEq)]
pub struct CommitBackup {
    pub backup: BackupRef,
    pub task: TaskId,
    pub hosts: Vec<HostId>,
    pub ring: Vec<RingMember>,
    pub schema: Schema,
    pub cluster_name: String,
    pub release: Release,
    pub partitioner: String,
    pub snapshot_spread_ms: u64,
    /// The members of the ring that the backup is made without, on demand.
    pub missing: Vec<MissingNode>,
    /// If any are missing: what the backup has of each keyspace.
    pub coverage: Vec<KeyspaceCoverage>,
}
