//! How a backup goes into a target, or all the reasons why it cannot.
//!
//! The plan holds for one ring and one schema of the target. It is made to be read before it is run: what is destroyed
//! is in `tables` and in the CQL of the schema step, and nothing is destroyed before every node has staged its files.

mod changes;
mod chosen;
mod coverage;
mod damaged;
mod datacenters;
mod ddl;
mod encryption;
mod estimate;
mod features;
mod figures;
mod indexes;
mod live;
mod moves;
mod nodes;
mod objects;
mod outcome;
mod replication;
mod rings;
mod schemas;
mod settings;
mod steps;
mod tables;
mod topology;
mod ttl;
mod verdicts;
mod verified;
mod versions;
#[cfg(test)]
pub(crate) mod world;

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::manifest::{BackupManifest, KeyFingerprint, NodeSstables};
use model::{ClusterName, NodeDescription, Schema, Selection, Severity};
use serde::{Deserialize, Serialize};

use crate::cluster::{self, Cluster, UnreachableAgent};
use crate::codes;
use crate::findings::Findings;
use chosen::Chosen;
use datacenters::Datacenters;
use estimate::Course;
use live::Live;
use moves::Moves;
use rings::Rings;
use schemas::Schemas;

pub use outcome::{
    KeyspaceCoverage, NodePlan, PlanStep, RestoreMode, RestorePlan, SchemaChange, SchemaRewrite,
    StepKind, TableAction, TablePlan, UnknownStepKind,
};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RequestedMode {
    /// The planner picks: online.
    #[default]
    Auto,
    Online,
    InPlace,
}

/// Everything that the plan of a restore depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct RestoreRequest {
    pub backup: BackupManifest,
    pub target: ClusterName,
    /// One for each agent of the target that answered.
    pub nodes: Vec<NodeDescription>,
    pub unreachable: Vec<UnreachableAgent>,
    /// The target's schema now.
    pub schema: Schema,
    pub selection: Selection,
    pub mode: RequestedMode,
    /// Lifts VERSION_PAIR_UNSUPPORTED, never a downgrade, never an unreadable format.
    pub allow_unlisted_version: bool,
    /// What is known of the backup's SSTables; a node that is missing here, or a table without SSTables that has bytes, is
    /// taken as far as the backup manifest's figures go.
    pub sstables: Vec<NodeSstables>,
    /// Which datacenter of the target is fed by which of the backup, source first. Empty: those of the same name.
    pub datacenters: BTreeMap<String, String>,
    pub completeness: Completeness,
    /// Does what the plan would only offer to make the backup's schema fit the target.
    pub rewrite_schema: bool,
    /// The fingerprints of the keys that the backup's tables need, as the target's nodes have them.
    pub target_keys: Vec<NodeKeys>,
    /// When the plan is made.
    pub now: Timestamp,
    pub rates: Rates,
}

/// What of the replicas a restore may go without.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Completeness {
    /// None: every replica that the ring had is in the backup.
    #[default]
    All,
    /// Less than half of them: what was written at QUORUM is there.
    Quorum,
    /// All but one of each range: something is there of everything.
    One,
    /// Whatever is missing.
    Any,
}

/// The system keys on one node of the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeKeys {
    /// The node's address.
    pub node: String,
    pub keys: Vec<KeyFingerprint>,
}

/// How fast a node's share of a restore goes, for estimates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates {
    pub download_bytes_per_second: u64,
    pub load_bytes_per_second: u64,
    pub upgrade_bytes_per_second: u64,
}

impl Default for Rates {
    /// What one node of common size does without a limit of its own.
    fn default() -> Self {
        Self {
            download_bytes_per_second: 200 << 20,
            load_bytes_per_second: 500 << 20,
            upgrade_bytes_per_second: 40 << 20,
        }
    }
}

/// Plans a restore. Never fails: what stands against it is in the findings, all at once.
pub fn plan_restore(request: &RestoreRequest) -> RestorePlan {
    let mut findings = Findings::default();
    let backup = &request.backup;
    let name = request.target.as_str();
    let cluster = cluster::examine(name, &request.nodes, &request.unreachable, &mut findings);
    cluster::check_releases(name, &cluster, Severity::Refusal, &mut findings);
    check_schema_version(request, &cluster, &mut findings);

    let versions = versions::check(
        backup,
        &cluster,
        request.allow_unlisted_version,
        &mut findings,
    );
    check_partitioner(backup, &cluster, &mut findings);
    let mode = match request.mode {
        RequestedMode::Auto | RequestedMode::Online => RestoreMode::Online,
        RequestedMode::InPlace => RestoreMode::InPlace,
    };
    let pairs = topology::pair(name, mode, &backup.ring, &cluster, &mut findings);
    let rings = Rings::of(backup, &cluster, &mut findings);
    let rings = rings.as_ref();
    let datacenters =
        rings.map(|rings| Datacenters::of(&request.datacenters, rings, &mut findings));
    let datacenters = datacenters.as_ref();
    let schemas = Schemas::of(
        &backup.schema,
        &request.schema,
        &backup.release,
        &cluster,
        request.rewrite_schema,
        &mut findings,
    );
    // From here on the backup's schema is what is made of it on the target.
    let fitted = BackupManifest {
        schema: schemas.fitted.clone(),
        ..backup.clone()
    };
    let backup = &fitted;
    let chosen = Chosen::of(backup, &request.selection, &mut findings);
    damaged::check(backup, &chosen, &mut findings);
    if mode == RestoreMode::InPlace {
        check_in_place(&cluster, &versions, &mut findings);
    }

    let live = Live::new(&request.schema, &cluster);
    let context = replication::Context {
        mode,
        backup,
        live: &live,
        cluster: &cluster,
        rings,
        datacenters,
    };
    let keyspaces = replication::plan(&context, &chosen, &mut findings);
    if let (Some(rings), Some(datacenters)) = (rings, datacenters) {
        let holding = replication::holding(&keyspaces, rings);
        let asked = !request.datacenters.is_empty();
        datacenters.check_fed(&holding, asked, rings, &mut findings);
    }
    let completeness = request.completeness;
    let coverage = coverage::check(backup, &keyspaces, rings, completeness, &mut findings);
    let moves = moves::decide(pairs, rings, datacenters, &keyspaces, &mut findings);
    objects::check(backup, &chosen, &live, &cluster, &schemas, &mut findings);
    let schema_changes = changes::find(&chosen, &schemas, &mut findings);
    let decided = tables::decide(mode, &schemas, backup, &chosen, &live, &mut findings);
    let is_staged = |keyspace: &str, name: &str| {
        decided.iter().any(|table| {
            table.plan.action != TableAction::RebuildView
                && table.plan.table.keyspace == keyspace
                && table.plan.table.table == name
        })
    };
    let sstables = &request.sstables;
    let verdicts = verdicts::check(
        backup,
        sstables,
        is_staged,
        &cluster.nodes,
        mode,
        &mut findings,
    );
    let rewrites = match cluster.nodes.first() {
        Some(node) => {
            let release = &node.release;
            let met = features::check(&chosen, &schemas, release, &cluster, &mut findings);
            settings::check(&met.needed, &cluster.nodes, &mut findings);
            features::rewrites(&chosen, &schemas, &met.in_the_way, &mut findings)
        }
        None => Vec::new(),
    };
    let encrypted = encryption::Encrypted {
        backup,
        sstables,
        targets: &cluster.nodes,
        target_keys: &request.target_keys,
    };
    encryption::check(&encrypted, schemas.compression(), is_staged, &mut findings);
    let given = nodes::Given {
        backup,
        sstables: &request.sstables,
        moves: &moves,
        rings,
        cluster: &cluster,
        decided: &decided,
        versions: &versions,
        older: &verdicts.older,
    };
    let mut nodes = nodes::plan(&given, &mut findings);
    let cql = ddl::write(mode, backup, &chosen, &live, &decided, &keyspaces, &schemas);
    let course = Course {
        mode,
        schema_statements: cql.schema.len() as u64,
        view_statements: cql.views.len() as u64,
    };
    let seconds = nodes.estimate(&course, &request.rates, &cluster, &mut findings);
    ttl::check(sstables, is_staged, request.now, seconds, &mut findings);
    verified::check(backup, None, &mut findings);
    if request.mode == RequestedMode::Auto && matches!(moves, Moves::OneToOne(_)) {
        offer_in_place(
            name,
            &versions,
            &cluster,
            |scratch| {
                let in_place = RestoreMode::InPlace;
                tables::decide(in_place, &schemas, backup, &chosen, &live, scratch);
            },
            &mut findings,
        );
    }
    say_afterwards(name, backup.nodes.len(), &mut findings);

    let supported = !findings.refuse();
    let steps = match supported {
        true => steps::make(mode, &nodes, cql),
        false => Vec::new(),
    };
    RestorePlan {
        backup: backup.backup.clone(),
        target: request.target.clone(),
        mode,
        supported,
        findings: findings.into_sorted(),
        nodes: nodes.plans,
        steps,
        tables: decided.into_iter().map(|table| table.plan).collect(),
        target_schema_version: request.schema.version.clone(),
        target_ring: cluster.fingerprint(),
        coverage,
        schema_changes,
        rewrites,
        seconds,
        number: 0,
    }
}

/// The schema is read after the nodes are described: a change in between would go unseen.
fn check_schema_version(request: &RestoreRequest, cluster: &Cluster, findings: &mut Findings) {
    let read = &request.schema.version;
    let changed = cluster
        .nodes
        .iter()
        .any(|node| node.schema_version != *read);
    let agreed = cluster
        .nodes
        .windows(2)
        .all(|pair| pair[0].schema_version == pair[1].schema_version);
    // Nodes that disagree among themselves are reported as that.
    if changed && agreed {
        findings.say(
            codes::SCHEMA_DISAGREEMENT,
            &request.target,
            format!(
                "the schema was read at version {read}, and the nodes are at {}",
                cluster.nodes[0].schema_version
            ),
            "it changed in between: plan again",
        );
    }
}

fn check_partitioner(backup: &BackupManifest, cluster: &Cluster, findings: &mut Findings) {
    let simple = |class: &str| class.rsplit('.').next().unwrap_or(class).to_owned();
    let source = simple(&backup.partitioner);
    for node in &cluster.nodes {
        let target = simple(&node.partitioner);
        if source != target {
            findings.say(
                codes::PARTITIONER_DIFFERS,
                &node.member.address,
                format!(
                    "the backup is partitioned by {source}, and {} by {target}",
                    node.member.address
                ),
                format!("restore into a cluster with {source}"),
            );
        }
    }
}

fn check_in_place(cluster: &Cluster, versions: &versions::Versions, findings: &mut Findings) {
    for node in cluster.nodes.iter().filter(|node| !node.can_restart) {
        findings.say(
            codes::MODE_UNAVAILABLE,
            &node.member.address,
            format!(
                "the agent of {} has no commands to stop and start Cassandra",
                node.member.address
            ),
            "set them in the agent's configuration, or restore online",
        );
    }
    if !versions.same_line {
        findings.say(
            codes::MODE_UNAVAILABLE,
            "in place",
            "a restore in place needs the release line of the backup",
            "restore online",
        );
    }
}

/// Says that a restore in place is possible, where nothing stands against it.
fn offer_in_place(
    name: &str,
    versions: &versions::Versions,
    cluster: &Cluster,
    decide: impl FnOnce(&mut Findings),
    findings: &mut Findings,
) {
    let mut scratch = Findings::default();
    check_in_place(cluster, versions, &mut scratch);
    decide(&mut scratch);
    if !scratch.refuse() {
        findings.say(
            codes::IN_PLACE_POSSIBLE,
            name,
            "the ring is that of the backup: its files can be swapped while Cassandra is stopped",
            "--mode in-place is faster for much data; the cluster is down meanwhile",
        );
    }
}

fn say_afterwards(name: &str, source_nodes: usize, findings: &mut Findings) {
    if source_nodes > 1 {
        findings.say(
            codes::REPAIR_ADVISED,
            name,
            "the replicas' snapshots were not taken in one instant",
            "run `nodetool repair -full` for the restored keyspaces",
        );
    }
    findings.say(
        codes::AUTH_NOT_INCLUDED,
        name,
        "users, roles and permissions are not part of the backup",
        "make roles and grants again, set up external authentication, and check that applications can log in",
    );
}
