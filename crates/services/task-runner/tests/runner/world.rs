//! A runner with everything around it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use api::RemoteError;
use api::client::{ConnectError, TaskRunnerClient, task_runner};
use api::clients::{
    NodeAgent, RemoteNodeAgent, RemotePlanner, RemoteStorageCatalog, RemoteTaskRunner,
};
use api::pb::node_agent::node_agent_server::NodeAgentServer;
use api::pb::planner::planner_server::PlannerServer;
use api::pb::planner::{RestoreOptions, RestorePlan};
use api::pb::storage_catalog::VerifyLevel;
use api::pb::storage_catalog::storage_catalog_server::StorageCatalogServer;
use api::pb::task_runner::{self as pb, StepState, TaskState};
use api::pb::types::{BackupKind, BackupRef, Selection};
use jiff::{SignedDuration, Timestamp};
use state_store::{RedbStore, StateError, StateStore};
use task_runner::{Dependencies, Runner, TasksConfig, build};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Channel;

use crate::fake_agent::FakeAgent;
use crate::fake_catalog::FakeCatalog;
use crate::fake_planner::FakePlanner;
use crate::fenced_agent::FencedAgent;
use crate::fleet::{BackupNow, Fleet};

/// How long anything may take here.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// When virtual time begins.
const VIRTUAL_BEGIN: Timestamp = Timestamp::constant(1_780_000_000, 0);

/// Everything that outlives a runner: nodes, bucket, planner, and the disk with the state.
pub struct World {
    pub fleet: Fleet,
    pub config: TasksConfig,
    /// Seconds by which the runner's clock is ahead.
    pub clock_ahead: Arc<AtomicI64>,
    /// Set if the runner's clock follows tokio's time: when that began.
    virtual_since: Option<Instant>,
    agents: HashMap<String, Channel>,
    catalog: Channel,
    planner: Channel,
    folder: tempfile::TempDir,
}

/// One life of a runner.
pub struct Life {
    pub client: TaskRunnerClient,
    pub typed: RemoteTaskRunner,
    pub runner: Runner,
}

impl World {
    pub fn new(nodes: &[&str]) -> Self {
        let fleet = Fleet::new(nodes);
        let agents = (0..nodes.len()).map(|at| {
            let agent = FakeAgent {
                fleet: fleet.clone(),
                at,
            };
            let fenced = FencedAgent {
                inner: NodeAgentServer::new(agent),
                fleet: fleet.clone(),
                node: nodes[at].to_owned(),
            };
            let channel = chassis::in_memory(Routes::new(fenced));
            (format!("{}:7401", nodes[at]), channel)
        });
        let catalog = FakeCatalog {
            fleet: fleet.clone(),
        };
        let planner = FakePlanner {
            fleet: fleet.clone(),
        };
        Self {
            agents: agents.collect(),
            catalog: chassis::in_memory(Routes::new(StorageCatalogServer::new(catalog))),
            planner: chassis::in_memory(Routes::new(PlannerServer::new(planner))),
            fleet,
            config: TasksConfig {
                step_retry_first_ms: 1,
                step_retry_max_ms: 5,
                step_retry_for_seconds: 10,
                step_silence_seconds: 60,
                schedules_every_seconds: 0,
                signals_every_seconds: 0,
                // Those that test pauses set it.
                pause_when_retries_run_out: false,
                ..TasksConfig::default()
            },
            clock_ahead: Arc::default(),
            virtual_since: None,
            folder: folder_in_memory(),
        }
    }

    /// For a runtime whose time stands still until nothing else is left to do.
    pub fn runs_in_virtual_time(&mut self) {
        self.virtual_since = Some(Instant::now());
    }

    fn state_path(&self) -> PathBuf {
        self.folder.path().join("state.redb")
    }

    /// Opens the state; the runner before may still be about to let go of it.
    pub async fn open(&self) -> Arc<dyn StateStore> {
        let until = Instant::now() + DEADLINE;
        loop {
            match RedbStore::open(&self.state_path(), Arc::new(Timestamp::now)).await {
                Ok(store) => return Arc::new(store),
                Err(StateError::InUse { .. }) if Instant::now() < until => {
                    sleep(Duration::from_millis(2)).await;
                }
                Err(error) => panic!("{error:?}"),
            }
        }
    }

    /// A client of a node's agent, as the runner has one.
    pub fn agent(&self, node: &str) -> RemoteNodeAgent {
        let channel = self.agents[&format!("{node}:7401")].clone();
        RemoteNodeAgent::new(channel, self.config.agent_limits())
    }

    pub fn start_on(&self, store: Arc<dyn StateStore>) -> Life {
        let agents = self.agents.clone();
        let limits = self.config.agent_limits();
        let connect = move |address: &str| match agents.get(address) {
            Some(channel) => {
                let agent = RemoteNodeAgent::new(channel.clone(), limits);
                Ok(Arc::new(agent) as Arc<dyn NodeAgent>)
            }
            None if address.starts_with("http://") => Err(ConnectError::Plaintext {
                address: address.to_owned(),
            }),
            None => Err(ConnectError::Address {
                address: address.to_owned(),
            }),
        };
        let (ahead, virtual_since) = (self.clock_ahead.clone(), self.virtual_since);
        let clock = move || {
            let now = match virtual_since {
                None => Timestamp::now(),
                Some(since) => VIRTUAL_BEGIN + since.elapsed(),
            };
            now + SignedDuration::from_secs(ahead.load(Ordering::Relaxed))
        };
        let dependencies = Dependencies {
            catalog: Arc::new(RemoteStorageCatalog::with_limits(
                self.catalog.clone(),
                self.config.catalog_limits(),
            )),
            planner: Arc::new(RemotePlanner::new(self.planner.clone())),
            agents: Arc::new(connect),
            store,
            clock: Arc::new(clock),
            shutdown: CancellationToken::new(),
        };
        let (server, runner) = build(&self.config, dependencies);
        let channel = chassis::in_memory(Routes::new(server));
        Life {
            typed: RemoteTaskRunner::new(channel.clone()),
            client: task_runner(channel),
            runner,
        }
    }

    pub async fn start(&self) -> Life {
        self.start_on(self.open().await)
    }

    /// A runner with the cluster `shop` of all nodes.
    pub async fn start_with_cluster(&self) -> Life {
        let mut life = self.start().await;
        life.add_cluster(&self.fleet.nodes)
            .await
            .expect("a cluster");
        life
    }

    /// Puts a complete backup into the bucket.
    pub fn has_backup(&self, name: &str) {
        let backup = (BackupNow::Complete, "an earlier task".to_owned());
        self.fleet.facts().backups.insert(name.to_owned(), backup);
    }

    /// Puts a complete backup of so many days ago into the bucket, on a base if it has one.
    pub fn has_backup_of(&self, name: &str, days_ago: i64, base: Option<&str>) {
        self.has_backup(name);
        let at = Timestamp::now() - SignedDuration::from_hours(24 * days_ago);
        let mut facts = self.fleet.facts();
        facts.started.insert(name.to_owned(), format!("{at:.3}"));
        if let Some(base) = base {
            facts.bases.insert(name.to_owned(), base.to_owned());
        }
    }

    /// Waits until the call has come in, so that its fault has struck.
    pub async fn called(&self, call: &str) {
        let until = Instant::now() + DEADLINE;
        while self.fleet.count(call) == 0 {
            assert!(Instant::now() < until, "`{call}` never came");
            sleep(Duration::from_millis(2)).await;
        }
    }

    #[track_caller]
    pub fn check_rules(&self) {
        assert_eq!(self.fleet.facts().violations, Vec::<String>::new());
    }
}

fn queue(priority: pb::Priority) -> pb::QueueOptions {
    pb::QueueOptions {
        priority: priority as i32,
        wait: true,
    }
}

pub type Answer<T> = Result<T, RemoteError>;

fn unwrap<T>(answer: Result<tonic::Response<T>, tonic::Status>) -> Answer<T> {
    Ok(answer?.into_inner())
}

impl Life {
    pub async fn add_cluster(&mut self, nodes: &[String]) -> Answer<pb::AddClusterResponse> {
        let request = pb::AddClusterRequest {
            name: "shop".into(),
            agents: nodes.iter().map(|node| format!("{node}:7401")).collect(),
            find_agents: false,
        };
        unwrap(self.client.add_cluster(request).await)
    }

    pub async fn create_backup(&mut self, name: &str) -> Answer<pb::CreateBackupResponse> {
        let request = pb::CreateBackupRequest {
            cluster: "shop".into(),
            name: name.into(),
            kind: BackupKind::Full as i32,
            ..pb::CreateBackupRequest::default()
        };
        unwrap(self.client.create_backup(request).await)
    }

    /// A backup of one keyspace that is under way.
    pub async fn backup_of(&mut self, name: &str, keyspace: &str) -> String {
        let created = self.try_backup_of(name, keyspace).await.expect("a backup");
        assert!(!created.task_id.is_empty(), "{created:?}");
        created.task_id
    }

    pub async fn try_backup_of(
        &mut self,
        name: &str,
        keyspace: &str,
    ) -> Answer<pb::CreateBackupResponse> {
        let request = pb::CreateBackupRequest {
            cluster: "shop".into(),
            name: name.into(),
            kind: BackupKind::Full as i32,
            selection: Some(Selection {
                keyspaces: vec![keyspace.into()],
                ..Selection::default()
            }),
            ..pb::CreateBackupRequest::default()
        };
        unwrap(self.client.create_backup(request).await)
    }

    /// A backup that is under way.
    pub async fn backup(&mut self, name: &str) -> String {
        let created = self.create_backup(name).await.expect("a backup");
        assert!(!created.task_id.is_empty(), "{created:?}");
        created.task_id
    }

    pub async fn start_restore(&mut self, backup: &str) -> Answer<pb::StartRestoreResponse> {
        let restore = pb::PlanRestoreRequest {
            backup: Some(BackupRef {
                cluster: "shop".into(),
                name: backup.into(),
            }),
            target: "shop".into(),
            options: Some(RestoreOptions::default()),
            renaming: None,
        };
        let request = pb::StartRestoreRequest {
            restore: Some(restore),
            plan: 0,
            queue: None,
        };
        unwrap(self.client.start_restore(request).await)
    }

    /// The plan of a restore, which touches nothing.
    pub async fn plan_restore(&mut self, backup: &str) -> RestorePlan {
        let request = pb::PlanRestoreRequest {
            backup: Some(BackupRef {
                cluster: "shop".into(),
                name: backup.into(),
            }),
            target: "shop".into(),
            options: Some(RestoreOptions::default()),
            renaming: None,
        };
        let answer = unwrap(self.client.plan_restore(request).await).expect("a plan");
        answer.plan.expect("a plan")
    }

    /// Starts a plan by its number, as that of a restore.
    pub async fn start_plan_of(
        &mut self,
        number: u64,
        restore: pb::PlanRestoreRequest,
    ) -> Answer<pb::StartRestoreResponse> {
        let request = pb::StartRestoreRequest {
            restore: Some(restore),
            plan: number,
            queue: None,
        };
        unwrap(self.client.start_restore(request).await)
    }

    pub async fn plan_of(&mut self, restore: pb::PlanRestoreRequest) -> RestorePlan {
        let answer = unwrap(self.client.plan_restore(restore).await).expect("a plan");
        answer.plan.expect("a plan")
    }

    pub async fn start_plan(&mut self, number: u64) -> Answer<pb::StartRestoreResponse> {
        let request = pb::StartRestoreRequest {
            restore: None,
            plan: number,
            queue: None,
        };
        unwrap(self.client.start_restore(request).await)
    }

    /// A restore that is under way.
    pub async fn restore(&mut self, backup: &str) -> String {
        let started = self.start_restore(backup).await.expect("a restore");
        assert!(!started.task_id.is_empty(), "{started:?}");
        started.task_id
    }

    /// A verification that is under way, of a backup that is named without its cluster.
    pub async fn verify(&mut self, backup: &str) -> Answer<String> {
        let request = pb::VerifyBackupRequest {
            backup: Some(named(backup)),
            level: VerifyLevel::Manifest as i32,
            ..pb::VerifyBackupRequest::default()
        };
        let started = unwrap(self.client.verify_backup(request).await)?;
        assert_eq!(started.backup.expect("a backup").cluster, "shop");
        Ok(started.task_id)
    }

    /// A deletion that is under way, of a backup that is named without its cluster.
    pub async fn delete(&mut self, backup: &str) -> Answer<String> {
        let request = pb::DeleteBackupRequest {
            backup: Some(named(backup)),
            ..pb::DeleteBackupRequest::default()
        };
        let started = unwrap(self.client.delete_backup(request).await)?;
        assert_eq!(started.backup.expect("a backup").cluster, "shop");
        Ok(started.task_id)
    }

    /// Maintenance of `shop` that is asked for by a command.
    pub async fn maintain(
        &mut self,
        request: pb::StartMaintenanceRequest,
    ) -> Answer<pb::StartMaintenanceResponse> {
        unwrap(self.client.start_maintenance(request).await)
    }

    pub async fn document(&mut self, name: &str) -> Answer<pb::GetMaintenanceResponse> {
        let request = pb::GetMaintenanceRequest {
            kind: "CassandraTask".into(),
            namespace: String::new(),
            name: name.into(),
        };
        unwrap(self.client.get_maintenance(request).await)
    }

    /// The task that accepts a restore.
    pub async fn accept(&mut self, restore: &str) -> Answer<String> {
        let request = pb::AcceptRestoreRequest {
            restore: restore.into(),
        };
        let started = unwrap(self.client.accept_restore(request).await)?;
        Ok(started.task_id)
    }

    /// The task that rolls a restore back.
    pub async fn roll_back(&mut self, restore: &str) -> Answer<String> {
        let request = pb::RollBackRestoreRequest {
            restore: restore.into(),
        };
        let started = unwrap(self.client.roll_back_restore(request).await)?;
        Ok(started.task_id)
    }

    pub async fn task(&mut self, id: &str) -> Answer<pb::Task> {
        let request = pb::GetTaskRequest { id: id.into() };
        let answer = unwrap(self.client.get_task(request).await)?;
        Ok(answer.task.expect("a task"))
    }

    pub async fn tasks(&mut self) -> Vec<pb::Task> {
        self.try_tasks().await.expect("a list")
    }

    pub async fn try_tasks(&mut self) -> Answer<Vec<pb::Task>> {
        let answer = self
            .client
            .list_tasks(pb::ListTasksRequest::default())
            .await;
        Ok(unwrap(answer)?.tasks)
    }

    pub async fn cancel(&mut self, id: &str) -> Answer<pb::Task> {
        let request = pb::CancelTaskRequest { id: id.into() };
        let answer = unwrap(self.client.cancel_task(request).await)?;
        Ok(answer.task.expect("a task"))
    }

    pub async fn fail(&mut self, id: &str, force: bool) -> Answer<pb::Task> {
        let request = pb::FailTaskRequest {
            id: id.into(),
            force,
        };
        let answer = unwrap(self.client.fail_task(request).await)?;
        Ok(answer.task.expect("a task"))
    }

    pub async fn resume(&mut self, id: &str) -> Answer<pb::Task> {
        let request = pb::ResumeTaskRequest {
            id: id.into(),
            wait: false,
        };
        let answer = unwrap(self.client.resume_task(request).await)?;
        Ok(answer.task.expect("a task"))
    }

    /// Resumes a task that waits if another one has the cluster.
    pub async fn resume_in_turn(&mut self, id: &str) -> Answer<pb::Task> {
        let request = pb::ResumeTaskRequest {
            id: id.into(),
            wait: true,
        };
        let answer = unwrap(self.client.resume_task(request).await)?;
        Ok(answer.task.expect("a task"))
    }

    pub async fn pause(&mut self, id: &str, reason: &str) -> Answer<pb::Task> {
        let request = pb::PauseTaskRequest {
            id: id.into(),
            reason: reason.into(),
        };
        let answer = unwrap(self.client.pause_task(request).await)?;
        Ok(answer.task.expect("a task"))
    }

    pub async fn set_limits(
        &mut self,
        id: &str,
        bandwidth_bytes_per_second: Option<u64>,
        parallel_files: Option<u32>,
    ) -> Answer<pb::Task> {
        let request = pb::SetTaskLimitsRequest {
            id: id.into(),
            bandwidth_bytes_per_second,
            parallel_files,
        };
        let answer = unwrap(self.client.set_task_limits(request).await)?;
        Ok(answer.task.expect("a task"))
    }

    /// A backup that waits for its turn if it must.
    pub async fn queue_backup(&mut self, name: &str, priority: pb::Priority) -> String {
        let created = self.try_queue_backup(name, priority).await;
        let created = created.expect("a backup");
        assert!(!created.task_id.is_empty(), "{created:?}");
        created.task_id
    }

    pub async fn try_queue_backup(
        &mut self,
        name: &str,
        priority: pb::Priority,
    ) -> Answer<pb::CreateBackupResponse> {
        let request = pb::CreateBackupRequest {
            cluster: "shop".into(),
            name: name.into(),
            kind: BackupKind::Full as i32,
            queue: Some(queue(priority)),
            ..pb::CreateBackupRequest::default()
        };
        unwrap(self.client.create_backup(request).await)
    }

    /// A restore that waits for its turn if it must.
    pub async fn queue_restore(&mut self, backup: &str, priority: pb::Priority) -> String {
        let started = self.try_queue_restore(backup, priority).await;
        let started = started.expect("a restore");
        assert!(!started.task_id.is_empty(), "{started:?}");
        started.task_id
    }

    pub async fn try_queue_restore(
        &mut self,
        backup: &str,
        priority: pb::Priority,
    ) -> Answer<pb::StartRestoreResponse> {
        let restore = pb::PlanRestoreRequest {
            backup: Some(BackupRef {
                cluster: "shop".into(),
                name: backup.into(),
            }),
            target: "shop".into(),
            options: Some(RestoreOptions::default()),
            renaming: None,
        };
        let request = pb::StartRestoreRequest {
            restore: Some(restore),
            plan: 0,
            queue: Some(queue(priority)),
        };
        unwrap(self.client.start_restore(request).await)
    }

    /// Asks until the task is as wanted.
    pub async fn until(&mut self, id: &str, wanted: impl Fn(&pb::Task) -> bool) -> pb::Task {
        let until = Instant::now() + DEADLINE;
        loop {
            let task = self.task(id).await.expect("a task");
            if wanted(&task) {
                return task;
            }
            assert!(Instant::now() < until, "still {task:#?}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    pub async fn ended(&mut self, id: &str) -> pb::Task {
        self.until(id, |task| is_final(task.state())).await
    }

    /// Asks until there is no such task any more.
    pub async fn until_forgotten(&mut self, id: &str) {
        let until = Instant::now() + DEADLINE;
        while self.task(id).await.is_ok() {
            assert!(Instant::now() < until, "task {id} is still there");
            sleep(Duration::from_millis(5)).await;
        }
    }

    pub async fn running(&mut self, id: &str, step: &str) -> pb::Task {
        self.until(id, |task| state_of(task, step) == StepState::Running)
            .await
    }
}

fn named(backup: &str) -> BackupRef {
    BackupRef {
        cluster: String::new(),
        name: backup.into(),
    }
}

pub fn is_final(state: TaskState) -> bool {
    matches!(
        state,
        TaskState::Succeeded | TaskState::Failed | TaskState::Cancelled
    )
}

#[track_caller]
pub fn state_of(task: &pb::Task, step: &str) -> StepState {
    let found = task.steps.iter().find(|found| found.id == step);
    found
        .unwrap_or_else(|| panic!("no step {step}: {task:#?}"))
        .state()
}

pub fn codes(task: &pb::Task) -> Vec<&str> {
    task.findings
        .iter()
        .map(|finding| finding.code.as_str())
        .collect()
}

/// Deaths of a runner leave what was written to the kernel, so that waiting for a disk at every write would show no more and
/// take most of the time of these tests.
fn folder_in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .expect("a folder")
}
