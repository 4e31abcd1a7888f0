//! This service's own messages, to and from what its modules speak.

use api::convert::{ConversionError, all, all_into, parsed, parsed_optional, required};
use api::pb::storage_catalog as pb;
use api::pb::types;
use chassis::work::Progress;
use model::manifest::{BackupKind, KindWithBase};
use model::{BackupName, BackupRef, ClusterName, HostId, Schema, Selection, VerifyLevel};
use tonic::Status;

use crate::delete::Deleted;
use crate::error::CatalogError;
use crate::verify::{Damage, Report};
use crate::{begin, commit};

/// A backup by its name, and by its cluster if one is given.
pub fn named(
    backup: Option<types::BackupRef>,
) -> Result<(Option<ClusterName>, BackupName), ConversionError> {
    let backup = required("backup", backup)?;
    let cluster = parsed_optional("backup.cluster", &backup.cluster)?;
    Ok((cluster, parsed("backup.name", &backup.name)?))
}

pub fn begin(request: pb::BeginBackupRequest) -> Result<begin::Request, Status> {
    let (kind, base) = kind_and_base(&request).map_err(api::status)?;
    // The catalog has a reason of its own for a base of a full backup.
    let kind = KindWithBase::requested(kind, base).map_err(CatalogError::from);
    let kind = kind.map_err(api::status)?;
    begun(request, kind).map_err(api::status)
}

fn kind_and_base(
    request: &pb::BeginBackupRequest,
) -> Result<(BackupKind, Option<BackupName>), ConversionError> {
    let kind = request.kind().try_into()?;
    Ok((kind, parsed_optional("base", &request.base)?))
}

fn begun(
    request: pb::BeginBackupRequest,
    kind: KindWithBase,
) -> Result<begin::Request, ConversionError> {
    Ok(begin::Request {
        kind,
        backup: required("backup", request.backup)?.try_into()?,
        task: parsed("task_id", &request.task_id)?,
        selection: match request.selection {
            Some(selection) => selection.try_into()?,
            None => Selection::default(),
        },
    })
}

pub fn commit(request: pb::CommitBackupRequest) -> Result<commit::Request, ConversionError> {
    let host = |text: &String| parsed::<HostId>("host_ids", text);
    Ok(commit::Request {
        backup: required("backup", request.backup)?.try_into()?,
        task: parsed("task_id", &request.task_id)?,
        host_ids: request
            .host_ids
            .iter()
            .map(host)
            .collect::<Result<_, _>>()?,
        ring: all(request.ring)?,
        schema: match request.schema {
            Some(schema) => schema.try_into()?,
            None => Schema::default(),
        },
        cluster_name: request.cluster_name,
        partitioner: request.partitioner,
        snapshot_spread_ms: request.snapshot_spread_ms,
        missing: all(request.missing)?,
        coverage: all_into(request.held),
    })
}

pub fn verify_message(
    progress: Progress,
    report: Option<Report>,
    backup: &BackupRef,
    level: VerifyLevel,
) -> pb::VerifyBackupResponse {
    match report {
        None => pb::VerifyBackupResponse {
            progress: Some(progress.into()),
            report: None,
        },
        Some(report) => pb::VerifyBackupResponse {
            progress: None,
            report: Some(self::report(report, backup, level)),
        },
    }
}

fn report(report: Report, backup: &BackupRef, level: VerifyLevel) -> pb::VerifyReport {
    pb::VerifyReport {
        backup: Some(backup.clone().into()),
        level: pb::VerifyLevel::from(level) as i32,
        ok: report.damage.is_empty(),
        objects_checked: report.objects,
        bytes_checked: report.bytes,
        sstables_checked: report.sstables,
        damage: report.damage.into_iter().map(pb::Damage::from).collect(),
    }
}

pub fn delete_message(progress: Progress, deleted: Option<Deleted>) -> pb::DeleteBackupResponse {
    match deleted {
        None => pb::DeleteBackupResponse {
            progress: Some(progress.into()),
            ..pb::DeleteBackupResponse::default()
        },
        Some(deleted) => pb::DeleteBackupResponse {
            progress: None,
            deleted_objects: deleted.objects,
            freed_bytes: deleted.bytes,
        },
    }
}

impl From<Damage> for pb::Damage {
    fn from(damage: Damage) -> Self {
        Self {
            node: damage.node,
            keyspace: damage.keyspace,
            table: damage.table,
            sstable: damage.sstable,
            component: damage.component,
            object: damage.object,
            what: damage.what,
            offset: damage.offset,
        }
    }
}
