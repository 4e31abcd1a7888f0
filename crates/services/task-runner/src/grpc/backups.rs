//! Calls about backups.

use std::sync::Arc;

use api::clients::KnownDead;
use api::convert::task::queue_options;
use api::convert::{ConversionError, all_into, parsed_optional};
use api::pb::task_runner as pb;

use super::convert::{self, id_or_none};
use crate::engine::Engine;
use crate::error::RunnerError;
use crate::kinds::backup::{self, NewBackup};
use crate::kinds::{delete as deletion, verify as verification};

pub(super) async fn create(
    engine: &Arc<Engine>,
    request: pb::CreateBackupRequest,
) -> Result<pb::CreateBackupResponse, RunnerError> {
    let new = NewBackup::try_from(request)?;
    let creating = backup::create(engine.clone(), new);
    let created = engine.run_to_completion(creating).await?;
    Ok(pb::CreateBackupResponse {
        task_id: id_or_none(created.task),
        backup: Some(created.backup.into()),
        findings: all_into(created.findings),
    })
}

pub(super) async fn verify(
    engine: &Arc<Engine>,
    request: pb::VerifyBackupRequest,
) -> Result<pb::VerifyBackupResponse, RunnerError> {
    let level = convert::level(request.level())?;
    let sample = api::convert::sample_parts(request.sample_parts, level)?;
    let backup = convert::named(request.backup)?;
    let priority = queue_options(Some(pb::QueueOptions {
        priority: request.priority,
        wait: false,
    }))?
    .priority;
    let starting = verification::start(engine.clone(), backup, level, sample, priority);
    let (id, backup) = engine.run_to_completion(starting).await?;
    Ok(pb::VerifyBackupResponse {
        task_id: id.to_string(),
        backup: Some(backup.into()),
    })
}

pub(super) async fn delete(
    engine: &Arc<Engine>,
    request: pb::DeleteBackupRequest,
) -> Result<pb::DeleteBackupResponse, RunnerError> {
    let backup = convert::named(request.backup)?;
    let dead = KnownDead {
        maker: request.even_if_running,
        earlier_deletions: request.earlier_are_dead,
    };
    let starting = deletion::start(engine.clone(), backup, dead);
    let (id, backup) = engine.run_to_completion(starting).await?;
    Ok(pb::DeleteBackupResponse {
        task_id: id.to_string(),
        backup: Some(backup.into()),
    })
}

pub(super) async fn pin(
    engine: &Arc<Engine>,
    request: pb::PinBackupRequest,
) -> Result<pb::PinBackupResponse, RunnerError> {
    let backup = convert::named(request.backup)?;
    let until = parsed_optional("until", &request.until)?;
    if request.reason.is_empty() {
        return Err(ConversionError::missing("reason").into());
    }
    let pinned = backup.pin(&engine.context, &request.reason, until).await?;
    Ok(pb::PinBackupResponse {
        backup: Some(pinned.into()),
    })
}

pub(super) async fn unpin(
    engine: &Arc<Engine>,
    request: pb::UnpinBackupRequest,
) -> Result<pb::UnpinBackupResponse, RunnerError> {
    let backup = convert::named(request.backup)?;
    let (backup, released) = backup.unpin(&engine.context).await?;
    Ok(pb::UnpinBackupResponse {
        backup: Some(backup.into()),
        released,
    })
}
