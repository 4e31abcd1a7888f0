//! A backup of a real table, what a node stages of it, and the partitions in both.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cassandra_formats::data::{Depth, Event, Schema, Walker};
use cassandra_formats::statistics::Statistics;
use cassandra_formats::{DataLayout, Uncompressed, Version, verify};
use cassandra_node::files;
use chassis::work::Work;
use model::manifest::NodeManifest;
use model::{HostId, RangeText, SourceShare, TableRef};
use sstable_files::SstableFiles;

use model::plan::RestoreMode;

use crate::restore::TableTarget;
use crate::stage::{Stage, StageError};
use crate::testing::{FakeNode, fixture};

/// A partition: its token, its key and all its bytes.
pub type Partition = (i64, Vec<u8>, Vec<u8>);

/// A backup of a table that a real Cassandra has written, and where each partition of it is.
pub struct Source {
    pub node: FakeNode,
    pub release: &'static str,
    pub manifest: NodeManifest,
    /// Token, key and bytes, of all SSTables.
    pub partitions: Vec<Partition>,
}

impl Source {
    /// With its small files in packs, as an agent backs it up by default.
    pub async fn of(table: &str) -> Self {
        let source = Self::on(table, |node| node).await;
        let mut files = source.manifest.files();
        assert!(files.any(|file| file.offset.is_some()), "{table}");
        drop(files);
        source
    }

    /// With each file as an object of its own, as the files of large SSTables are.
    pub async fn unpacked(table: &str) -> Self {
        Self::on(table, FakeNode::unpacked).await
    }

    async fn on(table: &str, set_up: impl FnOnce(FakeNode) -> FakeNode) -> Self {
        let release = match table.starts_with("bti") {
            true => "5.0.5",
            false => "4.1.9",
        };
        let node = set_up(FakeNode::new(1, release));
        node.tables(&["real"]);
        node.table("real", 1, 0).copy(&fixture(table));
        let partitions = all_partitions(&node.table("real", 1, 0).0);
        let manifest = node.back_up("b1", None).await;
        Self {
            node,
            release,
            manifest,
            partitions,
        }
    }

    pub fn target(&self) -> FakeNode {
        let target = FakeNode::beside(&self.node, self.release);
        target.tables(&["real"]);
        target
    }

    /// Those of the ranges, sorted.
    pub fn wanted(&self, ranges: &[(i64, i64)]) -> Vec<Partition> {
        let mut wanted = self.partitions.clone();
        wanted.retain(|(token, ..)| {
            let mut ranges = ranges.iter();
            ranges.any(|(left, right)| match left < right {
                true => left < token && token <= right,
                false => left < token || token <= right,
            })
        });
        wanted.sort();
        wanted
    }

    pub fn tokens(&self) -> Vec<i64> {
        let mut tokens: Vec<i64> = self.partitions.iter().map(|(token, ..)| *token).collect();
        tokens.sort();
        tokens.dedup();
        tokens
    }

    /// In the middle of the tokens.
    pub fn middle(&self) -> i64 {
        let tokens = self.tokens();
        tokens[tokens.len() / 2]
    }

    /// Puts the manifest into the bucket once more, with changes, as that of another backup or node.
    pub fn put_manifest(&self, change: impl FnOnce(&mut NodeManifest)) {
        let mut manifest = self.manifest.clone();
        change(&mut manifest);
        if manifest.backup != self.manifest.backup {
            let base = self.manifest.backup.name.clone();
            let files = manifest
                .tables
                .iter_mut()
                .flat_map(|table| &mut table.files);
            files.for_each(|file| file.from = Some(base.clone()));
            manifest.base = Some(base);
        }
        let key = bucket::keys::node_manifest(&manifest.backup, &manifest.member.host_id);
        self.node.put_manifest(&key, &manifest);
    }
}

pub fn share(source: u128, ranges: &[(i64, i64)]) -> SourceShare {
    SourceShare {
        source: FakeNode::host_id(source),
        keyspaces: vec!["other".into(), "ks".into()],
        ranges: ranges
            .iter()
            .map(|(left, right)| RangeText {
                left: left.to_string(),
                right: right.to_string(),
            })
            .collect(),
        trims: false,
    }
}

pub fn order(shares: Vec<SourceShare>) -> Stage {
    let mut sources: Vec<HostId> = shares.iter().map(|share| share.source).collect();
    sources.dedup();
    Stage {
        restore: "r1".to_owned(),
        backup: FakeNode::backup("b1"),
        sources,
        manifests: BTreeMap::new(),
        tables: vec![TableTarget {
            source: None,
            table: TableRef::new("ks", "real"),
            source_id: FakeNode::table_id(1),
            target_id: FakeNode::table_id(1),
        }],
        shares,
        mode: RestoreMode::Online,
    }
}

pub async fn run(node: &FakeNode, order: &Stage) -> Result<u64, StageError> {
    let (work, ..) = Work::new();
    node.stage(order, &work).await
}

pub fn staging(node: &FakeNode) -> PathBuf {
    let data = &node.agent.folders.data[0];
    node.agent.folders.staging_of(data, "r1").unwrap()
}

pub fn staged_folder(node: &FakeNode) -> PathBuf {
    staging(node).join(format!("ks/real-{}", FakeNode::table_id(1).folder_suffix()))
}

pub fn sstables(folder: &Path) -> Vec<SstableFiles> {
    if !folder.is_dir() {
        return Vec::new();
    }
    let mut found = sstable_files::find(&[folder.to_owned()]).unwrap();
    found.retain(|sstable| sstable.folder() == folder);
    found
}

pub fn all_partitions(folder: &Path) -> Vec<Partition> {
    sstables(folder).iter().flat_map(partitions).collect()
}

/// In the order of the SSTable, which is sound.
pub fn partitions(sstable: &SstableFiles) -> Vec<Partition> {
    let descriptor = sstable.descriptor();
    let report = verify::verify(sstable, descriptor, verify::Depth::Extended, &mut |_| ()).unwrap();
    assert_eq!(report.damage, [], "{descriptor}");
    let version = Version::known(&descriptor.format).unwrap();
    let statistics = fs::read(sstable.path("Statistics.db")).unwrap();
    let statistics = Statistics::parse(&statistics, version).unwrap();
    let partitioner = statistics.partitioner().unwrap();
    let open = || {
        let (layout, data) = DataLayout::of(sstable, version, Some(&statistics)).unwrap();
        Uncompressed::new(data, layout).unwrap()
    };
    let schema = Arc::new(Schema::new(&statistics.header, version).unwrap());
    let mut walker = Walker::new(schema, Depth::Clusterings, open(), 0);
    let (mut found, mut data, mut current) = (Vec::new(), open(), None);
    while let Some(event) = walker.next_event().unwrap() {
        match event {
            Event::Partition(partition) => {
                current = Some((partition.position, partition.key.to_vec()));
            }
            Event::End(end) => {
                let (start, key) = current.take().unwrap();
                data.seek(start..end.end).unwrap();
                let mut bytes = vec![0; (end.end - start) as usize];
                data.read_exactly(&mut bytes).unwrap();
                let token = partitioner.token(&key).to_string().parse().unwrap();
                found.push((token, key, bytes));
            }
            _ => {}
        }
    }
    found
}

/// All that is staged, sorted; nothing half made lies about.
pub fn staged(node: &FakeNode) -> Vec<Partition> {
    let mut found = all_partitions(&staged_folder(node));
    found.sort();
    let mut folders = vec![staging(node)];
    while let Some(folder) = folders.pop() {
        for entry in files::entries(&folder).unwrap() {
            let name = files::name_of(&entry).to_owned();
            match entry.is_dir() {
                true => folders.push(entry),
                false => assert!(cassandra_formats::parse_file_name(&name).is_ok(), "{name}"),
            }
        }
    }
    assert!(
        !staging(node)
            .join(".slicing")
            .read_dir()
            .is_ok_and(|mut left| left.next().is_some())
    );
    found
}

/// For comparing without printing all.
#[track_caller]
pub fn same(found: &[Partition], wanted: &[Partition], of: &str) {
    assert_eq!(found.len(), wanted.len(), "{of}");
    assert!(found == wanted, "{of}: other partitions");
}
