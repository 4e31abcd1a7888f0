//! Verification and progress between wire and model.

use model::task::Progress;
use model::{Damage, NotChecked, TableTarget, VerifyLevel, VerifyReport};

use super::{ConversionError, all_into, parsed, required};
use crate::pb::node_agent::TableTarget as WireTarget;
use crate::pb::storage_catalog as pb;
use crate::pb::types as types_pb;

impl From<VerifyLevel> for pb::VerifyLevel {
    fn from(level: VerifyLevel) -> Self {
        match level {
            VerifyLevel::Manifest => Self::Manifest,
            VerifyLevel::Objects => Self::Objects,
            VerifyLevel::Sstables => Self::Sstables,
        }
    }
}

impl TryFrom<pb::VerifyLevel> for VerifyLevel {
    type Error = ConversionError;

    fn try_from(level: pb::VerifyLevel) -> Result<Self, ConversionError> {
        match level {
            pb::VerifyLevel::Manifest => Ok(Self::Manifest),
            pb::VerifyLevel::Objects => Ok(Self::Objects),
            pb::VerifyLevel::Sstables => Ok(Self::Sstables),
            pb::VerifyLevel::Unspecified => Err(ConversionError::missing("level")),
        }
    }
}

impl From<VerifyReport> for pb::VerifyReport {
    fn from(report: VerifyReport) -> Self {
        Self {
            backup: Some(report.backup.into()),
            level: pb::VerifyLevel::from(report.level) as i32,
            ok: report.ok,
            objects_checked: report.objects_checked,
            bytes_checked: report.bytes_checked,
            sstables_checked: report.sstables_checked,
            damage: all_into(report.damage),
            not_checked: all_into(report.not_checked),
        }
    }
}

impl TryFrom<pb::VerifyReport> for VerifyReport {
    type Error = ConversionError;

    fn try_from(report: pb::VerifyReport) -> Result<Self, ConversionError> {
        let level = report.level().try_into()?;
        Ok(Self {
            backup: required("report.backup", report.backup)?.try_into()?,
            level,
            ok: report.ok,
            objects_checked: report.objects_checked,
            bytes_checked: report.bytes_checked,
            sstables_checked: report.sstables_checked,
            damage: all_into(report.damage),
            not_checked: all_into(report.not_checked),
        })
    }
}

impl From<NotChecked> for pb::NotChecked {
    fn from(part: NotChecked) -> Self {
        Self {
            reason: part.reason,
            sstables: part.sstables,
        }
    }
}

impl From<pb::NotChecked> for NotChecked {
    fn from(part: pb::NotChecked) -> Self {
        Self {
            reason: part.reason,
            sstables: part.sstables,
        }
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

impl From<pb::Damage> for Damage {
    fn from(damage: pb::Damage) -> Self {
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

impl From<Progress> for types_pb::Progress {
    fn from(progress: Progress) -> Self {
        Self {
            bytes_done: progress.bytes_done,
            bytes_total: progress.bytes_total,
            items_done: progress.items_done,
            items_total: progress.items_total,
            note: progress.note,
        }
    }
}

impl From<types_pb::Progress> for Progress {
    fn from(progress: types_pb::Progress) -> Self {
        Self {
            bytes_done: progress.bytes_done,
            bytes_total: progress.bytes_total,
            items_done: progress.items_done,
            items_total: progress.items_total,
            note: progress.note,
        }
    }
}

impl From<TableTarget> for WireTarget {
    fn from(target: TableTarget) -> Self {
        Self {
            table: Some(target.table.into()),
            source: target.source.map(Into::into),
            source_id: target.source_id.to_string(),
            target_id: target.target_id.to_string(),
        }
    }
}

impl TryFrom<WireTarget> for TableTarget {
    type Error = ConversionError;

    fn try_from(target: WireTarget) -> Result<Self, ConversionError> {
        Ok(Self {
            table: required("table.table", target.table)?.try_into()?,
            source: target.source.map(TryInto::try_into).transpose()?,
            source_id: parsed("table.source_id", &target.source_id)?,
            target_id: parsed("table.target_id", &target.target_id)?,
        })
    }
}
