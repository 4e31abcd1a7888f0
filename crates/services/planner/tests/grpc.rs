//! The planner over an in-memory connection: what a client gets to see.

use std::sync::Arc;

use api::client::{self, PlannerClient};
use api::convert::ConversionError;
use api::pb::{planner as pb, types};
use api::{ErrorKind, RemoteError};
use cassandra_versions::{Product, Release};
use chassis::{App, in_memory};
use model::manifest::{BackupKind, BackupManifest, BackupNode, TableSummary, VerificationResult};
use model::{
    BackupRef, DataDirectory, HostId, NodeDescription, RingMember, Schema, SchemaEntry, SchemaKind,
    Selection, TableId, TaskId, VerifyLevel,
};
use plan::{BackupRequest, Rates, RestoreOptions, RestorePlan, RestoreRequest, StepKind};
use uuid::Uuid;

const SCHEMA_VERSION: &str = "00000000-0000-0000-0000-0000000000aa";

fn planner() -> PlannerClient {
    let (routes, _) = App::new().service(planner::build()).into_parts();
    client::planner(in_memory(routes))
}

fn release(version: &str) -> Release {
    Release::new(Product::Cassandra, version).expect("a release")
}

fn member() -> RingMember {
    RingMember {
        host_id: HostId(Uuid::from_u128(1)),
        address: "10.0.0.1".into(),
        datacenter: "dc1".into(),
        rack: "r1".into(),
        tokens: vec!["-5".into(), "7".into()],
    }
}

fn node(version: &str) -> NodeDescription {
    NodeDescription {
        agent: "10.0.0.1:7401".into(),
        cluster_name: "Test Cluster".into(),
        release: release(version),
        member: member(),
        ring: Arc::new(vec![member()]),
        partitioner: "org.apache.cassandra.dht.Murmur3Partitioner".into(),
        schema_version: SCHEMA_VERSION.into(),
        schema_versions: vec![SCHEMA_VERSION.into()],
        tables: Vec::new(),
        data_directories: vec![DataDirectory {
            path: "/data".into(),
            free_bytes: 1 << 40,
            total_bytes: 1 << 41,
        }],
        can_restart: false,
        readable_formats: vec!["big-nb".into()],
        written_format: "big-nb".into(),
        storage_compatibility_mode: String::new(),
        features: model::NodeFeatures::default(),
        unhealthy: String::new(),
        setup: Default::default(),
        peers: Default::default(),
        recognition: Default::default(),
    }
}

fn backup() -> BackupManifest {
    let at = "2026-01-02T03:04:05Z".parse().expect("a time");
    let entry = |kind, name: &str, cql: &str| SchemaEntry {
        keyspace: "shop".into(),
        kind,
        name: name.into(),
        base_table: String::new(),
        cql: vec![cql.into()],
    };
    BackupManifest {
        backup: BackupRef {
            cluster: "prod".parse().expect("a name"),
            name: "nightly".parse().expect("a name"),
        },
        kind: BackupKind::Full,
        base: None,
        task_id: TaskId(Uuid::from_u128(7)),
        started_at: at,
        finished_at: at,
        cluster_name: "Test Cluster".into(),
        release: release("4.1.9"),
        partitioner: "org.apache.cassandra.dht.Murmur3Partitioner".into(),
        selection: Selection::default(),
        snapshot_spread_ms: 0,
        ring: vec![member()],
        nodes: vec![BackupNode {
            host_id: member().host_id,
            release: release("4.1.9"),
            snapshot_taken_at: at,
            manifest: "key".into(),
            blake3: "00".into(),
            bytes: 100,
            uploaded_bytes: 100,
            copied_bytes: 0,
            sstables: 1,
            tables: vec![TableSummary {
                keyspace: "shop".into(),
                table: "orders".into(),
                id: TableId(Uuid::from_u128(3)),
                view_of: None,
                bytes: 100,
                sstables: 1,
                formats: vec!["big-nb".into()],
            }],
            damaged_sstables: 0,
            damaged: Vec::new(),
        }],
        schema: Schema {
            version: SCHEMA_VERSION.into(),
            entries: vec![
                entry(
                    SchemaKind::Keyspace,
                    "shop",
                    "CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': '1'}",
                ),
                entry(
                    SchemaKind::Table,
                    "orders",
                    "CREATE TABLE shop.orders (id int PRIMARY KEY)",
                ),
            ],
        },
        missing: Vec::new(),
        coverage: Vec::new(),
        copied_from: Default::default(),
    }
}

async fn plan_restore(target: &str) -> RestorePlan {
    plan_request(request(target)).await
}

fn request(target: &str) -> RestoreRequest {
    RestoreRequest {
        backup: backup(),
        target: "staging".parse().expect("a name"),
        nodes: vec![node(target)],
        unreachable: Vec::new(),
        schema: Schema {
            version: SCHEMA_VERSION.into(),
            entries: Vec::new(),
        },
        options: RestoreOptions::default(),
        sstables: Vec::new(),
        target_keys: Vec::new(),
        verifications: Vec::new(),
        missing: Some(Vec::new()),
        now: "2026-01-02T04:00:00Z".parse().expect("a time"),
        rates: Rates::default(),
    }
}

async fn plan_request(request: RestoreRequest) -> RestorePlan {
    let reply = planner()
        .plan_restore(pb::PlanRestoreRequest::from(request))
        .await;
    let plan = reply.expect("a reply").into_inner().plan.expect("a plan");
    plan.try_into().expect("a plan that reads")
}

#[tokio::test]
async fn a_backup_that_was_read_back_is_not_called_unverified() {
    let said = |plan: RestorePlan| {
        let mut findings = plan.findings.into_iter();
        findings.any(|finding| finding.code == "BACKUP_UNVERIFIED")
    };
    assert!(said(plan_request(request("4.1.9")).await));
    let mut verified = request("4.1.9");
    verified.verifications.push(VerificationResult {
        level: VerifyLevel::Objects,
        verified_at: verified.backup.finished_at,
        objects: 1,
        bytes: 1,
        sstables: 1,
        damaged: 0,
        sample: None,
    });
    assert!(!said(plan_request(verified).await));
}

#[tokio::test]
async fn a_restore_is_planned_over_the_wire() {
    let plan = plan_restore("4.1.9").await;
    assert!(plan.supported, "{:?}", plan.findings);
    let kinds: Vec<StepKind> = plan.steps.iter().map(|step| step.kind).collect();
    assert_eq!(
        kinds,
        [
            StepKind::Pin,
            StepKind::Stage,
            StepKind::Check,
            StepKind::Schema,
            // Hints of a table of before are dropped, because a node of the target was in the backup's ring.
            StepKind::Replace,
            StepKind::Load,
            StepKind::Finish,
            StepKind::Unpin,
        ]
    );
    assert_eq!(plan.nodes[0].download_bytes, 100);
}

#[tokio::test]
async fn a_refused_plan_is_a_reply_and_no_error() {
    let plan = plan_restore("4.0.17").await;
    assert!(!plan.supported);
    assert_eq!(plan.findings[0].code, "VERSION_DOWNGRADE");
    assert!(plan.steps.is_empty());
}

#[tokio::test]
async fn a_cluster_of_which_no_agent_replies_is_refused_with_its_finding() {
    let request = pb::PlanRestoreRequest {
        backup: Some(backup().into()),
        target: "staging".into(),
        unreachable: vec![pb::UnreachableAgent {
            agent: "10.0.0.1:7401".into(),
            reason: "connection refused".into(),
        }],
        now: "2026-01-02T04:00:00.000Z".into(),
        options: Some(pb::RestoreOptions::default()),
        ..Default::default()
    };
    let reply = planner().plan_restore(request).await.expect("a reply");
    let plan = reply.into_inner().plan.expect("a plan");
    assert!(!plan.supported);
    assert_eq!(plan.findings[0].code, "AGENT_UNREACHABLE");
}

#[tokio::test]
async fn a_backup_without_tables_is_refused_with_its_finding() {
    let request = BackupRequest {
        backup: backup().backup,
        kind: BackupKind::Full,
        nodes: vec![node("4.1.9")],
        unreachable: Vec::new(),
        selection: Selection::default(),
        completeness: Default::default(),
        schema: Default::default(),
    };
    let reply = planner()
        .plan_backup(pb::PlanBackupRequest::from(request))
        .await;
    let plan = reply.expect("a reply").into_inner();
    assert!(!plan.supported);
    assert_eq!(plan.findings[0].code, "NOTHING_TO_BACK_UP");
    assert!(plan.steps.is_empty());
}

#[tokio::test]
async fn two_releases_are_compared_over_the_wire() {
    let wire = |version| Some(types::Release::from(release(version)));
    let request = pb::CheckCompatibilityRequest {
        from: wire("3.11.19"),
        to: wire("4.1.9"),
    };
    let reply = planner()
        .check_compatibility(request)
        .await
        .expect("a reply")
        .into_inner();
    assert!(reply.supported);
    assert_eq!(reply.findings[0].code, "UPGRADE_SSTABLES_REQUIRED");
}

#[tokio::test]
async fn a_request_that_is_wrong_in_itself_names_its_field() {
    let request = pb::CheckCompatibilityRequest::default();
    let error = planner()
        .check_compatibility(request)
        .await
        .expect_err("no release");
    let error = RemoteError::from(error);
    assert_eq!(error.kind, ErrorKind::InvalidArgument);
    assert_eq!(error.field.as_deref(), Some("from"));
    assert_eq!(error.message, ConversionError::missing("from").to_string());
}
