//! What is asked of a plan: the whole of it as text, or the codes of its findings.

use expect_test::Expect;
use plan::{RestorePlan, RestoreRequest, ShownPlan, StepKind, plan_restore, render};

/// The whole plan as a person reads it.
#[track_caller]
pub fn check(request: &RestoreRequest, expected: Expect) {
    let plan = plan_restore(request);
    check_order(&plan);
    check_making_comes_first(request, &plan);
    expected.assert_eq(&render::restore_plan(
        &ShownPlan::from(&plan),
        render::Statements::Counted,
        &render::plain,
    ));
}

/// The plan without the advice that comes with every restore, so that what is particular stands out.
#[track_caller]
pub fn check_particular(request: &RestoreRequest, expected: Expect) {
    const USUAL: [&str; 4] = [
        "BACKUP_UNVERIFIED",
        "REPAIR_ADVISED",
        "AUTH_NOT_INCLUDED",
        "AUTO_SNAPSHOTS_LEFT",
    ];
    let mut plan = plan_restore(request);
    check_order(&plan);
    check_making_comes_first(request, &plan);
    plan.findings
        .retain(|finding| !USUAL.contains(&finding.code.as_str()));
    expected.assert_eq(&render::restore_plan(
        &ShownPlan::from(&plan),
        render::Statements::Counted,
        &render::plain,
    ));
}

/// Steps only ever wait for steps before them, and a refused plan has none.
fn check_order(plan: &RestorePlan) {
    assert!(plan.supported || plan.steps.is_empty());
    assert!(!plan.supported || !plan.nodes.is_empty());
    for (at, step) in plan.steps.iter().enumerate() {
        for after in &step.after {
            let before = &plan.steps[..at];
            assert!(
                before.iter().any(|step| step.id == *after),
                "{} after {after}",
                step.id
            );
        }
    }
}

/// The CQL of the step of this kind; none if the plan has no such step.
pub fn statements(plan: &RestorePlan, kind: StepKind) -> &[String] {
    let step = plan.steps.iter().find(|step| step.kind == kind);
    step.map_or(&[], |step| step.cql.as_slice())
}

/// All that is missing is made before anything that is there is dropped or emptied: a CREATE that is refused costs nothing.
fn check_making_comes_first(request: &RestoreRequest, plan: &RestorePlan) {
    let is_live = |name: &str| {
        let mut entries = request.schema.entries.iter();
        entries.any(|entry| format!("{}.{}", entry.keyspace, entry.name) == name)
    };
    let made = statements(plan, StepKind::Schema);
    for statement in made {
        assert!(!statement.starts_with("TRUNCATE"), "{statement}");
        if let Some(dropped) = name_after(statement, "DROP", "EXISTS") {
            assert!(!is_live(&dropped), "live: {statement}");
        }
    }
    let replaced = statements(plan, StepKind::Replace);
    for statement in replaced {
        let Some(name) = name_after(statement, "CREATE", "EXISTS") else {
            continue;
        };
        let table = name_after(statement, "CREATE", "ON").unwrap_or_default();
        let keyspace = table.split_once('.').map(|(keyspace, _)| keyspace);
        let full = keyspace.map_or(name.clone(), |keyspace| format!("{keyspace}.{name}"));
        let of_dropped_table = replaced.iter().any(|statement| {
            let dropped = name_after(statement, "DROP TABLE", "EXISTS");
            dropped.is_some_and(|dropped| dropped == table)
        });
        assert!(
            is_live(&full) || of_dropped_table || made.contains(statement),
            "made too late: {statement}"
        );
    }
}

/// The name, without quotes, that follows a word in a statement that begins so.
fn name_after(statement: &str, begins: &str, word: &str) -> Option<String> {
    if !statement.starts_with(begins) {
        return None;
    }
    let mut words = statement.split_whitespace();
    words.find(|it| *it == word)?;
    words.next().map(|name| name.replace('"', ""))
}

/// The codes of the plan's findings, with the subjects, refusals first.
pub fn codes(request: &RestoreRequest) -> Vec<String> {
    let plan = plan_restore(request);
    check_order(&plan);
    check_making_comes_first(request, &plan);
    let say = |finding: &model::Finding| {
        format!(
            "{:?} {} {}",
            finding.severity, finding.code, finding.subject
        )
    };
    plan.findings
        .iter()
        .map(say)
        .filter(|line| !line.starts_with("Advice"))
        .collect()
}
