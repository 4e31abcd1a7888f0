//! Verification and progress between wire and model.

use model::task::Progress;
use model::{
    Damage, NotChecked, Sample, SampleParts, SampleProgress, SampleRead, TableTarget, VerifyLevel,
    VerifyReport,
};

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
            sample: report.sample.map(Into::into),
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
            sample: report.sample.map(TryInto::try_into).transpose()?,
        })
    }
}

/// The number of parts in a request; none: all is read.
pub fn sample_parts(
    parts: u32,
    level: VerifyLevel,
) -> Result<Option<SampleParts>, ConversionError> {
    if parts == 0 {
        return Ok(None);
    }
    if level == VerifyLevel::Manifest {
        let why = "the level manifest reads no SSTables, so there are no parts to choose from";
        return Err(ConversionError::invalid("sample_parts", why));
    }
    let parts = SampleParts::new(parts);
    let parts = parts.map_err(|error| ConversionError::invalid("sample_parts", error))?;
    Ok(Some(parts))
}

impl From<Sample> for pb::Sample {
    fn from(sample: Sample) -> Self {
        Self {
            part: sample.part,
            parts: sample.of.get(),
            parts_read: None,
            parts_clean: None,
        }
    }
}

impl TryFrom<pb::Sample> for Sample {
    type Error = ConversionError;

    fn try_from(sample: pb::Sample) -> Result<Self, ConversionError> {
        let of = SampleParts::new(sample.parts);
        let of = of.map_err(|error| ConversionError::invalid("sample.parts", error))?;
        Self::new(sample.part, of).map_err(|error| ConversionError::invalid("sample.part", error))
    }
}

impl From<SampleRead> for pb::Sample {
    fn from(read: SampleRead) -> Self {
        Self {
            parts_read: read.progress.map(|progress| progress.parts_read),
            parts_clean: read.progress.map(|progress| progress.parts_clean),
            ..read.sample.into()
        }
    }
}

impl TryFrom<pb::Sample> for SampleRead {
    type Error = ConversionError;

    fn try_from(sample: pb::Sample) -> Result<Self, ConversionError> {
        Ok(Self {
            progress: sample
                .parts_read
                .zip(sample.parts_clean)
                .map(|(read, clean)| SampleProgress {
                    parts_read: read,
                    parts_clean: clean,
                }),
            sample: sample.try_into()?,
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
