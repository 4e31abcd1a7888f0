use model::plan::{RestoreMode, UnknownStepKind};
use model::{BackupRef, TableId};
use uuid::Uuid;

use super::*;

fn host(number: u128) -> HostId {
    HostId(Uuid::from_u128(number))
}

/// Steps as (id, node, after); the kind is the id up to the first dash.
fn plan(steps: &[(&str, &str, &str)]) -> RestorePlan {
    let node = |number: u128| NodePlan {
        node: format!("n{number}"),
        agent: format!("n{number}:7401"),
        host_id: host(number),
        sources: vec![host(10 + number)],
        download_bytes: 0,
        disk_bytes_needed: 0,
        sstables: 0,
        sliced_sstables: 0,
        shares: Vec::new(),
        requests: 0,
        seconds: 0,
    };
    let step = |(id, node, after): &(&str, &str, &str)| PlanStep {
        id: (*id).into(),
        kind: kind(id).expect("a kind"),
        node: (*node).into(),
        after: after.split_whitespace().map(String::from).collect(),
        cql: Vec::new(),
    };
    RestorePlan {
        backup: BackupRef {
            cluster: "c".parse().expect("a name"),
            name: "b".parse().expect("a name"),
        },
        target: "c".parse().expect("a name"),
        mode: RestoreMode::Online,
        supported: true,
        findings: Vec::new(),
        nodes: vec![node(1), node(2)],
        steps: steps.iter().map(step).collect(),
        tables: Vec::new(),
        target_schema_version: String::new(),
        target_ring: String::new(),
        coverage: Vec::new(),
        schema_changes: Vec::new(),
        rewrites: Vec::new(),
        trials: Vec::new(),
        seconds: 0,
        number: 0,
    }
}

fn kind(id: &str) -> Result<StepKind, UnknownStepKind> {
    id.split('-').next().unwrap_or_default().parse()
}

fn manifests() -> BTreeMap<HostId, String> {
    [11, 12, 99]
        .map(|number| (host(number), format!("hash of {number}")))
        .into()
}

#[test]
fn a_plan_that_changes_anything_too_early_is_refused() {
    let (pin, stage, check) = (
        ("pin", "", ""),
        ("stage-n1", "n1", "pin"),
        ("check", "", "stage-n1 stage-n2"),
    );
    let other = ("stage-n2", "n2", "pin");
    let load = ("load-n1", "n1", "check");
    for (steps, why) in [
        (vec![pin, stage, other, check, load], ""),
        (
            vec![
                pin,
                stage,
                other,
                check,
                ("barrier", "", "check"),
                ("load-n1", "n1", "barrier"),
            ],
            "",
        ),
        (vec![pin, stage, other, load], "it has no step `check`"),
        (
            vec![pin, stage, other, ("check", "", "stage-n1"), load],
            "step `check` does not wait for step `stage-n2`",
        ),
        (
            vec![
                ("pin", "", ""),
                ("stage-n1", "n1", ""),
                ("check", "", "stage-n1"),
                load,
            ],
            "step `check` does not wait for step `pin`",
        ),
        (
            vec![pin, stage, other, check, ("stop-n1", "n1", "stage-n1")],
            "step `stop-n1` does not wait for step `check`",
        ),
        (
            vec![
                pin,
                stage,
                other,
                check,
                ("schema", "", "stage-n1 stage-n2"),
            ],
            "step `schema` does not wait for step `check`",
        ),
        (
            vec![pin, stage, other, check, ("load-n9", "n9", "check")],
            "step `load-n9` is for node `n9`, of which the plan knows no agent",
        ),
    ] {
        let refused = match RestoreSpec::new(plan(&steps), &manifests()) {
            Ok(_) => String::new(),
            Err(RunnerError::PlanNotUnderstood(why)) => why,
            Err(error) => error.to_string(),
        };
        assert_eq!(refused, why, "{steps:?}");
    }
}

fn a_spec() -> RestoreSpec {
    let steps = [("pin", "", ""), ("check", "", "pin")];
    let mut plan = plan(&steps);
    let table = |table: &str, action| TablePlan {
        source: None,
        table: TableRef::new("ks", table),
        source_id: TableId(Uuid::from_u128(1)),
        target_id: TableId(Uuid::from_u128(2)),
        action,
        missing: false,
        bytes: 0,
    };
    plan.tables = vec![
        table("t", TableAction::Create),
        table("v", TableAction::RebuildView),
        table("u", TableAction::Swap),
        table("r", TableAction::Recreate),
    ];
    RestoreSpec::new(plan, &manifests()).expect("a spec")
}

#[test]
fn views_are_built_again_and_never_staged() {
    let spec = a_spec();
    let names =
        |tables: Vec<TableRef>| -> Vec<String> { tables.iter().map(ToString::to_string).collect() };
    assert_eq!(names(spec.table_refs()), ["ks.t", "ks.u", "ks.r"]);
    assert_eq!(names(spec.views()), ["ks.v"]);
    let kept: Vec<&str> = spec
        .kept_or_made()
        .map(|table| table.table.table.as_str())
        .collect();
    assert_eq!(kept, ["t", "u"]);
}

#[test]
fn the_report_of_a_restore_does_not_ask_for_what_its_steps_have_done() {
    let of = |code: codes::Code, when| Finding {
        code: code.name.to_owned(),
        severity: code.severity,
        when,
        subject: "c".to_owned(),
        message: String::new(),
        hint: String::new(),
    };
    let check = ("check", "", "pin");
    let upgrade = ("upgradesstables-n1", "n1", "check");
    for (steps, said) in [
        (vec![("pin", "", ""), check, upgrade], "REPAIR_ADVISED"),
        (
            vec![("pin", "", ""), check],
            "UPGRADE_SSTABLES_REQUIRED CASSANDRA_ONTO_HCD REPAIR_ADVISED",
        ),
    ] {
        let mut plan = plan(&steps);
        plan.findings = vec![
            of(codes::UPGRADE_SSTABLES_REQUIRED, When::After),
            of(codes::CASSANDRA_ONTO_HCD, When::After),
            of(codes::BACKUP_UNVERIFIED, When::Before),
            of(codes::REPAIR_ADVISED, When::After),
        ];
        let spec = RestoreSpec::new(plan, &manifests()).expect("a spec");
        let closing = spec.closing(TaskId(Uuid::from_u128(1)), 0);
        let found: Vec<&str> = closing
            .iter()
            .map(|finding| finding.code.as_str())
            .collect();
        assert_eq!(found.join(" "), said);
    }
}

#[test]
fn the_hash_of_each_source_is_taken_along_and_none_may_be_missing() {
    let spec = a_spec();
    let node = spec.node("n2").expect("a node");
    let sources = spec.sources_of(node).expect("a hash");
    assert_eq!(sources, [(host(12), "hash of 12".to_owned())]);
    let mut manifests = manifests();
    manifests.insert(host(12), String::new());
    let steps = [("pin", "", ""), ("check", "", "pin")];
    let error = RestoreSpec::new(plan(&steps), &manifests).expect_err("one is missing");
    assert!(error.to_string().contains(&host(12).to_string()), "{error}");
}

#[test]
fn a_restore_that_is_carried_on_gives_the_names_that_it_was_started_with() {
    let mut spec = a_spec();
    let source = TableRef::new("live", "t");
    spec.plan.tables[0].source = Some(source.clone());
    let kept = serde_json::to_string(&spec).expect("JSON");
    let spec: RestoreSpec = serde_json::from_str(&kept).expect("a spec");
    let sources: Vec<_> = spec.targets().into_iter().map(|it| it.source).collect();
    assert_eq!(sources, [Some(source), None, None]);
    // What it deals with are the tables on the target.
    assert!(spec.table_refs().iter().all(|it| it.keyspace == "ks"));
}
