//! A Cassandra that lives on disk only: snapshots are hard links, loading renames files.

mod misbehaviour;
mod snapshot;
mod upgrade;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use async_trait::async_trait;
use cassandra_formats::parse_file_name;
use model::TableRef;

use crate::control::{
    CassandraControl, ClientProtocol, ControlError, Maintenance, Operation, SnapshotScope,
    Unsettled,
};
use crate::files;
use crate::sstables::{self, ComponentFile};

pub use misbehaviour::Misbehaviour;
use snapshot::link_snapshot;
pub use upgrade::Upgrades;

/// A running Cassandra that has nothing but its files.
pub struct FakeControl {
    /// The data directories.
    pub data: Vec<PathBuf>,
    /// How it goes wrong now.
    pub misbehaviour: Mutex<Option<Misbehaviour>>,
    /// What it reports that it is doing.
    pub mode: Mutex<Result<String, ControlError>>,
    /// By which the ring knows the node.
    pub host_id: Mutex<String>,
    /// Tables whose automatic compaction is off.
    pub compaction_off: Mutex<BTreeSet<TableRef>>,
    /// What it is at in the background; without, it does not report it.
    pub operations: Mutex<Option<Vec<Operation>>>,
    /// The addresses that gossip knows; without, gossip cannot be read.
    pub gossip: Mutex<Option<BTreeSet<IpAddr>>>,
    /// The protocols by which it serves clients.
    pub served: Mutex<BTreeSet<ClientProtocol>>,
    /// What it rewrites SSTables into; without, it rewrites none.
    pub upgrades: Mutex<Option<Upgrades>>,
    /// Other nodes that it takes for down, or that change the ring.
    pub unsettled: Mutex<Unsettled>,
    /// How many of the next maintenance commands find Cassandra busy.
    pub busy: Mutex<u32>,
    /// The calls that change something or are expensive, in words like nodetool's.
    pub calls: Mutex<Vec<String>>,
}

impl FakeControl {
    /// One that is up and has these data directories.
    pub fn new(data: Vec<PathBuf>) -> Self {
        Self {
            data,
            misbehaviour: Mutex::new(None),
            mode: Mutex::new(Ok("NORMAL".to_owned())),
            host_id: Mutex::new("11111111-0000-0000-0000-000000000001".to_owned()),
            compaction_off: Mutex::default(),
            operations: Mutex::new(Some(Vec::new())),
            gossip: Mutex::default(),
            served: Mutex::new([ClientProtocol::Native].into()),
            upgrades: Mutex::default(),
            unsettled: Mutex::default(),
            busy: Mutex::default(),
            calls: Mutex::default(),
        }
    }

    /// Is at this in the background from now on.
    pub fn is_at(&self, operations: Option<Vec<Operation>>) {
        *self.operations.lock().unwrap() = operations;
    }

    /// Goes wrong from now on.
    pub fn misbehave(&self, how: Misbehaviour) {
        *self.misbehaviour.lock().unwrap() = Some(how);
    }

    /// Goes wrong no longer.
    pub fn behave(&self) {
        *self.misbehaviour.lock().unwrap() = None;
    }

    /// Is unreachable from now on.
    pub fn go_down(&self) {
        *self.mode.lock().unwrap() = Err(down());
    }

    fn does(&self, how: &Misbehaviour) -> bool {
        self.misbehaviour.lock().unwrap().as_ref() == Some(how)
    }

    fn note(&self, call: impl Into<String>) {
        self.calls.lock().unwrap().push(call.into());
    }

    /// Folders of tables, in every data directory.
    fn table_folders(&self) -> Vec<(TableRef, PathBuf)> {
        let mut found = Vec::new();
        for data in &self.data {
            for keyspace in files::entries(data).unwrap() {
                for table in files::entries(&keyspace).unwrap() {
                    let name = TableRef::new(files::name_of(&keyspace), table_of(&table));
                    found.push((name, table));
                }
            }
        }
        found
    }

    /// The folders that are in use: those without an id if there is any.
    fn folders_of(&self, table: &TableRef) -> Vec<PathBuf> {
        let folders = self.table_folders().into_iter();
        let mut folders: Vec<PathBuf> = folders
            .filter(|(of, _)| of == table)
            .map(|(_, folder)| folder)
            .collect();
        let is_plain = |folder: &PathBuf| files::name_of(folder) == table.table;
        if folders.iter().any(is_plain) {
            folders.retain(is_plain);
        }
        folders
    }

    fn import_one(&self, table: &TableRef, folder: &Path) {
        self.note(format!("import {table} {}", files::name_of(folder)));
        let live = self.folders_of(table).remove(0);
        // Cassandra checks the last two folders of the path, and reports nothing if they are not the table's.
        let keyspace = folder.parent().map(files::name_of).unwrap_or_default();
        let inside = keyspace == table.keyspace && table_of(folder) == table.table;
        if self.does(&Misbehaviour::LoadsNothing) || !inside {
            return;
        }
        let staged = sstables::list(folder).unwrap();
        let mut lose = self.does(&Misbehaviour::LosesOne);
        let dies = self.does(&Misbehaviour::DiesHalfWay);
        for (at, ((_, descriptor), components)) in
            sstables::by_sstable(&staged).into_iter().enumerate()
        {
            if dies && at == 1 {
                let orphans = components.iter().filter(|file| !file.is_data());
                orphans.for_each(|file| fs::remove_file(&file.path).unwrap());
                return;
            }
            let id = self.highest(table) + 1;
            for file in components {
                let to = live.join(format!(
                    "{}-{id}-{}-{}",
                    descriptor.format.version, descriptor.format.format, file.component
                ));
                match lose {
                    true => fs::remove_file(&file.path).unwrap(),
                    false => fs::rename(&file.path, to).unwrap(),
                }
            }
            lose = false;
        }
    }

    fn count(&self, table: &TableRef) -> u64 {
        let known = |file: &ComponentFile| {
            file.is_own_data() && file.descriptor.id.parse::<u64>().unwrap() <= 100_000
        };
        let folders = self.folders_of(table);
        let files = folders
            .iter()
            .flat_map(|folder| sstables::list(folder).unwrap());
        let skipped = usize::from(self.does(&Misbehaviour::OpensAllButOne));
        files.filter(known).count().saturating_sub(skipped) as u64
    }

    fn highest(&self, table: &TableRef) -> u64 {
        let files = self.folders_of(table);
        let files = files
            .iter()
            .flat_map(|folder| sstables::list(folder).unwrap());
        files
            .filter_map(|file| file.descriptor.id.parse().ok())
            .max()
            .unwrap_or(0)
    }
}

/// The table whose folder this is, by its name.
fn table_of(folder: &Path) -> &str {
    files::name_of(folder).split('-').next().unwrap_or_default()
}

const HINT: &str = "this is a fake";

fn down() -> ControlError {
    ControlError::Unreachable {
        operation: "netstats".into(),
        why: "Connection refused".into(),
        hint: HINT,
    }
}

fn failed(operation: &str) -> ControlError {
    ControlError::Failed {
        operation: operation.into(),
        why: "exit status: 2: error: out of luck".into(),
        hint: HINT,
    }
}

#[async_trait]
impl CassandraControl for FakeControl {
    async fn mode(&self) -> Result<String, ControlError> {
        self.mode.lock().unwrap().clone()
    }

    async fn host_id(&self) -> Result<String, ControlError> {
        Ok(self.host_id.lock().unwrap().clone())
    }

    async fn gossip_addresses(&self) -> Result<BTreeSet<IpAddr>, ControlError> {
        let known = self.gossip.lock().unwrap().clone();
        known.ok_or_else(|| failed("gossipinfo"))
    }

    async fn snapshot(&self, tag: &str, scope: &SnapshotScope) -> Result<(), ControlError> {
        self.note(format!("snapshot {tag}"));
        let in_scope = |table: &TableRef| match scope {
            SnapshotScope::Keyspaces(keyspaces) => keyspaces.contains(&table.keyspace),
            SnapshotScope::Tables(tables) => tables.contains(table),
        };
        for (table, folder) in self.table_folders() {
            if !in_scope(&table) || self.does(&Misbehaviour::SnapshotSkips(table.clone())) {
                continue;
            }
            let lost = match self.misbehaviour.lock().unwrap().clone() {
                Some(Misbehaviour::SnapshotLoses(component)) => Some(component),
                _ => None,
            };
            let empty = self.does(&Misbehaviour::SnapshotEmpty(table.clone()));
            link_snapshot(&folder, tag, lost, empty);
            if self.does(&Misbehaviour::SnapshotTakenByAnother) {
                self.behave();
                return Err(ControlError::SnapshotExists {
                    tag: tag.to_owned(),
                    hint: HINT,
                });
            }
            if self.does(&Misbehaviour::SnapshotFails) {
                return Err(failed("snapshot"));
            }
        }
        Ok(())
    }

    async fn clear_snapshot(&self, tag: &str) -> Result<(), ControlError> {
        self.note(format!("clearsnapshot {tag}"));
        for (_, folder) in self.table_folders() {
            files::remove_tree(&folder.join("snapshots").join(tag)).unwrap();
        }
        Ok(())
    }

    async fn import(
        &self,
        table: &TableRef,
        folders: &[PathBuf],
        check_tokens: bool,
    ) -> Result<(), ControlError> {
        if !check_tokens {
            self.note(format!("import {table} without checking tokens"));
        }
        for folder in folders {
            self.import_one(table, folder);
        }
        match self.does(&Misbehaviour::DiesHalfWay) {
            true => Err(failed("import")),
            false => Ok(()),
        }
    }

    async fn refresh(&self, table: &TableRef) -> Result<(), ControlError> {
        self.note(format!("refresh {table}"));
        if self.does(&Misbehaviour::LoadsNothing) {
            return Ok(());
        }
        for folder in self.folders_of(table) {
            let live = sstables::list(&folder).unwrap();
            let fresh =
                |file: &&ComponentFile| file.descriptor.id.parse::<u64>().unwrap() > 100_000;
            let mut number = live
                .iter()
                .filter(|file| !fresh(file))
                .filter_map(|file| file.descriptor.id.parse::<u64>().ok())
                .max()
                .unwrap_or(0);
            let mut last = None;
            for file in live.iter().filter(fresh) {
                if last.as_ref() != Some(&file.descriptor) {
                    number += 1;
                    last = Some(file.descriptor.clone());
                }
                let (_, component) = parse_file_name(file.name()).unwrap();
                fs::rename(
                    &file.path,
                    folder.join(format!("me-{number}-big-{component}")),
                )
                .unwrap();
            }
        }
        Ok(())
    }

    async fn not_compacted(&self, tables: &[TableRef]) -> Result<Vec<TableRef>, ControlError> {
        let off = self.compaction_off.lock().unwrap();
        Ok(tables
            .iter()
            .filter(|table| off.contains(table))
            .cloned()
            .collect())
    }

    async fn set_autocompaction(&self, tables: &[TableRef], on: bool) -> Result<(), ControlError> {
        let mut off = self.compaction_off.lock().unwrap();
        for table in tables {
            match on {
                true => off.remove(table),
                false => off.insert(table.clone()),
            };
        }
        Ok(())
    }

    async fn operations(&self) -> Result<Vec<Operation>, ControlError> {
        let operations = self.operations.lock().unwrap().clone();
        operations.ok_or_else(|| failed("compactionstats"))
    }

    async fn sstable_counts(
        &self,
        tables: &[TableRef],
    ) -> Result<BTreeMap<TableRef, u64>, ControlError> {
        let names: Vec<String> = tables.iter().map(ToString::to_string).collect();
        self.note(format!("tablestats {}", names.join(" ")));
        Ok(tables
            .iter()
            .map(|table| (table.clone(), self.count(table)))
            .collect())
    }

    async fn drain(&self) -> Result<(), ControlError> {
        self.note("drain");
        if self.does(&Misbehaviour::DiesInDrain) {
            self.go_down();
        }
        self.mode().await.map(drop)
    }

    async fn serves_clients(&self, protocol: ClientProtocol) -> Result<bool, ControlError> {
        self.mode().await?;
        Ok(self.served.lock().unwrap().contains(&protocol))
    }

    async fn set_clients(
        &self,
        protocol: ClientProtocol,
        served: bool,
    ) -> Result<(), ControlError> {
        self.mode().await?;
        if self.does(&Misbehaviour::KeepsClients) {
            return Ok(());
        }
        self.note(format!("clients {protocol:?} {served}"));
        let mut now = self.served.lock().unwrap();
        match served {
            true => now.insert(protocol),
            false => now.remove(&protocol),
        };
        Ok(())
    }

    async fn upgrade_sstables(&self, table: &TableRef, all: bool) -> Result<(), ControlError> {
        let option = if all { " -a" } else { "" };
        self.note(format!("upgradesstables{option} {table}"));
        let upgrades = self.upgrades.lock().unwrap().clone();
        if let Some(upgrades) = upgrades {
            let folders = self.folders_of(table);
            let first = self.highest(table) + 1;
            let keeps_one = self.does(&Misbehaviour::UpgradesAllButOne);
            upgrades.rewrite(&folders, first, all, keeps_one);
        }
        Ok(())
    }

    async fn maintain(&self, operation: &Maintenance) -> Result<(), ControlError> {
        self.mode().await?;
        self.note(operation.to_string());
        let mut busy = self.busy.lock().unwrap();
        if *busy > 0 {
            *busy -= 1;
            return Err(ControlError::Busy {
                operation: operation.to_string(),
                why: "something else runs".to_owned(),
                hint: "this is a fake",
            });
        }
        match self.does(&Misbehaviour::MaintenanceFails) {
            true => Err(failed(operation.word())),
            false => Ok(()),
        }
    }

    async fn unsettled(&self) -> Result<Unsettled, ControlError> {
        self.mode().await?;
        Ok(self.unsettled.lock().unwrap().clone())
    }
}
