//! What lies in a table's live folders at one moment, and how many SSTables Cassandra must count for it.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cassandra_node::files::{self, FileError};

use crate::folders::Folders;
use crate::restore::TableTarget;

/// How a line of a transaction's log begins that names an SSTable, for example `ADD:[/data/ks/t-1/nb-1-big-,0,8][1234]`.
const NAMING: &[&str] = &["add:", "remove:"];

/// A table's own SSTables, and the transactions of Cassandra's that are at work there.
pub(super) struct Look {
    /// The Data components, those of indexes not included.
    files: BTreeSet<PathBuf>,
    /// Whether a transaction has its log there: then there are files that Cassandra rightly does not count.
    is_changing: bool,
    /// `<version>-<id>-<format>` of what a transaction adds or removes.
    named: BTreeSet<String>,
}

impl Look {
    pub fn take(folders: &Folders, target: &TableTarget) -> Result<Self, FileError> {
        let mut named = BTreeSet::new();
        let mut is_changing = false;
        // Logs first: they are written before the first file that they name, and deleted after the last.
        for folder in folders.data.live_folders(&target.table, &target.target_id) {
            for log in files::entries(&folder)?.iter().filter(|path| is_log(path)) {
                is_changing = true;
                named.extend(names_in(log)?);
            }
        }
        let files = folders.data.live_files(&target.table, &target.target_id)?;
        let own = files.into_iter().filter(|file| file.is_own_data());
        Ok(Self {
            files: own.map(|file| file.path).collect(),
            is_changing,
            named,
        })
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && !self.is_changing
    }

    fn names(&self, data: &Path) -> bool {
        let sstable = files::name_of(data).strip_suffix("-Data.db");
        sstable.is_some_and(|sstable| self.named.contains(sstable))
    }
}

/// The SSTables that Cassandra must count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnDisk {
    /// Nothing has changed around the count.
    Exactly(u64),
    /// Those that were there before and after the count, and that no transaction touches.
    AtLeast(u64),
}

impl OnDisk {
    pub fn between(before: &Look, after: &Look) -> Self {
        let is_quiet = !before.is_changing && !after.is_changing;
        if is_quiet && before.files == after.files {
            return Self::Exactly(after.files.len() as u64);
        }
        let settled = before.files.intersection(&after.files);
        let settled = settled.filter(|file| !before.names(file) && !after.names(file));
        Self::AtLeast(settled.count() as u64)
    }
}

/// Whether this is the log of a transaction, for example `nb_txn_compaction_<id>.log`.
fn is_log(path: &Path) -> bool {
    let name = files::name_of(path);
    name.contains("_txn_") && name.ends_with(".log")
}

fn names_in(log: &Path) -> Result<Vec<String>, FileError> {
    match fs::read(log) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes)
            .lines()
            .filter_map(named)
            .collect()),
        // The transaction has ended since the folder was listed.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(FileError::at("read", log)(error)),
    }
}

/// The SSTable that a line names; some releases write its path with a hyphen at the end, some without.
fn named(line: &str) -> Option<String> {
    let start = line.to_ascii_lowercase();
    if !NAMING.iter().any(|word| start.starts_with(word)) {
        return None;
    }
    let (_, record) = line.split_once('[')?;
    let name = record.rsplit('/').next()?.split([',', ']']).next()?;
    Some(name.trim_end_matches('-').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_name_sstables_in_the_words_of_all_releases() {
        for (line, name) in [
            (
                "ADD:[/data/ks/t-1/nb-1-big-,0,8][3613697392]",
                Some("nb-1-big"),
            ),
            (
                "add:[/data/ks/t-1/ma-1-big,0,8][3613697392]",
                Some("ma-1-big"),
            ),
            (
                "REMOVE:[/da[ta/ks/t-1/oa-3gm8_0xlc_5ra342-big-,1732,8][1]",
                Some("oa-3gm8_0xlc_5ra342-big"),
            ),
            ("remove:[da-2-bti-,1732000,9][1]", Some("da-2-bti")),
            ("COMMIT:[,0,0][2613697770]", None),
            ("abort:[,0,0][2613697770]", None),
            ("", None),
        ] {
            assert_eq!(named(line).as_deref(), name, "{line}");
        }
    }
}
