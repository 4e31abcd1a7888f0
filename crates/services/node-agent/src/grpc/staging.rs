//! Calls on the staging of a restore: it is filled, tried, loaded, and deleted at the end.

use api::pb::node_agent as pb;
use api::status;
use model::plan::TrialTable;

use super::call::{Call, Messages, Reply};
use super::convert;
use crate::agent::on_restore;
use crate::stage::Stage;
use crate::{load, restore, stage, trial};

pub(super) fn stage(
    (call, request): (Call, pb::StageRestoreRequest),
) -> Reply<Messages<pb::StageRestoreResponse>> {
    let request = Stage::try_from(request).map_err(status)?;
    call.streamed(
        on_restore(&request.restore),
        |agent, work| async move { stage::stage(&agent, &request, &work).await },
        |progress, sstables: Option<u64>| pb::StageRestoreResponse {
            progress: Some(progress.into()),
            sstables: sstables.unwrap_or_default(),
        },
    )
}

pub(super) fn try_load(
    (call, request): (Call, pb::TryLoadRequest),
) -> Reply<Messages<pb::TryLoadResponse>> {
    let restore = request.restore;
    let tables: Vec<TrialTable> = api::convert::all(request.tables).map_err(status)?;
    call.streamed(
        on_restore(&restore),
        |agent, work| async move { trial::try_load(&agent, &restore, &tables, &work).await },
        |progress, sstables: Option<u64>| pb::TryLoadResponse {
            progress: Some(progress.into()),
            sstables: sstables.unwrap_or_default(),
        },
    )
}

pub(super) async fn clear_trial(
    (call, _): (Call, pb::ClearTrialRequest),
) -> Reply<pb::ClearTrialResponse> {
    call.locked(
        ["trial".to_owned()],
        |agent| async move { trial::clear(&agent).await },
        |()| pb::ClearTrialResponse {},
    )
    .await
}

pub(super) fn load(
    (call, request): (Call, pb::LoadStagedRequest),
) -> Reply<Messages<pb::LoadStagedResponse>> {
    let restore = request.restore;
    let tables = convert::targets(request.tables).map_err(status)?;
    call.streamed(
        on_restore(&restore),
        |agent, work| async move { load::load(&agent, &restore, &tables, &work).await },
        |progress, sstables: Option<u64>| pb::LoadStagedResponse {
            progress: Some(progress.into()),
            sstables: sstables.unwrap_or_default(),
        },
    )
}

pub(super) async fn finish(
    (call, request): (Call, pb::FinishRestoreRequest),
) -> Reply<pb::FinishRestoreResponse> {
    let (restore, delete_old_files) = (request.restore, request.delete_old_files);
    call.locked(
        [on_restore(&restore)],
        |agent| async move { restore::finish(&agent, &restore, delete_old_files).await },
        |freed_bytes| pb::FinishRestoreResponse { freed_bytes },
    )
    .await
}
