//! Nodes of every product line, replayed from recordings: how an agent describes them, and what is planned with that.

mod formats;
mod matrix;
mod refused;

use std::sync::Arc;

use cassandra_node::schema;
use cassandra_node::testing::ReplayedCql;
use model::manifest::{BackupKind, BackupManifest, BackupNode, TableSummary};
use model::plan::{Rates, RestoreOptions, RestorePlan, RestoreRequest};
use model::{BackupRef, NodeDescription, Schema, Selection, TaskId};
use uuid::Uuid;

use crate::describe::describe;
use crate::testing::FakeNode;

const GIB: u64 = 1 << 30;

/// A node as its agent describes it, and its schema as its agent reads it.
#[derive(Clone)]
struct Replayed {
    node: NodeDescription,
    schema: Schema,
}

impl Replayed {
    async fn of(line: &str) -> Self {
        Self::changed(line, |_, _| ()).await
    }

    /// With settings of the agent or rows of the node that differ from the recording.
    async fn changed(line: &str, change: impl FnOnce(&mut FakeNode, &mut ReplayedCql)) -> Self {
        let mut fake = FakeNode::new(1, "unused");
        let mut cql = ReplayedCql::of(line);
        change(&mut fake, &mut cql);
        cql.write_files(&fake.agent.node.yaml.data_directories[0]);
        fake.agent.node.cql = Arc::new(cql);
        let mut node = describe(&fake.agent).await.unwrap();
        for data in &mut node.data_directories {
            (data.free_bytes, data.total_bytes) = (100 * GIB, 200 * GIB);
        }
        let schema = schema::read(&fake.agent.node, &[]).await.unwrap();
        Self { node, schema }
    }

    /// A backup of it, with SSTables of one format; of the one that it writes, if none is given.
    fn backup(&self, format: Option<&str>) -> BackupManifest {
        let at = "2026-01-02T03:04:05Z".parse().unwrap();
        let format = format.unwrap_or(&self.node.written_format);
        let table = |table: &model::TableDescription| TableSummary {
            keyspace: table.table.keyspace.clone(),
            table: table.table.table.clone(),
            id: table.id,
            view_of: None,
            bytes: GIB,
            sstables: 1,
            formats: vec![format.to_owned()],
        };
        let node = BackupNode {
            host_id: self.node.member.host_id,
            release: self.node.release.clone(),
            snapshot_taken_at: at,
            manifest: "key".into(),
            blake3: "00".into(),
            bytes: 2 * GIB,
            uploaded_bytes: 0,
            copied_bytes: 0,
            sstables: 2,
            tables: self.node.tables.iter().map(table).collect(),
            damaged_sstables: 0,
            damaged: Vec::new(),
        };
        BackupManifest {
            backup: BackupRef {
                cluster: "prod".parse().unwrap(),
                name: "nightly".parse().unwrap(),
            },
            kind: BackupKind::Full,
            base: None,
            task_id: TaskId(Uuid::from_u128(7)),
            started_at: at,
            finished_at: at,
            cluster_name: self.node.cluster_name.clone(),
            release: self.node.release.clone(),
            partitioner: self.node.partitioner.clone(),
            selection: Selection::default(),
            snapshot_spread_ms: 0,
            ring: self.node.ring.to_vec(),
            nodes: vec![node],
            schema: self.schema.clone(),
            missing: Vec::new(),
            coverage: Vec::new(),
            copied_from: Default::default(),
        }
    }
}

/// Into a target that has the same tables, with data that would make way.
fn request(backup: BackupManifest, target: &Replayed) -> RestoreRequest {
    RestoreRequest {
        backup,
        target: "staging".parse().unwrap(),
        nodes: vec![target.node.clone()],
        unreachable: Vec::new(),
        schema: target.schema.clone(),
        options: RestoreOptions {
            rewrite_schema: true,
            ..RestoreOptions::default()
        },
        sstables: Vec::new(),
        target_keys: Vec::new(),
        verifications: Vec::new(),
        missing: Some(Vec::new()),
        now: "2026-01-02T04:00:00Z".parse().unwrap(),
        rates: Rates::default(),
    }
}

/// Whether it can be done, with the codes that say why not, or what comes with it.
fn verdict(plan: &RestorePlan) -> String {
    let refusals = plan.findings.iter().filter(|finding| finding.is_refusal());
    let of_versions = |code: &str| {
        [
            "CASSANDRA_ONTO_HCD",
            "LATER_MINOR_VERSION",
            "PRODUCT_UNKNOWN",
            "SCHEMA_VALIDATION_REQUIRED",
            "UPGRADE_SSTABLES_REQUIRED",
        ]
        .contains(&code)
    };
    let codes: Vec<&str> = match plan.supported {
        false => refusals.map(|finding| finding.code.as_str()).collect(),
        true => {
            let codes = plan.findings.iter().map(|finding| finding.code.as_str());
            codes.filter(|code| of_versions(code)).collect()
        }
    };
    let mut codes = codes;
    codes.dedup();
    let word = if plan.supported { "yes" } else { "REFUSED" };
    format!("{word} {}", codes.join(" ")).trim_end().to_owned()
}
