//! The agent behind a channel.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use model::leftover::{ClearedLeftover, Leftover, LeftoverKind};
use model::manifest::KeyFingerprint;
use model::plan::RestoreMode;
use model::{BackupRef, HostId, NodeDescription, Schema, Selection, TableRef, TaskId};

use super::{NodeAgent, RestoreOnNode, StageRestore, Taking, TryLoad, UploadSnapshot};
use crate::client::{Channel, NodeAgentClient, node_agent};
use crate::clients::call::{OnProgress, follow, invalid, within};
use crate::clients::limits::{AgentLimits, Deadlines, Silence};
use crate::convert::{all, all_into, parsed, required, time};
use crate::pb::node_agent as pb;
use crate::pb::types as types_pb;
use crate::{RemoteError, level};

const AGENT: &str = "the agent";
/// Reads of a node; one that takes longer is as good as down.
const READ_DEADLINE: Duration = Duration::from_secs(60);
/// The cutoff is at most 15 minutes away.
const CUT_OFF_DEADLINE: Duration = Duration::from_secs(1_200);

/// An agent behind a channel.
#[derive(Clone)]
pub struct RemoteNodeAgent {
    client: NodeAgentClient,
    silence: Silence,
    deadlines: Deadlines,
}

impl RemoteNodeAgent {
    pub fn new(channel: Channel, limits: AgentLimits) -> Self {
        Self {
            client: node_agent(channel),
            silence: limits.silence,
            deadlines: limits.deadlines,
        }
    }
}

#[async_trait]
impl NodeAgent for RemoteNodeAgent {
    async fn describe(&self) -> Result<NodeDescription, RemoteError> {
        let mut client = self.client.clone();
        let response = within(READ_DEADLINE, client.describe(pb::DescribeRequest {})).await?;
        level::check_agent(response.api_level)?;
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
        let taken = within(self.deadlines.snapshot, client.take_snapshot(request)).await?;
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
        within(self.deadlines.tidy, client.clear_snapshot(request)).await?;
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
        let (everything, shares) = match stage.taking {
            Taking::Everything => (true, Vec::new()),
            Taking::Shares(shares) => (false, shares),
        };
        let go_live = match stage.mode {
            RestoreMode::Online => pb::GoLive::Load,
            RestoreMode::InPlace => pb::GoLive::Swap,
        };
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
            shares: all_into(shares),
            everything,
            go_live: go_live.into(),
            host_id: stage.host.to_string(),
        };
        let mut client = self.client.clone();
        let call = client.stage_restore(request);
        follow(self.silence.transfer, on_progress, call).await?;
        Ok(())
    }

    async fn try_load(
        &self,
        trial: TryLoad,
        on_progress: OnProgress<'_>,
    ) -> Result<(), RemoteError> {
        let request = pb::TryLoadRequest {
            restore: trial.restore.to_string(),
            host_id: trial.host.to_string(),
            tables: all_into(trial.tables),
        };
        let mut client = self.client.clone();
        let call = client.try_load(request);
        follow(self.silence.cassandra, on_progress, call).await?;
        Ok(())
    }

    async fn clear_trial(&self, host: HostId) -> Result<(), RemoteError> {
        let request = pb::ClearTrialRequest {
            host_id: host.to_string(),
        };
        let mut client = self.client.clone();
        within(self.deadlines.tidy, client.clear_trial(request)).await?;
        Ok(())
    }

    async fn execute_cql(&self, host: HostId, statements: &[String]) -> Result<(), RemoteError> {
        let request = pb::ExecuteCqlRequest {
            statements: statements.to_vec(),
            host_id: host.to_string(),
        };
        let mut client = self.client.clone();
        within(self.deadlines.cql, client.execute_cql(request)).await?;
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
        within(self.deadlines.start, client.mark_truncated(request)).await?;
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
        within(self.deadlines.start, client.let_clients_in(request)).await?;
        Ok(())
    }

    async fn stop_cassandra(&self, restore: TaskId, host: HostId) -> Result<(), RemoteError> {
        let request = pb::StopCassandraRequest {
            host_id: host.to_string(),
            restore: restore.to_string(),
        };
        let mut client = self.client.clone();
        within(self.deadlines.stop, client.stop_cassandra(request)).await?;
        Ok(())
    }

    async fn swap_staged(&self, restore: RestoreOnNode) -> Result<(), RemoteError> {
        let request = pb::SwapStagedRequest {
            restore: restore.restore.to_string(),
            tables: all_into(restore.tables),
            host_id: restore.host.to_string(),
        };
        let mut client = self.client.clone();
        within(self.deadlines.swap, client.swap_staged(request)).await?;
        Ok(())
    }

    async fn swap_back(&self, restore: TaskId, host: HostId) -> Result<(), RemoteError> {
        let request = pb::SwapBackRequest {
            restore: restore.to_string(),
            host_id: host.to_string(),
        };
        let mut client = self.client.clone();
        within(self.deadlines.swap, client.swap_back(request)).await?;
        Ok(())
    }

    async fn start_cassandra(&self, restore: RestoreOnNode) -> Result<(), RemoteError> {
        let request = pb::StartCassandraRequest {
            restore: restore.restore.to_string(),
            tables: all_into(restore.tables),
            host_id: restore.host.to_string(),
        };
        let mut client = self.client.clone();
        within(self.deadlines.start, client.start_cassandra(request)).await?;
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
        within(self.deadlines.tidy, client.finish_restore(request)).await?;
        Ok(())
    }

    async fn list_leftovers(&self) -> Result<(HostId, Vec<Leftover>), RemoteError> {
        let mut client = self.client.clone();
        let call = client.list_leftovers(pb::ListLeftoversRequest {});
        let response = within(self.deadlines.tidy, call).await?;
        let host = parsed("host_id", &response.host_id).map_err(invalid(AGENT))?;
        let leftovers = all(response.leftovers).map_err(invalid(AGENT))?;
        Ok((host, leftovers))
    }

    async fn clear_leftovers(
        &self,
        host: HostId,
        leftovers: &[(LeftoverKind, TaskId)],
        live: &[TaskId],
    ) -> Result<Vec<ClearedLeftover>, RemoteError> {
        let names = leftovers.iter().map(|(kind, task)| pb::LeftoverName {
            kind: types_pb::LeftoverKind::from(*kind) as i32,
            task_id: task.to_string(),
        });
        let request = pb::ClearLeftoversRequest {
            host_id: host.to_string(),
            leftovers: names.collect(),
            live_task_ids: live.iter().map(ToString::to_string).collect(),
        };
        let mut client = self.client.clone();
        let call = client.clear_leftovers(request);
        let response = within(self.deadlines.tidy, call).await?;
        all(response.cleared).map_err(invalid(AGENT))
    }
}
