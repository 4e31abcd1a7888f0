//! Translates between the wire and the runner. Decides nothing.

use std::sync::Arc;

use api::convert::{ConversionError, all_into, parsed, parsed_optional, required};
use api::pb::planner as planner_pb;
use api::pb::task_runner as pb;
use api::pb::task_runner::task_runner_server::TaskRunner;
use api::pb::types::BackupKind as WireKind;
use futures::StreamExt;
use futures::stream::BoxStream;
use model::manifest::BackupKind;
use model::{ClusterName, Selection, TaskId};
use tonic::{Request, Response, Status};

use crate::backup::{self, NewBackup};
use crate::board::View;
use crate::cluster::{self, Cluster};
use crate::control;
use crate::core::Core;
use crate::describe::describe_all;
use crate::error::RunnerError;
use crate::restore::{self, NewRestore, Start};

/// The service on the wire.
pub struct TaskRunnerGrpc {
    core: Arc<Core>,
}

impl TaskRunnerGrpc {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

type Answer<T> = Result<Response<T>, Status>;

fn answer<T>(result: Result<T, RunnerError>) -> Answer<T> {
    Ok(Response::new(result?))
}

#[tonic::async_trait]
impl TaskRunner for TaskRunnerGrpc {
    async fn add_cluster(
        &self,
        request: Request<pb::AddClusterRequest>,
    ) -> Answer<pb::AddClusterResponse> {
        let (name, agents) = new_cluster(request.into_inner()).map_err(RunnerError::from)?;
        let cluster = cluster::add(&self.core.services, name, agents).await;
        answer(cluster.map(|cluster| pb::AddClusterResponse {
            cluster: Some(cluster.into()),
        }))
    }

    async fn list_clusters(
        &self,
        _request: Request<pb::ListClustersRequest>,
    ) -> Answer<pb::ListClustersResponse> {
        let clusters = cluster::list(&self.core.services).await;
        answer(clusters.map(|clusters| pb::ListClustersResponse {
            clusters: all_into(clusters),
        }))
    }

    async fn get_cluster(
        &self,
        request: Request<pb::GetClusterRequest>,
    ) -> Answer<pb::GetClusterResponse> {
        let name = cluster_name("name", &request.into_inner().name)?;
        let cluster = cluster::get(&self.core.services, &name).await?;
        let described = describe_all(&self.core.services, &cluster.agents).await;
        Ok(Response::new(pb::GetClusterResponse {
            cluster: Some(cluster.into()),
            nodes: described.nodes,
            unreachable: described.unreachable,
        }))
    }

    async fn remove_cluster(
        &self,
        request: Request<pb::RemoveClusterRequest>,
    ) -> Answer<pb::RemoveClusterResponse> {
        let name = cluster_name("name", &request.into_inner().name)?;
        let removed = cluster::remove(&self.core.services, &name).await;
        answer(removed.map(|()| pb::RemoveClusterResponse {}))
    }

    async fn create_backup(
        &self,
        request: Request<pb::CreateBackupRequest>,
    ) -> Answer<pb::CreateBackupResponse> {
        let wish = NewBackup::try_from(request.into_inner()).map_err(RunnerError::from)?;
        let created = self
            .core
            .to_the_end(backup::create(self.core.clone(), wish));
        answer(created.await.map(|created| pb::CreateBackupResponse {
            task_id: id_or_none(created.task),
            backup: Some(created.backup.into()),
            findings: all_into(created.findings),
        }))
    }

    async fn plan_restore(
        &self,
        request: Request<pb::PlanRestoreRequest>,
    ) -> Answer<pb::PlanRestoreResponse> {
        let wish = NewRestore::try_from(request.into_inner()).map_err(RunnerError::from)?;
        let shown = self.core.clone();
        let plan = self
            .core
            .to_the_end(async move { restore::show(&shown, wish).await })
            .await;
        answer(plan.map(|plan| pb::PlanRestoreResponse { plan: Some(plan) }))
    }

    async fn start_restore(
        &self,
        request: Request<pb::StartRestoreRequest>,
    ) -> Answer<pb::StartRestoreResponse> {
        let request = request.into_inner();
        let what = match request.plan {
            0 => required("restore", request.restore)
                .and_then(NewRestore::try_from)
                .map(|wish| Start::Wish(Box::new(wish)))
                .map_err(RunnerError::from)?,
            number => Start::Shown(number),
        };
        let started = self
            .core
            .to_the_end(restore::start(self.core.clone(), what));
        answer(started.await.map(|(task, plan)| pb::StartRestoreResponse {
            task_id: id_or_none(task),
            plan: Some(plan),
        }))
    }

    async fn list_tasks(
        &self,
        request: Request<pb::ListTasksRequest>,
    ) -> Answer<pb::ListTasksResponse> {
        let cluster: Option<ClusterName> =
            parsed_optional("cluster", &request.into_inner().cluster).map_err(RunnerError::from)?;
        let tasks = control::list(&self.core, cluster.as_ref()).await;
        answer(tasks.map(|tasks| pb::ListTasksResponse {
            tasks: tasks.iter().map(|view| wire(view)).collect(),
        }))
    }

    async fn get_task(&self, request: Request<pb::GetTaskRequest>) -> Answer<pb::GetTaskResponse> {
        let id = task_id(&request.into_inner().id)?;
        let view = control::get(&self.core, id).await;
        answer(view.map(|view| pb::GetTaskResponse {
            task: Some(wire(&view)),
        }))
    }

    type WatchTaskStream = BoxStream<'static, Result<pb::WatchTaskResponse, Status>>;

    async fn watch_task(
        &self,
        request: Request<pb::WatchTaskRequest>,
    ) -> Answer<Self::WatchTaskStream> {
        let id = task_id(&request.into_inner().id)?;
        let views = control::watch_task(self.core.clone(), id).await?;
        let messages = views.map(|view| match view {
            Ok(view) => Ok(pb::WatchTaskResponse {
                task: Some(wire(&view)),
            }),
            Err(error) => Err(error.into()),
        });
        Ok(Response::new(messages.boxed()))
    }

    async fn cancel_task(
        &self,
        request: Request<pb::CancelTaskRequest>,
    ) -> Answer<pb::CancelTaskResponse> {
        let id = task_id(&request.into_inner().id)?;
        let cancelled = self.core.to_the_end(control::cancel(self.core.clone(), id));
        answer(cancelled.await.map(|view| pb::CancelTaskResponse {
            task: Some(wire(&view)),
        }))
    }

    async fn resume_task(
        &self,
        request: Request<pb::ResumeTaskRequest>,
    ) -> Answer<pb::ResumeTaskResponse> {
        let id = task_id(&request.into_inner().id)?;
        let resumed = self.core.to_the_end(control::resume(self.core.clone(), id));
        answer(resumed.await.map(|view| pb::ResumeTaskResponse {
            task: Some(wire(&view)),
        }))
    }
}

fn wire(view: &View) -> pb::Task {
    api::convert::task::to_wire(&view.task, view.eta_seconds)
}

fn id_or_none(id: Option<TaskId>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

fn task_id(text: &str) -> Result<TaskId, RunnerError> {
    Ok(parsed("id", text)?)
}

fn cluster_name(field: &'static str, text: &str) -> Result<ClusterName, RunnerError> {
    Ok(parsed(field, text)?)
}

fn new_cluster(
    request: pb::AddClusterRequest,
) -> Result<(ClusterName, Vec<String>), ConversionError> {
    if request.agents.is_empty() {
        return Err(ConversionError::missing("agents"));
    }
    for agent in &request.agents {
        let port = agent.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
        if !matches!(port, Some(Ok(_))) {
            let why = format!("`{agent}` is not an address; write it like 10.0.0.1:7401");
            return Err(ConversionError::invalid("agents", why));
        }
    }
    Ok((parsed("name", &request.name)?, request.agents))
}

impl From<Cluster> for pb::Cluster {
    fn from(cluster: Cluster) -> Self {
        Self {
            name: cluster.name.into(),
            agents: cluster.agents,
        }
    }
}

impl TryFrom<pb::CreateBackupRequest> for NewBackup {
    type Error = ConversionError;

    fn try_from(request: pb::CreateBackupRequest) -> Result<Self, ConversionError> {
        let kind = match request.kind() {
            WireKind::Unspecified => BackupKind::Full,
            kind => kind.try_into()?,
        };
        let base = parsed_optional("base", &request.base)?;
        if base.is_some() && kind == BackupKind::Full {
            return Err(ConversionError::invalid(
                "base",
                "a full backup has no base",
            ));
        }
        Ok(Self {
            cluster: parsed("cluster", &request.cluster)?,
            name: parsed_optional("name", &request.name)?,
            kind,
            selection: selection(request.selection)?,
            base,
            keep_damaged: request.keep_damaged,
        })
    }
}

impl TryFrom<pb::PlanRestoreRequest> for NewRestore {
    type Error = ConversionError;

    fn try_from(request: pb::PlanRestoreRequest) -> Result<Self, ConversionError> {
        let mode = match request.mode() {
            planner_pb::RestoreMode::Unspecified => planner_pb::RestoreMode::Auto,
            mode => mode,
        };
        let backup = required("backup", request.backup)?;
        Ok(Self {
            cluster: parsed_optional("backup.cluster", &backup.cluster)?,
            backup: parsed("backup.name", &backup.name)?,
            target: parsed("target", &request.target)?,
            selection: selection(request.selection)?,
            mode: mode as i32,
            allow_unlisted_version: request.allow_unlisted_version,
            datacenters: request.datacenters.into_iter().collect(),
            completeness: request.completeness,
            rewrite_schema: request.rewrite_schema,
        })
    }
}

fn selection(wire: Option<api::pb::types::Selection>) -> Result<Selection, ConversionError> {
    wire.unwrap_or_default().try_into()
}
