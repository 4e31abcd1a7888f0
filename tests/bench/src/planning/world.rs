//! A backup and a target of any size, the same ones at every run.

use std::sync::Arc;

use cassandra_versions::{FormatSettings, Release, readable_formats, written_format};
use model::manifest::{
    BackupKind, BackupManifest, BackupNode, NodeSstables, SstableFacts, TableSstables, TableSummary,
};
use model::{
    BackupRef, DataDirectory, HostId, NodeDescription, NodeFeatures, RingMember, Schema,
    SchemaEntry, SchemaKind, Selection, TableId, TableRef, TaskId,
};
use plan::{Rates, RestoreOptions, RestoreRequest};
use uuid::Uuid;

const VERSION: &str = "00000000-0000-0000-0000-0000000000aa";
const SSTABLE_BYTES: u64 = 160 << 20;

pub struct Size {
    pub source_nodes: u64,
    pub target_nodes: u64,
    pub datacenters: u64,
    pub vnodes: u64,
    pub tables: u64,
    /// In the whole backup.
    pub sstables: u64,
}

/// Numbers that look random and are the same each time: a step of splitmix64.
fn scatter(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn ring(size: &Size, nodes: u64, side: u64) -> Vec<RingMember> {
    (0..nodes)
        .map(|node| RingMember {
            host_id: HostId(Uuid::from_u64_pair(side, node + 1)),
            address: format!("10.{side}.{}.{}", node / 250, node % 250 + 1),
            datacenter: format!("dc{}", node % size.datacenters + 1),
            rack: format!("r{}", node / size.datacenters % 3 + 1),
            tokens: (0..size.vnodes)
                .map(|vnode| (scatter(side << 40 | node << 8 | vnode) as i64).to_string())
                .collect(),
        })
        .collect()
}

fn schema(size: &Size) -> Schema {
    let replicas: Vec<String> = (1..=size.datacenters)
        .map(|dc| format!("'dc{dc}': '3'"))
        .collect();
    let keyspace = format!(
        "CREATE KEYSPACE k WITH replication = {{'class': 'NetworkTopologyStrategy', {}}}",
        replicas.join(", ")
    );
    let entry = |kind, name: String, cql| SchemaEntry {
        keyspace: "k".into(),
        kind,
        name,
        base_table: String::new(),
        cql: vec![cql],
    };
    let tables = (0..size.tables).map(|table| {
        let cql = format!("CREATE TABLE k.t{table} (id int PRIMARY KEY, value text)");
        entry(SchemaKind::Table, format!("t{table}"), cql)
    });
    let keyspace = entry(SchemaKind::Keyspace, "k".into(), keyspace);
    Schema {
        version: VERSION.into(),
        entries: [keyspace].into_iter().chain(tables).collect(),
    }
}

fn table_id(table: u64) -> TableId {
    TableId(Uuid::from_u64_pair(9, table))
}

/// Half span the ring as a node's share of it does, half are as narrow as leveled compaction makes them.
fn sstable(number: u64) -> SstableFacts {
    let (a, b) = (scatter(number) as i64, scatter(!number) as i64);
    let (first, last) = match number % 2 {
        0 => (a.min(b), a.max(b)),
        _ => (a, a.saturating_add(i64::MAX >> 10)),
    };
    SstableFacts {
        name: format!("nb-{number}-big"),
        bytes: SSTABLE_BYTES,
        first_token: Some(first.to_string()),
        last_token: Some(last.to_string()),
        cells: Some(1_000_000),
        ..SstableFacts::default()
    }
}

fn description(
    member: &RingMember,
    ring: &Arc<Vec<RingMember>>,
    release: &Release,
) -> NodeDescription {
    let settings = FormatSettings::default();
    NodeDescription {
        agent: format!("{}:7401", member.address),
        cluster_name: "bench".into(),
        release: release.clone(),
        member: member.clone(),
        ring: ring.clone(),
        partitioner: "org.apache.cassandra.dht.Murmur3Partitioner".into(),
        schema_version: VERSION.into(),
        schema_versions: vec![VERSION.into()],
        tables: Vec::new(),
        data_directories: vec![DataDirectory {
            path: "/data".into(),
            free_bytes: 1 << 50,
            total_bytes: 1 << 51,
        }],
        can_restart: true,
        readable_formats: readable_formats(release, &settings)
            .iter()
            .map(|format| (*format).to_owned())
            .collect(),
        written_format: written_format(release, &settings)
            .unwrap_or_default()
            .into(),
        storage_compatibility_mode: String::new(),
        features: NodeFeatures::default(),
        unhealthy: String::new(),
        setup: Default::default(),
        peers: Default::default(),
        recognition: Default::default(),
    }
}

pub fn request(size: &Size) -> RestoreRequest {
    let at = jiff::Timestamp::UNIX_EPOCH;
    let release: Release = "cassandra 4.1.9".parse().expect("a release");
    let source = ring(size, size.source_nodes, 1);
    let target = Arc::new(ring(size, size.target_nodes, 2));
    let each = size.sstables / size.source_nodes / size.tables;
    let summary = |table: u64| TableSummary {
        keyspace: "k".into(),
        table: format!("t{table}"),
        id: table_id(table),
        view_of: None,
        bytes: each * SSTABLE_BYTES,
        sstables: each,
        formats: vec!["big-nb".into()],
    };
    let node = |member: &RingMember| BackupNode {
        host_id: member.host_id,
        release: release.clone(),
        snapshot_taken_at: at,
        manifest: String::new(),
        blake3: String::new(),
        bytes: size.tables * each * SSTABLE_BYTES,
        uploaded_bytes: 0,
        copied_bytes: 0,
        sstables: size.tables * each,
        tables: (0..size.tables).map(summary).collect(),
        damaged_sstables: 0,
        damaged: Vec::new(),
    };
    let sstables = |(at, member): (usize, &RingMember)| NodeSstables {
        host_id: member.host_id,
        tables: (0..size.tables)
            .map(|table| TableSstables {
                table: TableRef::new("k", format!("t{table}")),
                id: table_id(table),
                sstables: (0..each)
                    .map(|sstable_at| {
                        sstable((at as u64 * size.tables + table) * each + sstable_at)
                    })
                    .collect(),
            })
            .collect(),
        keys: Vec::new(),
    };
    RestoreRequest {
        sstables: source.iter().enumerate().map(sstables).collect(),
        nodes: target
            .iter()
            .map(|member| description(member, &target, &release))
            .collect(),
        backup: BackupManifest {
            backup: BackupRef {
                cluster: "bench".parse().expect("a name"),
                name: "b".parse().expect("a name"),
            },
            kind: BackupKind::Full,
            base: None,
            task_id: TaskId(Uuid::nil()),
            started_at: at,
            finished_at: at,
            cluster_name: "bench".into(),
            release: release.clone(),
            partitioner: "org.apache.cassandra.dht.Murmur3Partitioner".into(),
            selection: Selection::default(),
            snapshot_spread_ms: 0,
            nodes: source.iter().map(node).collect(),
            ring: source,
            schema: schema(size),
            missing: Vec::new(),
            coverage: Vec::new(),
            copied_from: Default::default(),
        },
        target: "target".parse().expect("a name"),
        unreachable: Vec::new(),
        schema: Schema {
            version: VERSION.into(),
            entries: Vec::new(),
        },
        options: RestoreOptions::default(),
        target_keys: Vec::new(),
        verifications: Vec::new(),
        missing: Some(Vec::new()),
        now: at,
        rates: Rates::default(),
    }
}
