//! What lists of the bucket show, between wire and model.

use model::{
    BackupPin, BackupRef, BackupState, BackupSummary, CollectionPlan, Coverage, Covers, Garbage,
    GarbageKind, HostId, ShownBackup, ShownBackupNode, StoreStatus, TaskId,
};

use super::backup::names_copied_from;
use super::{
    ConversionError, all, all_into, parsed, parsed_optional, required, time_optional, word,
};
use crate::pb::storage_catalog as pb;
use crate::pb::task_runner as runner_pb;
use crate::pb::types as types_pb;

impl From<BackupState> for pb::BackupState {
    fn from(state: BackupState) -> Self {
        match state {
            BackupState::Complete => Self::Complete,
            BackupState::Running => Self::Running,
            BackupState::Failed => Self::Failed,
            BackupState::Unreadable => Self::Unreadable,
            BackupState::Deleting => Self::Deleting,
        }
    }
}

impl TryFrom<pb::BackupState> for BackupState {
    type Error = ConversionError;

    fn try_from(state: pb::BackupState) -> Result<Self, ConversionError> {
        match state {
            pb::BackupState::Complete => Ok(Self::Complete),
            pb::BackupState::Running => Ok(Self::Running),
            pb::BackupState::Failed => Ok(Self::Failed),
            pb::BackupState::Unreadable => Ok(Self::Unreadable),
            pb::BackupState::Deleting => Ok(Self::Deleting),
            pb::BackupState::Unspecified => Err(ConversionError::missing("summary.state")),
        }
    }
}

impl From<BackupSummary> for pb::BackupSummary {
    fn from(summary: BackupSummary) -> Self {
        let kind = summary.kind.map(types_pb::BackupKind::from);
        let state = summary.state.map(pb::BackupState::from);
        Self {
            backup: Some(summary.backup.into()),
            kind: kind.unwrap_or_default() as i32,
            base: summary.base.map(String::from).unwrap_or_default(),
            state: state.unwrap_or_default() as i32,
            started_at: time_optional(summary.started_at),
            finished_at: time_optional(summary.finished_at),
            release: summary.release.map(Into::into),
            nodes: summary.nodes,
            bytes: summary.bytes,
            uploaded_bytes: summary.uploaded_bytes,
            copied_bytes: summary.copied_bytes,
            copied_from: summary.copied_from.into_iter().map(String::from).collect(),
            sstables: summary.sstables,
            damaged_sstables: summary.damaged_sstables,
            ring_nodes: summary.ring_nodes,
            detail: summary.detail,
            damage_found: summary.damage_found,
            pins: all_into(summary.pins),
            covers: summary.covers.map(Into::into),
            damage_found_at: time_optional(summary.damage_found_at),
            read_clean_at: time_optional(summary.read_clean_at),
            sstables_clean_at: time_optional(summary.sstables_clean_at),
            damage_level: summary
                .damage_level
                .map(pb::VerifyLevel::from)
                .unwrap_or_default() as i32,
            task_id: summary.task.map(|id| id.to_string()).unwrap_or_default(),
        }
    }
}

impl From<Covers> for pb::Covers {
    fn from(covers: Covers) -> Self {
        Self {
            selection: Some(covers.selection().into()),
            missing: covers.missing().iter().map(ToString::to_string).collect(),
        }
    }
}

impl TryFrom<pb::Covers> for Covers {
    type Error = ConversionError;

    fn try_from(covers: pb::Covers) -> Result<Self, ConversionError> {
        // A selection that was left out must not be taken for everything.
        let selection = required("covers.selection", covers.selection)?.try_into()?;
        let missing = covers.missing.iter();
        let missing = missing.map(|host| parsed::<HostId>("covers.missing", host));
        Ok(Self::new(&selection, missing.collect::<Result<_, _>>()?))
    }
}

impl From<Garbage> for pb::Garbage {
    fn from(garbage: Garbage) -> Self {
        let kind = garbage.kind.map(|kind| match kind {
            GarbageKind::Strays => pb::GarbageKind::Strays,
            GarbageKind::GivenUp => pb::GarbageKind::GivenUp,
            GarbageKind::HalfDeleted => pb::GarbageKind::HalfDeleted,
        });
        Self {
            backup: Some(garbage.backup.into()),
            kind: kind.unwrap_or_default() as i32,
            objects: garbage.objects,
            bytes: garbage.bytes,
        }
    }
}

impl TryFrom<pb::Garbage> for Garbage {
    type Error = ConversionError;

    fn try_from(garbage: pb::Garbage) -> Result<Self, ConversionError> {
        let kind = match garbage.kind() {
            pb::GarbageKind::Unspecified => None,
            pb::GarbageKind::Strays => Some(GarbageKind::Strays),
            pb::GarbageKind::GivenUp => Some(GarbageKind::GivenUp),
            pb::GarbageKind::HalfDeleted => Some(GarbageKind::HalfDeleted),
        };
        Ok(Self {
            backup: required("garbage.backup", garbage.backup)?.try_into()?,
            kind,
            objects: garbage.objects,
            bytes: garbage.bytes,
        })
    }
}

fn stale_pin((backup, task): (BackupRef, TaskId)) -> runner_pb::StalePin {
    runner_pb::StalePin {
        backup: Some(backup.into()),
        task_id: task.to_string(),
    }
}

fn stale(pin: runner_pb::StalePin) -> Result<(BackupRef, TaskId), ConversionError> {
    let backup = required("pin.backup", pin.backup)?.try_into()?;
    Ok((backup, parsed("pin.task_id", &pin.task_id)?))
}

impl From<CollectionPlan> for runner_pb::PlanCollectionResponse {
    fn from(plan: CollectionPlan) -> Self {
        Self {
            garbage: all_into(plan.garbage),
            stale_pins: plan.stale_pins.into_iter().map(stale_pin).collect(),
            unknown_pins: plan.unknown_pins.into_iter().map(stale_pin).collect(),
        }
    }
}

impl TryFrom<runner_pb::PlanCollectionResponse> for CollectionPlan {
    type Error = ConversionError;

    fn try_from(plan: runner_pb::PlanCollectionResponse) -> Result<Self, ConversionError> {
        Ok(Self {
            garbage: all(plan.garbage)?,
            stale_pins: plan
                .stale_pins
                .into_iter()
                .map(stale)
                .collect::<Result<_, _>>()?,
            unknown_pins: plan
                .unknown_pins
                .into_iter()
                .map(stale)
                .collect::<Result<_, _>>()?,
        })
    }
}

impl From<BackupPin> for pb::Pin {
    fn from(pin: BackupPin) -> Self {
        Self {
            id: pin.id.to_string(),
            by_people: pin.reason.is_some(),
            reason: pin.reason.unwrap_or_default(),
            until: pin.until.map(|until| until.to_string()).unwrap_or_default(),
            set_at: time_optional(pin.set_at),
        }
    }
}

impl TryFrom<pb::Pin> for BackupPin {
    type Error = ConversionError;

    fn try_from(pin: pb::Pin) -> Result<Self, ConversionError> {
        Ok(Self {
            id: parsed("pin.id", &pin.id)?,
            reason: pin.by_people.then_some(pin.reason),
            until: parsed_optional("pin.until", &pin.until)?,
            set_at: parsed_optional("pin.set_at", &pin.set_at)?,
        })
    }
}

impl TryFrom<pb::BackupSummary> for BackupSummary {
    type Error = ConversionError;

    fn try_from(summary: pb::BackupSummary) -> Result<Self, ConversionError> {
        let state = word::<pb::BackupState, _>(summary.state)?;
        // Unspecified too: of a backup that is not complete the kind may not be known.
        let kind = summary.kind().try_into().ok();
        // Also one that a newer catalog has: it may be deeper than all that are known.
        let damage_level = summary.damage_level().try_into().ok();
        // Of a product of a newer release, or a version that is none, nothing is known.
        let release = summary.release.and_then(|release| release.try_into().ok());
        Ok(Self {
            backup: required("summary.backup", summary.backup)?.try_into()?,
            kind,
            base: parsed_optional("summary.base", &summary.base)?,
            state,
            started_at: parsed_optional("summary.started_at", &summary.started_at)?,
            finished_at: parsed_optional("summary.finished_at", &summary.finished_at)?,
            release,
            nodes: summary.nodes,
            ring_nodes: summary.ring_nodes,
            bytes: summary.bytes,
            uploaded_bytes: summary.uploaded_bytes,
            copied_bytes: summary.copied_bytes,
            copied_from: names_copied_from(&summary.copied_from)?,
            sstables: summary.sstables,
            damaged_sstables: summary.damaged_sstables,
            damage_found: summary.damage_found,
            damage_found_at: parsed_optional("summary.damage_found_at", &summary.damage_found_at)?,
            read_clean_at: parsed_optional("summary.read_clean_at", &summary.read_clean_at)?,
            sstables_clean_at: parsed_optional(
                "summary.sstables_clean_at",
                &summary.sstables_clean_at,
            )?,
            damage_level,
            task: parsed_optional("summary.task_id", &summary.task_id)?,
            covers: summary.covers.map(Covers::try_from).transpose()?,
            pins: all(summary.pins)?,
            detail: summary.detail,
        })
    }
}

impl TryFrom<pb::Backup> for ShownBackup {
    type Error = ConversionError;

    fn try_from(backup: pb::Backup) -> Result<Self, ConversionError> {
        let coverage = backup.coverage.unwrap_or_default();
        Ok(Self {
            summary: required("backup.summary", backup.summary)?.try_into()?,
            cluster_name: backup.cluster_name,
            partitioner: backup.partitioner,
            nodes: all(backup.nodes)?,
            tables: all(backup.tables)?,
            snapshot_spread_ms: backup.snapshot_spread_ms,
            coverage: Coverage {
                ring_nodes: coverage.ring_nodes,
                backed_up_nodes: coverage.backed_up_nodes,
                complete: coverage.complete,
            },
            missing: all(backup.missing)?,
            held: all_into(backup.held),
        })
    }
}

impl TryFrom<pb::BackupNode> for ShownBackupNode {
    type Error = ConversionError;

    fn try_from(node: pb::BackupNode) -> Result<Self, ConversionError> {
        Ok(Self {
            member: required("node.member", node.member)?.try_into()?,
            bytes: node.bytes,
            uploaded_bytes: node.uploaded_bytes,
            copied_bytes: node.copied_bytes,
            sstables: node.sstables,
            snapshot_taken_at: parsed_optional("node.snapshot_taken_at", &node.snapshot_taken_at)?,
            manifest: node.manifest,
            damaged_sstables: node.damaged_sstables,
            damaged: all(node.damaged)?,
        })
    }
}

impl From<StoreStatus> for pb::GetStoreStatusResponse {
    fn from(status: StoreStatus) -> Self {
        Self {
            store: status.store,
            reachable: status.reachable,
            detail: status.detail,
        }
    }
}

impl From<pb::GetStoreStatusResponse> for StoreStatus {
    fn from(status: pb::GetStoreStatusResponse) -> Self {
        Self {
            store: status.store,
            reachable: status.reachable,
            detail: status.detail,
        }
    }
}

#[cfg(test)]
mod tests {
    use cassandra_versions::{Product, Release};
    use model::manifest::BackupKind;

    use super::*;

    fn failed() -> BackupSummary {
        BackupSummary {
            backup: BackupRef {
                cluster: "c".parse().expect("a name"),
                name: "b".parse().expect("a name"),
            },
            kind: None,
            base: None,
            state: Some(BackupState::Failed),
            started_at: None,
            finished_at: None,
            release: None,
            nodes: 0,
            bytes: 0,
            uploaded_bytes: 0,
            copied_bytes: 0,
            copied_from: Default::default(),
            sstables: 0,
            damaged_sstables: 0,
            damage_found: 0,
            damage_found_at: None,
            damage_level: None,
            read_clean_at: None,
            sstables_clean_at: None,
            task: None,
            covers: None,
            pins: Vec::new(),
            detail: "a node went away".into(),
            ring_nodes: 0,
        }
    }

    #[test]
    fn a_summary_survives_the_wire_with_much_and_with_little_known() {
        let at = Some("2026-01-02T03:04:05.678Z".parse().expect("a time"));
        let complete = BackupSummary {
            kind: Some(BackupKind::Differential),
            base: Some("a".parse().expect("a name")),
            state: Some(BackupState::Complete),
            started_at: at,
            finished_at: at,
            release: Some(Release::new(Product::Cassandra, "5.0.5").expect("a release")),
            nodes: 3,
            bytes: 9,
            copied_from: ["0", "a"].map(|name| name.parse().expect("a name")).into(),
            damage_found: 2,
            damage_found_at: at,
            damage_level: Some(model::VerifyLevel::Sstables),
            read_clean_at: at,
            sstables_clean_at: at,
            task: Some(
                "0192f000-0000-7000-8000-000000000003"
                    .parse()
                    .expect("an id"),
            ),
            covers: Some(Covers::new(
                &model::Selection {
                    keyspaces: vec!["ks".into()],
                    tables: vec![model::TableRef::new("other", "t")],
                },
                vec![HostId(uuid::Uuid::from_u128(7))],
            )),
            pins: vec![
                BackupPin {
                    id: "0192f000-0000-7000-8000-000000000001"
                        .parse()
                        .expect("an id"),
                    reason: Some("audit".into()),
                    until: at,
                    set_at: at,
                },
                BackupPin {
                    id: "0192f000-0000-7000-8000-000000000002"
                        .parse()
                        .expect("an id"),
                    reason: None,
                    until: None,
                    set_at: None,
                },
            ],
            ..failed()
        };
        for summary in [failed(), complete] {
            let wire = pb::BackupSummary::from(summary.clone());
            assert_eq!(BackupSummary::try_from(wire), Ok(summary));
        }
    }

    #[test]
    fn a_summary_without_a_state_is_refused() {
        let wire = pb::BackupSummary {
            state: 0,
            ..pb::BackupSummary::from(failed())
        };
        let error = BackupSummary::try_from(wire).expect_err("no state");
        assert_eq!(error.field, "summary.state");
    }

    #[test]
    fn words_of_a_newer_catalog_are_none() {
        const NEWER: i32 = 99;
        let wire = pb::BackupSummary {
            state: NEWER,
            kind: NEWER,
            release: Some(types_pb::Release {
                product: NEWER,
                version: "9.0".into(),
            }),
            ..pb::BackupSummary::from(failed())
        };
        let summary = BackupSummary::try_from(wire).expect("a summary");
        assert_eq!((summary.state, summary.kind), (None, None));
        assert_eq!(summary.release, None);
    }
}
