//! What tables hold, one hash for each partition: every value, write timestamp and expiry counts.

mod diff;
mod scan;
mod table;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use anyhow::{Error, Result};
use futures::stream::{self, StreamExt, TryStreamExt};
use scylla::client::session::Session;
use scylla::statement::Consistency;
use serde::{Deserialize, Serialize};

use crate::cluster::Cluster;
use crate::release::Release;

pub use diff::{Difference, diff};

/// Tables that are read at the same time.
const TABLES_AT_ONCE: usize = 3;

/// The content of some keyspaces. Two equal digests mean equal content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    pub tables: BTreeMap<TableName, TableDigest>,
}

/// A table or a materialized view.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    pub keyspace: String,
    pub table: String,
}

/// The content of one table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableDigest {
    pub rows: u64,
    /// Partition key in hex, its columns joined by `:`, and the hash of all that the partition holds.
    pub partitions: BTreeMap<String, String>,
}

/// How a digest is read.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// At `All` the digest does not depend on which replica answers, and a lost replica is an error.
    pub consistency: Consistency,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            consistency: Consistency::All,
        }
    }
}

impl Digest {
    pub fn partitions(&self) -> usize {
        self.tables
            .values()
            .map(|table| table.partitions.len())
            .sum()
    }

    pub fn rows(&self) -> u64 {
        self.tables.values().map(|table| table.rows).sum()
    }
}

/// Reads every table and view of the keyspaces.
///
/// `release` says what may be asked for: from 5.0 on the elements of collections have write times of
/// their own. To compare across releases, give the older one to both sides.
pub async fn digest(
    session: &Session,
    release: Release,
    keyspaces: &[&str],
    reading: Reading,
) -> Result<Digest> {
    let mut tables = Vec::new();
    for keyspace in keyspaces {
        tables.extend(table::list(session, keyspace).await?);
    }
    let scanned = stream::iter(tables)
        .map(|table| async move {
            let content = scan::scan(session, release, &table, reading).await?;
            anyhow::Ok((table.name, content))
        })
        .buffer_unordered(TABLES_AT_ONCE)
        .try_collect()
        .await?;
    Ok(Digest { tables: scanned })
}

impl Cluster {
    /// Reads all that the keyspaces hold, at consistency `ALL` and in the way of the cluster's own release.
    pub async fn digest(&self, keyspaces: &[&str]) -> Result<Digest> {
        let session = self.session().await?;
        digest(&session, self.release(), keyspaces, Reading::default()).await
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.keyspace, self.table)
    }
}

impl FromStr for TableName {
    type Err = Error;

    /// A dot is never part of a keyspace or table name, not even in quotes.
    fn from_str(text: &str) -> Result<Self, Error> {
        let (keyspace, table) = text
            .split_once('.')
            .ok_or_else(|| Error::msg(format!("`{text}` is no table: write KEYSPACE.TABLE")))?;
        Ok(Self {
            keyspace: keyspace.to_owned(),
            table: table.to_owned(),
        })
    }
}

impl Serialize for TableName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TableName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
