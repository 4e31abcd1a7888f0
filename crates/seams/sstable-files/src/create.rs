//! A new SSTable in a folder, flushed to the disk before it is reported as written.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use cassandra_formats::Descriptor;
use cassandra_formats::slice::{CreateComponents, WriteSeek};

/// The files of an SSTable that is being written. They must not be used before [`seal`](Self::seal) has returned: a
/// crash leaves them incomplete.
#[derive(Debug)]
pub struct NewSstable {
    folder: PathBuf,
    descriptor: Descriptor,
    paths: Vec<PathBuf>,
}

impl NewSstable {
    /// Nothing is created before the first component is. `folder` must exist.
    pub fn new(folder: &Path, descriptor: Descriptor) -> Self {
        Self {
            folder: folder.to_owned(),
            descriptor,
            paths: Vec::new(),
        }
    }

    /// Flushes all components and the folder to the disk.
    pub fn seal(self) -> io::Result<()> {
        for path in &self.paths {
            File::open(path)?.sync_all()?;
        }
        File::open(&self.folder)?.sync_all()
    }
}

impl CreateComponents for NewSstable {
    fn create(&mut self, component: &str) -> io::Result<Box<dyn WriteSeek>> {
        let path = self.folder.join(format!("{}-{component}", self.descriptor));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)?;
        self.paths.push(path);
        Ok(Box::new(file))
    }
}
