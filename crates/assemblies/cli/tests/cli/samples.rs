//! Answers of services, small enough to read in a snapshot.

use api::pb::planner as plan_pb;
use api::pb::storage_catalog as catalog_pb;
use api::pb::task_runner as task_pb;
use api::pb::types as pb;

pub const TASK_ID: &str = "0192f000-0000-7000-8000-000000000001";
pub const HOST_ID: &str = "aaaaaaaa-0000-4000-8000-000000000001";
pub const TABLE_ID: &str = "bbbbbbbb-0000-4000-8000-000000000001";

pub fn backup_ref() -> pb::BackupRef {
    pb::BackupRef {
        cluster: "prod".into(),
        name: "nightly".into(),
    }
}

pub fn release(version: &str) -> pb::Release {
    pb::Release {
        product: pb::Product::Cassandra as i32,
        version: version.into(),
    }
}

pub fn member() -> pb::RingMember {
    pb::RingMember {
        host_id: HOST_ID.into(),
        address: "127.0.0.2".into(),
        datacenter: "dc1".into(),
        rack: "r1".into(),
        tokens: vec!["-42".into(), "7".into()],
    }
}

pub fn table() -> pb::TableRef {
    pb::TableRef {
        keyspace: "shop".into(),
        table: "orders".into(),
    }
}

pub fn summary() -> catalog_pb::BackupSummary {
    catalog_pb::BackupSummary {
        backup: Some(backup_ref()),
        kind: pb::BackupKind::Full as i32,
        base: String::new(),
        state: catalog_pb::BackupState::Complete as i32,
        started_at: "2026-11-22T10:00:00.000Z".into(),
        finished_at: "2026-11-22T10:05:30.250Z".into(),
        release: Some(release("5.0.5")),
        nodes: 1,
        ring_nodes: 1,
        bytes: 3 << 30,
        uploaded_bytes: 1 << 30,
        copied_bytes: 768 << 20,
        copied_from: vec!["first".into()],
        sstables: 12,
        damaged_sstables: 0,
        detail: String::new(),
        damage_found: 0,
        damage_found_at: String::new(),
        read_clean_at: String::new(),
        sstables_clean_at: String::new(),
        damage_level: 0,
        task_id: String::new(),
        covers: Some(catalog_pb::Covers {
            selection: Some(pb::Selection::default()),
            missing: Vec::new(),
        }),
        pins: Vec::new(),
    }
}

pub fn failed_summary() -> catalog_pb::BackupSummary {
    catalog_pb::BackupSummary {
        backup: Some(pb::BackupRef {
            cluster: "prod".into(),
            name: "hourly".into(),
        }),
        kind: pb::BackupKind::Differential as i32,
        base: "nightly".into(),
        state: catalog_pb::BackupState::Failed as i32,
        started_at: "2026-11-22T11:00:00.000Z".into(),
        detail: "node 127.0.0.2 went away".into(),
        ..catalog_pb::BackupSummary::default()
    }
}

pub fn backup() -> catalog_pb::Backup {
    let tables = vec![catalog_pb::BackupTable {
        table: Some(table()),
        id: TABLE_ID.into(),
        bytes: 3 << 30,
        sstables: 12,
        formats: vec!["big-nb".into(), "big-oa".into()],
        ..catalog_pb::BackupTable::default()
    }];
    catalog_pb::Backup {
        summary: Some(summary()),
        cluster_name: "Test Cluster".into(),
        partitioner: "org.apache.cassandra.dht.Murmur3Partitioner".into(),
        nodes: vec![catalog_pb::BackupNode {
            member: Some(member()),
            bytes: 3 << 30,
            uploaded_bytes: 1 << 30,
            copied_bytes: 768 << 20,
            sstables: 12,
            manifest: format!("ringkeep/1/nodes/prod/nightly/{HOST_ID}.json"),
            release: Some(release("5.0.5")),
            tables: tables.clone(),
            snapshot_taken_at: "2026-11-22T10:00:01.000Z".into(),
            ..catalog_pb::BackupNode::default()
        }],
        tables,
        snapshot_spread_ms: 180,
        coverage: Some(catalog_pb::Coverage {
            ring_nodes: 1,
            backed_up_nodes: 1,
            complete: true,
        }),
        ..catalog_pb::Backup::default()
    }
}

pub fn finding(code: &str, severity: pb::Severity) -> pb::Finding {
    pb::Finding {
        code: code.into(),
        severity: severity as i32,
        when: match severity {
            pb::Severity::Advice => pb::When::After,
            _ => pb::When::Before,
        } as i32,
        subject: "127.0.0.2".into(),
        message: format!("what {code} means here"),
        hint: format!("what to do about {code}"),
    }
}

pub fn plan() -> plan_pb::RestorePlan {
    let step = |id: &str, kind: &str, node: &str, after: &[&str], cql: &[&str]| plan_pb::PlanStep {
        id: id.into(),
        kind: kind.into(),
        node: node.into(),
        after: after.iter().map(ToString::to_string).collect(),
        cql: cql.iter().map(ToString::to_string).collect(),
    };
    plan_pb::RestorePlan {
        backup: Some(backup_ref()),
        target: "staging".into(),
        mode: plan_pb::RestoreMode::Online as i32,
        supported: true,
        findings: vec![
            finding("AUTH_NOT_INCLUDED", pb::Severity::Advice),
            finding("TTL_MAY_EXPIRE", pb::Severity::Warning),
        ],
        nodes: vec![plan_pb::NodePlan {
            node: "127.0.0.2".into(),
            agent: "127.0.0.2:7401".into(),
            host_id: HOST_ID.into(),
            sources: vec![HOST_ID.into()],
            download_bytes: 3 << 30,
            disk_bytes_needed: 6 << 30,
            sstables: 12,
            sliced_sstables: 3,
            requests: 120,
            seconds: 90,
            ..Default::default()
        }],
        steps: vec![
            step("stage-1", "stage", "127.0.0.2", &[], &[]),
            step(
                "replace",
                "replace",
                "",
                &["stage-1"],
                &["TRUNCATE TABLE shop.orders"],
            ),
        ],
        tables: vec![plan_pb::TablePlan {
            source: None,
            table: Some(table()),
            source_id: TABLE_ID.into(),
            target_id: TABLE_ID.into(),
            action: plan_pb::TableAction::Truncate as i32,
            missing: false,
            bytes: 9 << 30,
        }],
        schema_changes: vec![plan_pb::SchemaChange {
            subject: "shop.orders".into(),
            what: "since the backup: added note text".into(),
            forward_cql: vec!["ALTER TABLE shop.orders ADD note text".into()],
        }],
        trials: Vec::new(),
        rewrites: vec![plan_pb::SchemaRewrite {
            subject: "shop.orders".into(),
            what: "the option is left out: nodesync".into(),
            applied: true,
        }],
        coverage: vec![plan_pb::KeyspaceCoverage {
            keyspace: "shop".into(),
            datacenter: "dc1".into(),
            replicas: 3,
            held_ppm: vec![0, 0, 250_000, 750_000],
        }],
        seconds: 100,
        number: 12,
        ..plan_pb::RestorePlan::default()
    }
}

pub fn refused_plan() -> plan_pb::RestorePlan {
    plan_pb::RestorePlan {
        supported: false,
        findings: vec![
            finding("AUTH_NOT_INCLUDED", pb::Severity::Advice),
            finding("DISK_SPACE", pb::Severity::Refusal),
        ],
        nodes: Vec::new(),
        steps: Vec::new(),
        tables: Vec::new(),
        schema_changes: Vec::new(),
        rewrites: Vec::new(),
        coverage: Vec::new(),
        seconds: 0,
        number: 0,
        ..plan()
    }
}

pub fn task(state: task_pb::TaskState) -> task_pb::Task {
    let succeeded = state == task_pb::TaskState::Succeeded;
    task_pb::Task {
        id: TASK_ID.into(),
        kind: task_pb::TaskKind::Backup as i32,
        state: state as i32,
        attempt: 1,
        steps: vec![
            task_pb::TaskStep {
                id: "snapshot-1".into(),
                kind: "snapshot".into(),
                node: "127.0.0.2".into(),
                state: task_pb::StepState::Succeeded as i32,
                ..task_pb::TaskStep::default()
            },
            task_pb::TaskStep {
                id: "upload-1".into(),
                kind: "upload".into(),
                node: "127.0.0.2".into(),
                state: match succeeded {
                    true => task_pb::StepState::Succeeded,
                    false => task_pb::StepState::Running,
                } as i32,
                bytes_done: if succeeded { 4 << 20 } else { 1 << 20 },
                bytes_total: 4 << 20,
                note: "shop.orders".into(),
                ..task_pb::TaskStep::default()
            },
        ],
        progress: if succeeded { 1.0 } else { 0.625 },
        eta_seconds: if succeeded { 0 } else { 95 },
        cluster: "prod".into(),
        backup: Some(backup_ref()),
        created_at: "2026-11-22T10:00:00.000Z".into(),
        finished_at: match succeeded {
            true => "2026-11-22T10:05:30.250Z".into(),
            false => String::new(),
        },
        error: match state {
            task_pb::TaskState::Failed => "the upload of 127.0.0.2 failed: the disk is full".into(),
            _ => String::new(),
        },
        findings: match succeeded {
            true => vec![finding("REPAIR_ADVISED", pb::Severity::Advice)],
            false => Vec::new(),
        },
        verification: None,
        deletion: None,
        retention: None,
        collection: None,
        maintenance: Vec::new(),
        priority: 0,
        waiting: None,
        limits: None,
        paused: None,
    }
}

/// One that waits for the turn of another.
pub fn waiting() -> task_pb::Task {
    task_pb::Task {
        priority: task_pb::Priority::Low as i32,
        waiting: Some(task_pb::TaskWaiting {
            since: "2026-11-22T10:00:00.000Z".into(),
            task_id: "0192f000-0000-7000-8000-000000000002".into(),
            kind: task_pb::TaskKind::Restore as i32,
            why: "it waits for restore 0192f000-0000-7000-8000-000000000002".into(),
        }),
        ..task(task_pb::TaskState::Pending)
    }
}

/// One that a user has paused.
pub fn paused() -> task_pb::Task {
    task_pb::Task {
        priority: task_pb::Priority::Normal as i32,
        paused: Some(task_pb::TaskPaused {
            since: "2026-11-22T10:01:00.000Z".into(),
            why: "paused on request: not during the sale".into(),
            gave_up: false,
            keeps_cluster: true,
        }),
        ..task(task_pb::TaskState::Paused)
    }
}

/// One that was given limits, on whose only node they are in force unless they are of files.
pub fn limited(request: &task_pb::SetTaskLimitsRequest) -> task_pb::Task {
    let mut task = task(task_pb::TaskState::Running);
    let asked = task_pb::TaskLimits {
        bandwidth_bytes_per_second: request.bandwidth_bytes_per_second.unwrap_or_default(),
        parallel_files: request.parallel_files.unwrap_or_default(),
    };
    task.limits = Some(asked);
    let knows = request.parallel_files.is_none();
    task.steps[1].limits = Some(task_pb::StepLimits {
        asked: Some(asked),
        in_force: knows.then_some(task_pb::TaskLimits {
            parallel_files: 8,
            ..asked
        }),
        error: match knows {
            true => String::new(),
            false => "the agent is of an earlier release".into(),
        },
    });
    task
}

/// A task of one step that has read, or deleted, a third of its bytes or all of them.
fn one_step(kind: task_pb::TaskKind, word: &str, state: task_pb::TaskState) -> task_pb::Task {
    let running = state == task_pb::TaskState::Running;
    let step = task_pb::TaskStep {
        id: word.into(),
        kind: word.into(),
        state: match state {
            task_pb::TaskState::Succeeded => task_pb::StepState::Succeeded,
            task_pb::TaskState::Running => task_pb::StepState::Running,
            _ => task_pb::StepState::Failed,
        } as i32,
        bytes_done: if running { 1 << 30 } else { 3 << 30 },
        bytes_total: 3 << 30,
        note: if running {
            "shop.orders".into()
        } else {
            String::new()
        },
        ..task_pb::TaskStep::default()
    };
    task_pb::Task {
        kind: kind as i32,
        steps: vec![step],
        progress: if running { 0.33 } else { 1.0 },
        eta_seconds: 0,
        findings: Vec::new(),
        ..task(state)
    }
}

pub fn report(damage: Vec<catalog_pb::Damage>) -> catalog_pb::VerifyReport {
    catalog_pb::VerifyReport {
        backup: Some(backup_ref()),
        level: catalog_pb::VerifyLevel::Objects as i32,
        ok: damage.is_empty(),
        objects_checked: 96,
        bytes_checked: 3 << 30,
        sstables_checked: 0,
        damage,
        not_checked: Vec::new(),
        sample: None,
    }
}

/// A verification: under way, or ended with what it has found.
pub fn verification(report: Option<catalog_pb::VerifyReport>) -> task_pb::Task {
    let state = match &report {
        None => task_pb::TaskState::Running,
        Some(report) if report.ok => task_pb::TaskState::Succeeded,
        Some(_) => task_pb::TaskState::Failed,
    };
    task_pb::Task {
        verification: report,
        error: match state {
            task_pb::TaskState::Failed => {
                "step `verify` failed: what was checked is damaged".into()
            }
            _ => String::new(),
        },
        ..one_step(task_pb::TaskKind::Verify, "verify", state)
    }
}

pub fn deletion(state: task_pb::TaskState) -> task_pb::Task {
    let succeeded = state == task_pb::TaskState::Succeeded;
    task_pb::Task {
        deletion: succeeded.then_some(task_pb::Deletion {
            deleted_objects: 98,
            freed_bytes: 1 << 30,
            versions_remain: false,
        }),
        error: match state {
            task_pb::TaskState::Failed => {
                "step `delete` failed: the backup `prod/nightly` is the base of hourly".into()
            }
            _ => String::new(),
        },
        ..one_step(task_pb::TaskKind::Delete, "delete", state)
    }
}

pub fn node() -> pb::NodeDescription {
    pb::NodeDescription {
        agent: "127.0.0.2:7401".into(),
        cluster_name: "Test Cluster".into(),
        release: Some(release("5.0.5")),
        member: Some(member()),
        tables: vec![pb::TableDescription {
            table: Some(table()),
            id: TABLE_ID.into(),
            live_bytes: 3 << 30,
            ..pb::TableDescription::default()
        }],
        data_directories: vec![pb::DataDirectory {
            path: "/var/lib/cassandra/data".into(),
            free_bytes: 100 << 30,
            total_bytes: 200 << 30,
        }],
        ..pb::NodeDescription::default()
    }
}

pub fn leftovers() -> task_pb::ListLeftoversResponse {
    let found = |agent: &str, kind: pb::LeftoverKind, owner: task_pb::LeftoverOwner| {
        task_pb::FoundLeftover {
            agent: agent.into(),
            leftover: Some(pb::Leftover {
                kind: kind as i32,
                task_id: TASK_ID.into(),
                bytes: 3 << 20,
                half_swapped: kind == pb::LeftoverKind::OldFiles,
            }),
            owner: owner as i32,
        }
    };
    use task_pb::LeftoverOwner as Owner;
    task_pb::ListLeftoversResponse {
        leftovers: vec![
            found("127.0.0.2:7401", pb::LeftoverKind::Snapshot, Owner::Ended),
            found("127.0.0.3:7401", pb::LeftoverKind::OldFiles, Owner::Unknown),
        ],
        unreachable: vec![plan_pb::UnreachableAgent {
            agent: "127.0.0.4:7401".into(),
            reason: "down".into(),
        }],
    }
}

pub fn cleared() -> task_pb::ClearLeftoversResponse {
    let cleared =
        |agent: &str, freed_bytes, kept_because: &str| task_pb::clear_leftovers_response::Cleared {
            agent: agent.into(),
            leftover: Some(pb::ClearedLeftover {
                kind: pb::LeftoverKind::Staged as i32,
                task_id: TASK_ID.into(),
                freed_bytes,
                kept_because: kept_because.into(),
            }),
        };
    task_pb::ClearLeftoversResponse {
        cleared: vec![
            cleared("127.0.0.2:7401", 3 << 20, ""),
            cleared("127.0.0.3:7401", 0, "the agent is at work on it"),
        ],
        unreachable: Vec::new(),
    }
}

pub fn schedule() -> task_pb::ScheduleState {
    task_pb::ScheduleState {
        schedule: Some(task_pb::Schedule {
            cluster: "prod".into(),
            name: "nightly".into(),
            cron: "30 2 * * *".into(),
            zone: "Europe/Berlin".into(),
            kind: pb::BackupKind::Differential as i32,
            full_on: "sun".into(),
            catch_up_seconds: 86_400,
            objective_seconds: 90_000,
            ..task_pb::Schedule::default()
        }),
        created_at: "2026-11-01T10:00:00Z".into(),
        considered: "2026-11-22T10:00:00Z".into(),
        task_id: TASK_ID.into(),
        active_due: "2026-11-22T01:30:00Z".into(),
        active_started_at: "2026-11-22T01:30:01Z".into(),
        last_full_due: "2026-11-15T01:30:00Z".into(),
        ..task_pb::ScheduleState::default()
    }
}

pub fn past_runs() -> Vec<task_pb::PastRun> {
    let run = |due: &str, outcome: task_pb::RunOutcome| task_pb::PastRun {
        first_due: due.into(),
        last_due: due.into(),
        runs: 1,
        outcome: outcome as i32,
        ..task_pb::PastRun::default()
    };
    vec![
        task_pb::PastRun {
            backup: "nightly-20261121t013000z".into(),
            kind: pb::BackupKind::Differential as i32,
            task_id: TASK_ID.into(),
            detail: "the upload of 127.0.0.2 failed".into(),
            ..run("2026-11-21T01:30:00Z", task_pb::RunOutcome::Failed)
        },
        task_pb::PastRun {
            last_due: "2026-11-20T01:30:00Z".into(),
            runs: 3,
            ..run(
                "2026-11-18T01:30:00Z",
                task_pb::RunOutcome::SkippedSuperseded,
            )
        },
    ]
}

pub fn retention() -> task_pb::GetRetentionResponse {
    let policy = task_pb::RetentionPolicy {
        last: 4,
        days: 28,
        weekly: 8,
        floor: 2,
        ..task_pb::RetentionPolicy::default()
    };
    let state = |schedule: &str, policy: task_pb::RetentionPolicy| task_pb::RetentionState {
        cluster: "prod".into(),
        schedule: schedule.into(),
        policy: Some(policy),
        changed_at: "2026-11-01T00:00:00Z".into(),
    };
    let of_schedule = task_pb::RetentionPolicy {
        last: 12,
        floor: 1,
        failed_days: Some(3),
        zone: "Europe/Berlin".into(),
        ..task_pb::RetentionPolicy::default()
    };
    task_pb::GetRetentionResponse {
        states: vec![state("", policy), state("monthly", of_schedule)],
        runs: vec![task_pb::RetentionRun {
            task_id: TASK_ID.into(),
            started_at: "2026-11-22T10:06:00Z".into(),
            finished_at: "2026-11-22T10:07:00Z".into(),
            after: "nightly".into(),
            deleted_backups: 2,
            freed_bytes: 3 << 30,
            refused_backups: 1,
            state: task_pb::TaskState::Succeeded as i32,
        }],
    }
}

pub fn verdicts() -> Vec<task_pb::RetentionVerdict> {
    let verdict = |backup: &str, goes, reason: &str, schedule: &str| task_pb::RetentionVerdict {
        backup: backup.into(),
        goes,
        reasons: vec![reason.into()],
        uploaded_bytes: 1 << 30,
        schedule: schedule.into(),
    };
    vec![
        verdict("nightly", false, "one of the newest", ""),
        verdict(
            "monthly-20251101t000000z",
            true,
            "no rule keeps it",
            "monthly",
        ),
    ]
}

pub fn garbage() -> task_pb::PlanCollectionResponse {
    let pin = |task: &str| task_pb::StalePin {
        backup: Some(backup_ref()),
        task_id: task.into(),
    };
    task_pb::PlanCollectionResponse {
        garbage: vec![catalog_pb::Garbage {
            backup: Some(pb::BackupRef {
                cluster: "prod".into(),
                name: "older".into(),
            }),
            kind: catalog_pb::GarbageKind::Strays as i32,
            objects: 3,
            bytes: 3 << 20,
        }],
        stale_pins: vec![pin(TASK_ID)],
        unknown_pins: vec![pin("0192f000-0000-7000-8000-000000000009")],
    }
}
