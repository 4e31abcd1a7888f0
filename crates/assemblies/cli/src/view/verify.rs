//! What verifying a backup found.

use api::pb::storage_catalog as pb;
use serde::Serialize;

use super::some;
use crate::human;
use crate::screen::{Colour, Paint};

#[derive(Debug, Clone, Serialize)]
pub struct VerifyView {
    pub backup: String,
    pub cluster: String,
    pub level: &'static str,
    pub ok: bool,
    pub checked: CheckedView,
    pub damage: Vec<DamageView>,
}

#[derive(Debug, Clone, Serialize)]
pub struct CheckedView {
    pub objects: u64,
    pub bytes: u64,
    pub sstables: u64,
}

/// Where something is wrong; null where the damage is not that deep, as in a missing manifest.
#[derive(Debug, Clone, Serialize)]
pub struct DamageView {
    /// Host id of the source node.
    pub node: Option<String>,
    pub keyspace: Option<String>,
    pub table: Option<String>,
    pub sstable: Option<String>,
    pub component: Option<String>,
    pub object: Option<String>,
    /// In the component, in bytes.
    pub offset: Option<u64>,
    pub what: String,
}

pub fn level(level: pb::VerifyLevel) -> &'static str {
    match level {
        pb::VerifyLevel::Manifest => "manifest",
        pb::VerifyLevel::Objects => "objects",
        pb::VerifyLevel::Sstables => "sstables",
        pb::VerifyLevel::Unspecified => "unknown",
    }
}

impl From<&pb::VerifyReport> for VerifyView {
    fn from(report: &pb::VerifyReport) -> Self {
        let backup = report.backup.clone().unwrap_or_default();
        Self {
            backup: backup.name,
            cluster: backup.cluster,
            level: level(report.level()),
            ok: report.ok,
            checked: CheckedView {
                objects: report.objects_checked,
                bytes: report.bytes_checked,
                sstables: report.sstables_checked,
            },
            damage: report.damage.iter().map(DamageView::from).collect(),
        }
    }
}

impl From<&pb::Damage> for DamageView {
    fn from(damage: &pb::Damage) -> Self {
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

pub fn text(report: &VerifyView, paint: &Paint) -> String {
    let verdict = match report.ok {
        true => paint.word(Colour::Green, "good"),
        false => paint.word(Colour::Red, "DAMAGED"),
    };
    let checked = &report.checked;
    let sstables = match checked.sstables {
        0 => String::new(),
        sstables => format!(" and {}", human::count(sstables, "SSTable")),
    };
    let mut text = format!(
        "backup {}/{} is {verdict}: {}{sstables} checked at level {}, {} of data\n",
        report.cluster,
        report.backup,
        human::count(checked.objects, "object"),
        report.level,
        human::bytes(checked.bytes),
    );
    for damage in &report.damage {
        let place = [
            damage.node.clone(),
            damage
                .keyspace
                .as_ref()
                .map(|keyspace| format!("{keyspace}.{}", damage.table.as_deref().unwrap_or("?"))),
            damage.sstable.clone(),
            damage.component.clone(),
        ];
        let place: Vec<String> = place.into_iter().flatten().collect();
        text.push_str(&format!("\n{}\n", place.join(" ")));
        if let Some(object) = &damage.object {
            text.push_str(&format!("    object {object}\n"));
        }
        text.push_str(&match damage.offset {
            Some(offset) => format!("    at byte {offset}: {}\n", damage.what),
            None => format!("    {}\n", damage.what),
        });
    }
    text
}
