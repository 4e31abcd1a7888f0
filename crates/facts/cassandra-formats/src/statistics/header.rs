//! The serialization header: the schema that the rows were written with, and the minima their times are deltas to.

use crate::bytes::{Cursor, put_uvint, put_vint_bytes};
use crate::error::Damage;

/// The epoch that minima are counted from, 2015-09-22 00:00 UTC, in microseconds since 1970 (`EncodingStats` of
/// Cassandra).
pub const TIMESTAMP_EPOCH: i64 = 1_442_880_000_000_000;
/// The epoch of deletion times, in seconds since 1970.
pub const DELETION_TIME_EPOCH: i64 = 1_442_880_000;

/// The contents of the part called HEADER. Types are Cassandra's class strings, as they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerializationHeader {
    /// Row timestamps are differences to this, in microseconds since 1970.
    pub min_timestamp: i64,
    /// Deletion times are differences to this, in seconds since 1970.
    pub min_local_deletion_time: i64,
    /// Times to live are differences to this, in seconds.
    pub min_ttl: i64,
    /// The type of the partition key; a CompositeType if it has several columns.
    pub key_type: String,
    /// The types of the clustering columns, in their order.
    pub clustering_types: Vec<String>,
    /// The static columns, in the order in which rows refer to them.
    pub static_columns: Vec<Column>,
    /// The regular columns, in the order in which rows refer to them.
    pub regular_columns: Vec<Column>,
}

/// A column of the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The name as bytes: tables that were created without CQL may have any bytes as names.
    pub name: Vec<u8>,
    /// The type as a class string.
    pub type_class: String,
}

impl SerializationHeader {
    /// Parses the part called HEADER.
    pub fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Damage> {
        let min_timestamp = TIMESTAMP_EPOCH.wrapping_add(cursor.uvint("minimum timestamp")? as i64);
        let min_local_deletion_time =
            DELETION_TIME_EPOCH.wrapping_add(cursor.uvint("minimum local deletion time")? as i64);
        let min_ttl = cursor.uvint("minimum TTL")? as i64;
        let key_type = text(cursor, "key type")?;
        let clusterings = cursor.uvint_count(1, "clustering types")?;
        let clustering_types = (0..clusterings)
            .map(|_| text(cursor, "clustering type"))
            .collect::<Result<_, _>>()?;
        let static_columns = columns(cursor, "static columns")?;
        let regular_columns = columns(cursor, "regular columns")?;
        Ok(Self {
            min_timestamp,
            min_local_deletion_time,
            min_ttl,
            key_type,
            clustering_types,
            static_columns,
            regular_columns,
        })
    }

    /// Appends the part's bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_uvint(out, self.min_timestamp.wrapping_sub(TIMESTAMP_EPOCH) as u64);
        put_uvint(
            out,
            self.min_local_deletion_time
                .wrapping_sub(DELETION_TIME_EPOCH) as u64,
        );
        put_uvint(out, self.min_ttl as u64);
        put_vint_bytes(out, self.key_type.as_bytes());
        put_uvint(out, self.clustering_types.len() as u64);
        for type_class in &self.clustering_types {
            put_vint_bytes(out, type_class.as_bytes());
        }
        for columns in [&self.static_columns, &self.regular_columns] {
            put_uvint(out, columns.len() as u64);
            for column in columns {
                put_vint_bytes(out, &column.name);
                put_vint_bytes(out, column.type_class.as_bytes());
            }
        }
    }
}

fn text(cursor: &mut Cursor<'_>, of: &str) -> Result<String, Damage> {
    let start = cursor.clone();
    let bytes = cursor.vint_bytes(of)?;
    String::from_utf8(bytes.to_vec()).map_err(|_| start.damage(format!("{of} is not text")))
}

fn columns(cursor: &mut Cursor<'_>, of: &str) -> Result<Vec<Column>, Damage> {
    let count = cursor.uvint_count(2, of)?;
    (0..count)
        .map(|_| {
            Ok(Column {
                name: cursor.vint_bytes("column name")?.to_vec(),
                type_class: text(cursor, "column type")?,
            })
        })
        .collect()
}
