//! The planner as its callers see it.

use std::time::Duration;

use async_trait::async_trait;
use cassandra_versions::Release;
use model::plan::{BackupPlan, BackupRequest, Compatibility, RestorePlan, RestoreRequest};
use tonic::transport::Channel;

use super::call::{invalid, within};
use crate::RemoteError;
use crate::client::{PlannerClient, planner};
use crate::convert::required;
use crate::pb::planner as pb;

const PLANNER: &str = "the planner";
const PLAN_DEADLINE: Duration = Duration::from_secs(60);

/// Decides what a backup or a restore does. Touches nothing.
#[async_trait]
pub trait Planner: Send + Sync + 'static {
    /// Whether a backup of one release restores into another, by the releases alone.
    async fn check_compatibility(
        &self,
        from: Release,
        to: Release,
    ) -> Result<Compatibility, RemoteError>;

    /// The plan of a backup.
    async fn plan_backup(&self, request: BackupRequest) -> Result<BackupPlan, RemoteError>;

    /// The plan of a restore.
    async fn plan_restore(&self, request: RestoreRequest) -> Result<RestorePlan, RemoteError>;
}

/// A planner behind a channel.
#[derive(Clone)]
pub struct RemotePlanner {
    client: PlannerClient,
}

impl RemotePlanner {
    pub fn new(channel: Channel) -> Self {
        Self {
            client: planner(channel),
        }
    }
}

#[async_trait]
impl Planner for RemotePlanner {
    async fn check_compatibility(
        &self,
        from: Release,
        to: Release,
    ) -> Result<Compatibility, RemoteError> {
        let request = pb::CheckCompatibilityRequest {
            from: Some(from.into()),
            to: Some(to.into()),
        };
        let mut client = self.client.clone();
        let response = within(PLAN_DEADLINE, client.check_compatibility(request)).await?;
        response.try_into().map_err(invalid(PLANNER))
    }

    async fn plan_backup(&self, request: BackupRequest) -> Result<BackupPlan, RemoteError> {
        let mut client = self.client.clone();
        let call = client.plan_backup(pb::PlanBackupRequest::from(request));
        let response = within(PLAN_DEADLINE, call).await?;
        response.try_into().map_err(invalid(PLANNER))
    }

    async fn plan_restore(&self, request: RestoreRequest) -> Result<RestorePlan, RemoteError> {
        let mut client = self.client.clone();
        let call = client.plan_restore(pb::PlanRestoreRequest::from(request));
        let response = within(PLAN_DEADLINE, call).await?;
        let plan = required("plan", response.plan).map_err(invalid(PLANNER))?;
        plan.try_into().map_err(invalid(PLANNER))
    }
}
