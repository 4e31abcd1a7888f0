//! The files of a node manifest that a verification reads, in the order in which it reads them.

use model::manifest::{NodeManifest, StoredFile, TableFiles};

/// A file of a node manifest, by its numbers there.
#[derive(Clone, Copy)]
pub struct Place {
    pub table: usize,
    pub file: usize,
}

impl Place {
    /// The file, with its table.
    pub fn stored(self, manifest: &NodeManifest) -> (&TableFiles, &StoredFile) {
        let table = &manifest.tables[self.table];
        (table, &table.files[self.file])
    }
}

/// The files that are read, those of a pack side by side.
pub fn in_order_of_packs(manifest: &NodeManifest, is_read: impl Fn(&Place) -> bool) -> Vec<Place> {
    let mut files: Vec<Place> = places(manifest).filter(is_read).collect();
    let key = |place: &Place| {
        let file = place.stored(manifest).1;
        file.offset.map(|offset| (file.object.as_str(), offset))
    };
    files.sort_by(|a, b| key(a).cmp(&key(b)));
    files
}

fn places(manifest: &NodeManifest) -> impl Iterator<Item = Place> {
    let tables = manifest.tables.iter().enumerate();
    tables.flat_map(|(table, of)| (0..of.files.len()).map(move |file| Place { table, file }))
}
