//! A backup and a target of three nodes each, changed by each test only where it says so.

mod changed;
mod checks;
mod facts;

use std::sync::Arc;

use cassandra_versions::{FormatSettings, Release, readable_formats, written_format};
use model::cql::quote;
use model::manifest::{BackupKind, BackupManifest, BackupNode, KeyFingerprint, SstableFacts};
use model::{
    BackupRef, DataDirectory, HostId, NodeDescription, NodeFeatures, RingMember, Schema,
    SchemaEntry, SchemaKind, Selection, TableId, TableRef, TaskId,
};
use plan::{Rates, RestoreOptions, RestoreRequest};
use uuid::Uuid;

pub use checks::*;
pub use facts::*;

pub const GIB: u64 = 1 << 30;
const SCHEMA_VERSION: &str = "00000000-0000-0000-0000-0000000000aa";

/// One cluster with its schema: where the backup was taken, or where it goes.
pub struct Side {
    pub release: Release,
    pub ring: Vec<RingMember>,
    pub entries: Vec<SchemaEntry>,
    pub tables: Vec<Table>,
    pub partitioner: String,
    /// The system keys, the same on each node.
    pub keys: Vec<KeyFingerprint>,
}

pub struct Table {
    pub table: TableRef,
    pub id: TableId,
    pub view_of: Option<String>,
    /// On each node.
    pub bytes: u64,
    pub formats: Vec<String>,
    pub compaction_class: String,
    /// Of the SSTables on each node; empty where the backup does not tell.
    pub facts: Vec<SstableFacts>,
}

pub fn release(text: &str) -> Release {
    text.parse().expect("a release")
}

pub fn table_id(number: u128) -> TableId {
    TableId(Uuid::from_u128(number))
}

pub fn table_ref(name: &str) -> TableRef {
    let (keyspace, table) = name.split_once('.').expect("keyspace.table");
    TableRef::new(keyspace, table)
}

pub fn selection(keyspaces: &[&str], tables: &[&str]) -> Selection {
    Selection {
        keyspaces: keyspaces.iter().map(|name| (*name).to_owned()).collect(),
        tables: tables.iter().map(|name| table_ref(name)).collect(),
    }
}

impl Side {
    /// Three nodes `<prefix>1` to `<prefix>3` with one token each, one for each rack.
    pub fn new(text: &str, prefix: &str, first_host_id: u128) -> Self {
        let member = |number: u128| RingMember {
            host_id: HostId(Uuid::from_u128(first_host_id + number)),
            address: format!("{prefix}{number}"),
            datacenter: "dc1".into(),
            rack: format!("r{number}"),
            tokens: vec![((number as i64 - 2) * 3_000_000_000_000_000_000).to_string()],
        };
        Self {
            release: release(text),
            ring: (1..=3).map(member).collect(),
            entries: Vec::new(),
            tables: Vec::new(),
            partitioner: "org.apache.cassandra.dht.Murmur3Partitioner".into(),
            keys: Vec::new(),
        }
    }

    pub fn entry(&mut self, kind: SchemaKind, name: &str, base: &str, cql: &[&str]) -> &mut Self {
        let (keyspace, name) = name.split_once('.').unwrap_or((name, name));
        self.entries.push(SchemaEntry {
            keyspace: keyspace.into(),
            kind,
            name: name.into(),
            base_table: base.into(),
            cql: cql.iter().map(|cql| (*cql).to_owned()).collect(),
        });
        self
    }

    pub fn keyspace(&mut self, name: &str) -> &mut Self {
        let cql = format!(
            "CREATE KEYSPACE {} WITH replication = {{'class': 'NetworkTopologyStrategy', 'dc1': '3'}} AND durable_writes = true",
            quote(name)
        );
        self.entry(SchemaKind::Keyspace, name, "", &[&cql])
    }

    /// A table of one GiB on each node, in the release's own format.
    pub fn table(&mut self, name: &str, id: u128, columns: &str) -> &mut Self {
        self.table_with(name, id, columns, "comment = ''")
    }

    pub fn table_with(&mut self, name: &str, id: u128, columns: &str, options: &str) -> &mut Self {
        let table = table_ref(name);
        let cql = format!(
            "CREATE TABLE {}.{} ({columns}) WITH ID = {} AND {options}",
            quote(&table.keyspace),
            quote(&table.table),
            table_id(id)
        );
        self.entry(SchemaKind::Table, name, "", &[&cql]);
        self.stored(name, id, None)
    }

    pub fn view(&mut self, name: &str, id: u128, base: &str) -> &mut Self {
        let table = table_ref(name);
        let cql = format!(
            "CREATE MATERIALIZED VIEW {}.{} AS SELECT * FROM {}.{} WHERE c IS NOT NULL AND id IS NOT NULL PRIMARY KEY (c, id) WITH ID = {} AND comment = ''",
            quote(&table.keyspace),
            quote(&table.table),
            quote(&table.keyspace),
            quote(base),
            table_id(id)
        );
        self.entry(SchemaKind::View, name, base, &[&cql]);
        self.stored(name, id, Some(base))
    }

    pub fn index(&mut self, name: &str, base: &str) -> &mut Self {
        let (keyspace, index) = name.split_once('.').expect("keyspace.index");
        let cql = format!("CREATE INDEX {index} ON {keyspace}.{} (c)", quote(base));
        self.entry(SchemaKind::Index, name, base, &[&cql])
    }

    fn stored(&mut self, name: &str, id: u128, view_of: Option<&str>) -> &mut Self {
        let writes = written_format(&self.release, &FormatSettings::default());
        self.tables.push(Table {
            table: table_ref(name),
            id: table_id(id),
            view_of: view_of.map(str::to_owned),
            bytes: GIB,
            formats: writes.iter().map(|format| (*format).to_owned()).collect(),
            compaction_class: "org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy"
                .into(),
            facts: Vec::new(),
        });
        self
    }

    pub fn schema(&self) -> Schema {
        Schema {
            version: SCHEMA_VERSION.into(),
            entries: self.entries.clone(),
        }
    }

    pub fn describe(&self) -> Vec<NodeDescription> {
        let settings = FormatSettings::default();
        let describe = |member: &RingMember| NodeDescription {
            agent: format!("{}:7401", member.address),
            cluster_name: "Test Cluster".into(),
            release: self.release.clone(),
            member: member.clone(),
            ring: Arc::new(self.ring.clone()),
            partitioner: self.partitioner.clone(),
            schema_version: SCHEMA_VERSION.into(),
            schema_versions: vec![SCHEMA_VERSION.into()],
            tables: self.tables.iter().map(Table::description).collect(),
            data_directories: vec![DataDirectory {
                path: "/var/lib/cassandra/data".into(),
                free_bytes: 100 * GIB,
                total_bytes: 200 * GIB,
            }],
            can_restart: true,
            readable_formats: readable_formats(&self.release, &settings)
                .iter()
                .map(|format| (*format).to_owned())
                .collect(),
            written_format: written_format(&self.release, &settings)
                .unwrap_or_default()
                .into(),
            storage_compatibility_mode: String::new(),
            features: NodeFeatures::default(),
            unhealthy: String::new(),
            setup: Default::default(),
            peers: Default::default(),
            recognition: Default::default(),
        };
        self.ring.iter().map(describe).collect()
    }

    pub fn backup(&self) -> BackupManifest {
        let at = "2026-01-02T03:04:05Z".parse().expect("a time");
        let node = |member: &RingMember| BackupNode {
            host_id: member.host_id,
            release: self.release.clone(),
            snapshot_taken_at: at,
            manifest: "key".into(),
            blake3: "00".into(),
            bytes: self.tables.iter().map(|table| table.bytes).sum(),
            uploaded_bytes: 0,
            copied_bytes: 0,
            sstables: self.tables.iter().map(Table::sstables).sum(),
            tables: self.tables.iter().map(Table::summary).collect(),
            damaged_sstables: 0,
            damaged: Vec::new(),
        };
        BackupManifest {
            backup: backup_ref(),
            kind: BackupKind::Full,
            base: None,
            task_id: TaskId(Uuid::from_u128(7)),
            started_at: at,
            finished_at: at,
            cluster_name: "Test Cluster".into(),
            release: self.release.clone(),
            partitioner: self.partitioner.clone(),
            selection: Selection::default(),
            snapshot_spread_ms: 20,
            ring: self.ring.clone(),
            nodes: self.ring.iter().map(node).collect(),
            schema: self.schema(),
            missing: Vec::new(),
            coverage: Vec::new(),
            copied_from: Default::default(),
        }
    }
}

pub fn backup_ref() -> BackupRef {
    BackupRef {
        cluster: "prod".parse().expect("a name"),
        name: "nightly-1".parse().expect("a name"),
    }
}

/// Keyspace `shop` with `orders` and `Metrics_2`, on a source and a target of these releases, the very same on both.
pub fn shop(source: &str, target: &str) -> (Side, Side) {
    let mut sides = (
        Side::new(source, "10.0.0.", 0x10),
        Side::new(target, "10.1.0.", 0x20),
    );
    for side in [&mut sides.0, &mut sides.1] {
        side.keyspace("shop")
            .table("shop.orders", 1, "id int PRIMARY KEY, c text")
            .table("shop.Metrics_2", 2, "id int PRIMARY KEY, c text");
    }
    sides
}

/// A target of this release without anything of its own.
pub fn empty(target: &str) -> Side {
    Side::new(target, "10.1.0.", 0x20)
}

pub fn request(source: &Side, target: &Side) -> RestoreRequest {
    RestoreRequest {
        backup: source.backup(),
        target: "staging".parse().expect("a name"),
        nodes: target.describe(),
        unreachable: Vec::new(),
        schema: target.schema(),
        options: RestoreOptions::default(),
        sstables: source.facts(),
        target_keys: target.node_keys(),
        verifications: Vec::new(),
        missing: Some(Vec::new()),
        now: "2026-01-02T04:00:00Z".parse().expect("a time"),
        rates: Rates::default(),
    }
}
