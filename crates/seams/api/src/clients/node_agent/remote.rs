//! The agent behind a channel.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use model::leftover::{ClearedLeftover, Leftover, LeftoverKind};
use model::manifest::KeyFingerprint;
use model::task::{NodeLimits, TransferLimits};
use model::{BackupRef, HostId, NodeDescription, Schema, Selection, TableRef, TaskId};

use super::requests::clear_leftovers;
use super::{NodeAgent, RestoreOnNode, RunMaintenance, StageRestore, TryLoad, UploadSnapshot};
use crate::client::{Channel, NodeAgentClient, node_agent, node_agent_under};
use crate::clients::call::{OnProgress, done, follow, invalid, through, within};
use crate::clients::limits::{AgentLimits, Deadlines, Silence};
use crate::convert::{all, all_into, parsed, required, time};
use crate::fence::Fences;
use crate::pb::node_agent as pb;
use crate::{RemoteError, level};

const AGENT: &str = "the agent";
/// Reads of a node; one that takes longer is as good as down.
const READ_DEADLINE: Duration = Duration::from_secs(60);
/// The cutoff is at most 15 minutes away.
const CUT_OFF_DEADLINE: Duration = Duration::from_secs(1_200);

/// An agent behind a channel.
#[derive(Clone)]
pub struct RemoteNodeAgent {
    channel: Channel,
    client: NodeAgentClient,
    silence: Silence,
    deadlines: Deadlines,
}

impl RemoteNodeAgent {
    pub fn new(channel: Channel, limits: AgentLimits) -> Self {
        Self {
            client: node_agent(channel.clone()),
            channel,
            silence: limits.silence,
            deadlines: limits.deadlines,
        }
    }

    /// A client of its own for each call, over the same connection.
    fn client(&self) -> NodeAgentClient {
        self.client.clone()
    }
}

#[async_trait]
impl NodeAgent for RemoteNodeAgent {
    fn under(&self, fences: &Fences) -> Arc<dyn NodeAgent> {
        Arc::new(Self {
            client: node_agent_under(self.channel.clone(), fences),
            ..self.clone()
        })
    }

    async fn describe(&self) -> Result<NodeDescription, RemoteError> {
        let mut client = self.client();
        let call = client.describe(pb::DescribeRequest {});
        let response = within(READ_DEADLINE, call).await?;
        level::check_agent(response.api_level)?;
        let node = required("node", response.node).map_err(invalid(AGENT))?;
        node.try_into().map_err(invalid(AGENT))
    }

    async fn schema(&self) -> Result<Schema, RemoteError> {
        let mut client = self.client();
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
        let response = within(READ_DEADLINE, self.client().fingerprint_keys(request)).await?;
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
        let mut client = self.client();
        let call = client.take_snapshot(request);
        let taken = within(self.deadlines.snapshot, call).await?;
        parsed("taken_at", &taken.taken_at).map_err(invalid(AGENT))
    }

    async fn upload_snapshot(
        &self,
        upload: UploadSnapshot,
        on_progress: OnProgress<'_>,
    ) -> Result<(), RemoteError> {
        let mut client = self.client();
        let call = client.upload_snapshot(pb::UploadSnapshotRequest::from(upload));
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
        done(self.deadlines.tidy, self.client().clear_snapshot(request)).await
    }

    async fn stage_restore(
        &self,
        stage: StageRestore,
        on_progress: OnProgress<'_>,
    ) -> Result<(), RemoteError> {
        let request = pb::StageRestoreRequest::from(stage);
        let mut client = self.client();
        let call = client.stage_restore(request);
        through(self.silence.transfer, on_progress, call).await
    }

    async fn try_load(
        &self,
        trial: TryLoad,
        on_progress: OnProgress<'_>,
    ) -> Result<(), RemoteError> {
        let request = pb::TryLoadRequest::from(trial);
        let mut client = self.client();
        let call = client.try_load(request);
        through(self.silence.cassandra, on_progress, call).await
    }

    async fn clear_trial(&self, host: HostId) -> Result<(), RemoteError> {
        let request = pb::ClearTrialRequest {
            host_id: host.to_string(),
        };
        done(self.deadlines.tidy, self.client().clear_trial(request)).await
    }

    async fn execute_cql(&self, host: HostId, statements: &[String]) -> Result<(), RemoteError> {
        let request = pb::ExecuteCqlRequest {
            statements: statements.to_vec(),
            host_id: host.to_string(),
        };
        done(self.deadlines.cql, self.client().execute_cql(request)).await
    }

    async fn load_staged(
        &self,
        restore: RestoreOnNode,
        on_progress: OnProgress<'_>,
    ) -> Result<(), RemoteError> {
        let request = pb::LoadStagedRequest::from(restore);
        let mut client = self.client();
        let call = client.load_staged(request);
        through(self.silence.cassandra, on_progress, call).await
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
        done(self.deadlines.start, self.client().mark_truncated(request)).await
    }

    async fn cut_clients_off(&self, host: HostId, cutoff: Timestamp) -> Result<(), RemoteError> {
        let request = pb::CutClientsOffRequest {
            host_id: host.to_string(),
            cutoff: time(cutoff),
        };
        done(CUT_OFF_DEADLINE, self.client().cut_clients_off(request)).await
    }

    async fn let_clients_in(&self, restore: TaskId, host: HostId) -> Result<(), RemoteError> {
        let request = pb::LetClientsInRequest {
            restore: restore.to_string(),
            host_id: host.to_string(),
        };
        done(self.deadlines.start, self.client().let_clients_in(request)).await
    }

    async fn stop_cassandra(&self, restore: TaskId, host: HostId) -> Result<(), RemoteError> {
        let request = pb::StopCassandraRequest {
            host_id: host.to_string(),
            restore: restore.to_string(),
        };
        done(self.deadlines.stop, self.client().stop_cassandra(request)).await
    }

    async fn swap_staged(&self, restore: RestoreOnNode) -> Result<(), RemoteError> {
        let request = pb::SwapStagedRequest::from(restore);
        done(self.deadlines.swap, self.client().swap_staged(request)).await
    }

    async fn swap_back(&self, restore: TaskId, host: HostId) -> Result<(), RemoteError> {
        let request = pb::SwapBackRequest {
            restore: restore.to_string(),
            host_id: host.to_string(),
        };
        done(self.deadlines.swap, self.client().swap_back(request)).await
    }

    async fn start_cassandra(&self, restore: RestoreOnNode) -> Result<(), RemoteError> {
        let request = pb::StartCassandraRequest::from(restore);
        done(self.deadlines.start, self.client().start_cassandra(request)).await
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
        let mut client = self.client();
        let call = client.upgrade_sstables(request);
        through(self.silence.cassandra, on_progress, call).await
    }

    async fn run_maintenance(
        &self,
        maintenance: RunMaintenance,
        on_progress: OnProgress<'_>,
    ) -> Result<(), RemoteError> {
        let request = pb::RunMaintenanceRequest::from(maintenance);
        let mut client = self.client();
        let call = client.run_maintenance(request);
        through(self.silence.cassandra, on_progress, call).await
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
        let mut client = self.client();
        let call = client.await_views(request);
        through(self.silence.cassandra, on_progress, call).await
    }

    async fn forget_built_views(
        &self,
        host: HostId,
        views: &[TableRef],
    ) -> Result<bool, RemoteError> {
        let request = pb::ForgetBuiltViewsRequest {
            host_id: host.to_string(),
            views: all_into(views.to_vec()),
        };
        let mut client = self.client();
        let call = client.forget_built_views(request);
        Ok(within(self.deadlines.cql, call).await?.forgotten)
    }

    async fn rebuild_views(&self, host: HostId, views: &[TableRef]) -> Result<(), RemoteError> {
        let request = pb::RebuildViewsRequest {
            host_id: host.to_string(),
            views: all_into(views.to_vec()),
        };
        done(self.deadlines.cql, self.client().rebuild_views(request)).await
    }

    async fn set_limits(
        &self,
        host: HostId,
        task: TaskId,
        limits: TransferLimits,
    ) -> Result<NodeLimits, RemoteError> {
        let request = pb::SetLimitsRequest {
            host_id: host.to_string(),
            task_id: task.to_string(),
            bandwidth_bytes_per_second: limits.bandwidth_bytes_per_second,
            parallel_files: limits.parallel_files,
        };
        let response = within(READ_DEADLINE, self.client().set_limits(request)).await?;
        Ok(response.into())
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
        done(self.deadlines.tidy, self.client().finish_restore(request)).await
    }

    async fn list_leftovers(&self) -> Result<(HostId, Vec<Leftover>), RemoteError> {
        let mut client = self.client();
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
        let request = clear_leftovers(host, leftovers, live);
        let mut client = self.client();
        let call = client.clear_leftovers(request);
        let response = within(self.deadlines.tidy, call).await?;
        all(response.cleared).map_err(invalid(AGENT))
    }
}
