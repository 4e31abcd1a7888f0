//! Wire types to model types and back.
//!
//! To the wire nothing can fail. From the wire everything is checked: a missing or malformed field becomes one
//! [`ConversionError`] that names it, and so an InvalidArgument at the edge of a service.

mod backup;
mod bucket;
mod cluster;
mod finding;
mod held;
mod leftovers;
mod maintenance;
pub mod node;
pub mod plan;
mod recognition;
mod retention;
mod schedule;
mod schema;
mod setup;
mod sstables;
pub mod task;
mod verification;
mod verify;

use cassandra_versions::{Product, Release};
use jiff::Timestamp;
use model::manifest::BackupKind;
use model::{BackupRef, Selection, TableRef};

use crate::pb::types as pb;
use crate::{ErrorKind, ServiceError};

pub use verify::sample_parts;

/// A field of a message that is missing or cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("field `{field}`: {why}")]
pub struct ConversionError {
    pub field: &'static str,
    pub why: String,
}

impl ConversionError {
    pub fn missing(field: &'static str) -> Self {
        Self {
            field,
            why: "is missing".to_owned(),
        }
    }

    pub fn invalid(field: &'static str, why: impl ToString) -> Self {
        Self {
            field,
            why: why.to_string(),
        }
    }
}

impl ServiceError for ConversionError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidArgument
    }

    fn reason(&self) -> &'static str {
        "INVALID_FIELD"
    }

    fn field(&self) -> Option<&str> {
        Some(self.field)
    }
}

/// A field that must be there.
pub fn required<T>(field: &'static str, value: Option<T>) -> Result<T, ConversionError> {
    value.ok_or_else(|| ConversionError::missing(field))
}

/// A text that must read as a name, an id, a time.
pub fn parsed<T>(field: &'static str, text: &str) -> Result<T, ConversionError>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    text.parse()
        .map_err(|error: T::Err| ConversionError::invalid(field, error))
}

/// As [`parsed`], but an empty text means none.
pub fn parsed_optional<T>(field: &'static str, text: &str) -> Result<Option<T>, ConversionError>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    match text {
        "" => Ok(None),
        text => parsed(field, text).map(Some),
    }
}

/// Times travel with milliseconds.
pub fn time(at: Timestamp) -> String {
    format!("{at:.3}")
}

pub fn time_optional(at: Option<Timestamp>) -> String {
    at.map(time).unwrap_or_default()
}

/// A word of an enum: none if it is one of a newer release. Only for what is shown; what decides must know every word.
pub fn word<Wire, T>(number: i32) -> Result<Option<T>, ConversionError>
where
    Wire: TryFrom<i32>,
    T: TryFrom<Wire, Error = ConversionError>,
{
    match Wire::try_from(number) {
        Ok(word) => T::try_from(word).map(Some),
        Err(_) => Ok(None),
    }
}

/// On the wire an empty text means none.
pub fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// Converts each element; the first that fails decides.
pub fn all<A, B>(items: Vec<A>) -> Result<Vec<B>, ConversionError>
where
    B: TryFrom<A, Error = ConversionError>,
{
    items.into_iter().map(B::try_from).collect()
}

/// Converts each element to the wire.
pub fn all_into<A, B: From<A>>(items: impl IntoIterator<Item = A>) -> Vec<B> {
    items.into_iter().map(B::from).collect()
}

impl From<Release> for pb::Release {
    fn from(release: Release) -> Self {
        Self {
            product: match release.product {
                Product::Cassandra => pb::Product::Cassandra,
                Product::Dse => pb::Product::Dse,
                Product::Hcd => pb::Product::Hcd,
            } as i32,
            version: release.version,
        }
    }
}

impl TryFrom<pb::Release> for Release {
    type Error = ConversionError;

    fn try_from(release: pb::Release) -> Result<Self, ConversionError> {
        let product = match release.product() {
            pb::Product::Cassandra => Product::Cassandra,
            pb::Product::Dse => Product::Dse,
            pb::Product::Hcd => Product::Hcd,
            pb::Product::Unspecified => return Err(ConversionError::missing("release.product")),
        };
        Release::new(product, &release.version)
            .map_err(|error| ConversionError::invalid("release.version", error))
    }
}

impl From<TableRef> for pb::TableRef {
    fn from(table: TableRef) -> Self {
        Self {
            keyspace: table.keyspace,
            table: table.table,
        }
    }
}

impl TryFrom<pb::TableRef> for TableRef {
    type Error = ConversionError;

    fn try_from(table: pb::TableRef) -> Result<Self, ConversionError> {
        if table.keyspace.is_empty() {
            return Err(ConversionError::missing("table.keyspace"));
        }
        if table.table.is_empty() {
            return Err(ConversionError::missing("table.table"));
        }
        Ok(Self::new(table.keyspace, table.table))
    }
}

impl From<Selection> for pb::Selection {
    fn from(selection: Selection) -> Self {
        Self {
            keyspaces: selection.keyspaces,
            tables: all_into(selection.tables),
        }
    }
}

impl TryFrom<pb::Selection> for Selection {
    type Error = ConversionError;

    fn try_from(selection: pb::Selection) -> Result<Self, ConversionError> {
        if selection.keyspaces.iter().any(String::is_empty) {
            return Err(ConversionError::invalid(
                "selection.keyspaces",
                "one is empty",
            ));
        }
        Ok(Self {
            keyspaces: selection.keyspaces,
            tables: all(selection.tables)?,
        })
    }
}

impl From<BackupRef> for pb::BackupRef {
    fn from(backup: BackupRef) -> Self {
        Self {
            cluster: backup.cluster.into(),
            name: backup.name.into(),
        }
    }
}

impl TryFrom<pb::BackupRef> for BackupRef {
    type Error = ConversionError;

    fn try_from(backup: pb::BackupRef) -> Result<Self, ConversionError> {
        Ok(Self {
            cluster: parsed("backup.cluster", &backup.cluster)?,
            name: parsed("backup.name", &backup.name)?,
        })
    }
}

impl From<BackupKind> for pb::BackupKind {
    fn from(kind: BackupKind) -> Self {
        match kind {
            BackupKind::Full => Self::Full,
            BackupKind::Differential => Self::Differential,
        }
    }
}

impl TryFrom<pb::BackupKind> for BackupKind {
    type Error = ConversionError;

    fn try_from(kind: pb::BackupKind) -> Result<Self, ConversionError> {
        match kind {
            pb::BackupKind::Full => Ok(Self::Full),
            pb::BackupKind::Differential => Ok(Self::Differential),
            pb::BackupKind::Unspecified => Err(ConversionError::missing("kind")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_ref_with_a_slash_is_refused_by_its_field() {
        let wire = pb::BackupRef {
            cluster: "c".into(),
            name: "a/b".into(),
        };
        let error = BackupRef::try_from(wire).expect_err("slash");
        assert_eq!(error.field, "backup.name");
    }

    #[test]
    fn times_travel_with_milliseconds() {
        let at: Timestamp = "2026-01-02T03:04:05.678901Z".parse().expect("a time");
        assert_eq!(time(at), "2026-01-02T03:04:05.678Z");
    }
}
