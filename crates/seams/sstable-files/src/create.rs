//! A new SSTable in a folder: made durable before it is called done.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use cassandra_formats::Descriptor;
use cassandra_formats::slice::{CreateComponents, WriteSeek};

/// The files of an SSTable that is being written. What [`seal`](Self::seal) was not called for is not to be used: a
/// crash leaves it half written.
#[derive(Debug)]
pub struct NewSstable {
    folder: PathBuf,
    descriptor: Descriptor,
    paths: Vec<PathBuf>,
}

impl NewSstable {
    pub fn new(folder: &Path, descriptor: Descriptor) -> Self {
        Self {
            folder: folder.to_owned(),
            descriptor,
            paths: Vec::new(),
        }
    }

    /// Brings everything to the disk.
    pub fn seal(self) -> io::Result<()> {
        for path in &self.paths {
            File::open(path)?.sync_all()?;
        }
        File::open(&self.folder)?.sync_all()
    }

    /// Removes what was written.
    pub fn discard(self) -> io::Result<()> {
        self.paths.iter().try_for_each(fs::remove_file)
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
