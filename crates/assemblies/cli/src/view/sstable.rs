//! SSTables as `ringkeep sstable` shows them.

use cassandra_formats::verify::Report;
use cassandra_formats::{Damage, Error, Facts};
use serde::Serialize;
use sstable_files::{Place, SstableFiles};

use crate::failure::Failure;
use crate::human;
use crate::screen::{Colour, Paint};

/// One SSTable; null where a format does not record it, or where damage hides it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SstableView {
    /// The folder and the part of the name that all components share.
    pub path: String,
    pub keyspace: Option<String>,
    pub table: Option<String>,
    pub format: String,
    pub version: String,
    pub id: String,
    pub components: Vec<String>,
    pub compressor: Option<String>,
    pub partitioner: Option<String>,
    pub first_token: Option<String>,
    pub last_token: Option<String>,
    /// Microseconds since 1970.
    pub min_timestamp: Option<i64>,
    pub max_timestamp: Option<i64>,
    pub data_bytes: Option<u64>,
    pub uncompressed_bytes: Option<u64>,
    /// CRC32 of Data.db.
    pub digest: Option<u32>,
    /// Hexadecimal.
    pub first_key: Option<String>,
    pub last_key: Option<String>,
    pub rows: Option<i64>,
    pub level: Option<i32>,
    /// Milliseconds since 1970.
    pub repaired_at: Option<i64>,
    pub originating_host_id: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub verification: Option<VerificationView>,
    /// Why it could not be looked at, or not to the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(skip)]
    damaged: bool,
}

#[derive(Debug, Clone, Serialize)]
pub struct VerificationView {
    pub ok: bool,
    pub damage: Vec<DamageView>,
    /// What is odd and yet no damage, or could not be checked.
    pub warnings: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct DamageView {
    pub component: String,
    /// In the component as it is stored, in bytes.
    pub offset: Option<u64>,
    pub what: String,
}

impl From<&Damage> for DamageView {
    fn from(damage: &Damage) -> Self {
        Self {
            component: damage.component.to_string(),
            offset: damage.offset,
            what: damage.what.clone(),
        }
    }
}

impl SstableView {
    /// What is known without reading any component.
    fn named(sstable: &SstableFiles) -> Self {
        let descriptor = sstable.descriptor();
        let place = Place::of(sstable.folder());
        let path = sstable.folder().join(descriptor.to_string());
        Self {
            path: path.display().to_string(),
            keyspace: place.as_ref().map(|place| place.keyspace.clone()),
            table: place.map(|place| match place.index {
                Some(index) => format!("{}.{index}", place.table),
                None => place.table,
            }),
            format: descriptor.format.format.clone(),
            version: descriptor.format.version.clone(),
            id: descriptor.id.clone(),
            components: sstable.components().keys().cloned().collect(),
            data_bytes: sstable.components().get("Data.db").copied(),
            ..Self::default()
        }
    }

    pub fn of(sstable: &SstableFiles, facts: &Facts) -> Self {
        Self {
            compressor: facts.compressor.clone(),
            partitioner: facts.partitioner.clone(),
            first_token: facts.first_token.clone(),
            last_token: facts.last_token.clone(),
            min_timestamp: facts.min_timestamp,
            max_timestamp: facts.max_timestamp,
            uncompressed_bytes: facts.uncompressed_bytes,
            digest: facts.digest,
            first_key: facts.first_key.as_deref().map(hex),
            last_key: facts.last_key.as_deref().map(hex),
            rows: facts.rows,
            level: facts.level,
            repaired_at: facts.repaired_at,
            originating_host_id: facts.originating_host_id.clone(),
            ..Self::named(sstable)
        }
    }

    pub fn verified(sstable: &SstableFiles, report: &Report) -> Self {
        let ok = report.damage.is_empty();
        Self {
            verification: Some(VerificationView {
                ok,
                damage: report.damage.iter().map(DamageView::from).collect(),
                warnings: report.warnings.clone(),
            }),
            damaged: !ok,
            ..Self::of(sstable, &report.facts)
        }
    }

    pub fn failed(sstable: &SstableFiles, error: &Error) -> Self {
        let damage = match error {
            Error::Damaged(damage) => vec![DamageView::from(damage)],
            _ => Vec::new(),
        };
        Self {
            damaged: !damage.is_empty(),
            verification: Some(VerificationView {
                ok: false,
                damage,
                warnings: Vec::new(),
            }),
            error: Some(api::error::chain(error)),
            ..Self::named(sstable)
        }
    }
}

/// Success, or that something is damaged, or could not be looked at.
pub fn verdict(views: &[SstableView]) -> Result<(), Failure> {
    let damaged = views.iter().filter(|view| view.damaged).count();
    if damaged > 0 {
        return Err(Failure::DamagedSstables {
            damaged,
            of: views.len(),
        });
    }
    let failed = views.iter().filter(|view| view.error.is_some()).count();
    if failed > 0 {
        return Err(Failure::UnreadSstables {
            failed,
            of: views.len(),
        });
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A line of "name: value" where there is a value.
fn line(text: &mut String, name: &str, value: Option<String>) {
    if let Some(value) = value {
        text.push_str(&format!("  {name:<14} {value}\n"));
    }
}

#[allow(clippy::ptr_arg)] // The screen's `result` gives what it was given.
pub fn inspect_text(views: &Vec<SstableView>, paint: &Paint) -> String {
    let shown: Vec<String> = views.iter().map(|view| facts_text(view, paint)).collect();
    shown.join("\n")
}

fn facts_text(view: &SstableView, paint: &Paint) -> String {
    let mut text = format!("{}  {}-{}\n", view.path, view.format, view.version);
    let table = view.keyspace.as_ref().zip(view.table.as_ref());
    line(
        &mut text,
        "table",
        table.map(|(keyspace, table)| format!("{keyspace}.{table}")),
    );
    line(&mut text, "data", data_text(view));
    line(&mut text, "partitioner", view.partitioner.clone());
    line(
        &mut text,
        "tokens",
        range(&view.first_token, &view.last_token),
    );
    line(&mut text, "keys", range(&view.first_key, &view.last_key));
    line(
        &mut text,
        "timestamps",
        range(
            &view.min_timestamp.map(|at| at.to_string()),
            &view.max_timestamp.map(|at| at.to_string()),
        ),
    );
    line(&mut text, "rows", view.rows.map(|rows| rows.to_string()));
    line(
        &mut text,
        "level",
        view.level.map(|level| level.to_string()),
    );
    let repaired = view.repaired_at.map(|at| match at {
        0 => "no".to_owned(),
        at => format!("at {at} ms"),
    });
    line(&mut text, "repaired", repaired);
    line(&mut text, "written by", view.originating_host_id.clone());
    line(
        &mut text,
        "digest",
        view.digest.map(|digest| digest.to_string()),
    );
    line(&mut text, "components", Some(view.components.join(" ")));
    if let Some(error) = &view.error {
        line(
            &mut text,
            &paint.word(Colour::Red, "error"),
            Some(error.clone()),
        );
    }
    text
}

fn data_text(view: &SstableView) -> Option<String> {
    let stored = human::bytes(view.data_bytes?);
    Some(match (&view.compressor, view.uncompressed_bytes) {
        (Some(compressor), Some(bytes)) => {
            format!(
                "{stored}, {} uncompressed, {compressor}",
                human::bytes(bytes)
            )
        }
        (None, Some(_)) => format!("{stored}, not compressed"),
        _ => stored,
    })
}

fn range(first: &Option<String>, last: &Option<String>) -> Option<String> {
    match (first, last) {
        (Some(first), Some(last)) => Some(format!("{first} to {last}")),
        _ => None,
    }
}

#[allow(clippy::ptr_arg)] // The screen's `result` gives what it was given.
pub fn verify_text(views: &Vec<SstableView>, paint: &Paint) -> String {
    let mut text = String::new();
    for view in views {
        let Some(verification) = &view.verification else {
            continue;
        };
        let verdict = match (verification.ok, view.damaged) {
            (true, _) => paint.word(Colour::Green, "ok"),
            (false, true) => paint.word(Colour::Red, "DAMAGED"),
            (false, false) => paint.word(Colour::Yellow, "NOT VERIFIED"),
        };
        text.push_str(&format!("{verdict}  {}\n", view.path));
        for damage in &verification.damage {
            let place = match damage.offset {
                Some(offset) => format!("{} at byte {offset}", damage.component),
                None => damage.component.clone(),
            };
            text.push_str(&format!("    {place}: {}\n", damage.what));
        }
        for warning in &verification.warnings {
            text.push_str(&format!("    note: {warning}\n"));
        }
        if let (Some(error), true) = (&view.error, verification.damage.is_empty()) {
            text.push_str(&format!("    {error}\n"));
        }
    }
    let bytes: u64 = views.iter().filter_map(|view| view.data_bytes).sum();
    let damaged = views.iter().filter(|view| view.damaged).count();
    text.push_str(&format!(
        "{}, {} of data, {} damaged\n",
        human::count(views.len() as u64, "SSTable"),
        human::bytes(bytes),
        damaged
    ));
    text
}
