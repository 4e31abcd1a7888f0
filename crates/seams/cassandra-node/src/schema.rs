//! The schema of the user keyspaces as CQL that makes it again, ids and dropped columns included.
//!
//! Releases with a DESCRIBE statement are asked for it; for older ones, and for tables of the older API that DESCRIBE leaves
//! out, the CQL is written from the schema tables. Either way it is read between two equal schema versions, so that it is of
//! one moment.

mod describe;
mod graph;
mod options;
mod render;
mod rows;
mod statement;
mod storage;
mod table;
mod types;
mod view;

use model::Schema;
use model::selection::is_user_keyspace;

use crate::cql::{Cql, CqlError, Row, RowError};
use crate::error::{ErrorKind, NodeError};
use crate::node::CassandraNode;

/// Reading fails if the schema has changed each time.
const TRIES_MAX: u32 = 5;
const KEYSPACES: &str = "SELECT * FROM system_schema.keyspaces";
const KEYSPACE_NAMES: &str = "SELECT keyspace_name FROM system_schema.keyspaces";

/// Why there is no schema.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// A statement failed.
    #[error(transparent)]
    Cql(#[from] CqlError),
    /// A keyspace that does not exist.
    #[error("the node has no keyspace `{0}`")]
    NoKeyspace(String),
    /// It changed each time that it was read.
    #[error("the schema changed each of {TRIES_MAX} times that it was read")]
    Changing,
}

impl NodeError for SchemaError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Cql(error) => error.kind(),
            Self::NoKeyspace(_) => ErrorKind::NotFound,
            Self::Changing => ErrorKind::Unavailable,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Cql(error) => error.reason(),
            Self::NoKeyspace(_) => "KEYSPACE_NOT_FOUND",
            Self::Changing => "SCHEMA_CHANGING",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Cql(error) => error.hint(),
            Self::NoKeyspace(_) | Self::Changing => None,
        }
    }
}

/// Reads the schema of these keyspaces; of all user keyspaces if none is named.
pub async fn read(node: &CassandraNode, keyspaces: &[String]) -> Result<Schema, SchemaError> {
    let cql = &*node.cql;
    for _ in 0..TRIES_MAX {
        let before = node.identity().await?;
        let wanted = wanted(cql, keyspaces).await?;
        let mut entries = Vec::new();
        for keyspace in &wanted {
            let found = if before.release.has_describe_statement() {
                describe::entries(cql, keyspace, &before.release).await?
            } else {
                render::entries(cql, keyspace, &before.release).await?
            };
            entries.extend(found);
        }
        if node.identity().await?.schema_version == before.schema_version {
            return Ok(Schema {
                version: before.schema_version,
                entries,
            });
        }
    }
    Err(SchemaError::Changing)
}

/// The names of all keyspaces, system keyspaces included.
pub async fn keyspace_names(cql: &dyn Cql) -> Result<Vec<String>, CqlError> {
    let rows = cql.query(KEYSPACE_NAMES).await?;
    let names = rows.iter().map(|row| row.text("keyspace_name"));
    let names = names.map(|name| name.map(str::to_owned));
    names.collect::<Result<_, _>>().map_err(odd(KEYSPACE_NAMES))
}

async fn wanted(cql: &dyn Cql, keyspaces: &[String]) -> Result<Vec<String>, SchemaError> {
    let mut known = keyspace_names(cql).await?;
    if let Some(missing) = keyspaces.iter().find(|keyspace| !known.contains(keyspace)) {
        return Err(SchemaError::NoKeyspace(missing.clone()));
    }
    known.retain(|keyspace| {
        is_user_keyspace(keyspace) && (keyspaces.is_empty() || keyspaces.contains(keyspace))
    });
    known.sort();
    Ok(known)
}

/// For `map_err`: adds the statement that returned the row.
fn odd(statement: &str) -> impl Fn(RowError) -> CqlError {
    let statement = statement.to_owned();
    move |source| CqlError::Row {
        statement: statement.clone(),
        source,
    }
}

/// The rows of one keyspace in one of the schema tables.
async fn rows_of(cql: &dyn Cql, table: &str, keyspace: &str) -> Result<Vec<Row>, CqlError> {
    cql.query(&select_keyspace(table, keyspace)).await
}

fn select_keyspace(table: &str, keyspace: &str) -> String {
    let keyspace = model::cql::literal(keyspace);
    format!("SELECT * FROM system_schema.{table} WHERE keyspace_name = {keyspace}")
}

#[cfg(test)]
mod tests;
