//! Calls of a backup: snapshots are taken, uploaded and cleared.

use api::pb::node_agent as pb;
use api::status;

use super::call::{Call, Messages, Reply};
use super::convert;
use crate::agent::on_snapshot;
use crate::upload::{Summary, Upload};
use crate::{snapshot, upload};

pub(super) async fn take(
    (call, request): (Call, pb::TakeSnapshotRequest),
) -> Reply<pb::TakeSnapshotResponse> {
    let (tag, selection) = convert::take_snapshot(request).map_err(status)?;
    call.locked(
        [on_snapshot(&tag)],
        |agent| async move { snapshot::take(&agent, &tag, &selection).await },
        Into::into,
    )
    .await
}

pub(super) fn upload(
    (call, request): (Call, pb::UploadSnapshotRequest),
) -> Reply<Messages<pb::UploadSnapshotResponse>> {
    let request = Upload::try_from(request).map_err(status)?;
    call.streamed(
        on_snapshot(&request.tag),
        |agent, work| async move { upload::upload(&agent, &request, &work).await },
        |progress, manifest: Option<Summary>| pb::UploadSnapshotResponse {
            progress: Some(progress.into()),
            manifest: manifest.map(Into::into),
        },
    )
}

pub(super) async fn clear(
    (call, request): (Call, pb::ClearSnapshotRequest),
) -> Reply<pb::ClearSnapshotResponse> {
    let tag = request.tag;
    call.locked(
        [on_snapshot(&tag)],
        |agent| async move { snapshot::clear(&agent, &tag).await },
        |()| pb::ClearSnapshotResponse {},
    )
    .await
}
