//! SSTables on a local disk.

use cassandra_formats::verify::Report;
use cassandra_formats::{Damage, Error, Facts};
use serde::Serialize;
use sstable_files::{Place, SstableFiles};

/// One SSTable; null where a format does not record it, or where damage hides it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SstableView {
    /// The folder and the part of the name that all components share.
    pub path: String,
    /// From its folder.
    pub keyspace: Option<String>,
    /// From its folder; followed by a dot and the secondary index, if it is the hidden table of one.
    pub table: Option<String>,
    /// For example `big`.
    pub format: String,
    /// For example `nb`.
    pub version: String,
    /// A number or a time-based id.
    pub id: String,
    /// For example `Data.db`.
    pub components: Vec<String>,
    /// The simple class name.
    pub compressor: Option<String>,
    /// The simple class name.
    pub partitioner: Option<String>,
    /// Of the first partition.
    pub first_token: Option<String>,
    /// Of the last partition.
    pub last_token: Option<String>,
    /// Microseconds since 1970.
    pub min_timestamp: Option<i64>,
    /// Microseconds since 1970.
    pub max_timestamp: Option<i64>,
    /// Data.db as it is stored.
    pub data_bytes: Option<u64>,
    /// Data.db uncompressed.
    pub uncompressed_bytes: Option<u64>,
    /// CRC32 of Data.db.
    pub digest: Option<u32>,
    /// Hexadecimal.
    pub first_key: Option<String>,
    /// Hexadecimal.
    pub last_key: Option<String>,
    /// As it estimates them.
    pub rows: Option<i64>,
    /// Of leveled compaction.
    pub level: Option<i32>,
    /// Milliseconds since 1970.
    pub repaired_at: Option<i64>,
    /// The host id of the node that wrote it.
    pub originating_host_id: Option<String>,
    /// What a verification found.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub verification: Option<VerificationView>,
    /// Why it could not be looked at, or not to the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Whether it is damaged, rather than not read.
    #[serde(skip)]
    pub damaged: bool,
}

/// What a verification found.
#[derive(Debug, Clone, Serialize)]
pub struct VerificationView {
    /// Nothing is damaged.
    pub ok: bool,
    /// Each place that is damaged.
    pub damage: Vec<DamageView>,
    /// What is odd and yet no damage, or could not be checked.
    pub warnings: Vec<String>,
}

/// A place that is damaged.
#[derive(Debug, Clone, Serialize)]
pub struct DamageView {
    /// For example `Data.db`.
    pub component: String,
    /// In the component as it is stored, in bytes.
    pub offset: Option<u64>,
    /// What was expected and what was found.
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

    /// What its small components tell.
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

    /// What a verification found.
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

    /// One that could not be read to the end; `chain` is the error with its causes.
    pub fn failed(sstable: &SstableFiles, error: &Error, chain: String) -> Self {
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
            error: Some(chain),
            ..Self::named(sstable)
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
