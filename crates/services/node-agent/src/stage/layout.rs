//! Decides what is staged under which name in which data directory; touches nothing.

mod disk_space;
mod ids;

use std::collections::{BTreeMap, HashMap};

use cassandra_formats::{Descriptor, parse_file_name};
use cassandra_node::folders::table_folder_name;
use cassandra_node::sstables::{TOC, is_attached_index};
use model::manifest::{NodeManifest, StoredFile, TableFiles};
use model::{HostId, SourceShare, TableId, TableRef};

use super::StageError;
use super::share::{self, Portion, Taking};
use crate::restore::{Placement, TableTarget};

use disk_space::reserve;
use ids::Ids;

pub(super) use disk_space::{DiskSpace, disk_spaces};

/// What this node can take as it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// SSTable ids made of time keep being that; else they become numbers.
    pub keep_time_ids: bool,
    /// SAI and SASI components are of use here.
    pub keep_attached: bool,
}

/// One file of the backup, and its path in the staging folder of its data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StagedFile {
    pub directory: String,
    /// After the data directory's label.
    pub path: String,
    pub stored: StoredFile,
}

impl StagedFile {
    /// For example `Data.db`.
    pub fn component(&self) -> &str {
        parse_file_name(&self.stored.name).map_or("", |(_, component)| component)
    }
}

/// An SSTable with all its files; they stay together.
#[derive(Debug, Clone)]
pub(super) struct StagedSstable {
    pub placement: Placement,
    /// By an earlier try, which may have fetched files of it.
    pub placed_before: bool,
    pub files: Vec<StagedFile>,
    pub table: TableRef,
    /// The table's folder, after the data directory's label.
    pub folder: String,
    pub portion: Portion,
}

impl StagedSstable {
    /// What the journal calls it.
    pub fn journal_path(&self) -> String {
        let placement = &self.placement;
        format!("{}/{}/{}", placement.directory, self.folder, placement.to)
    }

    /// About what it comes to.
    pub fn bytes(&self) -> u64 {
        let bytes = self.files.iter().map(|file| file.stored.bytes).sum();
        self.portion.of_bytes(bytes)
    }

    /// The object of one of its components.
    pub fn object_of(&self, component: &str) -> String {
        let file = self.files.iter().find(|file| file.component() == component);
        file.map(|file| file.stored.object.clone())
            .unwrap_or_default()
    }
}

/// A component's name, and its file in the backup.
type Component<'a> = (String, &'a StoredFile);

/// An SSTable of the backup.
struct Source<'a> {
    host: HostId,
    target: &'a TableTarget,
    index: Option<String>,
    descriptor: Descriptor,
    files: Vec<Component<'a>>,
    portion: Portion,
}

pub(super) fn lay_out(
    manifests: &[(HostId, NodeManifest)],
    targets: &[TableTarget],
    shares: &[SourceShare],
    placed: &[Placement],
    rules: Rules,
    mut spaces: Vec<DiskSpace>,
) -> Result<Vec<StagedSstable>, StageError> {
    let sources = sources(manifests, targets, shares, rules)?;
    let before: HashMap<_, &Placement> = placed.iter().map(|p| (placement_key(p), p)).collect();
    let mut ids = Ids::new(&sources, placed);
    let mut sstables = Vec::new();
    for source in &sources {
        let key = (
            source.host,
            source.target.target_id,
            source.index.clone(),
            source.descriptor.to_string(),
        );
        let earlier = before
            .get(&key)
            .filter(|p| spaces.iter().any(|space| space.label == p.directory));
        let placement = match earlier {
            Some(placement) => (*placement).clone(),
            None => Placement {
                source: source.host,
                table: source.target.target_id,
                index: source.index.clone(),
                from: source.descriptor.to_string(),
                to: ids.name(source, rules).to_string(),
                directory: reserve(&mut spaces, source),
            },
        };
        sstables.push(StagedSstable {
            files: staged_files(source, &placement),
            placed_before: earlier.is_some(),
            placement,
            table: source.target.table.clone(),
            folder: folder_path(source),
            portion: source.portion.clone(),
        });
    }
    Ok(sstables)
}

fn placement_key(p: &Placement) -> (HostId, TableId, Option<String>, String) {
    (p.source, p.table, p.index.clone(), p.from.clone())
}

fn sources<'a>(
    manifests: &'a [(HostId, NodeManifest)],
    targets: &'a [TableTarget],
    shares: &[SourceShare],
    rules: Rules,
) -> Result<Vec<Source<'a>>, StageError> {
    let mut found = Vec::new();
    for (host, manifest) in manifests {
        for target in targets {
            let taking = share::taking(shares, *host, manifest, target)?;
            if matches!(taking, Taking::Nothing) {
                continue;
            }
            let table = find_table(manifest, *host, target)?;
            found.extend(sstables_of(table, *host, target, rules, &taking)?);
        }
    }
    Ok(found)
}

fn find_table<'a>(
    manifest: &'a NodeManifest,
    host: HostId,
    target: &TableTarget,
) -> Result<&'a TableFiles, StageError> {
    manifest
        .tables
        .iter()
        .find(|table| table.id == target.source_id && table.table_ref() == *target.in_backup())
        .ok_or_else(|| StageError::NoTable {
            source_node: host,
            table: target.in_backup().clone(),
            id: target.source_id,
        })
}

fn sstables_of<'a>(
    table: &'a TableFiles,
    host: HostId,
    target: &'a TableTarget,
    rules: Rules,
    taking: &Taking,
) -> Result<Vec<Source<'a>>, StageError> {
    // Its indexes may have other names, by which their files are named. Cassandra builds them for what it loads.
    let is_renamed = target.source.is_some();
    let mut sstables: BTreeMap<(Option<String>, Descriptor), Vec<Component<'_>>> = BTreeMap::new();
    for file in &table.files {
        let (descriptor, component) =
            parse_file_name(&file.name).map_err(|_| StageError::NotComponent {
                source_node: host,
                file: file.name.clone(),
            })?;
        if let Some(index) = &file.index {
            crate::path_name::check("index", index)?;
            if is_renamed {
                continue;
            }
        }
        sstables
            .entry((file.index.clone(), descriptor))
            .or_default()
            .push((component.to_owned(), file));
    }
    let facts = table
        .sstables
        .iter()
        .map(|facts| (facts.name.as_str(), facts));
    let facts = facts.collect();
    let mut sources = Vec::new();
    for ((index, descriptor), mut files) in sstables {
        let portion = match (taking, &index) {
            (Taking::Nothing, _) => None,
            (Taking::All, _) | (Taking::Uncut, Some(_)) => Some(Portion::Whole),
            (Taking::Uncut, None) => Some(Portion::Uncut),
            // Index tables hold entries of everything. Cassandra builds them for what it loads.
            (Taking::Ranges(_), Some(_)) => None,
            (Taking::Ranges(ranges), None) => ranges.of(table, &facts, &descriptor.to_string())?,
        };
        let Some(portion) = portion else { continue };
        let attached = files
            .iter()
            .any(|(component, _)| is_attached_index(component));
        if attached && (is_renamed || !rules.keep_attached) {
            // The list of components would name what is left out. Cassandra makes one that does not.
            files.retain(|(component, _)| !is_attached_index(component) && component != TOC);
        }
        sources.push(Source {
            host,
            target,
            index,
            descriptor,
            files,
            portion,
        });
    }
    Ok(sources)
}

fn folder_path(source: &Source<'_>) -> String {
    let folder = table_path(&source.target.table, &source.target.target_id);
    match &source.index {
        Some(index) => format!("{folder}/.{index}"),
        None => folder,
    }
}

fn staged_files(source: &Source<'_>, placement: &Placement) -> Vec<StagedFile> {
    let folder = folder_path(source);
    source
        .files
        .iter()
        .map(|(component, stored)| StagedFile {
            directory: placement.directory.clone(),
            path: format!("{folder}/{}-{component}", placement.to),
            stored: (*stored).clone(),
        })
        .collect()
}

fn table_path(table: &TableRef, id: &TableId) -> String {
    format!("{}/{}", table.keyspace, table_folder_name(table, id))
}

#[cfg(test)]
pub(super) use tests::empty_manifest;

#[cfg(test)]
mod tests;
