//! How a backup goes into a target, or all the reasons why it cannot.
//!
//! The plan holds for one ring and one schema of the target. It is made to be read before it is run: what is destroyed
//! is in `tables` and in the CQL of the replace step, and nothing is destroyed before every node has staged its files.

// The chapters of planning, each built from those before it.
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
use given::inputs::Grounds;
use given::selected::Chosen;
use given::target_schema::Live;
use nodes::estimate::Course;
use placing::assignment::{self, Placed};
use schema::outcome::{self, Made};
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
    let grounds = Grounds::of(request, &backup, &mut findings);
    // From here on the backup's schema is what is made of it on the target.
    backup.schema = grounds.schemas.fitted.clone();
    let chosen = choose(request, &grounds, &backup, &mut findings);
    let live = Live::new(&request.schema, &grounds.cluster);
    let placed = assignment::place(request, &grounds, &backup, &chosen, &live, &mut findings);
    let made = outcome::make(&grounds, &backup, &chosen, &live, &mut findings);
    let older = weigh_sstables(request, &grounds, &backup, &made.decided, &mut findings);
    let mut nodes = nodes::plan(
        &share(request, &grounds, &backup, &placed, &made, &older),
        &mut findings,
    );
    let cql = ddl::write(
        grounds.mode,
        &backup,
        &chosen,
        &live,
        &made.decided,
        &placed.keyspaces,
        &grounds.schemas,
    );
    let course = Course {
        mode: grounds.mode,
        schema_statements: (cql.schema.len() + cql.replace.len()) as u64,
        view_statements: cql.views.len() as u64,
    };
    let seconds = nodes.estimate(&course, &request.rates, &grounds.cluster, &mut findings);
    say_consequences(request, &grounds, &placed, &made, seconds, &mut findings);
    verified::check(&backup, None, &mut findings);
    offer::check(
        request,
        &grounds,
        &placed.moves,
        &chosen,
        &live,
        &mut findings,
    );
    let name = request.target.as_str();
    afterwards::check(name, backup.nodes.len(), &chosen.keyspaces, &mut findings);

    let supported = !findings.refuse();
    RestorePlan {
        backup: backup.backup.clone(),
        target: request.target.clone(),
        mode: grounds.mode,
        supported,
        findings: findings.into_sorted(),
        steps: if supported {
            steps::make(grounds.mode, &nodes.addresses(), nodes.upgrade, cql)
        } else {
            Vec::new()
        },
        nodes: nodes.plans,
        tables: made.decided.into_iter().map(|table| table.plan).collect(),
        target_schema_version: request.schema.version.clone(),
        target_ring: grounds.cluster.fingerprint(),
        coverage: placed.coverage,
        schema_changes: made.schema_changes,
        rewrites: made.rewrites,
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
    grounds: &Grounds,
    backup: &'a BackupManifest,
    findings: &mut Findings,
) -> Chosen<'a> {
    let chosen = Chosen::of(backup, &request.selection, findings);
    damaged::check(backup, &chosen, findings);
    if grounds.mode == RestoreMode::InPlace {
        in_place::check(&grounds.cluster, &grounds.versions, findings);
    }
    chosen
}

/// Whether the target's nodes can read the SSTables; answers the formats that they would rewrite into their own.
fn weigh_sstables(
    request: &RestoreRequest,
    grounds: &Grounds,
    backup: &BackupManifest,
    decided: &[tables::Decided],
    findings: &mut Findings,
) -> BTreeSet<String> {
    let (targets, sstables) = (&grounds.cluster.nodes, &request.sstables);
    let verdicts = verdicts::check(
        backup,
        sstables,
        tables::is_staged(decided),
        targets,
        grounds.mode,
        findings,
    );
    let encrypted = encryption::Encrypted {
        backup,
        sstables,
        targets,
        target_keys: &request.target_keys,
    };
    let compression = grounds.schemas.compression();
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
    grounds: &'a Grounds,
    backup: &'a BackupManifest,
    placed: &'a Placed,
    made: &'a Made,
    older: &'a BTreeSet<String>,
) -> nodes::Given<'a> {
    nodes::Given {
        backup,
        sstables: &request.sstables,
        moves: &placed.moves,
        rings: grounds.rings.as_ref(),
        cluster: &grounds.cluster,
        decided: &made.decided,
        versions: &grounds.versions,
        older,
    }
}

/// What is left over on nodes, and what is gone by the time.
fn say_consequences(
    request: &RestoreRequest,
    grounds: &Grounds,
    placed: &Placed,
    made: &Made,
    seconds: u64,
    findings: &mut Findings,
) {
    let sstables = &request.sstables;
    let is_staged = tables::is_staged(&made.decided);
    let rings = grounds.rings.as_ref();
    unsliceable::check(sstables, &placed.moves, rings, &is_staged, findings);
    strays::check(sstables, &placed.moves, &is_staged, findings);
    ttl::check(sstables, is_staged, request.now, seconds, findings);
}
