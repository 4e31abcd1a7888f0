//! Schema between wire and model.

use model::{Schema, SchemaEntry, SchemaKind};

use super::{ConversionError, all, all_into};
use crate::pb::types as pb;

impl From<Schema> for pb::Schema {
    fn from(schema: Schema) -> Self {
        Self {
            version: schema.version,
            entries: all_into(schema.entries),
        }
    }
}

impl TryFrom<pb::Schema> for Schema {
    type Error = ConversionError;

    fn try_from(schema: pb::Schema) -> Result<Self, ConversionError> {
        Ok(Self {
            version: schema.version,
            entries: all(schema.entries)?,
        })
    }
}

impl From<SchemaEntry> for pb::SchemaEntry {
    fn from(entry: SchemaEntry) -> Self {
        Self {
            keyspace: entry.keyspace,
            kind: pb::SchemaKind::from(entry.kind) as i32,
            name: entry.name,
            base_table: entry.base_table,
            cql: entry.cql,
        }
    }
}

impl TryFrom<pb::SchemaEntry> for SchemaEntry {
    type Error = ConversionError;

    fn try_from(entry: pb::SchemaEntry) -> Result<Self, ConversionError> {
        Ok(Self {
            kind: entry.kind().try_into()?,
            keyspace: entry.keyspace,
            name: entry.name,
            base_table: entry.base_table,
            cql: entry.cql,
        })
    }
}

impl From<SchemaKind> for pb::SchemaKind {
    fn from(kind: SchemaKind) -> Self {
        match kind {
            SchemaKind::Keyspace => Self::Keyspace,
            SchemaKind::Type => Self::Type,
            SchemaKind::Function => Self::Function,
            SchemaKind::Aggregate => Self::Aggregate,
            SchemaKind::Table => Self::Table,
            SchemaKind::Index => Self::Index,
            SchemaKind::View => Self::View,
        }
    }
}

impl TryFrom<pb::SchemaKind> for SchemaKind {
    type Error = ConversionError;

    fn try_from(kind: pb::SchemaKind) -> Result<Self, ConversionError> {
        match kind {
            pb::SchemaKind::Keyspace => Ok(Self::Keyspace),
            pb::SchemaKind::Type => Ok(Self::Type),
            pb::SchemaKind::Function => Ok(Self::Function),
            pb::SchemaKind::Aggregate => Ok(Self::Aggregate),
            pb::SchemaKind::Table => Ok(Self::Table),
            pb::SchemaKind::Index => Ok(Self::Index),
            pb::SchemaKind::View => Ok(Self::View),
            pb::SchemaKind::Unspecified => Err(ConversionError::missing("schema.kind")),
        }
    }
}
