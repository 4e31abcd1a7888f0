//! How a backup goes into a target, or all the reasons why it cannot.
//!
//! The plan holds for one ring and one schema of the target. It is made to be read before it is run: what is destroyed
//! is in `tables` and in the CQL of the replace step, and nothing is destroyed before every node has staged its files.
//!
//! The chapters, each of which uses only those before it: `given` (both sides and the request), `placing` (which data goes
//! to which node), `schema` (what is made and with which CQL), `sstables` (whether they can be taken), `nodes` (figures and
//! times), `steps`, `closing` (what is left to people).

mod closing;
mod given;
mod nodes;
mod placing;
mod schema;
mod sstables;
mod steps;

#[cfg(test)]
pub(crate) mod world;

use std::collections::BTreeSet;

use model::manifest::BackupManifest;

use crate::cluster::address_order;
use crate::findings::Findings;
use closing::{afterwards, offer};
use given::in_place;
use given::inputs::Inputs;
use given::selected::Selected;
use given::target_schema::TargetSchema;
use nodes::estimate::Course;
use placing::assignment::{self, Assignment};
use schema::outcome::{self, SchemaOutcome};
use schema::{ddl, tables};
use sstables::{damaged, encryption, strays, ttl, unsliceable, verdicts, verified};

pub use model::plan::{
    Completeness, KeyspaceCoverage, NodeKeys, NodePlan, PlanStep, Rates, RequestedMode,
    RestoreMode, RestorePlan, RestoreRequest, SchemaChange, SchemaRewrite, StepKind, TableAction,
    TablePlan, UnknownStepKind,
};

/// Plans a restore. Never fails: what stands against it is in the findings, all at once.
pub fn plan_restore(request: &RestoreRequest) -> RestorePlan {
    let mut findings = Findings::default();
    let mut backup = in_order(&request.backup);
    let inputs = Inputs::of(request, &backup, &mut findings);
    // From here on the backup's schema is what is made of it on the target.
    backup.schema = inputs.schemas.fitted.clone();
    let selected = choose(request, &inputs, &backup, &mut findings);
    let live = TargetSchema::new(&request.schema, &inputs.cluster);
    let assignment = assignment::place(request, &inputs, &backup, &selected, &live, &mut findings);
    let outcome = outcome::make(&inputs, &backup, &selected, &live, &mut findings);
    let older = weigh_sstables(request, &inputs, &backup, &outcome.decided, &mut findings);
    let mut nodes = nodes::plan(
        &share(request, &inputs, &backup, &assignment, &outcome, &older),
        &mut findings,
    );
    let cql = ddl::write(
        inputs.mode,
        &backup,
        &selected,
        &live,
        &outcome.decided,
        &assignment.keyspaces,
        &inputs.schemas,
    );
    let course = Course {
        mode: inputs.mode,
        schema_statements: (cql.schema.len() + cql.replace.len()) as u64,
        view_statements: cql.views.len() as u64,
    };
    let seconds = nodes.estimate(&course, &request.rates, &inputs.cluster, &mut findings);
    say_consequences(
        request,
        &inputs,
        &assignment,
        &outcome,
        seconds,
        &mut findings,
    );
    verified::check(&backup, None, &mut findings);
    offer::check(
        request,
        &inputs,
        &assignment.moves,
        &selected,
        &live,
        &mut findings,
    );
    let name = request.target.as_str();
    afterwards::check(name, backup.nodes.len(), &selected.keyspaces, &mut findings);

    let supported = !findings.refuse();
    RestorePlan {
        backup: backup.backup.clone(),
        target: request.target.clone(),
        mode: inputs.mode,
        supported,
        findings: findings.into_sorted(),
        steps: if supported {
            steps::make(inputs.mode, &nodes.addresses(), nodes.upgrade, cql)
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
    }
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

/// What is restored, and whether the backup has it whole.
fn choose<'a>(
    request: &RestoreRequest,
    inputs: &Inputs,
    backup: &'a BackupManifest,
    findings: &mut Findings,
) -> Selected<'a> {
    let selected = Selected::of(backup, &request.selection, findings);
    damaged::check(backup, &selected, findings);
    if inputs.mode == RestoreMode::InPlace {
        in_place::check(&inputs.cluster, &inputs.versions, findings);
    }
    selected
}

/// Whether the target's nodes can read the SSTables; answers the formats that they would rewrite into their own.
fn weigh_sstables(
    request: &RestoreRequest,
    inputs: &Inputs,
    backup: &BackupManifest,
    decided: &[tables::Decided],
    findings: &mut Findings,
) -> BTreeSet<String> {
    let (targets, sstables) = (&inputs.cluster.nodes, &request.sstables);
    let verdicts = verdicts::check(
        backup,
        sstables,
        tables::is_staged(decided),
        targets,
        inputs.mode,
        findings,
    );
    let encrypted = encryption::Encrypted {
        backup,
        sstables,
        targets,
        target_keys: &request.target_keys,
    };
    let compression = inputs.schemas.compression();
    encryption::check(
        &encrypted,
        compression,
        tables::is_staged(decided),
        findings,
    );
    verdicts.older
}

/// What the nodes' shares are made from.
fn share<'a>(
    request: &'a RestoreRequest,
    inputs: &'a Inputs,
    backup: &'a BackupManifest,
    assignment: &'a Assignment,
    outcome: &'a SchemaOutcome,
    older: &'a BTreeSet<String>,
) -> nodes::Given<'a> {
    nodes::Given {
        backup,
        sstables: &request.sstables,
        moves: &assignment.moves,
        rings: inputs.rings.as_ref(),
        cluster: &inputs.cluster,
        decided: &outcome.decided,
        versions: &inputs.versions,
        older,
    }
}

/// What is left over on nodes, and what is gone by the time.
fn say_consequences(
    request: &RestoreRequest,
    inputs: &Inputs,
    assignment: &Assignment,
    outcome: &SchemaOutcome,
    seconds: u64,
    findings: &mut Findings,
) {
    let sstables = &request.sstables;
    let is_staged = tables::is_staged(&outcome.decided);
    let rings = inputs.rings.as_ref();
    unsliceable::check(sstables, &assignment.moves, rings, &is_staged, findings);
    strays::check(sstables, &assignment.moves, &is_staged, findings);
    ttl::check(sstables, is_staged, request.now, seconds, findings);
}
