//! This service's own messages to and from its types.

use api::convert::{ConversionError, parsed, parsed_optional, required, time};
use api::pb::node_agent as pb;
use api::pb::types as pb_types;
use model::plan::RestoreMode;
use model::{Selection, SourceShare};

use crate::leftovers::Clear;
use crate::restore::TableTarget;
use crate::snapshot::Taken;
use crate::stage::Stage;
use crate::upload::{Summary, Upload};

pub(super) fn take_snapshot(
    request: pb::TakeSnapshotRequest,
) -> Result<(String, Selection), ConversionError> {
    let selection = required("selection", request.selection)?.try_into()?;
    Ok((request.tag, selection))
}

pub(super) fn targets(tables: Vec<pb::TableTarget>) -> Result<Vec<TableTarget>, ConversionError> {
    api::convert::all(tables)
}

impl TryFrom<pb::TableTarget> for TableTarget {
    type Error = ConversionError;

    fn try_from(target: pb::TableTarget) -> Result<Self, ConversionError> {
        Ok(Self {
            table: required("tables.table", target.table)?.try_into()?,
            source: target.source.map(TryInto::try_into).transpose()?,
            source_id: parsed("tables.source_id", &target.source_id)?,
            target_id: parsed("tables.target_id", &target.target_id)?,
        })
    }
}

impl TryFrom<pb::UploadSnapshotRequest> for Upload {
    type Error = ConversionError;

    fn try_from(request: pb::UploadSnapshotRequest) -> Result<Self, ConversionError> {
        Ok(Self {
            kind: request.kind().try_into()?,
            tag: request.tag,
            backup: required("backup", request.backup)?.try_into()?,
            base: parsed_optional("base", &request.base)?,
            copy_from: parsed_optional("copy_from", &request.copy_from)?,
            selection: required("selection", request.selection)?.try_into()?,
            snapshot_taken_at: parsed("snapshot_taken_at", &request.snapshot_taken_at)?,
            keep_damaged: request.keep_damaged,
        })
    }
}

impl TryFrom<pb::StageRestoreRequest> for Stage {
    type Error = ConversionError;

    fn try_from(request: pb::StageRestoreRequest) -> Result<Self, ConversionError> {
        Ok(Self {
            mode: match request.go_live() {
                pb::GoLive::Load => RestoreMode::Online,
                pb::GoLive::Swap => RestoreMode::InPlace,
                pb::GoLive::Unspecified => return Err(ConversionError::missing("go_live")),
            },
            restore: request.restore,
            backup: required("backup", request.backup)?.try_into()?,
            sources: request
                .source_host_ids
                .iter()
                .map(|id| parsed("source_host_ids", id))
                .collect::<Result<_, _>>()?,
            manifests: request
                .manifests
                .into_iter()
                .map(|source| {
                    let host_id = parsed("manifests.host_id", &source.host_id)?;
                    Ok((host_id, source.blake3))
                })
                .collect::<Result<_, _>>()?,
            shares: shares(request.everything, request.shares)?,
            tables: targets(request.tables)?,
        })
    }
}

impl TryFrom<pb::ClearLeftoversRequest> for Clear {
    type Error = ConversionError;

    fn try_from(request: pb::ClearLeftoversRequest) -> Result<Self, ConversionError> {
        let names = request.leftovers.iter();
        let live = request.live_task_ids.iter();
        Ok(Self {
            leftovers: names
                .map(|name| {
                    let task = parsed("leftovers.task_id", &name.task_id)?;
                    Ok((name.kind().try_into()?, task))
                })
                .collect::<Result<_, ConversionError>>()?,
            live: live
                .map(|id| parsed("live_task_ids", id))
                .collect::<Result<_, _>>()?,
        })
    }
}

/// None: everything. A request that leaves out what is taken must not get everything.
fn shares(
    everything: bool,
    shares: Vec<pb_types::SourceShare>,
) -> Result<Vec<SourceShare>, ConversionError> {
    if everything == shares.is_empty() {
        return api::convert::all(shares);
    }
    Err(match everything {
        true => ConversionError::invalid("everything", "is set, and shares are given"),
        false => ConversionError::invalid("shares", "are none, and everything is not set"),
    })
}

impl From<Taken> for pb::TakeSnapshotResponse {
    fn from(taken: Taken) -> Self {
        Self {
            taken_at: time(taken.taken_at),
            tables: taken.tables.len() as u64,
            sstables: taken.sstables,
            bytes: taken.bytes,
        }
    }
}

impl From<Summary> for pb::NodeManifestSummary {
    fn from(summary: Summary) -> Self {
        Self {
            host_id: summary.host_id.to_string(),
            object: summary.object,
            blake3: summary.blake3,
            bytes: summary.bytes,
            uploaded_bytes: summary.uploaded_bytes,
            copied_bytes: summary.copied_bytes,
            sstables: summary.sstables,
            damaged_sstables: summary.damaged_sstables,
        }
    }
}
