//! The steps of a backup.

use api::clients::{BeginBackup, CommitBackup, UploadSnapshot};
use cassandra_versions::lowest;
use jiff::Timestamp;
use model::plan::{PlannedNode, StepKind};
use model::{BackupName, BackupRef, Finding, NodeDescription, Schema, TaskId};
use plan::{codes, snapshots_apart};
use serde::{Deserialize, Serialize};

use super::spec::{BackupSpec, CAPTURE, Capture, snapshot_tag};
use crate::context::Context;
use crate::describe::{describe_all, fingerprints, schema};
use crate::engine::{Mover, Output, StepError, StepRun, agent};
use crate::kinds::undo::follow_up;

/// The earlier backups that the catalog has named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Begun {
    /// The base, which it has pinned.
    base: Option<BackupName>,
    /// What a full backup may copy from.
    #[serde(default)]
    copy_from: Option<BackupName>,
}

/// When a node's snapshot was taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Taken {
    at: Timestamp,
}

/// Runs a step once.
pub(super) async fn run(spec: &BackupSpec, step: &StepRun) -> Result<Output, StepError> {
    let planned = step.planned();
    let node = || spec.node(&planned.node);
    match planned.kind {
        StepKind::Begin => begin(spec, &step.context, &step.backup()?, step.task_id()).await,
        StepKind::Snapshot => snapshot(spec, step, node()?).await,
        StepKind::Capture => capture(spec, step).await,
        StepKind::Upload => upload(spec, step, node()?).await,
        StepKind::Commit => commit(spec, step).await,
        StepKind::Clear => {
            clear(&step.context, step.task_id(), node()?).await?;
            Ok(Output::NOTHING)
        }
        other => Err(StepError::incomplete(format!(
            "a backup has no step `{other}`"
        ))),
    }
}

/// Reserves the backup's name.
pub(super) async fn begin(
    spec: &BackupSpec,
    context: &Context,
    backup: &BackupRef,
    task: TaskId,
) -> Result<Output, StepError> {
    let begin = BeginBackup {
        backup: backup.clone(),
        kind: spec.kind,
        base: spec.base.clone(),
        task,
        selection: spec.selection.clone(),
    };
    let begun = context.catalog.begin_backup(begin).await?;
    Output::of(&Begun {
        base: begun.base,
        copy_from: begun.copy_from.filter(|_| !spec.reupload),
    })
}

async fn snapshot(
    spec: &BackupSpec,
    step: &StepRun,
    node: &PlannedNode,
) -> Result<Output, StepError> {
    let tag = snapshot_tag(step.task_id());
    let agent = step.agent(&node.agent)?;
    let at = agent.take_snapshot(&tag, &spec.selection).await?;
    Output::of(&Taken { at })
}

/// Reads schema and ring again, right after the snapshots: a schema from then on describes all data in them, whereas an
/// earlier one may lack a column that they hold.
async fn capture(spec: &BackupSpec, step: &StepRun) -> Result<Output, StepError> {
    let nodes = described(spec, &step.context).await?;
    for (node, ring) in nodes.iter().zip(fingerprints(&nodes)) {
        if ring != spec.ring {
            return Err(StepError::RingChanged {
                why: format!("agent {} sees another ring now", node.agent),
            });
        }
    }
    let schema = schema(&step.context, &nodes)
        .await
        .map_err(StepError::unavailable)?;
    let mut findings = schema_changes(spec, &schema.version);
    findings.extend(far_apart(&step.backup()?, &taken(spec, step)));
    let capture = captured(nodes, schema)?;
    step.put_document(CAPTURE, &capture).await?;
    Ok(Output {
        value: None,
        findings,
    })
}

/// All nodes of the backup; one that does not reply is asked again with the next try.
async fn described(
    spec: &BackupSpec,
    context: &Context,
) -> Result<Vec<NodeDescription>, StepError> {
    let agents: Vec<String> = spec.nodes.iter().map(|node| node.agent.clone()).collect();
    let described = describe_all(context, &agents).await;
    match described.unreachable.first() {
        None => Ok(described.nodes),
        Some(agent) => Err(StepError::unavailable(format!(
            "agent {}: {}",
            agent.agent, agent.reason
        ))),
    }
}

fn schema_changes(spec: &BackupSpec, version: &str) -> Vec<Finding> {
    if spec.schema_version == version {
        return Vec::new();
    }
    vec![follow_up(
        codes::SCHEMA_CHANGED_DURING_BACKUP,
        version,
        "the schema changed between the plan and the snapshots; the backup holds the later one"
            .to_owned(),
        "make another backup if a table was dropped or made in that time".to_owned(),
    )]
}

/// Known once all snapshots are taken; a later step might lose it with the reply to the commit.
fn far_apart(backup: &BackupRef, taken: &[Timestamp]) -> Option<Finding> {
    let message = snapshots_apart(snapshot_spread_ms(taken))?;
    Some(follow_up(
        codes::SNAPSHOTS_APART,
        &backup.to_string(),
        message,
        "make another backup; if it happens again, see which node takes long and whether the nodes' clocks agree"
            .to_owned(),
    ))
}

fn captured(nodes: Vec<NodeDescription>, schema: Schema) -> Result<Capture, StepError> {
    let lowest = lowest(nodes.iter().map(|node| &node.release));
    let lowest = lowest.map_err(|mixed| StepError::RingChanged {
        why: mixed.to_string(),
    })?;
    let lowest = lowest.cloned();
    let (Some(release), Some(first)) = (lowest, nodes.into_iter().next()) else {
        return Err(StepError::incomplete("a backup of no nodes"));
    };
    Ok(Capture {
        cluster_name: first.cluster_name,
        release,
        partitioner: first.partitioner,
        ring: first.ring.to_vec(),
        schema,
    })
}

async fn upload(
    spec: &BackupSpec,
    step: &StepRun,
    node: &PlannedNode,
) -> Result<Output, StepError> {
    let begun: Begun = required(step, "begin")?;
    let taken: Taken = required(step, &format!("snapshot-{}", node.address))?;
    let request = UploadSnapshot {
        tag: snapshot_tag(step.task_id()),
        backup: step.backup()?,
        kind: spec.kind,
        base: begun.base,
        copy_from: begun.copy_from,
        selection: spec.selection.clone(),
        taken_at: taken.at,
        keep_damaged: spec.keep_damaged,
    };
    let agent = step.agent(&node.agent)?;
    let on_progress = |progress| step.report(progress);
    let upload = agent.upload_snapshot(request, &on_progress);
    let mover = Mover::Uploads(agent.clone(), node.host_id);
    step.limited(mover, upload).await?;
    Ok(Output::NOTHING)
}

/// What an earlier step found out.
fn required<T: serde::de::DeserializeOwned>(step: &StepRun, id: &str) -> Result<T, StepError> {
    let output = step.output_of(id);
    output.ok_or_else(|| StepError::incomplete(format!("step `{id}` has left no output")))
}

async fn commit(spec: &BackupSpec, step: &StepRun) -> Result<Output, StepError> {
    let capture: Option<Capture> = step.document(CAPTURE).await?;
    let capture = capture.ok_or_else(|| StepError::incomplete("a commit without a capture"))?;
    let commit = CommitBackup {
        backup: step.backup()?,
        task: step.task_id(),
        hosts: spec.nodes.iter().map(|node| node.host_id).collect(),
        ring: capture.ring,
        schema: capture.schema,
        cluster_name: capture.cluster_name,
        release: capture.release,
        partitioner: capture.partitioner,
        snapshot_spread_ms: snapshot_spread_ms(&taken(spec, step)),
        missing: spec.missing.clone(),
        coverage: spec.coverage.clone(),
    };
    step.context.catalog.commit_backup(commit).await?;
    Ok(Output::NOTHING)
}

fn taken(spec: &BackupSpec, step: &StepRun) -> Vec<Timestamp> {
    let nodes = spec.nodes.iter();
    let taken = nodes.filter_map(|node| {
        let taken: Option<Taken> = step.output_of(&format!("snapshot-{}", node.address));
        taken.map(|taken| taken.at)
    });
    taken.collect()
}

/// Time between the first and the last snapshot.
fn snapshot_spread_ms(taken: &[Timestamp]) -> u64 {
    match (taken.iter().min(), taken.iter().max()) {
        (Some(first), Some(last)) => {
            u64::try_from(last.as_millisecond() - first.as_millisecond()).unwrap_or(0)
        }
        _ => 0,
    }
}

/// Removes a node's snapshot.
pub(super) async fn clear(
    context: &Context,
    task: TaskId,
    node: &PlannedNode,
) -> Result<(), StepError> {
    let agent = agent(context, &node.agent)?;
    Ok(agent.clear_snapshot(&snapshot_tag(task)).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_is_between_the_first_and_the_last_snapshot() {
        let at = |ms| Timestamp::from_millisecond(ms).expect("a time");
        assert_eq!(snapshot_spread_ms(&[]), 0);
        assert_eq!(snapshot_spread_ms(&[at(1_500), at(1_000), at(1_200)]), 500);
    }
}
