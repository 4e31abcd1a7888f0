//! Requests and tasks between the wire and the runner.

use api::convert::{ConversionError, parsed, parsed_optional, required};
use api::pb::storage_catalog::VerifyLevel as WireLevel;
use api::pb::task_runner as pb;
use api::pb::types::BackupKind as WireKind;
use model::manifest::BackupKind;
use model::{ClusterName, Selection, TaskId, VerifyLevel};

use crate::cluster::Cluster;
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

pub(super) fn new_cluster(
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
        let completeness = request.completeness().into();
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
            completeness,
        })
    }
}

impl TryFrom<pb::PlanRestoreRequest> for NewRestore {
    type Error = ConversionError;

    fn try_from(request: pb::PlanRestoreRequest) -> Result<Self, ConversionError> {
        let (mode, completeness) = (request.mode().into(), request.completeness().into());
        let backup = required("backup", request.backup)?;
        Ok(Self {
            cluster: parsed_optional("backup.cluster", &backup.cluster)?,
            backup: parsed("backup.name", &backup.name)?,
            target: parsed("target", &request.target)?,
            selection: selection(request.selection)?,
            mode,
            allow_unlisted_version: request.allow_unlisted_version,
            datacenters: request.datacenters.into_iter().collect(),
            completeness,
            rewrite_schema: request.rewrite_schema,
        })
    }
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
