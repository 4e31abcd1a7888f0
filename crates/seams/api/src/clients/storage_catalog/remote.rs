//! The storage-catalog behind a channel.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use model::manifest::NodeSstables;
use model::task::{Deletion, TransferLimits};
use model::{
    BackupName, BackupRef, BackupSummary, ClusterName, Damage, Garbage, SampleParts, Selection,
    ShownBackup, StoreStatus, TaskId, VerifyLevel, VerifyReport,
};

use super::{
    BeginBackup, BegunBackup, CommitBackup, CompleteBackup, DeleteBackup, FoundBackup,
    StorageCatalog,
};
use crate::client::{Channel, StorageCatalogClient, storage_catalog};
use crate::clients::call::{OnProgress, follow, invalid, next, within};
use crate::clients::limits::CatalogLimits;
use crate::convert::{all, all_into, parsed_optional, required, time_optional};
use crate::pb::storage_catalog as pb;
use crate::pb::types as types_pb;
use crate::{ErrorKind, RemoteError};

const CATALOG: &str = "the storage-catalog";
/// Small reads and writes of the bucket.
const SHORT_DEADLINE: Duration = Duration::from_secs(30);
/// A list of a large bucket reads a manifest for each backup.
const LIST_DEADLINE: Duration = Duration::from_secs(120);
/// Between two nodes of a list of SSTables, each of which is read from one document.
const LIST_SILENCE: Duration = Duration::from_secs(120);

/// A storage-catalog behind a channel.
#[derive(Clone)]
pub struct RemoteStorageCatalog {
    client: StorageCatalogClient,
    limits: CatalogLimits,
}

impl RemoteStorageCatalog {
    pub fn new(channel: Channel) -> Self {
        Self::with_limits(channel, CatalogLimits::default())
    }

    pub fn with_limits(channel: Channel, limits: CatalogLimits) -> Self {
        Self {
            client: storage_catalog(channel),
            limits,
        }
    }

    async fn get(
        &self,
        cluster: Option<&ClusterName>,
        name: &BackupName,
    ) -> Result<pb::GetBackupResponse, RemoteError> {
        let request = pb::GetBackupRequest {
            backup: Some(named(cluster, name)),
        };
        let mut client = self.client.clone();
        within(SHORT_DEADLINE, client.get_backup(request)).await
    }
}

impl RemoteStorageCatalog {
    async fn verified(
        &self,
        request: pb::VerifyBackupRequest,
        on_progress: OnProgress<'_>,
    ) -> Result<VerifyReport, RemoteError> {
        let mut client = self.client.clone();
        let call = client.verify_backup(request);
        let last = follow(self.limits.silence, on_progress, call).await?;
        let report = last
            .and_then(|last| last.report)
            .ok_or_else(|| cut_short("a verification that ended without a report"))?;
        report.try_into().map_err(invalid(CATALOG))
    }
}

#[async_trait]
impl StorageCatalog for RemoteStorageCatalog {
    async fn begin_backup(&self, begin: BeginBackup) -> Result<BegunBackup, RemoteError> {
        let request = pb::BeginBackupRequest {
            backup: Some(begin.backup.into()),
            kind: types_pb::BackupKind::from(begin.kind) as i32,
            base: begin.base.map(String::from).unwrap_or_default(),
            task_id: begin.task.to_string(),
            selection: Some(begin.selection.into()),
        };
        let mut client = self.client.clone();
        let begun = within(SHORT_DEADLINE, client.begin_backup(request)).await?;
        let name = |field, text: &str| parsed_optional(field, text).map_err(invalid(CATALOG));
        Ok(BegunBackup {
            base: name("base", &begun.base)?,
            copy_from: name("copy_from", &begun.copy_from)?,
        })
    }

    async fn commit_backup(&self, commit: CommitBackup) -> Result<(), RemoteError> {
        let request = pb::CommitBackupRequest {
            backup: Some(commit.backup.into()),
            task_id: commit.task.to_string(),
            host_ids: commit.hosts.iter().map(ToString::to_string).collect(),
            ring: all_into(commit.ring),
            schema: Some(commit.schema.into()),
            cluster_name: commit.cluster_name,
            release: Some(commit.release.into()),
            partitioner: commit.partitioner,
            snapshot_spread_ms: commit.snapshot_spread_ms,
            missing: all_into(commit.missing),
            held: all_into(commit.coverage),
        };
        let mut client = self.client.clone();
        within(self.limits.commit, client.commit_backup(request)).await?;
        Ok(())
    }

    async fn abandon_backup(
        &self,
        backup: &BackupRef,
        task: TaskId,
        reason: &str,
    ) -> Result<(), RemoteError> {
        let request = pb::AbandonBackupRequest {
            backup: Some(backup.clone().into()),
            task_id: task.to_string(),
            reason: reason.to_owned(),
        };
        let mut client = self.client.clone();
        within(SHORT_DEADLINE, client.abandon_backup(request)).await?;
        Ok(())
    }

    async fn list_backups(
        &self,
        cluster: Option<&ClusterName>,
    ) -> Result<Vec<BackupSummary>, RemoteError> {
        let request = pb::ListBackupsRequest {
            cluster: cluster.map(ToString::to_string).unwrap_or_default(),
        };
        let mut client = self.client.clone();
        let response = within(LIST_DEADLINE, client.list_backups(request)).await?;
        all(response.backups).map_err(invalid(CATALOG))
    }

    async fn get_backup(
        &self,
        cluster: Option<&ClusterName>,
        name: &BackupName,
    ) -> Result<CompleteBackup, RemoteError> {
        let response = self.get(cluster, name).await?;
        let backup = required("backup", response.backup).map_err(invalid(CATALOG))?;
        Ok(CompleteBackup {
            manifest: backup.try_into().map_err(invalid(CATALOG))?,
            verifications: all(response.verifications).map_err(invalid(CATALOG))?,
        })
    }

    async fn show_backup(
        &self,
        cluster: Option<&ClusterName>,
        name: &BackupName,
    ) -> Result<ShownBackup, RemoteError> {
        let response = self.get(cluster, name).await?;
        let backup = required("backup", response.backup).map_err(invalid(CATALOG))?;
        backup.try_into().map_err(invalid(CATALOG))
    }

    async fn find_backup(
        &self,
        cluster: Option<&ClusterName>,
        name: &BackupName,
    ) -> Result<FoundBackup, RemoteError> {
        let request = pb::FindBackupRequest {
            backup: Some(named(cluster, name)),
        };
        let mut client = self.client.clone();
        let response = within(SHORT_DEADLINE, client.find_backup(request)).await?;
        let started_at = parsed_optional("started_at", &response.started_at);
        let backup = required("backup", response.backup).map_err(invalid(CATALOG))?;
        Ok(FoundBackup {
            backup: backup.try_into().map_err(invalid(CATALOG))?,
            started_at: started_at.map_err(invalid(CATALOG))?,
        })
    }

    async fn list_sstables(
        &self,
        backup: &BackupRef,
        selection: &Selection,
    ) -> Result<Vec<NodeSstables>, RemoteError> {
        let request = pb::ListSstablesRequest {
            backup: Some(backup.clone().into()),
            selection: Some(selection.clone().into()),
        };
        let mut client = self.client.clone();
        let mut stream = within(SHORT_DEADLINE, client.list_sstables(request)).await?;
        // By host id: a node that came twice would count twice.
        let mut nodes = BTreeMap::new();
        while let Some(message) = next(&mut stream, LIST_SILENCE).await? {
            let node = required("node", message.node).map_err(invalid(CATALOG))?;
            let node: NodeSstables = node.try_into().map_err(invalid(CATALOG))?;
            nodes.insert(node.host_id, node);
        }
        Ok(nodes.into_values().collect())
    }

    async fn pin_backup(&self, backup: &BackupRef, task: TaskId) -> Result<(), RemoteError> {
        let request = pb::PinBackupRequest {
            backup: Some(backup.clone().into()),
            task_id: task.to_string(),
            ..pb::PinBackupRequest::default()
        };
        let mut client = self.client.clone();
        within(SHORT_DEADLINE, client.pin_backup(request)).await?;
        Ok(())
    }

    async fn unpin_backup(&self, backup: &BackupRef, task: TaskId) -> Result<(), RemoteError> {
        let request = pb::UnpinBackupRequest {
            backup: Some(backup.clone().into()),
            task_id: task.to_string(),
            by_people: false,
        };
        let mut client = self.client.clone();
        within(SHORT_DEADLINE, client.unpin_backup(request)).await?;
        Ok(())
    }

    async fn pin_by_people(
        &self,
        backup: &BackupRef,
        reason: &str,
        until: Option<Timestamp>,
    ) -> Result<(), RemoteError> {
        let request = pb::PinBackupRequest {
            backup: Some(backup.clone().into()),
            task_id: String::new(),
            reason: reason.to_owned(),
            until: until.map(|until| until.to_string()).unwrap_or_default(),
        };
        let mut client = self.client.clone();
        within(SHORT_DEADLINE, client.pin_backup(request)).await?;
        Ok(())
    }

    async fn unpin_by_people(&self, backup: &BackupRef) -> Result<u32, RemoteError> {
        let request = pb::UnpinBackupRequest {
            backup: Some(backup.clone().into()),
            task_id: String::new(),
            by_people: true,
        };
        let mut client = self.client.clone();
        let response = within(SHORT_DEADLINE, client.unpin_backup(request)).await?;
        Ok(response.released)
    }

    async fn verify_backup(
        &self,
        backup: &BackupRef,
        level: VerifyLevel,
        sample: Option<SampleParts>,
        task: TaskId,
        on_progress: OnProgress<'_>,
    ) -> Result<VerifyReport, RemoteError> {
        let request = pb::VerifyBackupRequest {
            backup: Some(backup.clone().into()),
            level: pb::VerifyLevel::from(level) as i32,
            discard_result: false,
            task_id: task.to_string(),
            sample_parts: sample.map_or(0, SampleParts::get),
        };
        self.verified(request, on_progress).await
    }

    async fn set_verify_limits(
        &self,
        task: TaskId,
        limits: TransferLimits,
    ) -> Result<TransferLimits, RemoteError> {
        let request = pb::SetVerifyLimitsRequest {
            task_id: task.to_string(),
            bandwidth_bytes_per_second: limits.bandwidth_bytes_per_second,
            parallel_files: limits.parallel_files,
        };
        let mut client = self.client.clone();
        let set = within(SHORT_DEADLINE, client.set_verify_limits(request)).await?;
        Ok(TransferLimits {
            bandwidth_bytes_per_second: set.bandwidth_bytes_per_second,
            parallel_files: set.parallel_files,
        })
    }

    async fn check_objects(&self, backup: &BackupRef) -> Result<Vec<Damage>, RemoteError> {
        let request = pb::VerifyBackupRequest {
            backup: Some(backup.clone().into()),
            level: pb::VerifyLevel::Manifest as i32,
            discard_result: true,
            ..pb::VerifyBackupRequest::default()
        };
        Ok(self.verified(request, &|_| {}).await?.damage)
    }

    async fn delete_backup(
        &self,
        backup: &BackupRef,
        how: DeleteBackup,
        on_progress: OnProgress<'_>,
    ) -> Result<Deletion, RemoteError> {
        let mut client = self.client.clone();
        let (silence, backup) = (self.limits.silence, Some(backup.clone().into()));
        let last = if how.has_conditions() {
            let request = pb::DeleteBackupIfRequest {
                backup,
                started_at: time_optional(how.started_at),
                relies_on: how.relies_on.into_iter().map(Into::into).collect(),
                only_garbage: how.only_garbage,
                not_after: time_optional(how.not_after),
                only_if_begun: how.only_if_begun,
                even_if_running: how.even_if_running,
                earlier_are_dead: how.earlier_are_dead,
            };
            follow(silence, on_progress, client.delete_backup_if(request)).await?
        } else {
            let request = pb::DeleteBackupRequest {
                backup,
                even_if_running: how.even_if_running,
                earlier_are_dead: how.earlier_are_dead,
            };
            follow(silence, on_progress, client.delete_backup(request)).await?
        };
        let last = last.ok_or_else(|| cut_short("a deletion that ended without a result"))?;
        Ok(Deletion {
            objects: last.deleted_objects,
            bytes: last.freed_bytes,
            versions_remain: last.versions_remain,
        })
    }

    async fn find_garbage(&self, cluster: &ClusterName) -> Result<Vec<Garbage>, RemoteError> {
        let request = pb::FindGarbageRequest {
            cluster: cluster.to_string(),
        };
        let mut client = self.client.clone();
        let response = within(LIST_DEADLINE, client.find_garbage(request)).await?;
        all(response.garbage).map_err(invalid(CATALOG))
    }

    async fn get_store_status(&self) -> Result<StoreStatus, RemoteError> {
        let request = pb::GetStoreStatusRequest {};
        let mut client = self.client.clone();
        let status = within(SHORT_DEADLINE, client.get_store_status(request)).await?;
        Ok(status.into())
    }
}

/// On the wire an empty cluster means none.
fn named(cluster: Option<&ClusterName>, name: &BackupName) -> types_pb::BackupRef {
    types_pb::BackupRef {
        cluster: cluster.map(ToString::to_string).unwrap_or_default(),
        name: name.to_string(),
    }
}

/// A stream that ends early is a connection that broke.
fn cut_short(what: &str) -> RemoteError {
    RemoteError::new(
        ErrorKind::Unavailable,
        "",
        format!("{CATALOG} returned {what}"),
    )
}
