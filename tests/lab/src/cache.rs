//! The folder of downloaded and built things, shared by all labs of one user.
//!
//! An entry is built in a temporary folder and renamed into place, under a lock file, so that two
//! processes that want the same entry neither see half of it nor build it twice.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tracing::info;

/// Where fetched things are kept.
#[derive(Clone, Debug)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// Opens `RINGKEEP_LAB_CACHE`, or `ringkeep-lab` in the user's cache folder.
    pub fn open() -> Result<Self> {
        let root = match env::var_os("RINGKEEP_LAB_CACHE") {
            Some(root) => PathBuf::from(root),
            None => user_cache()?.join("ringkeep-lab"),
        };
        Self::at(root)
    }

    pub fn at(root: PathBuf) -> Result<Self> {
        fs::create_dir_all(root.join("locks"))
            .with_context(|| format!("could not create the lab cache {}", root.display()))?;
        Ok(Self {
            root: fs::canonicalize(root)?,
        })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn path(&self, entry: &str) -> PathBuf {
        self.root.join(entry)
    }

    pub fn has(&self, entry: &str) -> bool {
        self.path(entry).is_dir()
    }

    /// Returns the entry, built first where it is missing.
    ///
    /// `build` fills the first folder; the second is where that folder will be moved, for builds
    /// that must know their own final path.
    pub fn make(
        &self,
        entry: &str,
        build: impl FnOnce(&Path, &Path) -> Result<()>,
    ) -> Result<PathBuf> {
        let path = self.path(entry);
        if path.is_dir() {
            return Ok(path);
        }
        let _lock = self.lock(entry)?;
        if path.is_dir() {
            return Ok(path);
        }
        let building = tempfile::Builder::new()
            .prefix(&format!(".{entry}-"))
            .tempdir_in(&self.root)
            .with_context(|| format!("could not create a folder in {}", self.root.display()))?;
        build(building.path(), &path).with_context(|| format!("could not fetch {entry}"))?;
        fs::rename(building.keep(), &path)
            .with_context(|| format!("could not move {entry} into the lab cache"))?;
        Ok(path)
    }

    fn lock(&self, entry: &str) -> Result<File> {
        let path = self.root.join("locks").join(entry);
        let file = File::create(&path)
            .with_context(|| format!("could not create the lock {}", path.display()))?;
        if file.try_lock().is_err() {
            info!("waiting for another process that fetches {entry}");
            file.lock()
                .with_context(|| format!("could not lock {}", path.display()))?;
        }
        Ok(file)
    }
}

fn user_cache() -> Result<PathBuf> {
    if let Some(cache) = env::var_os("XDG_CACHE_HOME").filter(|cache| !cache.is_empty()) {
        return Ok(PathBuf::from(cache));
    }
    let home = env::var_os("HOME")
        .context("neither RINGKEEP_LAB_CACHE, XDG_CACHE_HOME nor HOME is set: set one of them")?;
    Ok(PathBuf::from(home).join(".cache"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_built_once_and_a_failed_build_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::at(root.path().to_owned()).unwrap();
        assert!(
            cache
                .make("thing", |_, _| anyhow::bail!("no network"))
                .is_err()
        );
        assert!(!cache.has("thing"));

        let build = |folder: &Path, _: &Path| Ok(fs::write(folder.join("file"), "made")?);
        let path = cache.make("thing", build).unwrap();
        assert_eq!(fs::read_to_string(path.join("file")).unwrap(), "made");
        cache.make("thing", |_, _| panic!("built twice")).unwrap();
    }
}
