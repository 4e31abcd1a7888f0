//! Which components staging has given each SSTable, so that one that Cassandra has taken in part is not loaded as it is.
//!
//! Import moves an SSTable file by file, Data last. If Cassandra is killed meanwhile it deletes, when it starts, what it has
//! taken without Data; what is left in staging cannot be loaded any more.

use std::collections::HashMap;
use std::path::Path;

use cassandra_formats::parse_file_name;
use cassandra_node::files::FileError;
use cassandra_node::folders::table_folder_name;
use cassandra_node::sstables;

use super::LoadError;
use crate::folders::Folders;
use crate::restore::{LoadEvidence, RestoreState, TableTarget};

use super::recognise;

/// The components of each SSTable by its name, as the journal has them, of one folder.
type Named = HashMap<String, Vec<String>>;

/// What the journal says is staged, by folder: the label of the data directory, keyspace, table.
#[derive(Debug, Default)]
pub(super) struct Components(HashMap<String, Named>);

impl Components {
    pub fn of(state: &RestoreState) -> Self {
        let mut found = Self::default();
        for path in state.fetched.keys() {
            let Some((folder, name)) = path.rsplit_once('/') else {
                continue;
            };
            if let Ok((descriptor, component)) = parse_file_name(name) {
                found.add(folder, &descriptor.to_string(), component);
            }
        }
        for (path, components) in &state.sliced {
            if let Some((folder, sstable)) = path.rsplit_once('/') {
                for component in components.keys() {
                    found.add(folder, sstable, component);
                }
            }
        }
        found
    }

    fn add(&mut self, folder: &str, sstable: &str, component: &str) {
        let named = self.0.entry(folder.to_owned()).or_default();
        let components = named.entry(sstable.to_owned()).or_default();
        components.push(component.to_owned());
    }

    fn in_folder(&self, folder: &str) -> Option<&Named> {
        self.0.get(folder)
    }
}

/// The SSTables of a table that are in staging with every component that was staged.
pub(super) fn staged(
    folders: &Folders,
    restore: &str,
    target: &TableTarget,
    components: &Components,
) -> Result<Vec<LoadEvidence>, LoadError> {
    let mut broken = Vec::new();
    for data in &folders.data {
        let within = format!(
            "{}/{}/{}",
            data.label,
            target.table.keyspace,
            table_folder_name(&target.table, &target.target_id)
        );
        let Some(expected) = components.in_folder(&within) else {
            continue;
        };
        let staging = folders.staging(data)?.join(restore).join(&within);
        let there = sstables::list(&staging)?;
        let there = sstables::by_sstable(&there);
        for ((index, descriptor), files) in &there {
            let expected = expected.get(&descriptor.to_string()).map(Vec::as_slice);
            let has = |component: &String| files.iter().any(|file| file.component == *component);
            if index.is_none() && !expected.unwrap_or_default().iter().all(has) {
                broken.push(data_path(&staging, &descriptor.to_string()));
            }
        }
    }
    let mut whole = recognise::staged(folders, restore, target)?;
    whole.retain(|sstable| !broken.contains(&sstable.staged));
    Ok(whole)
}

/// What the evidence calls an SSTable: the path of its Data component in staging.
pub fn data_path(folder: &Path, sstable: &str) -> String {
    folder
        .join(format!("{sstable}-{}", sstables::DATA))
        .display()
        .to_string()
}

/// Those of a table's SSTables that are not live.
pub fn not_live(
    folders: &Folders,
    target: &TableTarget,
    evidence: Vec<LoadEvidence>,
) -> Result<Vec<String>, FileError> {
    let gone = recognise::not_live(folders, target, evidence)?;
    Ok(gone.into_iter().map(|sstable| sstable.staged).collect())
}
