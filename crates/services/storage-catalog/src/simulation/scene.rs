//! The bucket of the simulation, its two catalogs, and which objects which backup needs.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use blob_store::testing::Memory;
use bucket::keys;
use jiff::{SignedDuration, Timestamp};
use model::manifest::{BackupKind, NodeManifest, StoredFile, TableFiles};
use model::{BackupRef, HostId, RingMember, TableId, TaskId};
use uuid::Uuid;

use super::oracle::Oracle;
use super::store::{Chance, Shaken};
use crate::catalog::Catalog;

/// 2026-01-01T00:00:00Z.
const EPOCH_MS: i64 = 1_767_225_600_000;
const SKEW_HOURS: u64 = 24;
const PARTITIONER: &str = "org.apache.cassandra.dht.Murmur3Partitioner";
/// What a full backup consists of. A differential has the first of its base, and one of its own.
const FILES: [&str; 2] = ["nb-1-big-Data.db", "nb-2-big-Data.db"];

#[derive(Clone)]
pub struct Scene {
    pub store: Arc<Shaken>,
    pub catalogs: [Arc<Catalog>; 2],
    oracle: Arc<Mutex<Oracle>>,
    next_task: Arc<AtomicI64>,
}

impl Scene {
    pub fn new() -> Self {
        let scene = Self::on(Memory::default(), 0, Oracle::default());
        scene.store.be_calm();
        scene
    }

    /// The same bucket, with clocks and faults of this seed.
    pub fn fork(&self, seed: u64) -> Self {
        Self::on(self.store.memory.fork(), seed, self.oracle().clone())
    }

    fn on(memory: Memory, seed: u64, oracle: Oracle) -> Self {
        let oracle = Arc::new(Mutex::new(oracle));
        let store = Arc::new(Shaken::new(memory, seed, oracle.clone()));
        let chance = Chance::new(!seed);
        let catalog = |_| Arc::new(Catalog::new(store.clone(), clock(&chance)));
        Self {
            catalogs: [0, 1].map(catalog),
            store,
            oracle,
            next_task: Arc::new(AtomicI64::new(1)),
        }
    }

    pub fn oracle(&self) -> MutexGuard<'_, Oracle> {
        self.oracle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn new_task(&self) -> TaskId {
        let number = self.next_task.fetch_add(1, Ordering::Relaxed);
        TaskId(Uuid::from_u128(
            0x0190_0000_0000_7000_8000_0000_0000_0000 + number as u128,
        ))
    }
}

/// A clock that is up to a day ahead or behind, and goes on by a second with each look at it.
fn clock(chance: &Chance) -> crate::Clock {
    let hours = chance.below(2 * SKEW_HOURS + 1) as i64 - SKEW_HOURS as i64;
    let epoch = Timestamp::from_millisecond(EPOCH_MS).expect("a time");
    let epoch = epoch + SignedDuration::from_hours(hours);
    let looks = AtomicI64::new(0);
    Arc::new(move || {
        let looks = looks.fetch_add(1, Ordering::Relaxed);
        epoch + SignedDuration::from_secs(looks)
    })
}

pub fn backup(name: &str) -> BackupRef {
    BackupRef {
        cluster: "c".parse().expect("a name"),
        name: name.parse().expect("a name"),
    }
}

/// Differentials are named after their base: `d1.f1`.
pub fn base_of(name: &str) -> Option<&str> {
    name.split_once('.').map(|(_, base)| base)
}

pub fn member() -> RingMember {
    RingMember {
        host_id: HostId(Uuid::from_u128(1)),
        address: "10.0.0.1".into(),
        datacenter: "dc1".into(),
        rack: "r1".into(),
        tokens: vec!["0".into()],
    }
}

fn object(owner: &BackupRef, file: &str) -> String {
    let table = TableId(Uuid::from_u128(0xabc)).folder_suffix();
    let node = HostId(Uuid::from_u128(1));
    format!("{}{node}/ks/t-{table}/{file}", keys::data(owner))
}

/// What a backup's node has written.
pub fn node_manifest(name: &str) -> NodeManifest {
    let own = backup(name);
    let base = base_of(name).map(backup);
    let files = FILES.iter().enumerate().map(|(at, file)| {
        let from = base.clone().filter(|_| at == 0);
        let owner = from.as_ref().unwrap_or(&own);
        StoredFile {
            name: (*file).into(),
            index: None,
            bytes: content(owner).len() as u64,
            blake3: blake3::hash(content(owner).as_bytes()).to_hex().to_string(),
            object: object(owner, file),
            offset: None,
            from: from.map(|from| from.name),
            copied_from: None,
            source: None,
        }
    });
    NodeManifest {
        kind: kind_of(name),
        base: base.clone().map(|base| base.name),
        member: member(),
        release: "cassandra 4.1.9".parse().expect("a release"),
        partitioner: PARTITIONER.into(),
        snapshot_tag: "tag".into(),
        snapshot_taken_at: Timestamp::from_millisecond(EPOCH_MS).expect("a time"),
        damaged: Vec::new(),
        keys: Vec::new(),
        tables: vec![TableFiles {
            keyspace: "ks".into(),
            table: "t".into(),
            id: TableId(Uuid::from_u128(0xabc)),
            view_of: None,
            files: files.collect(),
            sstables: Vec::new(),
        }],
        backup: own,
    }
}

pub fn kind_of(name: &str) -> BackupKind {
    match base_of(name) {
        Some(_) => BackupKind::Differential,
        None => BackupKind::Full,
    }
}

pub fn content(owner: &BackupRef) -> String {
    format!("rows of {}", owner.name)
}

/// Every object that a backup needs to be restored.
pub fn needs(name: &str) -> Vec<String> {
    let own = backup(name);
    let first = base_of(name).map_or_else(|| own.clone(), backup);
    vec![
        object(&first, FILES[0]),
        object(&own, FILES[1]),
        keys::node_manifest(&own, &member().host_id),
    ]
}
