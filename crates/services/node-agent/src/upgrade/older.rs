//! Which live SSTables of a table are of an older format than the node writes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cassandra_node::files::FileError;
use cassandra_node::folders::DataFolders;
use cassandra_node::tables::Table;
use cassandra_node::{CassandraNode, CqlError, settings};
use cassandra_versions::{is_older, may_be_skipped, readable_formats, written_format};

use crate::transactions::Transactions;

/// The formats that the node writes, or may write under its settings.
#[derive(Debug, Clone)]
pub struct Current {
    formats: Vec<String>,
    /// The one that it writes now; empty if that is not known.
    writes: String,
}

impl Current {
    pub async fn of(node: &CassandraNode) -> Result<Self, CqlError> {
        let release = node.identity().await?.release;
        let formats = settings::read(node, &release).await?.formats;
        let reads = readable_formats(&release, &formats).iter();
        let reads: Vec<String> = reads.map(ToString::to_string).collect();
        let writes = written_format(&release, &formats).unwrap_or_default();
        let current = release.current_formats(&reads, writes).into_iter();
        Ok(Self {
            formats: current.map(str::to_owned).collect(),
            writes: writes.to_owned(),
        })
    }

    /// Whether the release is one of which it is known.
    pub fn is_known(&self) -> bool {
        !self.formats.is_empty()
    }

    fn names(&self) -> Vec<&str> {
        self.formats.iter().map(String::as_str).collect()
    }
}

/// SSTables of older formats, those of secondary indexes included: their Data components, and the format of each.
#[derive(Debug, Default)]
pub(super) struct Older(BTreeMap<PathBuf, String>);

impl Older {
    /// Those in the table's live folders now. What a finished transaction has replaced is no longer live.
    pub fn find(
        folders: &DataFolders,
        table: &Table,
        current: &Current,
    ) -> Result<Self, FileError> {
        // Logs first: they are written before the first file that they name, and deleted after the last.
        let live = folders.live_folders(&table.table, &table.id);
        let obsolete = Transactions::read(&live)?.obsolete;
        let current = current.names();
        let files = folders.live_files(&table.table, &table.id)?;
        let older = files.into_iter().filter(|file| {
            // An index has logs of its own, and may have an SSTable of the same name.
            let is_gone = file.index.is_none() && obsolete.contains(&file.descriptor.to_string());
            file.is_data() && !is_gone && is_older(&file.descriptor.format.to_string(), &current)
        });
        Ok(Self(
            older
                .map(|file| (file.path, file.descriptor.format.to_string()))
                .collect(),
        ))
    }

    /// Whether plain `nodetool upgradesstables` might leave one of them.
    pub fn needs_all(&self, current: &Current) -> bool {
        if !current.is_known() {
            return false;
        }
        // Another format that its settings could make it write may be one whose latest version is skipped.
        let names = if current.writes.is_empty() {
            current.names()
        } else {
            vec![current.writes.as_str()]
        };
        let mut formats = self.0.values();
        formats.any(|format| may_be_skipped(format, &names))
    }

    /// Those of them that are also in `now`.
    pub fn still_in(&self, now: &Self) -> Self {
        let mut left = self.0.clone();
        left.retain(|path, _| now.0.contains_key(path));
        Self(left)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Their formats, each once.
    pub fn formats(&self) -> String {
        let formats: BTreeSet<&str> = self.0.values().map(String::as_str).collect();
        Vec::from_iter(formats).join(" and ")
    }
}
