//! This service's own messages, to and from what its modules speak.

use api::ServiceError;
use api::convert::{ConversionError, all, all_into, parsed, parsed_optional, required};
use api::pb::storage_catalog as pb;
use api::pb::types;
use chassis::work::Progress;
use jiff::Timestamp;
use model::manifest::{BackupKind, BackupManifest, KindWithBase, VerificationResult};
use model::task::Deletion;
use model::{
    BackupName, BackupPin, ClusterName, HostId, Schema, Selection, TaskId, VerifyLevel,
    VerifyReport,
};
use tonic::Status;

use crate::beside::add_verifications;
use crate::error::CatalogError;
use crate::samples::NextSample;
use crate::{begin, commit, delete};

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

/// A backup with what is beside it.
pub fn backup(
    manifest: BackupManifest,
    pins: Vec<BackupPin>,
    verifications: &[VerificationResult],
) -> pb::Backup {
    let mut backup = pb::Backup::from(manifest);
    if let Some(summary) = &mut backup.summary {
        summary.pins = all_into(pins);
        add_verifications(verifications, summary);
    }
    backup
}

/// The longest reason of a pin: every list shows it.
const REASON_BYTES_MAX: usize = 1024;

/// Who keeps a backup.
pub enum PinHolder {
    Task(TaskId),
    People {
        reason: String,
        until: Option<Timestamp>,
    },
}

/// A task or a reason, and never both: one must not be taken for the other.
pub fn pin_holder(request: &pb::PinBackupRequest) -> Result<PinHolder, ConversionError> {
    let task = parsed_optional("task_id", &request.task_id)?;
    let until = parsed_optional("until", &request.until)?;
    match task {
        Some(task) if request.reason.is_empty() && until.is_none() => Ok(PinHolder::Task(task)),
        Some(_) => Err(ConversionError::invalid(
            "reason",
            "the pin of a task has neither reason nor end",
        )),
        None if request.reason.is_empty() => Err(ConversionError::missing("reason")),
        None if request.reason.len() > REASON_BYTES_MAX => Err(ConversionError::invalid(
            "reason",
            "it has more than 1024 bytes",
        )),
        None => Ok(PinHolder::People {
            reason: request.reason.clone(),
            until,
        }),
    }
}

/// The task whose pin is released; none: those of people are.
pub fn unpinned_task(request: &pb::UnpinBackupRequest) -> Result<Option<TaskId>, ConversionError> {
    match (
        parsed_optional("task_id", &request.task_id)?,
        request.by_people,
    ) {
        (Some(task), false) => Ok(Some(task)),
        (None, true) => Ok(None),
        (None, false) => Err(ConversionError::missing("task_id")),
        (Some(_), true) => Err(ConversionError::invalid(
            "by_people",
            "either the pin of a task is released or those of people are",
        )),
    }
}

pub fn delete(request: &pb::DeleteBackupRequest) -> delete::Request {
    delete::Request {
        even_if_running: request.even_if_running,
        earlier_are_dead: request.earlier_are_dead,
        ..delete::Request::default()
    }
}

pub fn delete_if(request: &pb::DeleteBackupIfRequest) -> Result<delete::Request, ConversionError> {
    let name = |text: &String| parsed::<BackupName>("relies_on", text);
    let relies_on = request.relies_on.iter().map(name);
    Ok(delete::Request {
        started_at: parsed_optional("started_at", &request.started_at)?,
        relies_on: relies_on.collect::<Result<_, _>>()?,
        only_garbage: request.only_garbage,
        not_after: parsed_optional("not_after", &request.not_after)?,
        only_if_begun: request.only_if_begun,
        even_if_running: request.even_if_running,
        earlier_are_dead: request.earlier_are_dead,
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

/// How much of a backup is read; none: all of it.
pub fn next_sample(
    request: &pb::VerifyBackupRequest,
    level: VerifyLevel,
) -> Result<Option<NextSample>, ConversionError> {
    if request.discard_result && request.sample_parts != 0 {
        let why = "which part is next depends on the results, which discard_result does not keep";
        return Err(ConversionError::invalid("sample_parts", why));
    }
    let parts = api::convert::sample_parts(request.sample_parts, level)?;
    let task = parsed_optional("task_id", &request.task_id)?;
    Ok(parts.map(|of| NextSample { of, task }))
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
