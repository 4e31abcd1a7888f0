//! One SSTable in a folder.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use cassandra_formats::source::{Components, FileSource, ReadAt};
use cassandra_formats::{Descriptor, parse_file_name};

/// The component files of one SSTable that are in a folder.
#[derive(Debug, Clone)]
pub struct SstableFiles {
    folder: PathBuf,
    descriptor: Descriptor,
    /// Bytes by component name.
    components: BTreeMap<String, u64>,
}

impl SstableFiles {
    /// From components that are known already; reads nothing from the disk.
    pub fn new(folder: &Path, descriptor: Descriptor, components: BTreeMap<String, u64>) -> Self {
        Self {
            folder: folder.to_owned(),
            descriptor,
            components,
        }
    }

    /// Lists a folder and takes the components of one SSTable, of which there may be none.
    pub fn look(folder: &Path, descriptor: &Descriptor) -> io::Result<Self> {
        let mut components = BTreeMap::new();
        for entry in folder.read_dir()? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(Ok((of, component))) = name.to_str().map(parse_file_name) else {
                continue;
            };
            if of == *descriptor {
                components.insert(component.to_owned(), entry.metadata()?.len());
            }
        }
        Ok(Self::new(folder, descriptor.clone(), components))
    }

    /// The folder that holds the components.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The name that all its components share.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// The size in bytes of each component, by its name (`Data.db`).
    pub fn components(&self) -> &BTreeMap<String, u64> {
        &self.components
    }

    /// The size of all components.
    pub fn bytes(&self) -> u64 {
        self.components.values().sum()
    }

    /// The path of a component, whether it exists or not.
    pub fn path(&self, component: &str) -> PathBuf {
        self.folder.join(format!("{}-{component}", self.descriptor))
    }
}

impl Components for SstableFiles {
    fn names(&self) -> Vec<String> {
        self.components.keys().cloned().collect()
    }

    fn open(&self, component: &str) -> io::Result<Option<Box<dyn ReadAt>>> {
        match File::open(self.path(component)) {
            Ok(file) => Ok(Some(Box::new(FileSource::new(file)?))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
