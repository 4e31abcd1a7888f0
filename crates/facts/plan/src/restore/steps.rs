//! The steps of a restore, and what must be done before what.
//!
//! The order is what makes a restore safe: nothing is changed before every node has staged and checked its files and the
//! cluster has been compared with the plan, nothing is dropped or emptied before all that is missing has been made, and
//! in place no node starts on restored files while another still has its own.

use model::plan::{PlanStep, RestoreMode, StepKind};

use crate::restore::schema::ddl::Cql;
use crate::restore::schema::trial::Trial;
use crate::steps::Steps;

/// `nodes` are the addresses of the target's nodes; `upgrade` is whether they rewrite SSTables of older formats.
pub(super) fn make(
    mode: RestoreMode,
    nodes: &[&str],
    upgrade: bool,
    trial: Trial,
    cql: Cql,
) -> Vec<PlanStep> {
    let mut steps = Steps::default();
    let pinned = steps.once(StepKind::Pin, &[]);
    let staged = steps.on_each(nodes, StepKind::Stage, &pinned);
    let mut last = staged;
    if !trial.tables.is_empty() {
        // Before the check, so that the scratch keyspaces are gone when the schema is compared.
        let made = steps.once_with(StepKind::TrialSchema, &last, trial.make);
        let tried = steps.on_each(nodes, StepKind::Trial, &made);
        last = steps.once_with(StepKind::TrialDrop, &tried, trial.drop);
    }
    last = steps.once(StepKind::Check, &last);
    for (kind, cql) in [
        (StepKind::Schema, cql.schema),
        (StepKind::Replace, cql.replace),
    ] {
        if !cql.is_empty() {
            last = steps.once_with(kind, &last, cql);
        }
    }
    last = match mode {
        RestoreMode::Online => steps.on_each(nodes, StepKind::Load, &last),
        RestoreMode::InPlace => {
            let stopped = steps.on_each(nodes, StepKind::Stop, &last);
            let swapped = steps.on_each(nodes, StepKind::Swap, &stopped);
            steps.on_each(nodes, StepKind::Start, &swapped)
        }
    };
    if upgrade {
        last = steps.on_each_after_own(nodes, StepKind::UpgradeSstables, &last);
    }
    if !cql.views.is_empty() {
        last = steps.once_with(StepKind::Views, &last, cql.views);
    }
    let finished = steps.on_each(nodes, StepKind::Finish, &last);
    steps.once(StepKind::Unpin, &finished);
    steps.into_vec()
}

#[cfg(test)]
mod tests;
