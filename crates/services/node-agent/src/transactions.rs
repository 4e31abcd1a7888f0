//! The logs of Cassandra's transactions: which SSTables a flush, a compaction or an upgrade is making or replacing.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cassandra_node::files::{self, FileError};

/// What the logs in a table's folders say. SSTables are named as `<version>-<id>-<format>`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Transactions {
    /// Whether there is a log.
    pub are_at_work: bool,
    /// What a transaction adds or removes.
    pub named: BTreeSet<String>,
    /// What a finished transaction has replaced: its files go once nothing reads them any more.
    pub obsolete: BTreeSet<String>,
}

impl Transactions {
    /// Reads all logs in these folders.
    pub fn read(folders: &[PathBuf]) -> Result<Self, FileError> {
        let mut found = Self::default();
        for folder in folders {
            for log in files::entries(folder)?.iter().filter(|path| is_log(path)) {
                found.are_at_work = true;
                if let Some(text) = text(log)? {
                    found.add(&text);
                }
            }
        }
        Ok(found)
    }

    fn add(&mut self, log: &str) {
        let removed = log.lines().filter_map(|line| named(line, "remove:"));
        let removed: Vec<String> = removed.collect();
        let added = log.lines().filter_map(|line| named(line, "add:"));
        self.named.extend(added.chain(removed.iter().cloned()));
        let is_committed = |line: &str| line.to_ascii_lowercase().starts_with("commit:");
        if log.lines().any(is_committed) {
            self.obsolete.extend(removed);
        }
    }
}

/// Whether this is the log of a transaction, for example `nb_txn_compaction_<id>.log`.
fn is_log(path: &Path) -> bool {
    let name = files::name_of(path);
    name.contains("_txn_") && name.ends_with(".log")
}

/// None if the transaction has ended since the folder was listed.
fn text(log: &Path) -> Result<Option<String>, FileError> {
    match fs::read(log) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FileError::at("read", log)(error)),
    }
}

/// The SSTable that a line of this kind names, for example `ADD:[/data/ks/t-1/nb-1-big-,0,8][1234]`; some releases write
/// its path with a hyphen at the end, some without.
fn named(line: &str, kind: &str) -> Option<String> {
    if !line.to_ascii_lowercase().starts_with(kind) {
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
        for (line, kind, name) in [
            (
                "ADD:[/data/ks/t-1/nb-1-big-,0,8][3613697392]",
                "add:",
                Some("nb-1-big"),
            ),
            (
                "add:[/data/ks/t-1/ma-1-big,0,8][3613697392]",
                "add:",
                Some("ma-1-big"),
            ),
            (
                "REMOVE:[/da[ta/ks/t-1/oa-3gm8_0xlc_5ra342-big-,1732,8][1]",
                "remove:",
                Some("oa-3gm8_0xlc_5ra342-big"),
            ),
            (
                "remove:[da-2-bti-,1732000,9][1]",
                "remove:",
                Some("da-2-bti"),
            ),
            ("remove:[da-2-bti-,1732000,9][1]", "add:", None),
            ("COMMIT:[,0,0][2613697770]", "add:", None),
            ("abort:[,0,0][2613697770]", "remove:", None),
            ("", "add:", None),
        ] {
            assert_eq!(named(line, kind).as_deref(), name, "{line}");
        }
    }

    #[test]
    fn only_what_a_finished_transaction_has_replaced_is_obsolete() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(root.path().join(name), text).unwrap();
        write(
            "nb_txn_compaction_1.log",
            "ADD:[/d/nb-3-big-,0,8][1]\nREMOVE:[/d/nb-1-big-,5,8][2]\nCOMMIT:[,0,0][3]\n",
        );
        write(
            "nb_txn_compaction_2.log",
            "REMOVE:[/d/nb-2-big-,5,8][2]\nABORT:[,0,0][3]\n",
        );
        let found = Transactions::read(&[root.path().to_owned()]).unwrap();
        assert!(found.are_at_work);
        let names = |set: BTreeSet<String>| Vec::from_iter(set).join(" ");
        assert_eq!(names(found.named), "nb-1-big nb-2-big nb-3-big");
        assert_eq!(names(found.obsolete), "nb-1-big");
    }
}
