//! How a backup goes into a target, or all the reasons why it cannot.
//!
//! The plan holds for one ring and one schema of the target. It is made to be read before it is run: what is destroyed
//! is in `tables` and in the CQL of the schema step, and nothing is destroyed before every node has staged its files.

mod chosen;
mod ddl;
mod live;
mod nodes;
mod objects;
mod replication;
mod steps;
mod tables;
mod topology;
mod versions;

use std::fmt;
use std::str::FromStr;

use model::manifest::BackupManifest;
use model::{
    BackupRef, ClusterName, Finding, HostId, NodeDescription, Schema, Selection, Severity, TableId,
    TableRef,
};
use serde::{Deserialize, Serialize};

use crate::cluster::{self, Cluster, UnreachableAgent};
use crate::codes;
use crate::findings::Findings;
use chosen::Chosen;
use live::Live;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RequestedMode {
    /// The planner picks: online.
    #[default]
    Auto,
    Online,
    InPlace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestoreMode {
    /// Cassandra keeps running; SSTables are loaded through it.
    Online,
    /// Cassandra is stopped, folders are swapped, Cassandra is started.
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
}

/// A restore, decided. Carried out as it stands or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestorePlan {
    pub backup: BackupRef,
    pub target: ClusterName,
    pub mode: RestoreMode,
    /// False when any finding is a refusal: then there are no steps.
    pub supported: bool,
    pub findings: Vec<Finding>,
    pub nodes: Vec<NodePlan>,
    pub steps: Vec<PlanStep>,
    pub tables: Vec<TablePlan>,
    /// The target's schema version that the plan was made from; a runner refuses to start from another.
    pub target_schema_version: String,
    /// The target's ring that the plan was made from, by [`model::ring::fingerprint`].
    pub target_ring: String,
}

/// What one target node takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodePlan {
    /// The target node's address.
    pub node: String,
    /// Its agent, host:port.
    pub agent: String,
    pub host_id: HostId,
    /// The source nodes whose files it takes.
    pub sources: Vec<HostId>,
    pub download_bytes: u64,
    /// Peak need on the data disks, staging and reserve included.
    pub disk_bytes_needed: u64,
    pub sstables: u64,
    /// SSTables of which only a part is taken.
    pub sliced_sstables: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TableAction {
    /// The table is not there: it is made.
    Create,
    /// The table is there as it was: it is emptied.
    Truncate,
    /// The table is there in another form: it is dropped and made as it was.
    Recreate,
    /// A view over a restored table: built anew from it, and none of its files are taken.
    RebuildView,
    /// In place: the files are swapped; a table that is missing is made first.
    Swap,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TablePlan {
    pub table: TableRef,
    /// The id in the backup.
    pub source_id: TableId,
    /// The id on the target when files are loaded.
    pub target_id: TableId,
    pub action: TableAction,
}

/// What a step does. Those without a node in the plan are done once, or once on each node, by who runs the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepKind {
    /// The backup is kept from being deleted.
    Pin,
    /// A node brings its files to local disk, checked.
    Stage,
    /// CQL, run once on any node.
    Schema,
    /// A node loads its staged files.
    Load,
    /// A node's Cassandra is drained and stopped.
    Stop,
    /// A node's live files are moved aside and the staged ones into their place.
    Swap,
    /// A node's Cassandra is started.
    Start,
    /// A node rewrites SSTables of older formats.
    UpgradeSstables,
    /// CQL that makes the views again, run once on any node; then every node builds its part.
    Views,
    /// Every node deletes what the restore left on it; then the backup's pin is released.
    Finish,
}

/// One step. It runs when all steps in `after` have succeeded, and is safe to run again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanStep {
    /// `<kind>-<node>`, or `<kind>`.
    pub id: String,
    pub kind: StepKind,
    /// The target node's address; empty for a step of the whole cluster.
    pub node: String,
    pub after: Vec<String>,
    /// For schema and view steps: the CQL, in order. Each statement is safe to run again, in this order.
    pub cql: Vec<String>,
}

/// A word that names no kind of step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a kind of step")]
pub struct UnknownStepKind(pub String);

impl StepKind {
    const ALL: [(Self, &str); 10] = [
        (Self::Pin, "pin"),
        (Self::Stage, "stage"),
        (Self::Schema, "schema"),
        (Self::Load, "load"),
        (Self::Stop, "stop"),
        (Self::Swap, "swap"),
        (Self::Start, "start"),
        (Self::UpgradeSstables, "upgradesstables"),
        (Self::Views, "views"),
        (Self::Finish, "finish"),
    ];

    pub fn as_str(self) -> &'static str {
        let known = Self::ALL.iter().find(|(kind, _)| *kind == self);
        known
            .map(|(_, word)| *word)
            .expect("every kind is in the list")
    }
}

impl fmt::Display for StepKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for StepKind {
    type Err = UnknownStepKind;

    fn from_str(text: &str) -> Result<Self, UnknownStepKind> {
        let known = Self::ALL.iter().find(|(_, word)| *word == text);
        known
            .map(|(kind, _)| *kind)
            .ok_or_else(|| UnknownStepKind(text.to_owned()))
    }
}

impl fmt::Display for RestoreMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Online => "online",
            Self::InPlace => "in place",
        })
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
    check_complete(backup, &mut findings);
    let pairs = topology::pair(name, &backup.ring, &cluster, &mut findings);
    let chosen = Chosen::of(backup, &request.selection, &mut findings);
    let mode = match request.mode {
        RequestedMode::Auto | RequestedMode::Online => RestoreMode::Online,
        RequestedMode::InPlace => RestoreMode::InPlace,
    };
    if mode == RestoreMode::InPlace {
        check_in_place(&cluster, &versions, &mut findings);
    }

    let live = Live::new(&request.schema, &cluster);
    replication::check(backup, &chosen, &live, &cluster, &mut findings);
    objects::check(
        backup,
        &chosen,
        &live,
        &cluster,
        versions.same_line,
        &mut findings,
    );
    let decided = tables::decide(
        mode,
        versions.same_line,
        backup,
        &chosen,
        &live,
        &mut findings,
    );
    let nodes = nodes::plan(backup, &pairs, &cluster, &decided, &versions, &mut findings);
    let cql = ddl::write(mode, backup, &chosen, &live, &decided, &cluster);
    say_afterwards(name, &mut findings);

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

fn check_complete(backup: &BackupManifest, findings: &mut Findings) {
    let missing = backup.ring.iter().filter(|member| {
        !backup
            .nodes
            .iter()
            .any(|node| node.host_id == member.host_id)
    });
    for member in missing {
        findings.say(
            codes::BACKUP_INCOMPLETE,
            &backup.backup,
            format!(
                "the backup lacks the node {} in {}/{}, which was in the ring",
                member.address, member.datacenter, member.rack
            ),
            "pick a backup that has every node",
        );
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

fn say_afterwards(name: &str, findings: &mut Findings) {
    findings.say(
        codes::REPAIR_ADVISED,
        name,
        "the replicas' snapshots were not taken in one instant",
        "run `nodetool repair -full` for the restored keyspaces",
    );
    findings.say(
        codes::AUTH_NOT_INCLUDED,
        name,
        "users, roles and permissions are not part of the backup",
        "make roles and grants again, set up external authentication, and check that applications can log in",
    );
}
