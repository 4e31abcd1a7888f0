//! What verifying a backup found.

use model::task::ShownReport;
use model::{Damage, NotChecked, SampleRead, VerifyLevel};
use serde::Serialize;

use crate::{UNKNOWN, some};

/// What a verification found.
#[derive(Debug, Clone, Serialize)]
pub struct VerifyView {
    /// The backup's name.
    pub backup: String,
    /// The cluster that the backup is of.
    pub cluster: String,
    /// `manifest`, `objects`, `sstables` or `unknown`.
    pub level: &'static str,
    /// Nothing is damaged or missing.
    pub ok: bool,
    /// How much was checked.
    pub checked: CheckedView,
    /// Each place that is damaged or missing.
    pub damage: Vec<DamageView>,
    /// What the level asks for and was not checked: neither damage nor proof that there is none.
    pub not_checked: Vec<NotCheckedView>,
    /// The part that was read; null: all of it.
    pub sample: Option<SampleView>,
}

/// A part of a backup.
#[derive(Debug, Clone, Serialize)]
pub struct SampleView {
    /// From 1.
    pub part: u32,
    /// How many there are.
    pub parts: u32,
    /// How many of them were read so far; null if the result could not be kept.
    pub parts_read: Option<u32>,
    /// How many of those were clean when they were last read; null likewise.
    pub parts_clean: Option<u32>,
}

/// SSTables of which a part was not checked.
#[derive(Debug, Clone, Serialize)]
pub struct NotCheckedView {
    /// What was not checked and why.
    pub reason: String,
    /// On all nodes together.
    pub sstables: u64,
}

/// How much was checked.
#[derive(Debug, Clone, Serialize)]
pub struct CheckedView {
    /// Manifests and data objects.
    pub objects: u64,
    /// Of data objects, as they were read.
    pub bytes: u64,
    /// Checked by their own checksums and structure.
    pub sstables: u64,
}

/// A place that is wrong; null if the damage is not that deep, as of a missing manifest.
#[derive(Debug, Clone, Serialize)]
pub struct DamageView {
    /// Host id of the source node.
    pub node: Option<String>,
    /// As Cassandra stores the name.
    pub keyspace: Option<String>,
    /// As Cassandra stores the name.
    pub table: Option<String>,
    /// What the names of its components share, for example `nb-12-big`.
    pub sstable: Option<String>,
    /// For example `Data.db`.
    pub component: Option<String>,
    /// Object key.
    pub object: Option<String>,
    /// In the component, in bytes.
    pub offset: Option<u64>,
    /// What was expected and what was found.
    pub what: String,
}

impl From<&ShownReport> for VerifyView {
    fn from(report: &ShownReport) -> Self {
        Self {
            backup: report.backup.name.to_string(),
            cluster: report.backup.cluster.to_string(),
            level: report.level.map_or(UNKNOWN, VerifyLevel::as_str),
            ok: report.ok,
            checked: CheckedView {
                objects: report.objects_checked,
                bytes: report.bytes_checked,
                sstables: report.sstables_checked,
            },
            damage: report.damage.iter().map(DamageView::from).collect(),
            not_checked: report
                .not_checked
                .iter()
                .map(NotCheckedView::from)
                .collect(),
            sample: report.sample.as_ref().map(SampleView::from),
        }
    }
}

impl From<&SampleRead> for SampleView {
    fn from(read: &SampleRead) -> Self {
        Self {
            part: read.sample.part,
            parts: read.sample.of.get(),
            parts_read: read.progress.map(|progress| progress.parts_read),
            parts_clean: read.progress.map(|progress| progress.parts_clean),
        }
    }
}

impl From<&NotChecked> for NotCheckedView {
    fn from(part: &NotChecked) -> Self {
        Self {
            reason: part.reason.clone(),
            sstables: part.sstables,
        }
    }
}

impl From<&Damage> for DamageView {
    fn from(damage: &Damage) -> Self {
        Self {
            node: some(&damage.node),
            keyspace: some(&damage.keyspace),
            table: some(&damage.table),
            sstable: some(&damage.sstable),
            component: some(&damage.component),
            object: some(&damage.object),
            offset: damage.offset,
            what: damage.what.clone(),
        }
    }
}
