//! How a backup goes into a target, or all the reasons why it cannot.
//!
//! The plan holds for one ring and one schema of the target. It is made to be read before it is run: what is destroyed
//! is in `tables` and in the CQL of the replace step, and nothing is destroyed before every node has staged its files.
//!
//! The chapters, each of which uses only those before it: `renamed` (the backup under the names that it gets, if any are
//! given), `given` (both sides and the request), `placing` (which data goes
//! to which node), `schema` (what is made and with which CQL), `sstables` (whether they can be taken), `nodes` (figures and
//! times), `statements` (whether the target's nodes take the CQL), `steps`, `closing` (what is left to people).

mod closing;
mod given;
mod nodes;
mod placing;
mod renamed;
mod schema;
mod sstables;
mod statements;
pub(crate) mod steps;
mod unknown_build;

#[cfg(test)]
pub(crate) mod world;

use std::collections::BTreeSet;

use model::manifest::BackupManifest;

use crate::cluster::address_order;
use crate::findings::Findings;
use given::Given;
use given::inputs::Inputs;
use nodes::estimate::Course;
use placing::assignment;
use renamed::Renamed;
use schema::tombstones::Tombstones;
use schema::{copies, ddl, outcome, tables, trial};
use sstables::{Restored, verdicts};
use statements::Asked;

pub use model::plan::{
    Completeness, KeyspaceCoverage, NodeKeys, NodePlan, PlanStep, Rates, RequestedMode,
    RestoreMode, RestoreOptions, RestorePlan, RestoreRequest, SchemaChange, SchemaRewrite,
    StepKind, TableAction, TablePlan, UnknownStepKind,
};

/// Plans a restore. Never fails: what stands against it is in the findings, all at once.
pub fn plan_restore(request: &RestoreRequest) -> RestorePlan {
    let mut findings = Findings::default();
    let renamed = Renamed::of(request, &mut findings);
    let request = renamed.as_ref().map_or(request, |it| &it.request);
    let mut backup = in_order(&request.backup);
    let inputs = Inputs::of(request, &backup, &mut findings);
    // From here on the backup's schema is what is made of it on the target.
    backup.schema = inputs.schemas.fitted.clone();
    let given = Given::of(request, &backup, &inputs, &mut findings);
    let assignment = assignment::place(&given, &mut findings);
    let outcome = outcome::make(&given, &mut findings);
    copies::check(&given, &outcome.decided, &mut findings);
    let older = check_sstables(&given, &outcome.decided, &mut findings);
    let share = nodes::Given {
        backup: &backup,
        sstables: &request.sstables,
        moves: &assignment.moves,
        rings: inputs.rings.as_ref(),
        cluster: &inputs.cluster,
        decided: &outcome.decided,
        versions: &inputs.versions,
        older: &older,
    };
    let mut nodes = nodes::plan(&share, &mut findings);
    let tombstones = Tombstones::of(&given, &assignment.keyspaces, &outcome.decided);
    let cql = ddl::write(&given, &outcome.decided, &assignment.keyspaces, &tombstones);
    let asked = Asked::of(&given, &assignment.keyspaces, &outcome.decided, &cql);
    asked.check(&mut findings);
    let trial = trial::write(&given, &outcome.decided, &assignment.keyspaces);
    let trial = asked.possible(trial, &mut findings);
    unknown_build::check(&given, &outcome.decided, &trial, &mut findings);
    let course = Course {
        mode: inputs.mode,
        schema_statements: (cql.schema.len()
            + cql.replace.len()
            + trial.make.len()
            + trial.drop.len()) as u64,
        trial_loads: trial.tables.len() as u64,
        view_statements: cql.views.len() as u64,
    };
    let seconds = nodes.estimate(&course, &request.rates, &inputs.cluster, &mut findings);
    let restored = Restored {
        given: &given,
        assignment: &assignment,
        outcome: &outcome,
        tombstones: &tombstones,
        seconds,
    };
    for rule in sstables::RULES.iter().chain(closing::RULES) {
        rule(&restored, &mut findings);
    }

    let supported = !findings.refuse();
    let mut plan = RestorePlan {
        trials: trial.tables.clone(),
        backup: backup.backup.clone(),
        target: request.target.clone(),
        mode: inputs.mode,
        supported,
        findings: findings.into_sorted(),
        steps: if supported && outcome.decided.is_empty() {
            steps::make_schema_only(cql)
        } else if supported {
            steps::make(inputs.mode, &nodes.addresses(), nodes.upgrade, trial, cql)
        } else {
            Vec::new()
        },
        nodes: nodes.plans,
        tables: outcome
            .decided
            .into_iter()
            .map(|table| table.plan)
            .collect(),
        target_schema_version: request.schema.version.clone(),
        target_ring: inputs.cluster.fingerprint(),
        coverage: assignment.coverage,
        schema_changes: outcome.schema_changes,
        rewrites: outcome.rewrites,
        seconds,
        number: 0,
    };
    if let Some(renamed) = &renamed {
        renamed.note_sources(&mut plan);
    }
    plan
}

/// The order of nodes in a manifest means nothing, and plans are to be the same whatever it is.
fn in_order(backup: &BackupManifest) -> BackupManifest {
    let mut backup = backup.clone();
    backup
        .ring
        .sort_by(|a, b| address_order(&a.address).cmp(&address_order(&b.address)));
    backup.nodes.sort_by_key(|node| node.host_id);
    for node in &mut backup.nodes {
        node.tables
            .sort_by(|a, b| (&a.keyspace, &a.table, a.id).cmp(&(&b.keyspace, &b.table, b.id)));
    }
    backup
}

/// Whether the target's nodes can read the SSTables; returns the formats that they would rewrite into their own.
fn check_sstables(
    given: &Given,
    decided: &[tables::Decided],
    findings: &mut Findings,
) -> BTreeSet<String> {
    let (request, inputs, backup) = (given.request, given.inputs, given.backup);
    let (targets, sstables) = (&inputs.cluster.nodes, &request.sstables);
    let verdicts = verdicts::check(
        backup,
        sstables,
        tables::is_staged(decided),
        targets,
        inputs.mode,
        findings,
    );
    verdicts.older
}
