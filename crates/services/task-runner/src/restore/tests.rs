use api::pb::planner::{NodePlan, TablePlan};

use super::*;

fn plan(steps: &[(&str, &str, &str, &str)]) -> RestorePlan {
    RestorePlan {
        backup: Some(pb::BackupRef {
            cluster: "c".into(),
            name: "b".into(),
        }),
        target: "c".into(),
        supported: true,
        nodes: ["n1", "n2"]
            .map(|node| NodePlan {
                node: node.into(),
                agent: format!("{node}:7401"),
                sources: vec![format!("host of {node}")],
                ..Default::default()
            })
            .into(),
        steps: steps
            .iter()
            .map(|(id, kind, node, after)| PlanStep {
                id: (*id).into(),
                kind: (*kind).into(),
                node: (*node).into(),
                after: after.split_whitespace().map(String::from).collect(),
                cql: Vec::new(),
            })
            .collect(),
        ..Default::default()
    }
}

#[track_caller]
fn check(plan: &RestorePlan, expected: &[&str]) {
    let lines: Vec<String> = match restore_steps(plan) {
        Ok(steps) => steps
            .iter()
            .map(|step| format!("{} < {}", step.id, step.after.join(" ")))
            .collect(),
        Err(error) => vec![error.to_string()],
    };
    assert_eq!(lines, expected);
}

#[test]
fn a_restore_runs_the_steps_of_its_plan_and_no_others() {
    let planned = [
        ("pin", "pin", "", ""),
        ("stage-n1", "stage", "n1", "pin"),
        ("stage-n2", "stage", "n2", "pin"),
        ("check", "check", "", "stage-n1 stage-n2"),
        ("schema", "schema", "", "check"),
        ("replace", "replace", "", "schema"),
        ("load-n1", "load", "n1", "replace"),
        ("load-n2", "load", "n2", "replace"),
        ("barrier-load", "barrier", "", "load-n1 load-n2"),
        ("finish-n1", "finish", "n1", "barrier-load"),
        ("finish-n2", "finish", "n2", "barrier-load"),
        ("unpin", "unpin", "", "finish-n1 finish-n2"),
    ];
    let lines: Vec<String> = planned
        .iter()
        .map(|(id, _, _, after)| format!("{id} < {after}"))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    check(&plan(&planned), &lines);
    let steps = restore_steps(&plan(&planned)).expect("steps");
    for (step, (_, kind, ..)) in steps.iter().zip(&planned) {
        assert_eq!(step.work.kind(), *kind);
    }
}

#[test]
fn a_plan_that_is_not_understood_is_refused_before_it_starts() {
    check(
        &plan(&[("x", "teleport", "n1", "")]),
        &[
            "the plan holds what this runner does not understand: step `x` is of the unknown kind `teleport`",
        ],
    );
    // A planner of an earlier release left it to the runner to finish on each node, and to check and unpin.
    check(
        &plan(&[("finish", "finish", "", "")]),
        &[
            "the plan holds what this runner does not understand: step `finish` is for node ``, of which the plan knows no agent",
        ],
    );
    check(
        &plan(&[("load-n9", "load", "n9", "")]),
        &[
            "the plan holds what this runner does not understand: step `load-n9` is for node `n9`, of which the plan knows no agent",
        ],
    );
    check(
        &plan(&[
            ("stage-n1", "stage", "n1", "stop-n1"),
            ("stop-n1", "stop", "n1", "stage-n1"),
        ]),
        &[
            "the plan holds what this runner does not understand: steps stage-n1, stop-n1 wait for each other",
        ],
    );
}

#[test]
fn views_are_built_anew_and_never_staged() {
    let table = |table: &str, action: TableAction| TablePlan {
        table: Some(pb::TableRef {
            keyspace: "ks".into(),
            table: table.into(),
        }),
        action: action as i32,
        ..Default::default()
    };
    let mut plan = plan(&[]);
    plan.tables = vec![
        table("t", TableAction::Create),
        table("v", TableAction::RebuildView),
        table("u", TableAction::Swap),
    ];
    let order = order(&plan).expect("an order");
    let names = |tables: &[Table]| -> Vec<String> {
        tables.iter().map(|table| table.table.to_string()).collect()
    };
    assert_eq!(names(&order.tables), ["ks.t", "ks.u"]);
    assert_eq!(order.views[0].to_string(), "ks.v");
}

#[test]
fn the_hash_of_each_source_is_taken_along_and_none_may_be_missing() {
    let plan = plan(&[]);
    let mut manifests: BTreeMap<String, String> = ["host of n1", "host of n2", "another"]
        .map(|host| (host.to_owned(), format!("hash of {host}")))
        .into();
    let taken = of_sources(&plan, &manifests).expect("all are known");
    assert_eq!(taken.len(), 2);
    assert_eq!(taken["host of n2"], "hash of host of n2");
    manifests.insert("host of n2".to_owned(), String::new());
    let error = of_sources(&plan, &manifests).expect_err("one is missing");
    assert!(error.to_string().contains("host of n2"), "{error}");
}
