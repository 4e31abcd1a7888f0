//! This service's own messages, to and from what its modules speak.

use api::ServiceError;
use api::convert::{ConversionError, all, all_into, parsed, parsed_optional, required};
use api::pb::storage_catalog as pb;
use api::pb::types;
use chassis::work::Progress;
use model::manifest::{BackupKind, KindWithBase};
use model::task::Deletion;
use model::{BackupName, ClusterName, HostId, Schema, Selection, VerifyReport};
use tonic::Status;

use crate::error::CatalogError;
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
    report: Option<VerifyReport>,
) -> pb::VerifyBackupResponse {
    match report {
        None => pb::VerifyBackupResponse {
            progress: Some(progress.into()),
            report: None,
        },
        Some(report) => pb::VerifyBackupResponse {
            progress: None,
            report: Some(report.into()),
        },
    }
}

pub fn delete_message(progress: Progress, deleted: Option<Deletion>) -> pb::DeleteBackupResponse {
    match deleted {
        None => pb::DeleteBackupResponse {
            progress: Some(progress.into()),
            ..pb::DeleteBackupResponse::default()
        },
        Some(deleted) => pb::DeleteBackupResponse {
            progress: None,
            deleted_objects: deleted.objects,
            freed_bytes: deleted.bytes,
            versions_remain: deleted.versions_remain,
        },
    }
}

/// An error and what to do about it, in one line.
pub fn detail(error: CatalogError) -> String {
    let text = api::error::chain(&error);
    match error.hint() {
        Some(hint) => format!("{text} (hint: {hint})"),
        None => text,
    }
}
