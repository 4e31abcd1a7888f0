//! Compares what is staged with the journal before the first live file is moved.
//!
//! Days may lie between staging and a swap that is resumed, and someone may have cleared the staging folder to free the
//! disk. Found after the old files are aside, that would leave a node without data.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cassandra_formats::parse_file_name;
use cassandra_node::files::FileError;
use cassandra_node::folders::table_folder_name;
use cassandra_node::sstables::DATA;

use super::SwapError;
use crate::folders::Folders;
use crate::restore::{RestoreState, TableTarget};

/// Where staging has put a file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// The label of its data directory.
    directory: String,
    /// Inside the data directory, and inside the staging folder of it.
    path: PathBuf,
}

impl Place {
    /// The folder of its table, from the keyspace on; an index's folder is inside it.
    fn table_folder(&self) -> PathBuf {
        self.path.components().take(2).collect()
    }

    /// Of the table itself, not of an index's hidden table.
    fn is_own_data(&self) -> bool {
        let name = self.path.file_name().and_then(|name| name.to_str());
        let parsed = name.and_then(|name| parse_file_name(name).ok());
        parsed.is_some_and(|(_, component)| component == DATA)
            && self.path.components().count() == 3
    }
}

/// The staged files of a table and their bytes.
type Staged = BTreeMap<Place, u64>;

/// Refuses unless every staged file of the tables has its size and its place: in staging, or live if its table's old
/// files are aside already, because then an earlier try may have moved it.
pub(super) fn check(
    folders: &Folders,
    restore: &str,
    targets: &[TableTarget],
    state: &RestoreState,
) -> Result<(), SwapError> {
    let open = targets
        .iter()
        .filter(|target| !state.swapped.contains(&target.target_id));
    let journalled = journalled(state);
    for target in open {
        check_table(folders, restore, target, state, &journalled)?;
    }
    Ok(())
}

fn check_table(
    folders: &Folders,
    restore: &str,
    target: &TableTarget,
    state: &RestoreState,
    journalled: &BTreeMap<PathBuf, Staged>,
) -> Result<(), SwapError> {
    let may_be_live = state.aside.contains(&target.target_id);
    let table_folder =
        Path::new(&target.table.keyspace).join(table_folder_name(&target.table, &target.target_id));
    let lost = |what: String| SwapError::StagingLost {
        restore: restore.to_owned(),
        table: target.table.clone(),
        what,
    };
    let mut sstables = 0;
    for (file, &expected) in journalled.get(&table_folder).into_iter().flatten() {
        let Some(data) = folders.data.iter().find(|d| d.label == file.directory) else {
            // A data directory that is no longer configured; the count shows whether its files are missed.
            continue;
        };
        let staged = folders.staging_of(data, restore)?.join(&file.path);
        let mut found = bytes_of(&staged)?;
        if found.is_none() && may_be_live {
            found = bytes_of(&data.path.join(&file.path))?;
        }
        let shown = staged.display();
        match found {
            Some(bytes) if bytes == expected => {}
            Some(bytes) => {
                return Err(lost(format!(
                    "`{shown}` has {bytes} bytes instead of {expected}"
                )));
            }
            None => return Err(lost(format!("`{shown}` is missing"))),
        }
        sstables += u64::from(file.is_own_data());
    }
    let counts = state.staged.as_ref();
    let expected = counts.and_then(|counts| counts.get(&target.target_id));
    let expected = expected.copied().unwrap_or(0);
    if sstables != expected {
        return Err(lost(format!("{sstables} of {expected} SSTables are there")));
    }
    Ok(())
}

/// What the journal says is on disk, the files of indexes included, by the folders of the tables. A file with two records
/// is one file.
fn journalled(state: &RestoreState) -> BTreeMap<PathBuf, Staged> {
    let whole = state
        .fetched
        .iter()
        .map(|(path, file)| (path.clone(), file.bytes));
    let sliced = state.sliced.iter().flat_map(|(sstable, components)| {
        let component = move |(name, bytes): (&String, &u64)| (format!("{sstable}-{name}"), *bytes);
        components.iter().map(component)
    });
    let mut tables: BTreeMap<PathBuf, Staged> = BTreeMap::new();
    for (path, bytes) in whole.chain(sliced) {
        let Some((directory, path)) = path.split_once('/') else {
            continue;
        };
        let place = Place {
            directory: directory.to_owned(),
            path: path.into(),
        };
        let table = tables.entry(place.table_folder()).or_default();
        table.insert(place, bytes);
    }
    tables
}

fn bytes_of(path: &Path) -> Result<Option<u64>, FileError> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some(found.len())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FileError::at("stat", path)(error)),
    }
}
