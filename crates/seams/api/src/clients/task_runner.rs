//! The task-runner as its callers see it.

use async_trait::async_trait;
use futures::stream::BoxStream;
use jiff::Timestamp;
use model::leftover::{ClearedLeftovers, FoundLeftovers};
use model::plan::ShownPlan;
use model::task::{LimitsChange, Priority, QueueOptions, ShownTask};
use model::{
    BackupRef, Cluster, ClusterName, ClusterState, CollectionPlan, SampleParts, TaskId, VerifyLevel,
};
use retention::{Policy, PolicyState, ShownVerdict};
use schedule::{PastRun, Pause, Schedule, ScheduleName, ScheduleState};

use crate::{ErrorKind, RemoteError};

mod maintenance;
mod remote;
mod requests;

pub use maintenance::{MaintenanceDocument, StartMaintenance, StartedMaintenance};
pub use remote::RemoteTaskRunner;
pub use requests::{
    CreateBackup, CreatedBackup, KnownDead, NamedBackup, PlanRestore, StartRestore, StartedRestore,
    StartedTask, TaskPage,
};

const RUNNER: &str = "the task-runner";
/// Pages of one list. A runner that returns more is at fault.
const PAGES_MAX: usize = 10_000;

/// A task as it is now, and again at each change; ends after a final state.
pub type TaskWatch = BoxStream<'static, Result<ShownTask, RemoteError>>;

/// Keeps clusters, and drives tasks on them.
#[async_trait]
pub trait TaskRunner: Send + Sync + 'static {
    /// Registers a cluster by its agents, which must all reply and agree on one ring. `find_agents`: also by those of the
    /// other members of the ring, at the addresses of their nodes and on the port of the first agent that replies.
    async fn add_cluster(
        &self,
        cluster: Cluster,
        find_agents: bool,
    ) -> Result<Cluster, RemoteError>;

    async fn list_clusters(&self) -> Result<Vec<Cluster>, RemoteError>;

    /// A registered cluster, with what its agents report now.
    async fn get_cluster(&self, name: &ClusterName) -> Result<ClusterState, RemoteError>;

    /// Forgets a cluster. Its backups stay.
    async fn remove_cluster(&self, name: &ClusterName) -> Result<(), RemoteError>;

    /// Plans a backup, and starts it if no finding refuses it.
    async fn create_backup(&self, create: CreateBackup) -> Result<CreatedBackup, RemoteError>;

    /// Plans a restore. Touches nothing.
    async fn plan_restore(&self, restore: PlanRestore) -> Result<ShownPlan, RemoteError>;

    /// Starts a restore if no finding refuses it.
    async fn start_restore(
        &self,
        start: StartRestore,
        queue: QueueOptions,
    ) -> Result<StartedRestore, RemoteError>;

    /// Starts the task that deletes the old files which a restore in place has kept.
    async fn accept_restore(&self, restore: TaskId) -> Result<TaskId, RemoteError>;

    /// Starts the task that puts the old files of a restore in place back.
    async fn roll_back_restore(&self, restore: TaskId) -> Result<TaskId, RemoteError>;

    /// Starts a task that verifies a backup, or one part of so many.
    async fn verify_backup(
        &self,
        backup: NamedBackup,
        level: VerifyLevel,
        sample: Option<SampleParts>,
        priority: Option<Priority>,
    ) -> Result<StartedTask, RemoteError>;

    /// Starts a task that deletes a backup.
    async fn delete_backup(
        &self,
        backup: NamedBackup,
        dead: KnownDead,
    ) -> Result<StartedTask, RemoteError>;

    /// Keeps a backup from being deleted, until a time or without end. Returns it with its cluster.
    async fn pin_backup(
        &self,
        backup: NamedBackup,
        reason: String,
        until: Option<Timestamp>,
    ) -> Result<BackupRef, RemoteError>;

    /// Releases all pins of people on a backup. Returns it with its cluster, and how many pins there were.
    async fn unpin_backup(&self, backup: NamedBackup) -> Result<(BackupRef, u32), RemoteError>;

    /// A page of the tasks of one cluster or of all, newest first. At most `size` tasks; 0: the runner's own limit.
    /// `token` is that of the page before; none for the first page.
    async fn list_task_page(
        &self,
        cluster: Option<&ClusterName>,
        size: u32,
        token: Option<String>,
    ) -> Result<TaskPage, RemoteError>;

    /// All tasks of one cluster or of all, newest first.
    async fn list_tasks(
        &self,
        cluster: Option<&ClusterName>,
    ) -> Result<Vec<ShownTask>, RemoteError> {
        let mut tasks = Vec::new();
        let mut token = None;
        for _ in 0..PAGES_MAX {
            let page = self.list_task_page(cluster, 0, token).await?;
            tasks.extend(page.tasks);
            token = page.next;
            if token.is_none() {
                return Ok(tasks);
            }
        }
        let message = format!("{RUNNER} lists more than {PAGES_MAX} pages of tasks");
        Err(RemoteError::new(ErrorKind::Internal, "", message))
    }

    async fn get_task(&self, id: TaskId) -> Result<ShownTask, RemoteError>;

    /// Follows a task. There is no deadline: a task may run for days.
    async fn watch_task(&self, id: TaskId) -> Result<TaskWatch, RemoteError>;

    /// Stops a task at a safe point.
    async fn cancel_task(&self, id: TaskId) -> Result<ShownTask, RemoteError>;

    /// Ends an unfinished task as failed wherever it is, with nothing undone; refused unless `force` is set.
    async fn fail_task(&self, id: TaskId, force: bool) -> Result<ShownTask, RemoteError>;

    /// Stops a task at a safe point and keeps it, until it is resumed. The reason is for people.
    async fn pause_task(&self, id: TaskId, reason: &str) -> Result<ShownTask, RemoteError>;

    /// Changes what a backup or a restore may take on each node.
    async fn set_task_limits(
        &self,
        id: TaskId,
        change: LimitsChange,
    ) -> Result<ShownTask, RemoteError>;

    /// Resumes a paused, failed or cancelled task.
    async fn resume_task(&self, id: TaskId, wait: bool) -> Result<ShownTask, RemoteError>;

    /// Makes a schedule, or with `replace` changes one.
    async fn put_schedule(
        &self,
        schedule: Schedule,
        replace: bool,
    ) -> Result<ScheduleState, RemoteError>;

    /// Schedules of one cluster or of all, by cluster and name.
    async fn list_schedules(
        &self,
        cluster: Option<&ClusterName>,
    ) -> Result<Vec<ScheduleState>, RemoteError>;

    /// A schedule with its last runs, newest first.
    async fn get_schedule(
        &self,
        cluster: &ClusterName,
        name: &ScheduleName,
    ) -> Result<(ScheduleState, Vec<PastRun>), RemoteError>;

    /// Forgets a schedule and its history. Its backups stay.
    async fn delete_schedule(
        &self,
        cluster: &ClusterName,
        name: &ScheduleName,
    ) -> Result<(), RemoteError>;

    /// Leaves runs out until the pause ends.
    async fn pause_schedule(
        &self,
        cluster: &ClusterName,
        name: &ScheduleName,
        pause: Pause,
    ) -> Result<ScheduleState, RemoteError>;

    /// Ends a pause.
    async fn resume_schedule(
        &self,
        cluster: &ClusterName,
        name: &ScheduleName,
    ) -> Result<ScheduleState, RemoteError>;

    /// Makes the backup of a schedule now.
    async fn run_schedule(
        &self,
        cluster: &ClusterName,
        name: &ScheduleName,
    ) -> Result<CreatedBackup, RemoteError>;

    /// Sets the retention policy of a cluster or of one of its schedules.
    async fn put_retention(
        &self,
        cluster: &ClusterName,
        schedule: Option<&ScheduleName>,
        policy: Policy,
    ) -> Result<PolicyState, RemoteError>;

    /// The retention policies of a cluster, and the last runs that applied them, newest first.
    async fn get_retention(
        &self,
        cluster: &ClusterName,
    ) -> Result<(Vec<PolicyState>, Vec<retention::PastRun>), RemoteError>;

    /// Forgets a retention policy. That of a schedule is replaced by one that keeps all, unless its backups are to be under the
    /// policy of the cluster.
    async fn delete_retention(
        &self,
        cluster: &ClusterName,
        schedule: Option<&ScheduleName>,
        use_cluster_policy: bool,
    ) -> Result<(), RemoteError>;

    /// What the retention policies of a cluster would do with its backups now, newest first.
    async fn preview_retention(
        &self,
        cluster: &ClusterName,
    ) -> Result<Vec<ShownVerdict>, RemoteError>;

    /// Starts a task that applies the retention policies of a cluster.
    async fn run_retention(&self, cluster: &ClusterName) -> Result<TaskId, RemoteError>;

    /// What is of no use in the bucket under a cluster.
    async fn plan_collection(&self, cluster: &ClusterName) -> Result<CollectionPlan, RemoteError>;

    /// Starts a task that deletes what is of no use in the bucket under a cluster, and releases the pins of tasks that were
    /// lost with the state of their task-runner.
    async fn run_collection(
        &self,
        cluster: &ClusterName,
        lost_tasks: &[TaskId],
    ) -> Result<TaskId, RemoteError>;

    /// Starts a task that runs commands on nodes, or finds the one of a document that was applied before.
    async fn start_maintenance(
        &self,
        start: StartMaintenance,
    ) -> Result<StartedMaintenance, RemoteError>;

    /// A document that was applied, with its task.
    async fn get_maintenance(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<(MaintenanceDocument, ShownTask), RemoteError>;

    /// What tasks have left on the nodes of a cluster.
    async fn list_leftovers(&self, cluster: &ClusterName) -> Result<FoundLeftovers, RemoteError>;

    /// Clears what these tasks have left on the nodes of a cluster; old files of restores in place only with `old_files`.
    async fn clear_leftovers(
        &self,
        cluster: &ClusterName,
        tasks: &[TaskId],
        old_files: bool,
    ) -> Result<ClearedLeftovers, RemoteError>;
}
