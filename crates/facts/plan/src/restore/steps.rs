//! The steps of a restore, and what must be done before what.
//!
//! The order is what makes a restore safe: nothing is changed before every node has staged and checked its files and the
//! cluster has been compared with the plan, nothing is dropped or emptied before all that is missing has been made, and
//! in place no node stops before clients are cut off on all, and none starts on restored files while another still has its
//! own.

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
            let quiet = steps.once(StepKind::Quiesce, &last);
            let stopped = steps.on_each(nodes, StepKind::Stop, &quiet);
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
    // In place the old files stay until the restore is accepted or rolled back.
    if mode == RestoreMode::Online {
        last = steps.on_each(nodes, StepKind::Finish, &last);
    }
    steps.once(StepKind::Unpin, &last);
    steps.into_vec()
}

/// The steps of a restore that has no tables: what is missing of the schema is made, and no node has anything to do.
pub(super) fn make_schema_only(cql: Cql) -> Vec<PlanStep> {
    let mut steps = Steps::default();
    let mut last = steps.once(StepKind::Pin, &[]);
    last = steps.once(StepKind::Check, &last);
    if !cql.schema.is_empty() {
        last = steps.once_with(StepKind::Schema, &last, cql.schema);
    }
    steps.once(StepKind::Unpin, &last);
    steps.into_vec()
}

/// The steps by which a restore in place is accepted: each node deletes the old files.
pub fn accept_steps(nodes: &[&str]) -> Vec<PlanStep> {
    let mut steps = Steps::default();
    steps.on_each(nodes, StepKind::Finish, &[]);
    steps.into_vec()
}

/// The steps by which a restore in place is taken back: as in the restore no node stops before clients are cut off on all,
/// and none starts while another still has other files. If the restore has `stopped` all nodes and started none, none is
/// to be started for it: some may have restored files, and others old ones.
pub fn rollback_steps(nodes: &[&str], stopped: bool) -> Vec<PlanStep> {
    let mut steps = Steps::default();
    let stopped = if stopped {
        Vec::new()
    } else {
        let quiet = steps.once(StepKind::Quiesce, &[]);
        steps.on_each(nodes, StepKind::Stop, &quiet)
    };
    let swapped = steps.on_each(nodes, StepKind::SwapBack, &stopped);
    let started = steps.on_each(nodes, StepKind::Start, &swapped);
    steps.on_each(nodes, StepKind::Finish, &started);
    steps.into_vec()
}

#[cfg(test)]
mod tests;
