//! What is asked of a plan: the whole of it as text, or the codes of its findings.

use expect_test::Expect;
use plan::{RestorePlan, RestoreRequest, ShownPlan, plan_restore, render};

/// The whole plan as a person reads it.
#[track_caller]
pub fn check(request: &RestoreRequest, expected: Expect) {
    let plan = plan_restore(request);
    check_order(&plan);
    expected.assert_eq(&render::restore_plan(
        &ShownPlan::from(&plan),
        &render::plain,
    ));
}

/// The plan without the advice that comes with every restore, so that what is particular stands out.
#[track_caller]
pub fn check_particular(request: &RestoreRequest, expected: Expect) {
    const USUAL: [&str; 3] = ["BACKUP_UNVERIFIED", "REPAIR_ADVISED", "AUTH_NOT_INCLUDED"];
    let mut plan = plan_restore(request);
    check_order(&plan);
    plan.findings
        .retain(|finding| !USUAL.contains(&finding.code.as_str()));
    expected.assert_eq(&render::restore_plan(
        &ShownPlan::from(&plan),
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

/// The codes of the plan's findings, with the subjects, refusals first.
pub fn codes(request: &RestoreRequest) -> Vec<String> {
    let plan = plan_restore(request);
    check_order(&plan);
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
