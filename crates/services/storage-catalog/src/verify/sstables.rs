//! The SSTables of a node manifest, found by any of their files.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use bucket::{Bucket, LoadedPart, StoredSstable, WrongFiles};
use cassandra_formats::{Descriptor, parse_file_name};
use model::manifest::NodeManifest;

/// The SSTables of a node. Knows files by their numbers only: there may be a million of them.
pub struct StoredSstables<'a> {
    bucket: Bucket,
    manifest: &'a NodeManifest,
    wrong: &'a WrongFiles,
    /// By table and file, as the manifest counts them: the files of the same SSTable.
    siblings: HashMap<(usize, usize), Arc<[usize]>>,
}

impl<'a> StoredSstables<'a> {
    pub fn of(manifest: &'a NodeManifest, wrong: &'a WrongFiles, bucket: &Bucket) -> Self {
        let mut siblings = HashMap::new();
        for (at, table) in manifest.tables.iter().enumerate() {
            let mut files: HashMap<(Option<&str>, Descriptor), Vec<usize>> = HashMap::new();
            for (file, stored) in table.files.iter().enumerate() {
                if let Ok((descriptor, _)) = parse_file_name(&stored.name) {
                    let place = (stored.index.as_deref(), descriptor);
                    files.entry(place).or_default().push(file);
                }
            }
            for files in files.into_values() {
                let files: Arc<[usize]> = files.into();
                siblings.extend(files.iter().map(|file| ((at, *file), files.clone())));
            }
        }
        Self {
            bucket: bucket.clone(),
            manifest,
            wrong,
            siblings,
        }
    }

    /// The SSTable of a file of the manifest, and the name of its component; `None` for a file that is no component. What
    /// lies in the part of a pack is read from there.
    pub fn find(
        &self,
        table: usize,
        file: usize,
        loaded: Option<&LoadedPart>,
    ) -> Option<(Arc<StoredSstable>, &'a str)> {
        let siblings = self.siblings.get(&(table, file))?;
        let files = &self.manifest.tables[table].files;
        let (descriptor, component) = parse_file_name(&files[file].name).ok()?;
        let mut stored = BTreeMap::new();
        let mut lost = BTreeSet::new();
        for file in siblings.iter().map(|sibling| &files[*sibling]) {
            let (_, component) = parse_file_name(&file.name).ok()?;
            // As good as not there for those beside it.
            if self.wrong.of(file).is_some() {
                lost.insert(component.to_owned());
            }
            stored.insert(component.to_owned(), file.clone());
        }
        let mut sstable =
            StoredSstable::new(self.bucket.clone(), descriptor, stored).with_lost(lost);
        if let Some(loaded) = loaded {
            sstable = sstable.with_loaded(loaded.clone());
        }
        Some((Arc::new(sstable), component))
    }
}
