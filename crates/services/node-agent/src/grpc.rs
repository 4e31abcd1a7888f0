//! Translates between the wire and [`Agent`]. Decides nothing. Each group of calls has a file of its own.

mod call;
mod convert;
mod in_place;
mod leftovers;
mod level;
mod limits;
mod maintenance;
mod online;
mod reading;
mod snapshots;
mod staging;

use std::sync::Arc;

use api::pb::node_agent as pb;
use tonic::{Request, Status};

use crate::agent::Agent;
use call::{Call, Changes, Messages, Reply, Room};

pub use level::SameLevel;

/// The gRPC service of an agent.
pub struct NodeAgentGrpc {
    agent: Arc<Agent>,
    room: Room,
}

impl NodeAgentGrpc {
    pub fn new(agent: Arc<Agent>) -> Self {
        let room = Room::default();
        Self { agent, room }
    }

    async fn call<R: Changes>(&self, request: Request<R>) -> Result<(Call, R), Status> {
        Call::begin(&self.agent, &self.room, request).await
    }
}

#[tonic::async_trait]
impl pb::node_agent_server::NodeAgent for NodeAgentGrpc {
    async fn describe(&self, request: Request<pb::DescribeRequest>) -> Reply<pb::DescribeResponse> {
        reading::describe(&self.agent, request.local_addr()).await
    }

    async fn get_schema(
        &self,
        request: Request<pb::GetSchemaRequest>,
    ) -> Reply<pb::GetSchemaResponse> {
        reading::get_schema(&self.agent, request.into_inner()).await
    }

    async fn fingerprint_keys(
        &self,
        request: Request<pb::FingerprintKeysRequest>,
    ) -> Reply<pb::FingerprintKeysResponse> {
        reading::fingerprint_keys(&self.agent, request.into_inner()).await
    }

    async fn list_leftovers(
        &self,
        _: Request<pb::ListLeftoversRequest>,
    ) -> Reply<pb::ListLeftoversResponse> {
        reading::list_leftovers(&self.agent).await
    }

    async fn take_snapshot(
        &self,
        request: Request<pb::TakeSnapshotRequest>,
    ) -> Reply<pb::TakeSnapshotResponse> {
        snapshots::take(self.call(request).await?).await
    }

    type UploadSnapshotStream = Messages<pb::UploadSnapshotResponse>;

    async fn upload_snapshot(
        &self,
        request: Request<pb::UploadSnapshotRequest>,
    ) -> Reply<Self::UploadSnapshotStream> {
        snapshots::upload(self.call(request).await?)
    }

    async fn clear_snapshot(
        &self,
        request: Request<pb::ClearSnapshotRequest>,
    ) -> Reply<pb::ClearSnapshotResponse> {
        snapshots::clear(self.call(request).await?).await
    }

    type StageRestoreStream = Messages<pb::StageRestoreResponse>;

    async fn stage_restore(
        &self,
        request: Request<pb::StageRestoreRequest>,
    ) -> Reply<Self::StageRestoreStream> {
        staging::stage(self.call(request).await?)
    }

    type TryLoadStream = Messages<pb::TryLoadResponse>;

    async fn try_load(&self, request: Request<pb::TryLoadRequest>) -> Reply<Self::TryLoadStream> {
        staging::try_load(self.call(request).await?)
    }

    async fn clear_trial(
        &self,
        request: Request<pb::ClearTrialRequest>,
    ) -> Reply<pb::ClearTrialResponse> {
        staging::clear_trial(self.call(request).await?).await
    }

    type LoadStagedStream = Messages<pb::LoadStagedResponse>;

    async fn load_staged(
        &self,
        request: Request<pb::LoadStagedRequest>,
    ) -> Reply<Self::LoadStagedStream> {
        staging::load(self.call(request).await?)
    }

    async fn finish_restore(
        &self,
        request: Request<pb::FinishRestoreRequest>,
    ) -> Reply<pb::FinishRestoreResponse> {
        let call = Call::begin_finish(&self.agent, &self.room, request).await?;
        staging::finish(call).await
    }

    async fn execute_cql(
        &self,
        request: Request<pb::ExecuteCqlRequest>,
    ) -> Reply<pb::ExecuteCqlResponse> {
        online::execute_cql(self.call(request).await?).await
    }

    type UpgradeSstablesStream = Messages<pb::UpgradeSstablesResponse>;

    async fn upgrade_sstables(
        &self,
        request: Request<pb::UpgradeSstablesRequest>,
    ) -> Reply<Self::UpgradeSstablesStream> {
        online::upgrade_sstables(self.call(request).await?)
    }

    type AwaitViewsStream = Messages<pb::AwaitViewsResponse>;

    async fn await_views(
        &self,
        request: Request<pb::AwaitViewsRequest>,
    ) -> Reply<Self::AwaitViewsStream> {
        online::await_views(self.call(request).await?)
    }

    async fn forget_built_views(
        &self,
        request: Request<pb::ForgetBuiltViewsRequest>,
    ) -> Reply<pb::ForgetBuiltViewsResponse> {
        online::forget_built_views(self.call(request).await?).await
    }

    async fn rebuild_views(
        &self,
        request: Request<pb::RebuildViewsRequest>,
    ) -> Reply<pb::RebuildViewsResponse> {
        online::rebuild_views(self.call(request).await?).await
    }

    type RunMaintenanceStream = Messages<pb::RunMaintenanceResponse>;

    async fn run_maintenance(
        &self,
        request: Request<pb::RunMaintenanceRequest>,
    ) -> Reply<Self::RunMaintenanceStream> {
        maintenance::run(self.call(request).await?)
    }

    async fn set_limits(
        &self,
        request: Request<pb::SetLimitsRequest>,
    ) -> Reply<pb::SetLimitsResponse> {
        limits::set(self.call(request).await?).await
    }

    async fn mark_truncated(
        &self,
        request: Request<pb::MarkTruncatedRequest>,
    ) -> Reply<pb::MarkTruncatedResponse> {
        in_place::mark_truncated(self.call(request).await?).await
    }

    async fn cut_clients_off(
        &self,
        request: Request<pb::CutClientsOffRequest>,
    ) -> Reply<pb::CutClientsOffResponse> {
        in_place::cut_clients_off(self.call(request).await?).await
    }

    async fn let_clients_in(
        &self,
        request: Request<pb::LetClientsInRequest>,
    ) -> Reply<pb::LetClientsInResponse> {
        in_place::let_clients_in(self.call(request).await?).await
    }

    async fn stop_cassandra(
        &self,
        request: Request<pb::StopCassandraRequest>,
    ) -> Reply<pb::StopCassandraResponse> {
        in_place::stop(self.call(request).await?).await
    }

    async fn swap_staged(
        &self,
        request: Request<pb::SwapStagedRequest>,
    ) -> Reply<pb::SwapStagedResponse> {
        in_place::swap(self.call(request).await?).await
    }

    async fn swap_back(
        &self,
        request: Request<pb::SwapBackRequest>,
    ) -> Reply<pb::SwapBackResponse> {
        in_place::swap_back(self.call(request).await?).await
    }

    async fn start_cassandra(
        &self,
        request: Request<pb::StartCassandraRequest>,
    ) -> Reply<pb::StartCassandraResponse> {
        in_place::start(self.call(request).await?).await
    }

    async fn clear_leftovers(
        &self,
        request: Request<pb::ClearLeftoversRequest>,
    ) -> Reply<pb::ClearLeftoversResponse> {
        leftovers::clear(self.call(request).await?).await
    }
}

#[cfg(test)]
mod fence_tests;
#[cfg(test)]
mod tests;
