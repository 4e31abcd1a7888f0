//! The SSTables that are in a folder: which files, of which SSTable, and whether nothing essential is missing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use cassandra_formats::is_attached_index;
use cassandra_formats::{Component, Descriptor, parse_file_name};
use model::manifest::SourceFile;
use sstable_files::SstableFiles;

use crate::files::{self, FileError};

/// The component with the rows.
pub const DATA: &str = "Data.db";
/// The component with the checksum of Data.
pub const DIGEST: &str = "Digest.crc32";
/// The component that lists the others.
pub const TOC: &str = "TOC.txt";

/// One component on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentFile {
    /// Where it is.
    pub path: PathBuf,
    /// Of its SSTable.
    pub descriptor: Descriptor,
    /// For example `Data.db`.
    pub component: String,
    /// The secondary index whose hidden table it belongs to, without the leading dot.
    pub index: Option<String>,
    /// Its size.
    pub bytes: u64,
    /// Inode and time.
    pub source: SourceFile,
}

impl ComponentFile {
    /// Its file name.
    pub fn name(&self) -> &str {
        files::name_of(&self.path)
    }

    /// Which component it is.
    pub fn class(&self) -> Component {
        Component::of(&self.component)
    }

    /// Whether it holds rows.
    pub fn is_data(&self) -> bool {
        self.component == DATA
    }

    /// Whether it holds rows of the table itself, not of an index's hidden table.
    pub fn is_own_data(&self) -> bool {
        self.is_data() && self.index.is_none()
    }
}

/// Which bytes a path holds now; none if it is gone.
pub fn stat(path: &Path) -> Result<Option<(u64, SourceFile)>, FileError> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some((found.len(), source_file(&found)))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FileError::at("stat", path)(error)),
    }
}

/// What identifies the bytes of a file: two files of the same inode and time are the same.
pub fn source_file(found: &fs::Metadata) -> SourceFile {
    SourceFile {
        inode: found.ino(),
        modified_ns: found.mtime() * 1_000_000_000 + found.mtime_nsec(),
    }
}

/// The components in a table's folder and in the index folders inside it, by path; none if there is no folder.
pub fn list(folder: &Path) -> Result<Vec<ComponentFile>, FileError> {
    let mut found = Vec::new();
    list_one(folder, None, &mut found)?;
    for index in index_folders(folder)? {
        let name = files::name_of(&index)[1..].to_owned();
        list_one(&index, Some(&name), &mut found)?;
    }
    Ok(found)
}

/// The Data components in a folder that have the names of releases before 2.2: `<keyspace>-<table>-ka-1-Data.db`.
pub fn old_names(folder: &Path) -> Result<Vec<String>, FileError> {
    let names = files::entries(folder)?;
    let names = names.iter().map(|path| files::name_of(path));
    Ok(names
        .filter(|name| is_old(name))
        .map(str::to_owned)
        .collect())
}

fn is_old(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let [_, _, version, number, component] = parts[..] else {
        return false;
    };
    let lower = version.bytes().all(|byte| byte.is_ascii_lowercase());
    version.len() == 2 && lower && number.parse::<u64>().is_ok() && component == DATA
}

/// The folders of secondary indexes: their names start with a dot.
pub fn index_folders(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let mut found = files::entries(folder)?;
    found.retain(|path| files::name_of(path).starts_with('.') && path.is_dir());
    Ok(found)
}

fn list_one(
    folder: &Path,
    index: Option<&str>,
    found: &mut Vec<ComponentFile>,
) -> Result<(), FileError> {
    for path in files::entries(folder)? {
        let Ok((descriptor, component)) = parse_file_name(files::name_of(&path)) else {
            continue;
        };
        let component = component.to_owned();
        // Cassandra deletes what it has compacted at any time.
        let Some((bytes, source)) = stat(&path)? else {
            continue;
        };
        found.push(ComponentFile {
            path,
            descriptor,
            component,
            index: index.map(str::to_owned),
            bytes,
            source,
        });
    }
    Ok(())
}

/// The components of each SSTable, by index and descriptor.
pub type Sstables<'a> = BTreeMap<(Option<&'a str>, &'a Descriptor), Vec<&'a ComponentFile>>;

/// Groups components by SSTable.
pub fn by_sstable(components: &[ComponentFile]) -> Sstables<'_> {
    let mut sstables = Sstables::new();
    for file in components {
        sstables
            .entry((file.index.as_deref(), &file.descriptor))
            .or_default()
            .push(file);
    }
    sstables
}

/// Each file with the SSTable that it is a component of.
pub fn with_sstables(files: Vec<ComponentFile>) -> Vec<(ComponentFile, Arc<SstableFiles>)> {
    // Two data directories never hold the same descriptor of a table, but nothing here rests on that.
    type Found<'a> = HashMap<(&'a Path, &'a Descriptor), BTreeMap<String, u64>>;
    let mut found = Found::new();
    let folder = |file: &ComponentFile| -> PathBuf {
        file.path.parent().map(Path::to_owned).unwrap_or_default()
    };
    for file in &files {
        let folder = file.path.parent().unwrap_or(Path::new(""));
        let components = found.entry((folder, &file.descriptor)).or_default();
        components.insert(file.component.clone(), file.bytes);
    }
    let sstables: HashMap<(PathBuf, Descriptor), Arc<SstableFiles>> = found
        .into_iter()
        .map(|((folder, descriptor), components)| {
            let sstable = SstableFiles::new(folder, descriptor.clone(), components);
            ((folder.to_owned(), descriptor.clone()), Arc::new(sstable))
        })
        .collect();
    files
        .into_iter()
        .map(|file| {
            let sstable = sstables[&(folder(&file), file.descriptor.clone())].clone();
            (file, sstable)
        })
        .collect()
}

/// Essential components that an SSTable lacks: without any of them it cannot be read.
pub fn missing(components: &[&ComponentFile]) -> Result<Vec<String>, FileError> {
    let Some(first) = components.first() else {
        return Ok(vec![DATA.to_owned()]);
    };
    let mut needed: BTreeSet<String> = match first.descriptor.format.format.as_str() {
        "bti" => ["Data.db", "Statistics.db", "Partitions.db", "Rows.db"].as_slice(),
        _ => ["Data.db", "Statistics.db", "Index.db"].as_slice(),
    }
    .iter()
    .map(|name| name.to_string())
    .collect();
    // Only its own list distinguishes a compressed SSTable that lost its chunk offsets from one that never had any.
    if let Some(toc) = components.iter().find(|file| file.component == TOC) {
        let listed = fs::read_to_string(&toc.path).map_err(FileError::at("read", &toc.path))?;
        if listed
            .lines()
            .any(|line| line.trim() == "CompressionInfo.db")
        {
            needed.insert("CompressionInfo.db".to_owned());
        }
    }
    needed.retain(|name| !components.iter().any(|file| file.component == *name));
    Ok(needed.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, text: &str) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(name), text).unwrap();
    }

    #[test]
    fn index_folders_are_listed_and_other_things_are_not() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "nb-1-big-Data.db", "x");
        write(root.path(), "manifest.json", "{}");
        write(root.path(), "nb_txn_flush_5a1c395e.log", "");
        write(&root.path().join(".by_name"), "nb-1-big-Data.db", "y");
        write(&root.path().join("snapshots/t"), "nb-9-big-Data.db", "z");
        let found = list(root.path()).unwrap();
        let names: Vec<_> = found
            .iter()
            .map(|f| (f.index.as_deref(), f.name()))
            .collect();
        assert_eq!(
            names,
            [
                (None, "nb-1-big-Data.db"),
                (Some("by_name"), "nb-1-big-Data.db")
            ]
        );
        assert_eq!(by_sstable(&found).len(), 2);
    }

    #[test]
    fn a_compressed_sstable_without_its_offsets_is_not_whole() {
        let root = tempfile::tempdir().unwrap();
        for name in ["Data.db", "Index.db", "Statistics.db"] {
            write(root.path(), &format!("nb-1-big-{name}"), "x");
        }
        let whole = |root: &Path| {
            let found = list(root).unwrap();
            missing(&found.iter().collect::<Vec<_>>()).unwrap()
        };
        assert!(whole(root.path()).is_empty());
        write(
            root.path(),
            "nb-1-big-TOC.txt",
            "Data.db\nCompressionInfo.db\n",
        );
        assert_eq!(whole(root.path()), ["CompressionInfo.db"]);
        fs::remove_file(root.path().join("nb-1-big-Index.db")).unwrap();
        assert_eq!(whole(root.path()), ["CompressionInfo.db", "Index.db"]);
    }

    #[test]
    fn names_from_before_2_2_are_told_from_others() {
        let root = tempfile::tempdir().unwrap();
        let old = ["ks-t-jb-4-Data.db", "ks-t.idx-ka-1-Data.db"];
        for name in ["ks-t-ka-1-Index.db", "la-1-big-Data.db", "nb-1-big-Data.db"] {
            write(root.path(), name, "x");
        }
        old.iter().for_each(|name| write(root.path(), name, "x"));
        assert_eq!(
            old_names(root.path()).unwrap(),
            ["ks-t-jb-4-Data.db", "ks-t.idx-ka-1-Data.db"]
        );
    }

    #[test]
    fn a_bti_sstable_needs_its_tries() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "da-1-bti-Data.db", "x");
        let found = list(root.path()).unwrap();
        assert_eq!(
            missing(&found.iter().collect::<Vec<_>>()).unwrap(),
            ["Partitions.db", "Rows.db", "Statistics.db"]
        );
    }
}
