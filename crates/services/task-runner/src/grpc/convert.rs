//! Requests and tasks between the wire and the runner.

use std::collections::BTreeSet;

use api::convert::plan::options_of_wire;
use api::convert::task::queue_options;
use api::convert::{ConversionError, parsed, parsed_optional, required};
use api::pb::storage_catalog::VerifyLevel as WireLevel;
use api::pb::task_runner as pb;
use api::pb::types::BackupKind as WireKind;
use model::manifest::{BackupKind, KindWithBase};
use model::{ClusterName, Selection, TaskId, VerifyLevel};

use crate::cluster::{Cluster, NewCluster};
use crate::engine::View;
use crate::error::RunnerError;
use crate::kinds::NamedBackup;
use crate::kinds::backup::NewBackup;
use crate::kinds::restore::NewRestore;

pub(super) fn wire(view: &View) -> pb::Task {
    api::convert::task::to_wire(&view.task, view.eta_seconds)
}

pub(super) fn id_or_none(id: Option<TaskId>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

pub(super) fn task_id(text: &str) -> Result<TaskId, RunnerError> {
    Ok(parsed("id", text)?)
}

pub(super) fn cluster_name(field: &'static str, text: &str) -> Result<ClusterName, RunnerError> {
    Ok(parsed(field, text)?)
}

pub(super) fn new_cluster(request: pb::AddClusterRequest) -> Result<NewCluster, ConversionError> {
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
    Ok(NewCluster {
        name: parsed("name", &request.name)?,
        agents: request.agents,
        find_agents: request.find_agents,
    })
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
        let completeness = request.completeness().into();
        let base = parsed_optional("base", &request.base)?;
        let kind = KindWithBase::requested(kind, base)
            .map_err(|mismatch| ConversionError::invalid("base", mismatch))?;
        Ok(Self {
            task: None,
            cluster: parsed("cluster", &request.cluster)?,
            name: parsed_optional("name", &request.name)?,
            kind: kind.kind(),
            base: kind.base().cloned(),
            selection: selection(request.selection)?,
            keep_damaged: request.keep_damaged,
            reupload: request.reupload,
            completeness,
            queue: queue_options(request.queue)?,
            since: None,
        })
    }
}

impl TryFrom<pb::PlanRestoreRequest> for NewRestore {
    type Error = ConversionError;

    fn try_from(request: pb::PlanRestoreRequest) -> Result<Self, ConversionError> {
        let backup = required("backup", request.backup)?;
        Ok(Self {
            cluster: parsed_optional("backup.cluster", &backup.cluster)?,
            backup: parsed("backup.name", &backup.name)?,
            target: parsed("target", &request.target)?,
            options: options_of_wire(request.options, request.renaming)?,
        })
    }
}

/// At least one: none must never stand for all.
pub(super) fn tasks(ids: &[String]) -> Result<BTreeSet<TaskId>, ConversionError> {
    if ids.is_empty() {
        return Err(ConversionError::missing("task_ids"));
    }
    ids.iter().map(|id| parsed("task_ids", id)).collect()
}

/// A backup by its name, and by its cluster if one is given.
pub(super) fn named(
    backup: Option<api::pb::types::BackupRef>,
) -> Result<NamedBackup, ConversionError> {
    let backup = required("backup", backup)?;
    Ok(NamedBackup {
        cluster: parsed_optional("backup.cluster", &backup.cluster)?,
        name: parsed("backup.name", &backup.name)?,
    })
}

pub(super) fn level(level: WireLevel) -> Result<VerifyLevel, ConversionError> {
    match level {
        WireLevel::Unspecified => Ok(VerifyLevel::Objects),
        level => level.try_into(),
    }
}

fn selection(wire: Option<api::pb::types::Selection>) -> Result<Selection, ConversionError> {
    wire.unwrap_or_default().try_into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restore_without_options_is_refused_and_not_taken_for_one_of_everything() {
        let without = pb::PlanRestoreRequest {
            backup: Some(api::pb::types::BackupRef {
                cluster: "shop".into(),
                name: "nightly".into(),
            }),
            target: "shop".into(),
            options: None,
            renaming: None,
        };
        let error = NewRestore::try_from(without.clone()).expect_err("no options");
        assert_eq!(error.field, "options");
        let with = pb::PlanRestoreRequest {
            options: Some(api::pb::planner::RestoreOptions::default()),
            ..without
        };
        let restore = NewRestore::try_from(with).expect("a restore");
        assert!(restore.options.selection.is_everything());
    }
}
