//! A catalog on a store in memory, and agents that write what real ones would.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use api::RemoteError;
use api::client::StorageCatalogClient;
use api::pb::storage_catalog as pb;
use api::pb::storage_catalog::BackupState;
use api::pb::types::{self, BackupKind};
use blob_store::testing::Memory;
use blob_store::{Put, Store};
use bucket::keys;
use bytes::Bytes;
use cassandra_versions::Release;
use jiff::Timestamp;
use model::manifest::{self, NodeManifest, StoredFile, TableFiles};
use model::{BackupRef, HostId, RingMember, TableId, TaskId};
use uuid::Uuid;

pub const CLUSTER: &str = "prod";
pub const PARTITIONER: &str = "org.apache.cassandra.dht.Murmur3Partitioner";
/// 2026-01-01T00:00:00Z; each look at the clock is a second later.
const EPOCH_MS: i64 = 1_767_225_600_000;

/// A catalog process and the store that it works on.
pub struct World {
    pub store: Store,
    pub client: StorageCatalogClient,
}

pub fn memory_world() -> (Memory, World) {
    let memory = Memory::default();
    let world = World::on(Arc::new(memory.clone()));
    (memory, world)
}

pub fn backup(name: &str) -> BackupRef {
    BackupRef {
        cluster: CLUSTER.parse().expect("name"),
        name: name.parse().expect("name"),
    }
}

pub fn task(number: u128) -> TaskId {
    TaskId(Uuid::from_u128(
        0x0190_0000_0000_7000_8000_0000_0000_0000 + number,
    ))
}

pub fn host(number: u128) -> HostId {
    HostId(Uuid::from_u128(number))
}

pub fn wire_ref(name: &str) -> Option<types::BackupRef> {
    let (cluster, name) = name.split_once('/').unwrap_or((CLUSTER, name));
    Some(types::BackupRef {
        cluster: cluster.into(),
        name: name.into(),
    })
}

/// Two nodes.
pub fn ring() -> Vec<RingMember> {
    [1u128, 2]
        .map(|number| RingMember {
            host_id: host(number),
            address: format!("10.0.0.{number}"),
            datacenter: "dc1".into(),
            rack: format!("r{number}"),
            tokens: vec![format!("{}", number as i64 * 1000 - 1500)],
        })
        .into()
}

/// One file of the table `shop.orders`: its name, its content, and whose object it is.
#[derive(Clone, Copy)]
pub struct File<'a> {
    pub name: &'a str,
    pub content: &'a str,
    pub from: Option<&'a str>,
}

pub fn file<'a>(name: &'a str, content: &'a str) -> File<'a> {
    File {
        name,
        content,
        from: None,
    }
}

pub const FULL_FILES: &[File] = &[
    File {
        name: "nb-1-big-Data.db",
        content: "first rows",
        from: None,
    },
    File {
        name: "nb-1-big-Index.db",
        content: "first index",
        from: None,
    },
    File {
        name: "nb-2-big-Data.db",
        content: "second rows",
        from: None,
    },
];

/// What a node wrote; tests bend it before it is stored.
pub fn node_manifest(name: &str, base: Option<&str>, number: u128, files: &[File]) -> NodeManifest {
    let own = backup(name);
    let stored = |file: &File| {
        let owner = file.from.map_or_else(|| own.clone(), backup);
        StoredFile {
            name: file.name.into(),
            index: None,
            bytes: file.content.len() as u64,
            blake3: blake3::hash(file.content.as_bytes()).to_hex().to_string(),
            object: object_key(&owner, number, file.name),
            offset: None,
            from: file.from.map(|from| from.parse().expect("name")),
            copied_from: None,
            source: None,
        }
    };
    NodeManifest {
        kind: match base {
            Some(_) => manifest::BackupKind::Differential,
            None => manifest::BackupKind::Full,
        },
        base: base.map(|base| base.parse().expect("name")),
        member: ring()[number as usize - 1].clone(),
        release: "cassandra 4.1.9".parse::<Release>().expect("release"),
        partitioner: PARTITIONER.into(),
        snapshot_tag: format!("ringkeep-{name}"),
        snapshot_taken_at: Timestamp::from_millisecond(EPOCH_MS).expect("time"),
        damaged: Vec::new(),
        keys: Vec::new(),
        tables: vec![TableFiles {
            keyspace: "shop".into(),
            table: "orders".into(),
            id: TableId(Uuid::from_u128(0xabc)),
            view_of: None,
            files: files.iter().map(stored).collect(),
            sstables: Vec::new(),
        }],
        backup: own,
    }
}

pub fn object_key(backup: &BackupRef, node: u128, file: &str) -> String {
    let table = TableId(Uuid::from_u128(0xabc)).folder_suffix();
    format!(
        "{}{}/shop/orders-{table}/{file}",
        keys::data(backup),
        host(node)
    )
}

impl World {
    pub fn on(store: Store) -> Self {
        Self::at(store, Timestamp::from_millisecond(EPOCH_MS).expect("time"))
    }

    /// One whose clock begins at this time.
    pub fn at(store: Store, epoch: Timestamp) -> Self {
        let epoch_ms = epoch.as_millisecond();
        let clock = AtomicI64::new(0);
        let clock = Arc::new(move || {
            let seconds = clock.fetch_add(1, Ordering::Relaxed);
            Timestamp::from_millisecond(epoch_ms + seconds * 1000).expect("time")
        });
        let service = storage_catalog::service(store.clone(), clock);
        let channel = chassis::in_memory(tonic::service::Routes::new(service));
        Self {
            store,
            client: api::client::storage_catalog(channel),
        }
    }

    pub async fn begin(
        &self,
        name: &str,
        base: Option<&str>,
        task: TaskId,
    ) -> Result<pb::BeginBackupResponse, RemoteError> {
        let request = pb::BeginBackupRequest {
            backup: wire_ref(name),
            kind: match base {
                Some(_) => BackupKind::Differential as i32,
                None => BackupKind::Full as i32,
            },
            base: base.unwrap_or_default().into(),
            task_id: task.to_string(),
            selection: None,
        };
        Ok(self
            .client
            .clone()
            .begin_backup(request)
            .await?
            .into_inner())
    }

    /// Stores a node's own objects and its manifest, as its agent would.
    pub async fn upload(&self, manifest: &NodeManifest, files: &[File<'_>]) {
        for (stored, file) in manifest.tables[0].files.iter().zip(files) {
            if file.from.is_none() {
                self.put(&stored.object, file.content).await;
            }
        }
        let sealed = bucket::seal_document(manifest).expect("seals").0;
        let key = keys::node_manifest(&manifest.backup, &manifest.member.host_id);
        self.store.put(&key, sealed.into()).await.expect("put");
    }

    pub async fn put(&self, key: &str, content: &str) -> Put {
        let content = Bytes::copy_from_slice(content.as_bytes());
        self.store.put(key, content).await.expect("put")
    }

    pub async fn upload_all(&self, name: &str, base: Option<&str>, files: &[File<'_>]) {
        for number in [1, 2] {
            self.upload(&node_manifest(name, base, number, files), files)
                .await;
        }
    }

    pub fn commit_request(name: &str, task: TaskId) -> pb::CommitBackupRequest {
        pb::CommitBackupRequest {
            backup: wire_ref(name),
            task_id: task.to_string(),
            host_ids: vec![host(1).to_string(), host(2).to_string()],
            ring: api::convert::all_into(ring()),
            schema: Some(types::Schema::default()),
            cluster_name: "Prod Cluster".into(),
            release: None,
            partitioner: PARTITIONER.into(),
            snapshot_spread_ms: 7,
            ..Default::default()
        }
    }

    pub async fn commit(&self, name: &str, task: TaskId) -> Result<pb::Backup, RemoteError> {
        self.commit_with(Self::commit_request(name, task)).await
    }

    pub async fn commit_with(
        &self,
        request: pb::CommitBackupRequest,
    ) -> Result<pb::Backup, RemoteError> {
        let response = self.client.clone().commit_backup(request).await?;
        Ok(response.into_inner().backup.expect("a backup"))
    }

    pub async fn abandon(&self, name: &str, task: TaskId) -> Result<(), RemoteError> {
        let request = pb::AbandonBackupRequest {
            backup: wire_ref(name),
            task_id: task.to_string(),
            reason: "a disk broke".into(),
        };
        self.client.clone().abandon_backup(request).await?;
        Ok(())
    }

    /// Makes a full backup from start to end.
    pub async fn full(&self, name: &str, task: TaskId) {
        self.begin(name, None, task).await.expect("begins");
        self.upload_all(name, None, FULL_FILES).await;
        self.commit(name, task).await.expect("commits");
    }

    /// What a differential on `base` consists of: one file of the base, and one of its own.
    pub fn differential_files(base: &str) -> [File<'_>; 2] {
        [
            File {
                from: Some(base),
                ..FULL_FILES[0]
            },
            file("nb-3-big-Data.db", "third rows"),
        ]
    }

    /// Makes a differential backup from start to end.
    pub async fn differential(&self, name: &str, base: &str, task: TaskId) {
        self.begin(name, Some(base), task).await.expect("begins");
        self.upload_all(name, Some(base), &Self::differential_files(base))
            .await;
        self.commit(name, task).await.expect("commits");
    }

    pub async fn garbage(&self) -> Vec<pb::Garbage> {
        let mut client = self.client.clone();
        let found = client.find_garbage(pb::FindGarbageRequest::default()).await;
        found.expect("finds").into_inner().garbage
    }

    pub async fn list(&self) -> Vec<pb::BackupSummary> {
        self.try_list().await.expect("lists")
    }

    pub async fn try_list(&self) -> Result<Vec<pb::BackupSummary>, RemoteError> {
        let request = pb::ListBackupsRequest {
            cluster: String::new(),
        };
        let response = self.client.clone().list_backups(request).await?;
        Ok(response.into_inner().backups)
    }

    pub async fn state(&self, name: &str) -> Option<BackupState> {
        let listed = self.list().await;
        let of = |summary: &&pb::BackupSummary| summary.backup == wire_ref(name);
        listed.iter().find(of).map(pb::BackupSummary::state)
    }

    pub async fn get(&self, name: &str) -> Result<pb::Backup, RemoteError> {
        let request = pb::GetBackupRequest {
            backup: wire_ref(name),
        };
        let response = self.client.clone().get_backup(request).await?;
        Ok(response.into_inner().backup.expect("a backup"))
    }

    /// The newest results of verifications, by level.
    pub async fn verifications(&self, name: &str) -> Vec<pb::Verification> {
        let request = pb::GetBackupRequest {
            backup: wire_ref(name),
        };
        let response = self.client.clone().get_backup(request).await;
        response.expect("gets").into_inner().verifications
    }

    pub async fn find(&self, name: &str) -> Result<Option<types::BackupRef>, RemoteError> {
        let request = pb::FindBackupRequest {
            backup: wire_ref(name),
        };
        let response = self.client.clone().find_backup(request).await?;
        Ok(response.into_inner().backup)
    }

    /// When the backup that is found was begun.
    pub async fn found_started(&self, name: &str) -> String {
        let request = pb::FindBackupRequest {
            backup: wire_ref(name),
        };
        let found = self.client.clone().find_backup(request).await;
        found.expect("finds").into_inner().started_at
    }

    pub async fn verify(
        &self,
        name: &str,
        level: pb::VerifyLevel,
    ) -> Result<pb::VerifyReport, RemoteError> {
        self.verify_with(pb::VerifyBackupRequest {
            backup: wire_ref(name),
            level: level as i32,
            ..pb::VerifyBackupRequest::default()
        })
        .await
    }

    /// The next of so many parts.
    pub async fn verify_sample(
        &self,
        name: &str,
        level: pb::VerifyLevel,
        sample_parts: u32,
    ) -> Result<pb::VerifyReport, RemoteError> {
        self.verify_for(name, level, sample_parts, "").await
    }

    /// The same for a task.
    pub async fn verify_for(
        &self,
        name: &str,
        level: pb::VerifyLevel,
        sample_parts: u32,
        task: &str,
    ) -> Result<pb::VerifyReport, RemoteError> {
        self.verify_with(pb::VerifyBackupRequest {
            backup: wire_ref(name),
            level: level as i32,
            sample_parts,
            task_id: task.to_owned(),
            ..pb::VerifyBackupRequest::default()
        })
        .await
    }

    /// Whether all objects are there with their sizes; nothing is written.
    pub async fn check(&self, name: &str) -> Result<pb::VerifyReport, RemoteError> {
        self.verify_with(pb::VerifyBackupRequest {
            backup: wire_ref(name),
            level: pb::VerifyLevel::Manifest as i32,
            discard_result: true,
            ..pb::VerifyBackupRequest::default()
        })
        .await
    }

    pub async fn verify_with(
        &self,
        request: pb::VerifyBackupRequest,
    ) -> Result<pb::VerifyReport, RemoteError> {
        let mut stream = self
            .client
            .clone()
            .verify_backup(request)
            .await?
            .into_inner();
        let mut report = None;
        while let Some(message) = stream.message().await? {
            assert!(report.is_none(), "the report comes last");
            report = message.report;
        }
        Ok(report.expect("a report"))
    }

    pub async fn delete(&self, name: &str) -> Result<pb::DeleteBackupResponse, RemoteError> {
        self.delete_with(pb::DeleteBackupRequest {
            backup: wire_ref(name),
            ..pb::DeleteBackupRequest::default()
        })
        .await
    }

    pub async fn delete_with(
        &self,
        request: pb::DeleteBackupRequest,
    ) -> Result<pb::DeleteBackupResponse, RemoteError> {
        let mut client = self.client.clone();
        last_of(client.delete_backup(request).await?.into_inner()).await
    }

    pub async fn delete_if(
        &self,
        request: pb::DeleteBackupIfRequest,
    ) -> Result<pb::DeleteBackupResponse, RemoteError> {
        let mut client = self.client.clone();
        last_of(client.delete_backup_if(request).await?.into_inner()).await
    }

    pub async fn pin(&self, name: &str, task: TaskId) -> Result<(), RemoteError> {
        let request = pb::PinBackupRequest {
            backup: wire_ref(name),
            task_id: task.to_string(),
            ..pb::PinBackupRequest::default()
        };
        self.client.clone().pin_backup(request).await?;
        Ok(())
    }

    pub async fn unpin(&self, name: &str, task: TaskId) -> Result<(), RemoteError> {
        let request = pb::UnpinBackupRequest {
            backup: wire_ref(name),
            task_id: task.to_string(),
            by_people: false,
        };
        self.client.clone().unpin_backup(request).await?;
        Ok(())
    }

    /// A pin by people.
    pub async fn keep(
        &self,
        name: &str,
        reason: &str,
        until: Option<Timestamp>,
    ) -> Result<(), RemoteError> {
        let request = pb::PinBackupRequest {
            backup: wire_ref(name),
            reason: reason.to_owned(),
            until: until.map(|until| until.to_string()).unwrap_or_default(),
            ..pb::PinBackupRequest::default()
        };
        self.client.clone().pin_backup(request).await?;
        Ok(())
    }

    /// Releases the pins of people. Returns how many there were.
    pub async fn let_go(&self, name: &str) -> Result<u32, RemoteError> {
        let request = pb::UnpinBackupRequest {
            backup: wire_ref(name),
            task_id: String::new(),
            by_people: true,
        };
        let response = self.client.clone().unpin_backup(request).await?;
        Ok(response.into_inner().released)
    }

    /// The one promise: what is listed as complete can be got, and every byte of it is there.
    pub async fn assert_complete_is_whole(&self) {
        for summary in self.list().await {
            if summary.state() != BackupState::Complete {
                continue;
            }
            let name = summary.backup.expect("a name").name;
            self.get(&name).await.expect("can be got");
            let report = self
                .verify(&name, pb::VerifyLevel::Objects)
                .await
                .expect("verifies");
            assert!(report.ok, "{name}: {:?}", report.damage);
        }
    }
}

/// Asserts that a call was refused for this reason.
#[track_caller]
pub fn refused<T: std::fmt::Debug>(result: Result<T, RemoteError>, reason: &str) -> RemoteError {
    let error = result.expect_err(reason);
    assert_eq!(error.reason, reason, "{error:?}");
    error
}

async fn last_of(
    mut stream: tonic::Streaming<pb::DeleteBackupResponse>,
) -> Result<pb::DeleteBackupResponse, RemoteError> {
    let mut last = None;
    while let Some(message) = stream.message().await? {
        last = Some(message);
    }
    Ok(last.expect("a last message"))
}

/// The keys of a bucket, without those that say which names were used before.
pub fn but_tombstones(memory: &Memory) -> Vec<String> {
    let keys = memory.keys().into_iter();
    keys.filter(|key| !key.contains("/tombstones/")).collect()
}
