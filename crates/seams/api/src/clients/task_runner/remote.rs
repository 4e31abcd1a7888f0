//! The task-runner behind a channel.

use std::time::Duration;

use async_trait::async_trait;
use futures::stream::StreamExt;
use jiff::Timestamp;
use model::leftover::{ClearedLeftovers, FoundLeftovers};
use model::plan::ShownPlan;
use model::task::{LimitsChange, Priority, QueueOptions, ShownTask};
use model::{
    BackupRef, Cluster, ClusterName, ClusterState, CollectionPlan, SampleParts, TaskId, VerifyLevel,
};
use retention::{Policy, PolicyState, ShownVerdict};
use schedule::{PastRun, Pause, Schedule, ScheduleName, ScheduleState};
use tonic::transport::Channel;

use super::{
    CreateBackup, CreatedBackup, KnownDead, MaintenanceDocument, NamedBackup, PlanRestore, RUNNER,
    StartMaintenance, StartRestore, StartedMaintenance, StartedRestore, StartedTask, TaskPage,
    TaskRunner, TaskWatch,
};
use crate::RemoteError;
use crate::client::{TaskRunnerClient, task_runner};
use crate::clients::call::{invalid, within};
use crate::convert::task::{wire_priority, wire_queue_options};
use crate::convert::{ConversionError, parsed, parsed_optional, required};
use crate::pb::storage_catalog::VerifyLevel as WireLevel;
use crate::pb::task_runner as pb;
use crate::pb::types as types_pb;

/// Long enough for what inspects every agent and reads manifests, as the plan of a restore does.
const CALL_DEADLINE: Duration = Duration::from_secs(120);
/// The runner inspects all nodes for up to 60 s, then clears one task after the other, each for up to 45 s.
const CLEAR_DEADLINE: Duration = Duration::from_secs(60 + 30);
const CLEAR_DEADLINE_PER_TASK: Duration = Duration::from_secs(45);

/// A task-runner behind a channel.
#[derive(Clone)]
pub struct RemoteTaskRunner {
    client: TaskRunnerClient,
}

impl RemoteTaskRunner {
    pub fn new(channel: Channel) -> Self {
        Self {
            client: task_runner(channel),
        }
    }
}

#[async_trait]
impl TaskRunner for RemoteTaskRunner {
    async fn add_cluster(
        &self,
        cluster: Cluster,
        find_agents: bool,
    ) -> Result<Cluster, RemoteError> {
        let request = pb::AddClusterRequest {
            name: cluster.name.into(),
            agents: cluster.agents,
            find_agents,
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.add_cluster(request)).await?;
        part("cluster", response.cluster)
    }

    async fn list_clusters(&self) -> Result<Vec<Cluster>, RemoteError> {
        let request = pb::ListClustersRequest {};
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.list_clusters(request)).await?;
        crate::convert::all(response.clusters).map_err(invalid(RUNNER))
    }

    async fn get_cluster(&self, name: &ClusterName) -> Result<ClusterState, RemoteError> {
        let request = pb::GetClusterRequest {
            name: name.to_string(),
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.get_cluster(request)).await?;
        response.try_into().map_err(invalid(RUNNER))
    }

    async fn remove_cluster(&self, name: &ClusterName) -> Result<(), RemoteError> {
        let request = pb::RemoveClusterRequest {
            name: name.to_string(),
        };
        let mut client = self.client.clone();
        within(CALL_DEADLINE, client.remove_cluster(request)).await?;
        Ok(())
    }

    async fn create_backup(&self, create: CreateBackup) -> Result<CreatedBackup, RemoteError> {
        let request = pb::CreateBackupRequest::from(create);
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.create_backup(request)).await?;
        response.try_into().map_err(invalid(RUNNER))
    }

    async fn plan_restore(&self, restore: PlanRestore) -> Result<ShownPlan, RemoteError> {
        let request = pb::PlanRestoreRequest::from(restore);
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.plan_restore(request)).await?;
        part("plan", response.plan)
    }

    async fn start_restore(
        &self,
        start: StartRestore,
        queue: QueueOptions,
    ) -> Result<StartedRestore, RemoteError> {
        let request = pb::StartRestoreRequest {
            queue: wire_queue_options(queue),
            ..pb::StartRestoreRequest::from(start)
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.start_restore(request)).await?;
        response.try_into().map_err(invalid(RUNNER))
    }

    async fn verify_backup(
        &self,
        backup: NamedBackup,
        level: VerifyLevel,
        sample: Option<SampleParts>,
        priority: Option<Priority>,
    ) -> Result<StartedTask, RemoteError> {
        let request = pb::VerifyBackupRequest {
            backup: Some(backup.into()),
            level: WireLevel::from(level) as i32,
            priority: wire_priority(priority) as i32,
            sample_parts: sample.map_or(0, SampleParts::get),
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.verify_backup(request)).await?;
        started(&response.task_id, response.backup)
    }

    async fn accept_restore(&self, restore: TaskId) -> Result<TaskId, RemoteError> {
        let request = pb::AcceptRestoreRequest {
            restore: restore.to_string(),
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.accept_restore(request)).await?;
        parsed("task_id", &response.task_id).map_err(invalid(RUNNER))
    }

    async fn roll_back_restore(&self, restore: TaskId) -> Result<TaskId, RemoteError> {
        let request = pb::RollBackRestoreRequest {
            restore: restore.to_string(),
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.roll_back_restore(request)).await?;
        parsed("task_id", &response.task_id).map_err(invalid(RUNNER))
    }

    async fn delete_backup(
        &self,
        backup: NamedBackup,
        dead: KnownDead,
    ) -> Result<StartedTask, RemoteError> {
        let request = pb::DeleteBackupRequest {
            backup: Some(backup.into()),
            even_if_running: dead.maker,
            earlier_are_dead: dead.earlier_deletions,
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.delete_backup(request)).await?;
        started(&response.task_id, response.backup)
    }

    async fn pin_backup(
        &self,
        backup: NamedBackup,
        reason: String,
        until: Option<Timestamp>,
    ) -> Result<BackupRef, RemoteError> {
        let request = pb::PinBackupRequest {
            backup: Some(backup.into()),
            reason,
            until: until.map(|until| until.to_string()).unwrap_or_default(),
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.pin_backup(request)).await?;
        part("backup", response.backup)
    }

    async fn unpin_backup(&self, backup: NamedBackup) -> Result<(BackupRef, u32), RemoteError> {
        let request = pb::UnpinBackupRequest {
            backup: Some(backup.into()),
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.unpin_backup(request)).await?;
        Ok((part("backup", response.backup)?, response.released))
    }

    async fn list_task_page(
        &self,
        cluster: Option<&ClusterName>,
        size: u32,
        token: Option<String>,
    ) -> Result<TaskPage, RemoteError> {
        let request = pb::ListTasksRequest {
            cluster: cluster.map(ToString::to_string).unwrap_or_default(),
            page_size: size,
            page_token: token.unwrap_or_default(),
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.list_tasks(request)).await?;
        response.try_into().map_err(invalid(RUNNER))
    }

    async fn get_task(&self, id: TaskId) -> Result<ShownTask, RemoteError> {
        let request = pb::GetTaskRequest { id: id.to_string() };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.get_task(request)).await?;
        part("task", response.task)
    }

    async fn watch_task(&self, id: TaskId) -> Result<TaskWatch, RemoteError> {
        let request = pb::WatchTaskRequest { id: id.to_string() };
        let mut client = self.client.clone();
        let messages = within(CALL_DEADLINE, client.watch_task(request)).await?;
        let tasks = messages.map(|message| part("task", message?.task));
        Ok(tasks.boxed())
    }

    async fn cancel_task(&self, id: TaskId) -> Result<ShownTask, RemoteError> {
        let request = pb::CancelTaskRequest { id: id.to_string() };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.cancel_task(request)).await?;
        part("task", response.task)
    }

    async fn fail_task(&self, id: TaskId, force: bool) -> Result<ShownTask, RemoteError> {
        let request = pb::FailTaskRequest {
            id: id.to_string(),
            force,
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.fail_task(request)).await?;
        part("task", response.task)
    }

    async fn pause_task(&self, id: TaskId, reason: &str) -> Result<ShownTask, RemoteError> {
        let request = pb::PauseTaskRequest {
            id: id.to_string(),
            reason: reason.to_owned(),
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.pause_task(request)).await?;
        part("task", response.task)
    }

    async fn set_task_limits(
        &self,
        id: TaskId,
        change: LimitsChange,
    ) -> Result<ShownTask, RemoteError> {
        let request = pb::SetTaskLimitsRequest {
            id: id.to_string(),
            bandwidth_bytes_per_second: change.bandwidth_bytes_per_second,
            parallel_files: change.parallel_files,
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.set_task_limits(request)).await?;
        part("task", response.task)
    }

    async fn resume_task(&self, id: TaskId, wait: bool) -> Result<ShownTask, RemoteError> {
        let id = id.to_string();
        let request = pb::ResumeTaskRequest { id, wait };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.resume_task(request)).await?;
        part("task", response.task)
    }

    async fn put_schedule(
        &self,
        schedule: Schedule,
        replace: bool,
    ) -> Result<ScheduleState, RemoteError> {
        let request = pb::PutScheduleRequest {
            schedule: Some(schedule.into()),
            replace,
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.put_schedule(request)).await?;
        part("state", response.state)
    }

    async fn list_schedules(
        &self,
        cluster: Option<&ClusterName>,
    ) -> Result<Vec<ScheduleState>, RemoteError> {
        let request = pb::ListSchedulesRequest {
            cluster: cluster.map(ToString::to_string).unwrap_or_default(),
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.list_schedules(request)).await?;
        crate::convert::all(response.states).map_err(invalid(RUNNER))
    }

    async fn get_schedule(
        &self,
        cluster: &ClusterName,
        name: &ScheduleName,
    ) -> Result<(ScheduleState, Vec<PastRun>), RemoteError> {
        let request = pb::GetScheduleRequest {
            cluster: cluster.to_string(),
            name: name.to_string(),
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.get_schedule(request)).await?;
        let past = crate::convert::all(response.past_runs).map_err(invalid(RUNNER))?;
        Ok((part("state", response.state)?, past))
    }

    async fn delete_schedule(
        &self,
        cluster: &ClusterName,
        name: &ScheduleName,
    ) -> Result<(), RemoteError> {
        let request = pb::DeleteScheduleRequest {
            cluster: cluster.to_string(),
            name: name.to_string(),
        };
        let mut client = self.client.clone();
        within(CALL_DEADLINE, client.delete_schedule(request)).await?;
        Ok(())
    }

    async fn pause_schedule(
        &self,
        cluster: &ClusterName,
        name: &ScheduleName,
        pause: Pause,
    ) -> Result<ScheduleState, RemoteError> {
        let request = pb::PauseScheduleRequest {
            cluster: cluster.to_string(),
            name: name.to_string(),
            pause: Some(pause.into()),
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.pause_schedule(request)).await?;
        part("state", response.state)
    }

    async fn resume_schedule(
        &self,
        cluster: &ClusterName,
        name: &ScheduleName,
    ) -> Result<ScheduleState, RemoteError> {
        let request = pb::ResumeScheduleRequest {
            cluster: cluster.to_string(),
            name: name.to_string(),
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.resume_schedule(request)).await?;
        part("state", response.state)
    }

    async fn run_schedule(
        &self,
        cluster: &ClusterName,
        name: &ScheduleName,
    ) -> Result<CreatedBackup, RemoteError> {
        let request = pb::RunScheduleRequest {
            cluster: cluster.to_string(),
            name: name.to_string(),
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.run_schedule(request)).await?;
        Ok(CreatedBackup {
            task: parsed_optional("task_id", &response.task_id).map_err(invalid(RUNNER))?,
            backup: part("backup", response.backup)?,
            findings: crate::convert::all(response.findings).map_err(invalid(RUNNER))?,
        })
    }

    async fn put_retention(
        &self,
        cluster: &ClusterName,
        schedule: Option<&ScheduleName>,
        policy: Policy,
    ) -> Result<PolicyState, RemoteError> {
        let request = pb::PutRetentionRequest {
            cluster: cluster.to_string(),
            schedule: schedule.map(ToString::to_string).unwrap_or_default(),
            policy: Some(policy.into()),
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.put_retention(request)).await?;
        part("state", response.state)
    }

    async fn get_retention(
        &self,
        cluster: &ClusterName,
    ) -> Result<(Vec<PolicyState>, Vec<retention::PastRun>), RemoteError> {
        let request = pb::GetRetentionRequest {
            cluster: cluster.to_string(),
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.get_retention(request)).await?;
        let states = crate::convert::all(response.states).map_err(invalid(RUNNER))?;
        let runs = crate::convert::all(response.runs).map_err(invalid(RUNNER))?;
        Ok((states, runs))
    }

    async fn delete_retention(
        &self,
        cluster: &ClusterName,
        schedule: Option<&ScheduleName>,
        use_cluster_policy: bool,
    ) -> Result<(), RemoteError> {
        let request = pb::DeleteRetentionRequest {
            cluster: cluster.to_string(),
            schedule: schedule.map(ToString::to_string).unwrap_or_default(),
            use_cluster_policy,
        };
        let mut client = self.client.clone();
        within(CALL_DEADLINE, client.delete_retention(request)).await?;
        Ok(())
    }

    async fn preview_retention(
        &self,
        cluster: &ClusterName,
    ) -> Result<Vec<ShownVerdict>, RemoteError> {
        let request = pb::PreviewRetentionRequest {
            cluster: cluster.to_string(),
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.preview_retention(request)).await?;
        crate::convert::all(response.verdicts).map_err(invalid(RUNNER))
    }

    async fn run_retention(&self, cluster: &ClusterName) -> Result<TaskId, RemoteError> {
        let request = pb::RunRetentionRequest {
            cluster: cluster.to_string(),
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.run_retention(request)).await?;
        parsed("task_id", &response.task_id).map_err(invalid(RUNNER))
    }

    async fn plan_collection(&self, cluster: &ClusterName) -> Result<CollectionPlan, RemoteError> {
        let request = pb::PlanCollectionRequest {
            cluster: cluster.to_string(),
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.plan_collection(request)).await?;
        response.try_into().map_err(invalid(RUNNER))
    }

    async fn run_collection(
        &self,
        cluster: &ClusterName,
        lost_tasks: &[TaskId],
    ) -> Result<TaskId, RemoteError> {
        let request = pb::RunCollectionRequest {
            cluster: cluster.to_string(),
            lost_tasks: lost_tasks.iter().map(ToString::to_string).collect(),
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.run_collection(request)).await?;
        parsed("task_id", &response.task_id).map_err(invalid(RUNNER))
    }

    async fn start_maintenance(
        &self,
        start: StartMaintenance,
    ) -> Result<StartedMaintenance, RemoteError> {
        let request = pb::StartMaintenanceRequest::from(start);
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.start_maintenance(request)).await?;
        response.try_into().map_err(invalid(RUNNER))
    }

    async fn get_maintenance(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<(MaintenanceDocument, ShownTask), RemoteError> {
        let request = pb::GetMaintenanceRequest {
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.get_maintenance(request)).await?;
        let document = required("document", response.document).map_err(invalid(RUNNER))?;
        Ok((document.into(), part("task", response.task)?))
    }

    async fn list_leftovers(&self, cluster: &ClusterName) -> Result<FoundLeftovers, RemoteError> {
        let request = pb::ListLeftoversRequest {
            cluster: cluster.to_string(),
        };
        let mut client = self.client.clone();
        let response = within(CALL_DEADLINE, client.list_leftovers(request)).await?;
        response.try_into().map_err(invalid(RUNNER))
    }

    async fn clear_leftovers(
        &self,
        cluster: &ClusterName,
        tasks: &[TaskId],
        old_files: bool,
    ) -> Result<ClearedLeftovers, RemoteError> {
        let request = pb::ClearLeftoversRequest {
            cluster: cluster.to_string(),
            task_ids: tasks.iter().map(ToString::to_string).collect(),
            old_files,
        };
        let mut client = self.client.clone();
        let deadline = clear_deadline(tasks.len());
        let response = within(deadline, client.clear_leftovers(request)).await?;
        response.try_into().map_err(invalid(RUNNER))
    }
}

fn clear_deadline(tasks: usize) -> Duration {
    let tasks = u32::try_from(tasks).unwrap_or(u32::MAX);
    CLEAR_DEADLINE.saturating_add(CLEAR_DEADLINE_PER_TASK.saturating_mul(tasks))
}

/// The part of a response that it is about.
fn part<W, T>(field: &'static str, wire: Option<W>) -> Result<T, RemoteError>
where
    T: TryFrom<W, Error = ConversionError>,
{
    let wire = required(field, wire).map_err(invalid(RUNNER))?;
    wire.try_into().map_err(invalid(RUNNER))
}

fn started(id: &str, backup: Option<types_pb::BackupRef>) -> Result<StartedTask, RemoteError> {
    Ok(StartedTask {
        task: parsed("task_id", id).map_err(invalid(RUNNER))?,
        backup: part("backup", backup)?,
    })
}
