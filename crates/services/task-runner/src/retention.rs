//! Retention of backups: its policies are kept, changed on request, and applied by tasks.
//!
//! - [`store`]: policies, the run that is at work, and past runs, in the state store.
//! - [`start`]: starts the task that applies the policies of a cluster; one of them at a time.
//! - [`due`]: starts it after the backups of schedules.
//! - [`seen`]: what gauges show of it.
//!
//! What goes is decided by the crate `retention` from a fresh list of the storage-catalog. The task itself is
//! [`kinds::retention`](crate::kinds::retention).

mod due;
mod seen;
mod start;
pub(crate) mod store;

use ::retention::{Backup, PastRun, Policies, Policy, PolicyState, Ruled, ShownVerdict};
use ::schedule::ScheduleName;
use model::{BackupSummary, ClusterName};

use crate::cluster;
use crate::context::Context;
use crate::engine::Engine;
use crate::error::RunnerError;
use crate::schedules;

pub(crate) use due::{due_after, start_due};
pub(crate) use seen::{Retained, readable};
pub(crate) use start::start;

/// Sets the policy of a cluster or of one of its schedules.
pub(crate) async fn put(
    context: &Context,
    cluster: ClusterName,
    schedule: Option<ScheduleName>,
    policy: Policy,
) -> Result<PolicyState, RunnerError> {
    policy.check()?;
    check_known(context, &cluster, schedule.as_ref()).await?;
    let state = PolicyState {
        cluster,
        schedule,
        policy,
        changed_at: (context.clock)(),
    };
    store::put_policy(context, &state).await?;
    Ok(state)
}

/// A name that was mistyped would be a policy that never applies.
async fn check_known(
    context: &Context,
    cluster: &ClusterName,
    schedule: Option<&ScheduleName>,
) -> Result<(), RunnerError> {
    if let Some(schedule) = schedule {
        let known = store::has_policy(context, cluster, Some(schedule)).await?
            || schedules::find(context, cluster, schedule).await?.is_some();
        return match known {
            true => Ok(()),
            false => Err(RunnerError::UnknownSchedule(
                cluster.clone(),
                schedule.clone(),
            )),
        };
    }
    match cluster::get(context, cluster).await {
        // It may be gone, and its backups may not.
        Err(error @ RunnerError::UnknownCluster(_)) => match list(context, cluster).await? {
            backups if backups.is_empty() => Err(error),
            _ => Ok(()),
        },
        found => found.map(|_| ()),
    }
}

/// The policies of a cluster and its last runs, newest first.
pub(crate) async fn get(
    context: &Context,
    cluster: &ClusterName,
) -> Result<(Vec<PolicyState>, Vec<PastRun>), RunnerError> {
    let states = store::policies(context, cluster).await?;
    let mut runs = store::past_runs(context, cluster).await?;
    for run in &mut runs {
        let known = context.tasks.get(run.task).await?;
        run.state = known.map(|known| known.record.state);
    }
    Ok((states, runs))
}

/// Forgets a policy. That of a schedule is replaced by one that keeps all, unless the caller says otherwise: its backups would
/// be under the policy of the cluster at once, and that may let go what this one kept. Safe to repeat.
pub(crate) async fn delete(
    context: &Context,
    cluster: ClusterName,
    schedule: Option<ScheduleName>,
    use_cluster_policy: bool,
) -> Result<(), RunnerError> {
    if !store::has_policy(context, &cluster, schedule.as_ref()).await? {
        return Err(RunnerError::RetentionNotSet { cluster, schedule });
    }
    if schedule.is_none() || use_cluster_policy {
        return store::remove_policy(context, &cluster, schedule.as_ref()).await;
    }
    let state = PolicyState {
        cluster,
        schedule,
        policy: Policy::keeping_all(),
        changed_at: (context.clock)(),
    };
    store::put_policy(context, &state).await
}

/// What the policies would do now.
pub(crate) async fn preview(
    engine: &Engine,
    cluster: &ClusterName,
) -> Result<Vec<ShownVerdict>, RunnerError> {
    let now = decide_now(&engine.context, cluster, |_| false).await?;
    let each = now.ruled.iter().zip(&now.listed);
    Ok(each
        .map(|(ruled, summary)| ShownVerdict::new(ruled, summary.uploaded_bytes))
        .collect())
}

/// A decision, with what it was made from. All three lists are in one order.
pub(crate) struct Decision {
    pub listed: Vec<BackupSummary>,
    pub backups: Vec<Backup>,
    pub ruled: Vec<Ruled>,
    pub policies: Policies,
}

/// Decides by what is in the bucket now. What `stays` counts as in use.
pub(crate) async fn decide_now(
    context: &Context,
    cluster: &ClusterName,
    stays: impl Fn(&Backup) -> bool,
) -> Result<Decision, RunnerError> {
    let policies = policies(context, cluster).await?;
    let listed = list(context, cluster).await?;
    let mut backups: Vec<Backup> = listed.iter().map(Backup::from).collect();
    for backup in &mut backups {
        backup.in_use |= stays(backup);
    }
    let ruled = policies.decide(&backups, (context.clock)())?;
    Ok(Decision {
        listed,
        backups,
        ruled,
        policies,
    })
}

/// The policies of a cluster that has any. One that cannot be read is an error: without it, its backups would be another's.
pub(crate) async fn policies(
    context: &Context,
    cluster: &ClusterName,
) -> Result<Policies, RunnerError> {
    let states = store::policies(context, cluster).await?;
    let policies: Policies = states.into_iter().collect();
    if policies.is_empty() {
        return Err(RunnerError::RetentionNotSet {
            cluster: cluster.clone(),
            schedule: None,
        });
    }
    Ok(policies)
}

/// The backups of a cluster as they are in the bucket now.
pub(crate) async fn list(
    context: &Context,
    cluster: &ClusterName,
) -> Result<Vec<BackupSummary>, RunnerError> {
    let listed = context.catalog.list_backups(Some(cluster)).await;
    listed.map_err(RunnerError::remote("storage-catalog"))
}
