//! Small backups and targets for the tests of single rules.

use cassandra_versions::{FormatSettings, Release, readable_formats, written_format};
use jiff::Timestamp;
use model::manifest::{
    BackupKind, BackupManifest, BackupNode, NodeSstables, SstableFacts, TableSstables, TableSummary,
};
use model::{
    BackupRef, Finding, HostId, NodeDescription, NodeFeatures, RingMember, Schema, Selection,
    TableId, TableRef, TaskId,
};
use uuid::Uuid;

use crate::findings::Findings;

pub(crate) fn release(text: &str) -> Release {
    text.parse().expect("a release")
}

pub(crate) fn host(number: u128) -> HostId {
    HostId(Uuid::from_u128(number))
}

pub(crate) fn table_ref(name: &str) -> TableRef {
    let (keyspace, table) = name.split_once('.').expect("keyspace.table");
    TableRef::new(keyspace, table)
}

/// Ids are made of names, so that each table has its own.
fn table_id(name: &str) -> TableId {
    let number = name
        .bytes()
        .fold(0, |sum: u128, byte| sum * 31 + u128::from(byte));
    TableId(Uuid::from_u128(number))
}

fn member(number: u128, address: &str) -> RingMember {
    RingMember {
        host_id: host(number),
        address: address.to_owned(),
        datacenter: "dc1".into(),
        rack: "r1".into(),
        tokens: vec![number.to_string()],
    }
}

/// A target node in one `storage_compatibility_mode`.
pub(crate) fn target(address: &str, text: &str, mode: &str) -> NodeDescription {
    let release = release(text);
    let settings = FormatSettings::parse(Some(mode), None);
    let reads = readable_formats(&release, &settings).iter();
    NodeDescription {
        agent: format!("{address}:7401"),
        cluster_name: "Test".into(),
        member: member(0x100, address),
        ring: Default::default(),
        partitioner: "org.apache.cassandra.dht.Murmur3Partitioner".into(),
        schema_version: String::new(),
        schema_versions: Vec::new(),
        tables: Vec::new(),
        data_directories: Vec::new(),
        can_restart: true,
        readable_formats: reads.map(|format| (*format).to_owned()).collect(),
        written_format: written_format(&release, &settings)
            .unwrap_or_default()
            .into(),
        storage_compatibility_mode: mode.to_owned(),
        features: NodeFeatures::default(),
        unhealthy: String::new(),
        setup: Default::default(),
        peers: Default::default(),
        recognition: Default::default(),
        release,
    }
}

/// A backup of nodes 1, 2, … at these addresses, without tables.
pub(crate) fn backup(text: &str, addresses: &[&str]) -> BackupManifest {
    let at = Timestamp::UNIX_EPOCH;
    let ring: Vec<RingMember> = (1..).zip(addresses).map(|(n, a)| member(n, a)).collect();
    let node = |member: &RingMember| BackupNode {
        host_id: member.host_id,
        release: release(text),
        snapshot_taken_at: at,
        manifest: "key".into(),
        blake3: "00".into(),
        bytes: 0,
        uploaded_bytes: 0,
        copied_bytes: 0,
        sstables: 0,
        tables: Vec::new(),
        damaged_sstables: 0,
        damaged: Vec::new(),
    };
    BackupManifest {
        backup: BackupRef {
            cluster: "prod".parse().expect("a name"),
            name: "nightly-1".parse().expect("a name"),
        },
        kind: BackupKind::Full,
        base: None,
        task_id: TaskId(Uuid::from_u128(7)),
        started_at: at,
        finished_at: at,
        cluster_name: "Test".into(),
        release: release(text),
        partitioner: "org.apache.cassandra.dht.Murmur3Partitioner".into(),
        selection: Selection::default(),
        snapshot_spread_ms: 0,
        nodes: ring.iter().map(node).collect(),
        ring,
        schema: Schema {
            version: String::new(),
            entries: Vec::new(),
        },
        missing: Vec::new(),
        coverage: Vec::new(),
        copied_from: Default::default(),
    }
}

/// What the backup manifest says of a table on one node.
pub(crate) fn summary(name: &str, bytes: u64, formats: &[&str]) -> TableSummary {
    let table = table_ref(name);
    TableSummary {
        keyspace: table.keyspace,
        table: table.table,
        id: table_id(name),
        view_of: None,
        bytes,
        sstables: 1,
        formats: formats.iter().map(|format| (*format).to_owned()).collect(),
    }
}

pub(crate) fn facts(name: &str) -> SstableFacts {
    SstableFacts {
        name: name.to_owned(),
        bytes: 1,
        ..SstableFacts::default()
    }
}

/// The SSTables of one source node, by table.
pub(crate) fn sstables(node: u128, tables: &[(&str, Vec<SstableFacts>)]) -> NodeSstables {
    let table = |(name, sstables): &(&str, Vec<SstableFacts>)| TableSstables {
        table: table_ref(name),
        id: table_id(name),
        sstables: sstables.clone(),
    };
    NodeSstables {
        host_id: host(node),
        tables: tables.iter().map(table).collect(),
        keys: Vec::new(),
    }
}

/// What a rule says.
pub(crate) fn said(rule: impl FnOnce(&mut Findings)) -> Vec<Finding> {
    let mut findings = Findings::default();
    rule(&mut findings);
    findings.into_sorted()
}

/// Severity, code and subject of each finding.
pub(crate) fn brief(findings: &[Finding]) -> Vec<String> {
    let line = |f: &Finding| format!("{:?} {} {}", f.severity, f.code, f.subject);
    findings.iter().map(line).collect()
}
