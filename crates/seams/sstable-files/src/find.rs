//! Walks folders for SSTables.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use cassandra_formats::{Descriptor, parse_file_name};

use crate::sstable::SstableFiles;

/// Why the SSTables under a path could not be found.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// A file or folder could not be inspected.
    #[error("could not inspect {}", path.display())]
    Look {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system reports.
        source: io::Error,
    },
    /// A file was given that is not named like a component.
    #[error("{} is not a component of an SSTable", path.display())]
    NotAComponent {
        /// The file as it was given.
        path: PathBuf,
        /// What is wrong with its name.
        source: cassandra_formats::NameError,
    },
}

/// All SSTables under the paths: folders are walked to the bottom, and a component means its whole SSTable. Each
/// SSTable comes once, in the order of their paths. Links to folders are not followed, so that a walk ends.
pub fn find(paths: &[PathBuf]) -> Result<Vec<SstableFiles>, FindError> {
    let mut found = BTreeMap::new();
    for path in paths {
        let look = |source| FindError::Look {
            path: path.clone(),
            source,
        };
        if path.metadata().map_err(look)?.is_dir() {
            walk(path, &mut found)?;
            continue;
        }
        let name = path.file_name().and_then(|name| name.to_str());
        let (descriptor, _) = parse_file_name(name.unwrap_or_default()).map_err(|source| {
            FindError::NotAComponent {
                path: path.clone(),
                source,
            }
        })?;
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let sstable = SstableFiles::look(folder, &descriptor).map_err(look)?;
        found.insert((folder.to_owned(), descriptor), sstable);
    }
    Ok(found.into_values().collect())
}

type Found = BTreeMap<(PathBuf, Descriptor), SstableFiles>;

fn walk(top: &Path, found: &mut Found) -> Result<(), FindError> {
    let mut folders = vec![top.to_owned()];
    while let Some(folder) = folders.pop() {
        let look = |source| FindError::Look {
            path: folder.clone(),
            source,
        };
        let mut here: BTreeMap<Descriptor, BTreeMap<String, u64>> = BTreeMap::new();
        for entry in folder.read_dir().map_err(look)? {
            let entry = entry.map_err(look)?;
            // On a running node, compaction may have removed it since the folder was listed.
            let Some(file_type) = still_there(entry.file_type()).map_err(look)? else {
                continue;
            };
            if file_type.is_dir() {
                folders.push(entry.path());
                continue;
            }
            let name = entry.file_name();
            if let Some(Ok((descriptor, component))) = name.to_str().map(parse_file_name)
                && let Some(metadata) = still_there(entry.metadata()).map_err(look)?
            {
                here.entry(descriptor)
                    .or_default()
                    .insert(component.to_owned(), metadata.len());
            }
        }
        for (descriptor, components) in here {
            let sstable = SstableFiles::new(&folder, descriptor.clone(), components);
            found.insert((folder.clone(), descriptor), sstable);
        }
    }
    Ok(())
}

/// `None` if the file is gone.
fn still_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_means_its_sstable_and_a_folder_all_below_it() {
        let top = tempfile::tempdir().expect("a folder");
        let table = top
            .path()
            .join("shop/orders-1b255f4def2540a60000000000000005");
        let snapshot = table.join("snapshots/daily");
        std::fs::create_dir_all(&snapshot).expect("folders");
        for name in [
            "nb-1-big-Data.db",
            "nb-1-big-TOC.txt",
            "nb-2-big-Data.db",
            "nb-3-big-Statistics.db.tmp",
        ] {
            std::fs::write(table.join(name), "x").expect("a file");
        }
        std::fs::write(snapshot.join("nb-1-big-Data.db"), "xyz").expect("a file");

        let all = find(&[top.path().to_owned(), table.join("nb-2-big-Data.db")]).expect("walks");
        let found_components: Vec<_> = all
            .iter()
            .map(|sstable| (sstable.descriptor().to_string(), sstable.bytes()))
            .collect();
        assert_eq!(
            found_components,
            [
                ("nb-1-big".to_owned(), 2),
                ("nb-2-big".to_owned(), 1),
                ("nb-1-big".to_owned(), 3)
            ]
        );

        let one = find(&[table.join("nb-1-big-TOC.txt")]).expect("finds");
        assert_eq!(one.len(), 1);
        assert_eq!(one[0].components().len(), 2);
    }

    #[test]
    fn what_is_no_component_is_refused_by_name() {
        let top = tempfile::tempdir().expect("a folder");
        let path = top.path().join("manifest.json");
        std::fs::write(&path, "{}").expect("a file");
        let error = find(&[path]).expect_err("is none");
        assert!(matches!(error, FindError::NotAComponent { .. }), "{error}");
        let error = find(&[top.path().join("gone")]).expect_err("is not there");
        assert!(matches!(error, FindError::Look { .. }), "{error}");
    }
}
