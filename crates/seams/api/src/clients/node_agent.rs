//! A node-agent as its callers see it.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use model::manifest::{BackupKind, KeyFingerprint};
use model::{
    BackupName, BackupRef, HostId, NodeDescription, Schema, Selection, SourceShare, TableRef,
    TableTarget, TaskId,
};
use tonic::transport::Channel;

use super::call::{OnProgress, follow, invalid, within};
use crate::RemoteError;
use crate::client::{NodeAgentClient, node_agent};
use crate::convert::{all_into, parsed, required, time};
use crate::pb::node_agent as pb;
use crate::pb::types as types_pb;

const AGENT: &str = "the agent";
/// Reads of a node; one that takes longer is as good as down.
const READ_DEADLINE: Duration = Duration::from_secs(60);
/// A snapshot flushes all memtables first.
const SNAPSHOT_DEADLINE: Duration = Duration::from_secs(900);
const CLEAR_DEADLINE: Duration = Duration::from_secs(300);
/// Statements wait for schema agreement, one by one.
const CQL_DEADLINE: Duration = Duration::from_secs(3_600);
/// Stopping drains first, and starts again what went down without having drained.
const STOP_DEADLINE: Duration = Duration::from_secs(5_400);
/// The cutoff is at most 15 minutes away.
const CUT_OFF_DEADLINE: Duration = Duration::from_secs(1_200);
const SWAP_DEADLINE: Duration = Duration::from_secs(1_800);
/// Starting replays the commit log and waits for CQL.
const START_DEADLINE: Duration = Duration::from_secs(3_600);
const FINISH_DEADLINE: Duration = Duration::from_secs(1_800);

/// The agent beside one Cassandra node. Calls that change something name the node that they are meant for by its host id, and
/// an agent of another node refuses them, because addresses change owners.
#[async_trait]
pub trait NodeAgent: Send + Sync + 'static {
    /// The node as it is now. Its `agent` is empty: an agent does not know by which address it was called.
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

    /// Runs statements in order, each safe to run again.
    async fn execute_cql(&self, host: HostId, statements: &[String]) -> Result<(), RemoteError>;

    /// Loads staged SSTables into the running node.
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
    async fn stop_cassandra(&self, host: HostId) -> Result<(), RemoteError>;

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

    /// Removes what a restore has left on the node; the old files of a restore in place only with `delete_old_files`.
    /// Succeeds if there is nothing.
    async fn finish_restore(
        &self,
        restore: TaskId,
        host: HostId,
        delete_old_files: bool,
    ) -> Result<(), RemoteError>;
}

/// What of a snapshot is uploaded, and as a part of which backup.
#[derive(Debug, Clone, PartialEq)]
pub struct UploadSnapshot {
    pub tag: String,
    pub backup: BackupRef,
    pub kind: BackupKind,
    pub base: Option<BackupName>,
    pub selection: Selection,
    pub taken_at: Timestamp,
    /// Uploads damaged SSTables as they are.
    pub keep_damaged: bool,
}

/// What a node stages of a backup.
#[derive(Debug, Clone, PartialEq)]
pub struct StageRestore {
    pub restore: TaskId,
    pub host: HostId,
    pub backup: BackupRef,
    /// The source nodes, each with the hex BLAKE3 of its node manifest: what is staged is what was planned.
    pub sources: Vec<(HostId, String)>,
    pub tables: Vec<TableTarget>,
    /// What the node takes of its sources; none: all of it.
    pub shares: Vec<SourceShare>,
}

/// A restore on one node.
#[derive(Debug, Clone, PartialEq)]
pub struct RestoreOnNode {
    pub restore: TaskId,
    pub host: HostId,
    pub tables: Vec<TableTarget>,
}

/// How long calls that last may report nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// While the agent itself moves bytes.
    pub transfer: Duration,
    /// While Cassandra works for the agent, which reports nothing in the middle of a table.
    pub cassandra: Duration,
}

/// An agent behind a channel.
#[derive(Clone)]
pub struct RemoteNodeAgent {
    client: NodeAgentClient,
    silence: Silence,
}

impl RemoteNodeAgent {
    pub fn new(channel: Channel, silence: Silence) -> Self {
        Self {
            client: node_agent(channel),
            silence,
        }
    }
}

#[async_trait]
impl NodeAgent for RemoteNodeAgent {
    async fn describe(&self) -> Result<NodeDescription, RemoteError> {
        let mut client = self.client.clone();
        let response = within(READ_DEADLINE, client.describe(pb::DescribeRequest {})).await?;
        let node = required("node", response.node).map_err(invalid(AGENT))?;
        node.try_into().map_err(invalid(AGENT))
    }

    async fn schema(&self) -> Result<Schema, RemoteError> {
        let mut client = self.client.clone();
        let call = client.get_schema(pb::GetSchemaRequest::default());
        let response = within(READ_DEADLINE, call).await?;
        let schema = required("schema", response.schema).map_err(invalid(AGENT))?;
        schema.try_into().map_err(invalid(AGENT))
    }

    async fn fingerprint_keys(
        &self,
        backup: &BackupRef,
        names: &[String],
    ) -> Result<Vec<KeyFingerprint>, RemoteError> {
        let request = pb::FingerprintKeysRequest {
            backup: Some(backup.clone().into()),
            names: names.to_vec(),
        };
        let mut client = self.client.clone();
        let response = within(READ_DEADLINE, client.fingerprint_keys(request)).await?;
        Ok(all_into(response.keys))
    }

    async fn take_snapshot(
        &self,
        tag: &str,
        selection: &Selection,
    ) -> Result<Timestamp, RemoteError> {
        let request = pb::TakeSnapshotRequest {
            tag: tag.to_owned(),
            selection: Some(selection.clone().into()),
        };
        let mut client = self.client.clone();
        let taken = within(SNAPSHOT_DEADLINE, client.take_snapshot(request)).await?;
        parsed("taken_at", &taken.taken_at).map_err(invalid(AGENT))
    }

    async fn upload_snapshot(
        &self,
        upload: UploadSnapshot,
        on_progress: OnProgress<'_>,
    ) -> Result<(), RemoteError> {
        let request = pb::UploadSnapshotRequest {
            tag: upload.tag,
            backup: Some(upload.backup.into()),
            kind: types_pb::BackupKind::from(upload.kind) as i32,
            base: upload.base.map(String::from).unwrap_or_default(),
            selection: Some(upload.selection.into()),
            snapshot_taken_at: upload.taken_at.to_string(),
            keep_damaged: upload.keep_damaged,
        };
        let mut client = self.client.clone();
        let call = client.upload_snapshot(request);
        let last = follow(self.silence.transfer, on_progress, call).await?;
        match last.and_then(|last| last.manifest) {
            Some(_) => Ok(()),
            None => Err(RemoteError::invalid_response(
                AGENT,
                "an upload that ended without a manifest",
            )),
        }
    }

    async fn clear_snapshot(&self, tag: &str) -> Result<(), RemoteError> {
        let request = pb::ClearSnapshotRequest {
            tag: tag.to_owned(),
        };
        let mut client = self.client.clone();
        within(CLEAR_DEADLINE, client.clear_snapshot(request)).await?;
        Ok(())
    }

    async fn stage_restore(
        &self,
        stage: StageRestore,
        on_progress: OnProgress<'_>,
    ) -> Result<(), RemoteError> {
        let manifests = stage
            .sources
            .iter()
            .map(|(host, blake3)| pb::SourceManifest {
                host_id: host.to_string(),
                blake3: blake3.clone(),
            });
        let request = pb::StageRestoreRequest {
            restore: stage.restore.to_string(),
            backup: Some(stage.backup.into()),
            source_host_ids: stage
                .sources
                .iter()
                .map(|(host, _)| host.to_string())
                .collect(),
            manifests: manifests.collect(),
            tables: all_into(stage.tables),
            shares: all_into(stage.shares),
            host_id: stage.host.to_string(),
        };
        let mut client = self.client.clone();
        let call = client.stage_restore(request);
        follow(self.silence.transfer, on_progress, call).await?;
        Ok(())
    }

    async fn execute_cql(&self, host: HostId, statements: &[String]) -> Result<(), RemoteError> {
        let request = pb::ExecuteCqlRequest {
            statements: statements.to_vec(),
            host_id: host.to_string(),
        };
        let mut client = self.client.clone();
        within(CQL_DEADLINE, client.execute_cql(request)).await?;
        Ok(())
    }

    async fn load_staged(
        &self,
        restore: RestoreOnNode,
        on_progress: OnProgress<'_>,
    ) -> Result<(), RemoteError> {
        let request = pb::LoadStagedRequest {
            restore: restore.restore.to_string(),
            tables: all_into(restore.tables),
            host_id: restore.host.to_string(),
        };
        let mut client = self.client.clone();
        let call = client.load_staged(request);
        follow(self.silence.cassandra, on_progress, call).await?;
        Ok(())
    }

    async fn mark_truncated(
        &self,
        restore: RestoreOnNode,
        cutoff: Timestamp,
    ) -> Result<(), RemoteError> {
        let request = pb::MarkTruncatedRequest {
            restore: restore.restore.to_string(),
            tables: all_into(restore.tables),
            host_id: restore.host.to_string(),
            cutoff: time(cutoff),
        };
        let mut client = self.client.clone();
        within(START_DEADLINE, client.mark_truncated(request)).await?;
        Ok(())
    }

    async fn cut_clients_off(&self, host: HostId, cutoff: Timestamp) -> Result<(), RemoteError> {
        let request = pb::CutClientsOffRequest {
            host_id: host.to_string(),
            cutoff: time(cutoff),
        };
        let mut client = self.client.clone();
        within(CUT_OFF_DEADLINE, client.cut_clients_off(request)).await?;
        Ok(())
    }

    async fn let_clients_in(&self, restore: TaskId, host: HostId) -> Result<(), RemoteError> {
        let request = pb::LetClientsInRequest {
            restore: restore.to_string(),
            host_id: host.to_string(),
        };
        let mut client = self.client.clone();
        within(START_DEADLINE, client.let_clients_in(request)).await?;
        Ok(())
    }

    async fn stop_cassandra(&self, host: HostId) -> Result<(), RemoteError> {
        let request = pb::StopCassandraRequest {
            host_id: host.to_string(),
        };
        let mut client = self.client.clone();
        within(STOP_DEADLINE, client.stop_cassandra(request)).await?;
        Ok(())
    }

    async fn swap_staged(&self, restore: RestoreOnNode) -> Result<(), RemoteError> {
        let request = pb::SwapStagedRequest {
            restore: restore.restore.to_string(),
            tables: all_into(restore.tables),
            host_id: restore.host.to_string(),
        };
        let mut client = self.client.clone();
        within(SWAP_DEADLINE, client.swap_staged(request)).await?;
        Ok(())
    }

    async fn swap_back(&self, restore: TaskId, host: HostId) -> Result<(), RemoteError> {
        let request = pb::SwapBackRequest {
            restore: restore.to_string(),
            host_id: host.to_string(),
        };
        let mut client = self.client.clone();
        within(SWAP_DEADLINE, client.swap_back(request)).await?;
        Ok(())
    }

    async fn start_cassandra(&self, restore: RestoreOnNode) -> Result<(), RemoteError> {
        let request = pb::StartCassandraRequest {
            restore: restore.restore.to_string(),
            tables: all_into(restore.tables),
            host_id: restore.host.to_string(),
        };
        let mut client = self.client.clone();
        within(START_DEADLINE, client.start_cassandra(request)).await?;
        Ok(())
    }

    async fn upgrade_sstables(
        &self,
        host: HostId,
        tables: &[TableRef],
        on_progress: OnProgress<'_>,
    ) -> Result<(), RemoteError> {
        let request = pb::UpgradeSstablesRequest {
            host_id: host.to_string(),
            tables: all_into(tables.to_vec()),
        };
        let mut client = self.client.clone();
        let call = client.upgrade_sstables(request);
        follow(self.silence.cassandra, on_progress, call).await?;
        Ok(())
    }

    async fn await_views(
        &self,
        host: HostId,
        views: &[TableRef],
        on_progress: OnProgress<'_>,
    ) -> Result<(), RemoteError> {
        let request = pb::AwaitViewsRequest {
            host_id: host.to_string(),
            views: all_into(views.to_vec()),
        };
        let mut client = self.client.clone();
        let call = client.await_views(request);
        follow(self.silence.cassandra, on_progress, call).await?;
        Ok(())
    }

    async fn finish_restore(
        &self,
        restore: TaskId,
        host: HostId,
        delete_old_files: bool,
    ) -> Result<(), RemoteError> {
        let request = pb::FinishRestoreRequest {
            restore: restore.to_string(),
            host_id: host.to_string(),
            delete_old_files,
        };
        let mut client = self.client.clone();
        within(FINISH_DEADLINE, client.finish_restore(request)).await?;
        Ok(())
    }
}
