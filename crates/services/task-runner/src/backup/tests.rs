use api::pb::planner::PlanStep;

use super::*;

fn wish(cluster: &str) -> NewBackup {
    NewBackup {
        cluster: cluster.parse().expect("a name"),
        name: None,
        kind: BackupKind::Full,
        selection: Selection::default(),
        base: None,
        keep_damaged: false,
    }
}

#[test]
fn a_default_name_says_cluster_and_time_and_differs_on_collision() {
    let now = "2026-11-22T10:05:06.7Z".parse().expect("a time");
    let name = |number| name_for(&wish("shop"), now, number).to_string();
    assert_eq!(name(1), "shop-20261122t100506Z");
    assert_eq!(name(2), "shop-20261122t100506Z-2");
    let long = name_for(&wish(&"x".repeat(100)), now, 10).to_string();
    assert!(long.ends_with("-20261122t100506Z-10"), "{long}");
}

fn planned(steps: &[(&str, &str, &str)]) -> PlanBackupResponse {
    PlanBackupResponse {
        supported: true,
        nodes: vec![PlannedNode {
            host_id: "h".into(),
            address: "a".into(),
            agent: "a:7401".into(),
        }],
        steps: steps
            .iter()
            .map(|(kind, node, after)| PlanStep {
                id: (*kind).into(),
                kind: (*kind).into(),
                node: (*node).into(),
                after: after.split_whitespace().map(String::from).collect(),
                cql: Vec::new(),
            })
            .collect(),
        ..Default::default()
    }
}

#[test]
fn a_backup_runs_the_steps_of_its_plan_and_no_others() {
    let plan = planned(&[
        ("begin", "", ""),
        ("snapshot", "a", "begin"),
        ("barrier", "", "snapshot"),
        ("capture", "", "barrier"),
        ("upload", "a", "barrier"),
        ("commit", "", "capture upload"),
        ("clear", "a", "commit"),
    ]);
    let steps = backup_steps(&plan).expect("steps");
    for (step, planned) in steps.iter().zip(&plan.steps) {
        assert_eq!(
            (step.work.kind(), &step.node, &step.after),
            (planned.kind.as_str(), &planned.node, &planned.after)
        );
    }
    assert_eq!(steps.len(), plan.steps.len());
    let agent = "a:7401".to_owned();
    assert_eq!(steps[4].work, Work::Upload { agent });
}

#[test]
fn a_backup_that_is_not_understood_is_refused_before_it_starts() {
    let begin = ("begin", "", "");
    for (steps, why) in [
        (&[][..], "do not start with `begin`"),
        (&[("capture", "", ""), begin], "do not start with `begin`"),
        (
            &[begin, ("load", "a", "")],
            "`load` is of the unknown kind `load`",
        ),
        (
            &[begin, ("upload", "b", "")],
            "for node `b`, of which the plan knows no agent",
        ),
        (
            &[begin, ("upload", "a", "x")],
            "`upload` waits for `x`, which is not there",
        ),
    ] {
        let error = backup_steps(&planned(steps)).expect_err(why).to_string();
        assert!(error.contains(why), "{error}");
    }
}
