//! Loads copies of slices into a node, in the way of its release.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use cassandra_formats::parse_file_name;
use futures::stream::{self, StreamExt, TryStreamExt};
use lab::{Node, Release};
use sstable_files::{Place, SstableFiles};

/// nodetool runs in a JVM of its own.
const LOADS_AT_ONCE: usize = 2;
/// Above what live SSTables may be called.
const FOREIGN_IDS: u32 = 5000;
/// What a node may write again on loading without a fault of the slice: level and repair time go into Statistics.db,
/// and the components of an attached index into TOC.txt.
const REWRITTEN: [&str; 2] = ["Statistics.db", "TOC.txt"];

/// The bytes of an SSTable's components.
type Contents = BTreeMap<String, Vec<u8>>;

/// Folders of slices, as `<keyspace>/<table>-<id>`.
pub struct Slices {
    pub folders: Vec<PathBuf>,
    /// Where copies are put that a node moves away.
    pub staging: PathBuf,
}

impl Slices {
    /// Gives the node a copy of each slice of these tables, all checks on.
    pub async fn load(
        &self,
        node: &Node,
        release: Release,
        of: impl Fn(&str) -> bool,
    ) -> Result<()> {
        stream::iter(self.folders_of(of)?)
            .map(|folder| async move {
                let load = match release {
                    Release::C311 => refresh(node, folder).await,
                    _ => import(node, folder, &self.staging).await,
                };
                load.with_context(|| format!("could not load {}", folder.display()))
            })
            .buffer_unordered(LOADS_AT_ONCE)
            .try_collect()
            .await
    }

    /// Puts copies of the slices of these tables where a node that does not run finds them when it starts.
    pub fn lay(&self, node: &Node, of: impl Fn(&str) -> bool) -> Result<()> {
        for folder in self.folders_of(of)? {
            copy(folder, &table_folder(node, folder)?, FOREIGN_IDS)?;
        }
        Ok(())
    }

    fn folders_of(&self, of: impl Fn(&str) -> bool) -> Result<Vec<&PathBuf>> {
        let mut folders = Vec::new();
        for folder in &self.folders {
            if of(&Place::of(folder).context("a table's folder")?.table) {
                folders.push(folder);
            }
        }
        Ok(folders)
    }

    /// Fails unless the node's SSTables are the slices, byte by byte: what it could not use, it would have made again.
    pub fn check_untouched(&self, node: &Node) -> Result<()> {
        for folder in &self.folders {
            let live = table_folder(node, folder)?;
            let (mut expected, mut found) = (contents(folder)?, contents(&live)?);
            // Indexes that are attached to an SSTable have components of their own.
            for sstable in &mut found {
                sstable.retain(|name, _| expected.iter().any(|slice| slice.contains_key(name)));
            }
            expected.sort();
            found.sort();
            ensure!(
                expected.len() == found.len(),
                "{} slices and {} SSTables in {}",
                expected.len(),
                found.len(),
                live.display()
            );
            for (expected, found) in expected.iter().zip(&found) {
                for (name, bytes) in expected {
                    ensure!(
                        found.get(name) == Some(bytes),
                        "{name} of a slice in {} was written again",
                        live.display()
                    );
                }
            }
        }
        Ok(())
    }
}

/// Copies beside the node and has them moved in. The folder tells the node which table they are of.
pub async fn import(node: &Node, slices: &Path, staging: &Path) -> Result<()> {
    let place = Place::of(slices).context("a table's folder")?;
    let folder = staging
        .join(&place.keyspace)
        .join(slices.file_name().context("a table's folder")?);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    copy(slices, &folder, 0)?;
    let path = folder.to_str().context("a readable path")?;
    let arguments = ["import", "-e", "--", &place.keyspace, &place.table, path];
    node.nodetool(&arguments).await?;
    let left = fs::read_dir(&folder)?.count();
    ensure!(left == 0, "{left} files were left in {path}");
    Ok(())
}

async fn refresh(node: &Node, slices: &Path) -> Result<()> {
    let place = Place::of(slices).context("a table's folder")?;
    copy(slices, &table_folder(node, slices)?, FOREIGN_IDS)?;
    let arguments = ["refresh", "--", &place.keyspace, &place.table];
    node.nodetool(&arguments).await.map(drop)
}

/// Where the node has the table of these slices.
fn table_folder(node: &Node, slices: &Path) -> Result<PathBuf> {
    let table = slices.file_name().context("a table's folder")?;
    let place = Place::of(slices).context("a table's folder")?;
    Ok(node.data_dirs[0].join(place.keyspace).join(table))
}

/// Copies all files under ids that are higher by so much.
fn copy(from: &Path, to: &Path, by: u32) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name().into_string().ok().context("a name")?;
        let (mut descriptor, component) = parse_file_name(&name)?;
        let id: u32 = descriptor.id.parse()?;
        descriptor.id = (id + by).to_string();
        fs::copy(entry.path(), to.join(format!("{descriptor}-{component}")))?;
    }
    Ok(())
}

/// Of each SSTable right in this folder.
fn contents(folder: &Path) -> Result<Vec<Contents>> {
    let mut sstables = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        if let Some(Ok((descriptor, "Data.db"))) = name.to_str().map(parse_file_name) {
            sstables.insert(descriptor);
        }
    }
    let look = |descriptor| components(&SstableFiles::look(folder, descriptor)?);
    sstables.iter().map(look).collect()
}

fn components(sstable: &SstableFiles) -> Result<Contents> {
    let names = sstable.components().keys();
    names
        .filter(|name| !REWRITTEN.contains(&name.as_str()))
        .map(|name| Ok((name.clone(), fs::read(sstable.path(name))?)))
        .collect()
}
