use model::plan::{
    KeyspaceCoverage, NodePlan, PlanStep, RestorePlan, SchemaChange, SchemaRewrite, StepKind,
    TableAction, TablePlan, TrialTable,
};
use model::{
    BackupRef, Finding, HostId, RangeText, Severity, SourceShare, TableId, TableRef, When,
};
use uuid::Uuid;

use super::*;

fn finding() -> Finding {
    Finding {
        code: "DISK_SPACE".into(),
        severity: Severity::Refusal,
        when: When::Before,
        subject: "10.0.0.1".into(),
        message: "too small".into(),
        hint: String::new(),
    }
}

fn backup() -> BackupRef {
    BackupRef {
        cluster: "prod".parse().expect("a name"),
        name: "nightly".parse().expect("a name"),
    }
}

fn plan() -> RestorePlan {
    let table = |number, action| TablePlan {
        source: None,
        table: TableRef::new("shop", format!("t{number}")),
        source_id: TableId(Uuid::from_u128(number)),
        target_id: TableId(Uuid::from_u128(number + 10)),
        action,
        missing: action == TableAction::Swap,
        bytes: 1 << 30,
    };
    let step = |kind: StepKind| PlanStep {
        id: format!("{kind}-10.0.0.1"),
        kind,
        node: "10.0.0.1".into(),
        after: vec!["pin".into()],
        cql: vec!["TRUNCATE TABLE shop.t1".into()],
    };
    RestorePlan {
        backup: backup(),
        target: "staging".parse().expect("a name"),
        mode: RestoreMode::InPlace,
        supported: true,
        findings: vec![finding()],
        nodes: vec![NodePlan {
            node: "10.0.0.1".into(),
            agent: "10.0.0.1:7401".into(),
            host_id: HostId(Uuid::from_u128(1)),
            sources: vec![HostId(Uuid::from_u128(2))],
            download_bytes: 10,
            disk_bytes_needed: 11,
            sstables: 2,
            sliced_sstables: 1,
            shares: vec![SourceShare {
                source: HostId(Uuid::from_u128(2)),
                keyspaces: vec!["shop".into()],
                ranges: vec![RangeText {
                    left: "-5".into(),
                    right: "9".into(),
                }],
                trims: true,
            }],
            requests: 6,
            seconds: 7,
        }],
        steps: [
            StepKind::Pin,
            StepKind::Stage,
            StepKind::Schema,
            StepKind::Replace,
            StepKind::Load,
            StepKind::Stop,
            StepKind::Swap,
            StepKind::Start,
            StepKind::UpgradeSstables,
            StepKind::Views,
            StepKind::Finish,
        ]
        .map(step)
        .into(),
        tables: vec![
            table(1, TableAction::Create),
            table(2, TableAction::Truncate),
            table(3, TableAction::Recreate),
            table(4, TableAction::RebuildView),
            table(5, TableAction::Swap),
        ],
        target_schema_version: "v".into(),
        target_ring: "r".into(),
        coverage: vec![KeyspaceCoverage {
            keyspace: "shop".into(),
            datacenter: "dc1".into(),
            replicas: 3,
            held_ppm: vec![0, 0, 0, 1_000_000],
        }],
        schema_changes: vec![SchemaChange {
            subject: "shop.t1".into(),
            what: "the column c is lost".into(),
            forward_cql: vec!["ALTER TABLE shop.t1 ADD c int".into()],
        }],
        rewrites: vec![SchemaRewrite {
            subject: "shop.t1".into(),
            what: "without nodesync".into(),
            applied: true,
        }],
        trials: vec![TrialTable {
            table: TableRef::new("shop", "t1"),
            target_id: TableId(Uuid::from_u128(7)),
            trial: TableRef::new("ringkeep_trial_1", "t1"),
        }],
        seconds: 8,
        number: 9,
    }
}

#[test]
fn a_restore_plan_survives_the_wire() {
    let wire = pb::RestorePlan::from(plan());
    assert_eq!(RestorePlan::try_from(wire), Ok(plan()));
}

#[test]
fn a_backup_plan_and_its_request_survive_the_wire() {
    let plan = BackupPlan {
        supported: false,
        findings: vec![finding()],
        nodes: vec![PlannedNode {
            host_id: HostId(Uuid::from_u128(1)),
            address: "10.0.0.1".into(),
            agent: "10.0.0.1:7401".into(),
        }],
        steps: plan().steps,
        missing: Vec::new(),
        coverage: Vec::new(),
    };
    let wire = pb::PlanBackupResponse::from(plan.clone());
    assert_eq!(BackupPlan::try_from(wire), Ok(plan));

    let request = BackupRequest {
        backup: backup(),
        kind: model::manifest::BackupKind::Differential,
        nodes: Vec::new(),
        unreachable: vec![UnreachableAgent {
            agent: "10.0.0.1:7401".into(),
            reason: "refused".into(),
        }],
        selection: model::Selection::default(),
        completeness: Default::default(),
        schema: Default::default(),
    };
    let wire = pb::PlanBackupRequest::from(request.clone());
    assert_eq!(BackupRequest::try_from(wire), Ok(request));
}

#[test]
fn a_plan_without_a_decided_mode_or_with_an_unknown_step_is_refused_by_its_field() {
    let mut wire = pb::RestorePlan::from(plan());
    wire.mode = pb::RestoreMode::Auto as i32;
    assert_eq!(
        RestorePlan::try_from(wire).expect_err("auto").field,
        "plan.mode"
    );
    let mut wire = pb::RestorePlan::from(plan());
    wire.steps[0].kind = "explode".into();
    assert_eq!(
        RestorePlan::try_from(wire).expect_err("unknown").field,
        "step.kind"
    );
}

#[test]
fn a_request_without_a_selection_means_everything() {
    let wire = pb::PlanBackupRequest {
        backup: Some(backup().into()),
        kind: crate::pb::types::BackupKind::Full as i32,
        ..Default::default()
    };
    let request = BackupRequest::try_from(wire).expect("a request");
    assert!(request.selection.is_everything());
}
