//! Rewrites SSTables as `nodetool upgradesstables` does.

use std::fs;
use std::path::PathBuf;

use crate::sstables;

/// What a fake node rewrites SSTables into.
#[derive(Debug, Clone)]
pub struct Upgrades {
    /// The format that it writes, for example `bti-cc`.
    pub writes: &'static str,
    /// Formats that it leaves as they are unless all are rewritten.
    pub skips: &'static [&'static str],
}

impl Upgrades {
    /// Gives each SSTable that is rewritten the names of the new format, and numbers from `first` on.
    pub(super) fn rewrite(&self, folders: &[PathBuf], first: u64, all: bool, keeps_one: bool) {
        let (format, version) = self.writes.split_once('-').unwrap();
        let mut kept = !keeps_one;
        let mut id = first;
        for folder in folders {
            let files = sstables::list(folder).unwrap();
            for ((_, descriptor), components) in sstables::by_sstable(&files) {
                let from = descriptor.format.to_string();
                let is_current = from == self.writes || self.skips.contains(&from.as_str());
                if is_current && !all {
                    continue;
                }
                if !kept {
                    kept = true;
                    continue;
                }
                for file in components {
                    let name = format!("{version}-{id}-{format}-{}", file.component);
                    fs::rename(&file.path, file.path.with_file_name(name)).unwrap();
                }
                id += 1;
            }
        }
    }
}
