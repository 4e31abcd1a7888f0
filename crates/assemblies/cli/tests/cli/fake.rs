//! The services, played: each answers what the test put into [`Fake`], over real TCP.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use api::pb::planner as plan_pb;
use api::pb::storage_catalog as catalog_pb;
use api::pb::task_runner as pb;
use api::pb::types as types_pb;
use api::{ErrorKind, ServiceError};
use catalog_pb::storage_catalog_server::{StorageCatalog, StorageCatalogServer};
use futures::{Stream, StreamExt};
use pb::task_runner_server::{TaskRunner, TaskRunnerServer};
use plan_pb::planner_server::{Planner, PlannerServer};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use crate::samples;

type Answer<T> = Result<Response<T>, Status>;
type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// One call of WatchTask.
type Watch = (Vec<pb::Task>, Then);

/// How one call of WatchTask goes after its messages.
#[derive(Clone)]
pub enum Then {
    End,
    Break,
    Hang,
}

/// What the services know and answer.
#[derive(Clone)]
pub struct Fake {
    pub clusters: Vec<pb::GetClusterResponse>,
    pub backups: Vec<catalog_pb::BackupSummary>,
    pub backup: catalog_pb::Backup,
    pub plan: plan_pb::RestorePlan,
    pub task: pb::Task,
    pub backup_findings: Vec<types_pb::Finding>,
    pub store: catalog_pb::GetStoreStatusResponse,
    /// One for each call of WatchTask; the last one is used again.
    pub watches: Vec<Watch>,
    /// Answered to every call, where set.
    pub error: Option<FakeError>,
    pub with_planner: bool,
    /// The document that was applied before.
    pub document: Option<pb::MaintenanceDocument>,
}

impl Default for Fake {
    fn default() -> Self {
        let running = samples::task(pb::TaskState::Running);
        let succeeded = samples::task(pb::TaskState::Succeeded);
        Self {
            clusters: vec![pb::GetClusterResponse {
                cluster: Some(pb::Cluster {
                    name: "prod".into(),
                    agents: vec!["127.0.0.2:7401".into()],
                }),
                nodes: vec![samples::node()],
                unreachable: Vec::new(),
            }],
            backups: vec![samples::failed_summary(), samples::summary()],
            backup: samples::backup(),
            plan: samples::plan(),
            task: running.clone(),
            backup_findings: Vec::new(),
            store: catalog_pb::GetStoreStatusResponse {
                store: "folder /var/lib/ringkeep/store".into(),
                reachable: true,
                detail: String::new(),
            },
            watches: vec![(vec![running, succeeded], Then::End)],
            error: None,
            with_planner: true,
            document: None,
        }
    }
}

/// An error as a service of ours answers it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct FakeError {
    pub kind: ErrorKind,
    pub reason: &'static str,
    pub message: &'static str,
}

impl ServiceError for FakeError {
    fn kind(&self) -> ErrorKind {
        self.kind
    }
    fn reason(&self) -> &'static str {
        self.reason
    }
    fn hint(&self) -> Option<String> {
        Some("look at what there is".into())
    }
}

/// A running fake: what it was asked, and where it is.
pub struct Running {
    pub endpoint: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Running {
    /// The requests so far, as debug text.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no handler panics").clone()
    }
}

#[derive(Clone)]
struct Services {
    fake: Arc<Fake>,
    watches: Arc<Mutex<VecDeque<Watch>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// Serves until the test's runtime ends.
    pub async fn serve(self) -> Running {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let with_planner = self.with_planner;
        let services = Services {
            watches: Arc::new(Mutex::new(self.watches.clone().into())),
            fake: Arc::new(self),
            asked: Arc::default(),
        };
        let asked = services.asked.clone();
        let planner = with_planner.then(|| PlannerServer::new(services.clone()));
        let server = tonic::transport::Server::builder()
            .add_service(TaskRunnerServer::new(services.clone()))
            .add_service(StorageCatalogServer::new(services))
            .add_optional_service(planner)
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(server);
        Running {
            endpoint: format!("http://{address}"),
            asked,
        }
    }
}

impl Services {
    /// Notes the request, and answers unless an error is wanted.
    fn answer<Q: std::fmt::Debug, T>(&self, request: Request<Q>, answer: T) -> Answer<T> {
        let asked = format!("{:?}", request.into_inner());
        self.asked.lock().expect("no handler panics").push(asked);
        match &self.fake.error {
            Some(error) => Err(api::status(error.clone())),
            None => Ok(Response::new(answer)),
        }
    }
}

fn stream<T: Send + 'static>(items: Vec<T>, then: Then) -> Answers<T> {
    let items = futures::stream::iter(items.into_iter().map(Ok));
    match then {
        Then::End => items.boxed(),
        Then::Break => items
            .chain(futures::stream::iter([Err(Status::unavailable(
                "the process is gone",
            ))]))
            .boxed(),
        Then::Hang => items.chain(futures::stream::pending()).boxed(),
    }
}

#[tonic::async_trait]
impl TaskRunner for Services {
    type WatchTaskStream = Answers<pb::WatchTaskResponse>;

    async fn add_cluster(
        &self,
        request: Request<pb::AddClusterRequest>,
    ) -> Answer<pb::AddClusterResponse> {
        let cluster = pb::Cluster {
            name: request.get_ref().name.clone(),
            agents: request.get_ref().agents.clone(),
        };
        self.answer(
            request,
            pb::AddClusterResponse {
                cluster: Some(cluster),
            },
        )
    }

    async fn list_clusters(
        &self,
        request: Request<pb::ListClustersRequest>,
    ) -> Answer<pb::ListClustersResponse> {
        let clusters = self.fake.clusters.iter().filter_map(|c| c.cluster.clone());
        let clusters = clusters.collect();
        self.answer(request, pb::ListClustersResponse { clusters })
    }

    async fn get_cluster(
        &self,
        request: Request<pb::GetClusterRequest>,
    ) -> Answer<pb::GetClusterResponse> {
        self.answer(request, self.fake.clusters[0].clone())
    }

    async fn remove_cluster(
        &self,
        request: Request<pb::RemoveClusterRequest>,
    ) -> Answer<pb::RemoveClusterResponse> {
        self.answer(request, pb::RemoveClusterResponse {})
    }

    async fn create_backup(
        &self,
        request: Request<pb::CreateBackupRequest>,
    ) -> Answer<pb::CreateBackupResponse> {
        let findings = self.fake.backup_findings.clone();
        let refused = findings
            .iter()
            .any(|f| f.severity() == types_pb::Severity::Refusal);
        let answer = pb::CreateBackupResponse {
            task_id: if refused {
                String::new()
            } else {
                samples::TASK_ID.into()
            },
            backup: Some(samples::backup_ref()),
            findings,
        };
        self.answer(request, answer)
    }

    async fn plan_restore(
        &self,
        request: Request<pb::PlanRestoreRequest>,
    ) -> Answer<pb::PlanRestoreResponse> {
        let plan = Some(self.fake.plan.clone());
        self.answer(request, pb::PlanRestoreResponse { plan })
    }

    async fn start_restore(
        &self,
        request: Request<pb::StartRestoreRequest>,
    ) -> Answer<pb::StartRestoreResponse> {
        let plan = self.fake.plan.clone();
        let answer = pb::StartRestoreResponse {
            task_id: if plan.supported {
                samples::TASK_ID.into()
            } else {
                String::new()
            },
            plan: Some(plan),
        };
        self.answer(request, answer)
    }

    async fn verify_backup(
        &self,
        request: Request<pb::VerifyBackupRequest>,
    ) -> Answer<pb::VerifyBackupResponse> {
        let answer = pb::VerifyBackupResponse {
            task_id: samples::TASK_ID.into(),
            backup: Some(samples::backup_ref()),
        };
        self.answer(request, answer)
    }

    async fn accept_restore(
        &self,
        request: Request<pb::AcceptRestoreRequest>,
    ) -> Answer<pb::AcceptRestoreResponse> {
        let answer = pb::AcceptRestoreResponse {
            task_id: samples::TASK_ID.into(),
        };
        self.answer(request, answer)
    }

    async fn roll_back_restore(
        &self,
        request: Request<pb::RollBackRestoreRequest>,
    ) -> Answer<pb::RollBackRestoreResponse> {
        let answer = pb::RollBackRestoreResponse {
            task_id: samples::TASK_ID.into(),
        };
        self.answer(request, answer)
    }

    async fn delete_backup(
        &self,
        request: Request<pb::DeleteBackupRequest>,
    ) -> Answer<pb::DeleteBackupResponse> {
        let answer = pb::DeleteBackupResponse {
            task_id: samples::TASK_ID.into(),
            backup: Some(samples::backup_ref()),
        };
        self.answer(request, answer)
    }

    async fn list_tasks(
        &self,
        request: Request<pb::ListTasksRequest>,
    ) -> Answer<pb::ListTasksResponse> {
        let tasks = vec![self.fake.task.clone()];
        self.answer(
            request,
            pb::ListTasksResponse {
                tasks,
                next_page_token: String::new(),
            },
        )
    }

    async fn get_task(&self, request: Request<pb::GetTaskRequest>) -> Answer<pb::GetTaskResponse> {
        let task = Some(self.fake.task.clone());
        self.answer(request, pb::GetTaskResponse { task })
    }

    async fn watch_task(
        &self,
        request: Request<pb::WatchTaskRequest>,
    ) -> Answer<Self::WatchTaskStream> {
        let (tasks, then) = {
            let mut watches = self.watches.lock().expect("no handler panics");
            match watches.len() {
                1 => watches[0].clone(),
                _ => watches
                    .pop_front()
                    .expect("a test scripts at least one watch"),
            }
        };
        let message = |task| pb::WatchTaskResponse { task: Some(task) };
        self.answer(
            request,
            stream(tasks.into_iter().map(message).collect(), then),
        )
    }

    async fn cancel_task(
        &self,
        request: Request<pb::CancelTaskRequest>,
    ) -> Answer<pb::CancelTaskResponse> {
        let task = Some(samples::task(pb::TaskState::Cancelled));
        self.answer(request, pb::CancelTaskResponse { task })
    }

    async fn start_maintenance(
        &self,
        request: Request<pb::StartMaintenanceRequest>,
    ) -> Answer<pb::StartMaintenanceResponse> {
        let answer = pb::StartMaintenanceResponse {
            task_id: self.fake.task.id.clone(),
            cluster: "prod".into(),
            existed: self.fake.document.is_some(),
        };
        self.answer(request, answer)
    }

    async fn get_maintenance(
        &self,
        request: Request<pb::GetMaintenanceRequest>,
    ) -> Answer<pb::GetMaintenanceResponse> {
        let answer = pb::GetMaintenanceResponse {
            document: self.fake.document.clone(),
            task: Some(self.fake.task.clone()),
        };
        self.answer(request, answer)
    }

    async fn put_schedule(
        &self,
        request: Request<pb::PutScheduleRequest>,
    ) -> Answer<pb::PutScheduleResponse> {
        let schedule = request.get_ref().schedule.clone();
        let state = Some(pb::ScheduleState {
            schedule,
            created_at: "2026-11-22T10:00:00Z".into(),
            considered: "2026-11-22T10:00:00Z".into(),
            ..pb::ScheduleState::default()
        });
        self.answer(request, pb::PutScheduleResponse { state })
    }

    async fn list_schedules(
        &self,
        request: Request<pb::ListSchedulesRequest>,
    ) -> Answer<pb::ListSchedulesResponse> {
        let states = vec![samples::schedule()];
        self.answer(request, pb::ListSchedulesResponse { states })
    }

    async fn get_schedule(
        &self,
        request: Request<pb::GetScheduleRequest>,
    ) -> Answer<pb::GetScheduleResponse> {
        let response = pb::GetScheduleResponse {
            state: Some(samples::schedule()),
            past_runs: samples::past_runs(),
        };
        self.answer(request, response)
    }

    async fn delete_schedule(
        &self,
        request: Request<pb::DeleteScheduleRequest>,
    ) -> Answer<pb::DeleteScheduleResponse> {
        self.answer(request, pb::DeleteScheduleResponse {})
    }

    async fn pause_schedule(
        &self,
        request: Request<pb::PauseScheduleRequest>,
    ) -> Answer<pb::PauseScheduleResponse> {
        let pause = request.get_ref().pause.clone();
        let mut state = samples::schedule();
        state.schedule.as_mut().expect("a schedule").pause = pause;
        self.answer(request, pb::PauseScheduleResponse { state: Some(state) })
    }

    async fn resume_schedule(
        &self,
        request: Request<pb::ResumeScheduleRequest>,
    ) -> Answer<pb::ResumeScheduleResponse> {
        let state = Some(samples::schedule());
        self.answer(request, pb::ResumeScheduleResponse { state })
    }

    async fn run_schedule(
        &self,
        request: Request<pb::RunScheduleRequest>,
    ) -> Answer<pb::RunScheduleResponse> {
        let response = pb::RunScheduleResponse {
            task_id: samples::TASK_ID.into(),
            backup: Some(types_pb::BackupRef {
                cluster: "prod".into(),
                name: "nightly-20261122t023000z".into(),
            }),
            findings: Vec::new(),
        };
        self.answer(request, response)
    }

    async fn pin_backup(
        &self,
        request: Request<pb::PinBackupRequest>,
    ) -> Answer<pb::PinBackupResponse> {
        let backup = Some(samples::backup_ref());
        self.answer(request, pb::PinBackupResponse { backup })
    }

    async fn unpin_backup(
        &self,
        request: Request<pb::UnpinBackupRequest>,
    ) -> Answer<pb::UnpinBackupResponse> {
        let response = pb::UnpinBackupResponse {
            backup: Some(samples::backup_ref()),
            released: 2,
        };
        self.answer(request, response)
    }

    async fn put_retention(
        &self,
        request: Request<pb::PutRetentionRequest>,
    ) -> Answer<pb::PutRetentionResponse> {
        let put = request.get_ref().clone();
        let state = Some(pb::RetentionState {
            cluster: put.cluster,
            schedule: put.schedule,
            policy: put.policy,
            changed_at: "2026-11-22T10:00:00Z".into(),
        });
        self.answer(request, pb::PutRetentionResponse { state })
    }

    async fn get_retention(
        &self,
        request: Request<pb::GetRetentionRequest>,
    ) -> Answer<pb::GetRetentionResponse> {
        self.answer(request, samples::retention())
    }

    async fn delete_retention(
        &self,
        request: Request<pb::DeleteRetentionRequest>,
    ) -> Answer<pb::DeleteRetentionResponse> {
        self.answer(request, pb::DeleteRetentionResponse {})
    }

    async fn preview_retention(
        &self,
        request: Request<pb::PreviewRetentionRequest>,
    ) -> Answer<pb::PreviewRetentionResponse> {
        let verdicts = samples::verdicts();
        self.answer(request, pb::PreviewRetentionResponse { verdicts })
    }

    async fn run_retention(
        &self,
        request: Request<pb::RunRetentionRequest>,
    ) -> Answer<pb::RunRetentionResponse> {
        let task_id = samples::TASK_ID.into();
        self.answer(request, pb::RunRetentionResponse { task_id })
    }

    async fn plan_collection(
        &self,
        request: Request<pb::PlanCollectionRequest>,
    ) -> Answer<pb::PlanCollectionResponse> {
        self.answer(request, samples::garbage())
    }

    async fn run_collection(
        &self,
        request: Request<pb::RunCollectionRequest>,
    ) -> Answer<pb::RunCollectionResponse> {
        let task_id = samples::TASK_ID.into();
        self.answer(request, pb::RunCollectionResponse { task_id })
    }

    async fn list_leftovers(
        &self,
        request: Request<pb::ListLeftoversRequest>,
    ) -> Answer<pb::ListLeftoversResponse> {
        self.answer(request, samples::leftovers())
    }

    async fn clear_leftovers(
        &self,
        request: Request<pb::ClearLeftoversRequest>,
    ) -> Answer<pb::ClearLeftoversResponse> {
        self.answer(request, samples::cleared())
    }

    async fn fail_task(
        &self,
        request: Request<pb::FailTaskRequest>,
    ) -> Answer<pb::FailTaskResponse> {
        let task = Some(samples::task(pb::TaskState::Failed));
        self.answer(request, pb::FailTaskResponse { task })
    }

    async fn pause_task(
        &self,
        request: Request<pb::PauseTaskRequest>,
    ) -> Answer<pb::PauseTaskResponse> {
        let task = Some(samples::paused());
        self.answer(request, pb::PauseTaskResponse { task })
    }

    async fn set_task_limits(
        &self,
        request: Request<pb::SetTaskLimitsRequest>,
    ) -> Answer<pb::SetTaskLimitsResponse> {
        let task = Some(samples::limited(request.get_ref()));
        self.answer(request, pb::SetTaskLimitsResponse { task })
    }

    async fn resume_task(
        &self,
        request: Request<pb::ResumeTaskRequest>,
    ) -> Answer<pb::ResumeTaskResponse> {
        let mut task = samples::task(pb::TaskState::Pending);
        task.attempt = 2;
        self.answer(request, pb::ResumeTaskResponse { task: Some(task) })
    }
}

#[tonic::async_trait]
impl Planner for Services {
    async fn check_compatibility(
        &self,
        request: Request<plan_pb::CheckCompatibilityRequest>,
    ) -> Answer<plan_pb::CheckCompatibilityResponse> {
        let answer = plan_pb::CheckCompatibilityResponse {
            supported: true,
            findings: Vec::new(),
        };
        self.answer(request, answer)
    }

    async fn plan_backup(
        &self,
        _: Request<plan_pb::PlanBackupRequest>,
    ) -> Answer<plan_pb::PlanBackupResponse> {
        Err(Status::unimplemented(
            "the command line asks the task-runner",
        ))
    }

    async fn plan_restore(
        &self,
        _: Request<plan_pb::PlanRestoreRequest>,
    ) -> Answer<plan_pb::PlanRestoreResponse> {
        Err(Status::unimplemented(
            "the command line asks the task-runner",
        ))
    }
}

#[tonic::async_trait]
impl StorageCatalog for Services {
    type ListSstablesStream = Answers<catalog_pb::ListSstablesResponse>;
    type VerifyBackupStream = Answers<catalog_pb::VerifyBackupResponse>;
    type DeleteBackupStream = Answers<catalog_pb::DeleteBackupResponse>;

    async fn list_sstables(
        &self,
        _: Request<catalog_pb::ListSstablesRequest>,
    ) -> Answer<Self::ListSstablesStream> {
        Err(Status::unimplemented("not for the command line"))
    }

    async fn set_verify_limits(
        &self,
        _: Request<catalog_pb::SetVerifyLimitsRequest>,
    ) -> Answer<catalog_pb::SetVerifyLimitsResponse> {
        Err(Status::unimplemented("not for the command line"))
    }

    async fn begin_backup(
        &self,
        _: Request<catalog_pb::BeginBackupRequest>,
    ) -> Answer<catalog_pb::BeginBackupResponse> {
        Err(Status::unimplemented("not for the command line"))
    }

    async fn commit_backup(
        &self,
        _: Request<catalog_pb::CommitBackupRequest>,
    ) -> Answer<catalog_pb::CommitBackupResponse> {
        Err(Status::unimplemented("not for the command line"))
    }

    async fn abandon_backup(
        &self,
        _: Request<catalog_pb::AbandonBackupRequest>,
    ) -> Answer<catalog_pb::AbandonBackupResponse> {
        Err(Status::unimplemented("not for the command line"))
    }

    async fn list_backups(
        &self,
        request: Request<catalog_pb::ListBackupsRequest>,
    ) -> Answer<catalog_pb::ListBackupsResponse> {
        let backups = self.fake.backups.clone();
        self.answer(request, catalog_pb::ListBackupsResponse { backups })
    }

    async fn get_backup(
        &self,
        request: Request<catalog_pb::GetBackupRequest>,
    ) -> Answer<catalog_pb::GetBackupResponse> {
        let backup = Some(self.fake.backup.clone());
        self.answer(
            request,
            catalog_pb::GetBackupResponse {
                backup,
                verifications: Vec::new(),
            },
        )
    }

    async fn find_backup(
        &self,
        _: Request<catalog_pb::FindBackupRequest>,
    ) -> Answer<catalog_pb::FindBackupResponse> {
        Err(Status::unimplemented("not for the command line"))
    }

    async fn verify_backup(
        &self,
        _: Request<catalog_pb::VerifyBackupRequest>,
    ) -> Answer<Self::VerifyBackupStream> {
        Err(Status::unimplemented(
            "the command line asks the task-runner",
        ))
    }

    async fn delete_backup(
        &self,
        _: Request<catalog_pb::DeleteBackupRequest>,
    ) -> Answer<Self::DeleteBackupStream> {
        Err(Status::unimplemented(
            "the command line asks the task-runner",
        ))
    }

    type DeleteBackupIfStream = Answers<catalog_pb::DeleteBackupResponse>;

    async fn delete_backup_if(
        &self,
        _: Request<catalog_pb::DeleteBackupIfRequest>,
    ) -> Answer<Self::DeleteBackupIfStream> {
        Err(Status::unimplemented(
            "the command line asks the task-runner",
        ))
    }

    async fn find_garbage(
        &self,
        _: Request<catalog_pb::FindGarbageRequest>,
    ) -> Answer<catalog_pb::FindGarbageResponse> {
        Err(Status::unimplemented(
            "the command line asks the task-runner",
        ))
    }

    async fn pin_backup(
        &self,
        _: Request<catalog_pb::PinBackupRequest>,
    ) -> Answer<catalog_pb::PinBackupResponse> {
        Err(Status::unimplemented("not for the command line"))
    }

    async fn unpin_backup(
        &self,
        _: Request<catalog_pb::UnpinBackupRequest>,
    ) -> Answer<catalog_pb::UnpinBackupResponse> {
        Err(Status::unimplemented("not for the command line"))
    }

    async fn get_store_status(
        &self,
        request: Request<catalog_pb::GetStoreStatusRequest>,
    ) -> Answer<catalog_pb::GetStoreStatusResponse> {
        self.answer(request, self.fake.store.clone())
    }
}
