//! Which SSTables are tried: of each format the smallest of the first table that has any.

use std::collections::{BTreeMap, BTreeSet};

use cassandra_node::sstables::{ComponentFile, by_sstable, is_attached_index};

/// The formats that are being tried already, by version and name: `nb-big`.
#[derive(Debug, Default)]
pub(super) struct Tried {
    formats: BTreeSet<String>,
}

impl Tried {
    /// The components of the smallest SSTable of each format that was not met before. Indexes are left out: Cassandra
    /// builds them.
    pub(super) fn smallest_of_each_format<'a>(
        &mut self,
        files: &'a [ComponentFile],
    ) -> Vec<Vec<&'a ComponentFile>> {
        let mut smallest: BTreeMap<String, (u64, Vec<&ComponentFile>)> = BTreeMap::new();
        for ((index, descriptor), mut components) in by_sstable(files) {
            let format = &descriptor.format;
            let format = format!("{}-{}", format.version, format.format);
            if index.is_some() || self.formats.contains(&format) {
                continue;
            }
            components.retain(|file| !is_attached_index(&file.component));
            if !components.iter().any(|file| file.is_data()) {
                continue;
            }
            let bytes = components.iter().map(|file| file.bytes).sum();
            let is_smaller = smallest
                .get(&format)
                .is_none_or(|(least, _)| bytes < *least);
            if is_smaller {
                smallest.insert(format, (bytes, components));
            }
        }
        self.formats.extend(smallest.keys().cloned());
        smallest.into_values().map(|(_, files)| files).collect()
    }
}
