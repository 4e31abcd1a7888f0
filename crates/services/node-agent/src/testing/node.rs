//! A node in a temporary folder: data directories, system tables, an agent, and a bucket that is a folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use blob_store::testing::Faulty;
use blob_store::{Budget, Folder, Store};
use cassandra_formats::statistics::Statistics;
use cassandra_formats::{Version, parse_file_name};
use cassandra_node::folders::DataFolders;
use cassandra_node::process::commands::Commands;
use cassandra_node::testing::{FakeCassandra, FakeControl, FakeCql, FakeProcess};
use chassis::Locks;
use chassis::work::Work;
use model::manifest::{BackupKind, NodeManifest};
use model::{BackupRef, HostId, Selection, TableId, TableRef};
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

use crate::agent::Agent;
use crate::config::AgentConfig;
use crate::fences::SeenFences;
use crate::folders::Folders;
use crate::limits::Limits;
use crate::owner::StateOwner;
use crate::upload::Upload;

pub struct FakeNode {
    pub root: TempDir,
    pub agent: Agent,
    pub cql: Arc<FakeCql>,
    pub control: Arc<FakeControl>,
    pub process: Arc<FakeProcess>,
    pub store: Arc<Faulty>,
    /// The same without faults, for what a test does by itself.
    pub bucket: Store,
    pub bucket_root: PathBuf,
    /// Nodes whose folders this one still needs.
    others: Vec<FakeNode>,
}

/// A table's folder in one data directory.
pub struct TableFolder(pub PathBuf);

impl FakeNode {
    /// A node with this many data directories, of this release.
    pub fn new(data_directories: usize, release: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let bucket = root.path().join("bucket");
        Self::on(root, data_directories, release, bucket)
    }

    /// Another node with the same bucket.
    pub fn beside(other: &Self, release: &str) -> Self {
        let bucket = other.bucket_root.clone();
        Self::on(tempfile::tempdir().unwrap(), 1, release, bucket)
    }

    fn on(root: TempDir, data_directories: usize, release: &str, bucket_root: PathBuf) -> Self {
        let bucket: Store = Arc::new(Folder::open(&bucket_root).unwrap());
        let fake = FakeCassandra::new(root.path(), data_directories, release);
        let config = AgentConfig {
            state_dir: root.path().join("state"),
            parallel_files: 2,
            read_buffer_bytes: 257,
            reserved_bytes: 0,
            ..AgentConfig::default()
        };
        let store = Arc::new(Faulty::new(bucket.clone()));
        let FakeCassandra {
            node,
            cql,
            control,
            process,
        } = fake;
        let folders = Folders::new(
            node.data_folders(),
            node.yaml.saved_caches_directory.clone(),
            &config,
        );
        let owner = StateOwner::of(&config.state_dir).unwrap();
        let agent = Agent {
            node,
            store: store.clone(),
            limits: Limits::new(&config),
            fences: SeenFences::new(folders.fences_file()),
            folders,
            budget: Budget::new(config.transfer_memory_bytes),
            config,
            locks: Locks::default(),
            clock: || "2026-01-02T03:04:05Z".parse().unwrap(),
            owner,
        };
        Self {
            root,
            agent,
            cql,
            control,
            process,
            store,
            bucket,
            bucket_root,
            others: Vec::new(),
        }
    }

    /// Stores each file as an object of its own, for tests of such objects.
    pub fn unpacked(mut self) -> Self {
        self.agent.config.packed_file_bytes_max = 0;
        self
    }

    /// Has commands start and stop Cassandra, instead of the fake process.
    pub fn commands(&mut self, start: Vec<String>, stop: Vec<String>) {
        let output = self.agent.folders.state.clone();
        self.agent.node.process = Arc::new(Commands::new(start, stop, output));
    }

    /// Keeps another node's folders for as long as this one's.
    pub fn keep_alive(&mut self, other: FakeNode) {
        self.others.push(other);
    }

    pub fn host_id(number: u128) -> HostId {
        HostId(Uuid::from_u128(number))
    }

    pub fn table_id(number: u128) -> TableId {
        TableId(Uuid::from_u128(number))
    }

    /// Makes these tables of keyspace `ks` known, with the ids 1, 2, …, and their folders.
    pub fn tables(&self, names: &[&str]) {
        let rows: Vec<_> = names
            .iter()
            .zip(1..)
            .map(|(name, id)| {
                json!({ "keyspace_name": "ks", "table_name": name, "id": Self::table_id(id).to_string(),
                        "compaction": { "class": "STCS" } })
            })
            .collect();
        self.cql.set(
            "SELECT keyspace_name, table_name, id, compaction FROM system_schema.tables",
            json!(rows),
        );
        for (name, id) in names.iter().zip(1..) {
            for data in 0..self.agent.folders.data.len() {
                fs::create_dir_all(&self.table(name, id, data).0).unwrap();
            }
        }
    }

    pub fn table(&self, name: &str, id: u128, data: usize) -> TableFolder {
        let data = &self.agent.folders.data[data].path;
        TableFolder(DataFolders::table_folder(
            data,
            &TableRef::new("ks", name),
            &Self::table_id(id),
        ))
    }

    /// Makes a segment of the commit log.
    pub fn segment(&self, name: &str) -> PathBuf {
        let path = self.agent.node.yaml.commitlog_directory.join(name);
        fs::write(&path, "writes").unwrap();
        path
    }

    pub fn upload(&self, backup: &str, base: Option<&str>) -> Upload {
        Upload {
            tag: "ringkeep-tag".to_owned(),
            backup: Self::backup(backup),
            kind: if base.is_some() {
                BackupKind::Differential
            } else {
                BackupKind::Full
            },
            base: base.map(|name| name.parse().unwrap()),
            copy_from: None,
            selection: Selection::default(),
            snapshot_taken_at: "2026-01-02T03:04:05Z".parse().unwrap(),
            keep_damaged: false,
        }
    }

    pub fn backup(name: &str) -> BackupRef {
        BackupRef {
            cluster: "c".parse().unwrap(),
            name: name.parse().unwrap(),
        }
    }

    /// Takes a snapshot and uploads it.
    pub async fn back_up(&self, backup: &str, base: Option<&str>) -> NodeManifest {
        self.back_up_as(self.upload(backup, base)).await
    }

    /// A full backup that copies what is unchanged from an earlier one.
    pub async fn back_up_copying(&self, backup: &str, from: &str) -> NodeManifest {
        self.back_up_as(self.upload_copying(backup, from)).await
    }

    pub fn upload_copying(&self, backup: &str, from: &str) -> Upload {
        Upload {
            copy_from: Some(from.parse().unwrap()),
            ..self.upload(backup, None)
        }
    }

    async fn back_up_as(&self, upload: Upload) -> NodeManifest {
        let backup = upload.backup.name.to_string();
        crate::snapshot::take(&self.agent, "ringkeep-tag", &Selection::default())
            .await
            .unwrap();
        let (work, ..) = Work::new();
        crate::upload::upload(&self.agent, &upload, &work)
            .await
            .unwrap();
        crate::snapshot::clear(&self.agent, "ringkeep-tag")
            .await
            .unwrap();
        self.commit(&backup).await;
        self.manifest(&backup).await
    }

    pub async fn manifest(&self, backup: &str) -> NodeManifest {
        let backup = Self::backup(backup);
        let read = self.read(&backup, Self::host_id(1)).await;
        read.unwrap().unwrap().document
    }
}

impl TableFolder {
    /// Writes an SSTable whose components hold `content`, and which stands every check but that of its rows.
    pub fn sstable(&self, descriptor: &str, content: &str) {
        fs::create_dir_all(&self.0).unwrap();
        let data = format!("data of {content}");
        let crc32 = crc32fast::hash(data.as_bytes()).to_string();
        let toc = "Data.db\nIndex.db\nStatistics.db\nDigest.crc32\nTOC.txt\n";
        for (component, bytes) in [
            ("Data.db", data.into_bytes()),
            ("Index.db", index(content)),
            ("Statistics.db", statistics(descriptor, content)),
            ("Digest.crc32", crc32.into_bytes()),
            ("TOC.txt", toc.into()),
        ] {
            fs::write(self.0.join(format!("{descriptor}-{component}")), bytes).unwrap();
        }
    }

    /// Copies a table that a real Cassandra has written, with its secondary indexes.
    pub fn copy(&self, from: &Path) {
        fs::create_dir_all(&self.0).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let from = entry.unwrap().path();
            let name = cassandra_node::files::name_of(&from);
            if from.is_dir() {
                TableFolder(self.0.join(name)).copy(&from);
            } else if parse_file_name(name).is_ok() {
                fs::copy(&from, self.0.join(name)).unwrap();
            }
        }
    }

    pub fn index(&self, name: &str) -> TableFolder {
        TableFolder(self.0.join(format!(".{name}")))
    }

    /// What each Data component in the folder holds, sorted.
    pub fn contents(&self) -> Vec<String> {
        let files = cassandra_node::sstables::list(&self.0).unwrap();
        let mut found: Vec<String> = files
            .iter()
            .filter(|file| file.is_own_data())
            .map(|file| fs::read_to_string(&file.path).unwrap())
            .map(|text| text.replace("data of ", ""))
            .collect();
        found.sort();
        found
    }
}

/// A table that a real Cassandra has written, for example `big-nb/layouts/simple`.
pub fn fixture(table: &str) -> PathBuf {
    Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../facts/cassandra-formats/tests/fixtures"
    ))
    .join(table)
}

/// Index.db with one partition, at the front of Data.
fn index(key: &str) -> Vec<u8> {
    let mut bytes = u16::try_from(key.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend_from_slice(key.as_bytes());
    bytes.extend_from_slice(&[0, 0]);
    bytes
}

/// A Statistics.db that differs with the content that it is for.
pub fn statistics(descriptor: &str, content: &str) -> Vec<u8> {
    let name = format!("{descriptor}-Statistics.db");
    let (descriptor, _) = parse_file_name(&name).unwrap();
    let version = Version::known(&descriptor.format).unwrap();
    let name = &descriptor.format.version;
    let sample = fixture(&format!("big-{name}/compression/lz4"));
    let sample = fs::read(sample.join(format!("{name}-1-big-Statistics.db"))).unwrap();
    let mut statistics = Statistics::parse(&sample, version).unwrap();
    statistics.stats.min_timestamp = i64::from(crc32fast::hash(content.as_bytes()));
    statistics.encode(version)
}
