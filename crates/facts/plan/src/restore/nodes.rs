//! What each target node takes, whether it can read that, and whether it has the space.

pub(super) mod estimate;
mod figures;

use std::collections::BTreeSet;

use cassandra_versions::may_be_skipped;
use model::NodeDescription;
use model::manifest::{BackupManifest, NodeSstables};
use model::plan::{NodePlan, Rates};
use placement::Load;

use self::estimate::{Course, Work, estimate};
use self::figures::{Figures, figures};
use crate::cluster::Cluster;
use crate::findings::Findings;
use crate::restore::given::rings::Rings;
use crate::restore::given::versions::Versions;
use crate::restore::placing::moves::{Moves, Taker};
use crate::restore::schema::tables::Decided;
use crate::{codes, wording};

/// Of an SSTable that is taken whole: its components.
const REQUESTS_WHOLE: u64 = 8;
/// Of one that is sliced: its small components, and ranges of its index and data.
const REQUESTS_SLICED: u64 = 16;

pub(crate) struct Nodes {
    pub plans: Vec<NodePlan>,
    /// Whether SSTables are to be upgraded after the restore.
    pub upgrade: bool,
    /// Of each plan, what it has to do.
    work: Vec<Work>,
}

/// What the nodes' shares are made from.
pub(crate) struct Given<'a> {
    pub backup: &'a BackupManifest,
    pub sstables: &'a [NodeSstables],
    pub moves: &'a Moves<'a>,
    pub rings: Option<&'a Rings>,
    pub cluster: &'a Cluster<'a>,
    pub decided: &'a [Decided<'a>],
    pub versions: &'a Versions,
    /// Formats that target nodes read, and would rewrite into their own.
    pub older: &'a BTreeSet<String>,
}

pub(crate) fn plan(given: &Given, findings: &mut Findings) -> Nodes {
    let takers = given.moves.takers(given.cluster, given.rings);
    let older = given.older;
    if !older.is_empty() && !given.versions.upgrade {
        findings.say(
            codes::UPGRADE_SSTABLES_REQUIRED,
            wording::list(older),
            format!(
                "restored SSTables stay in the format {}, older than what the target writes, until they are upgraded",
                wording::list(older)
            ),
            format!(
                "the restore has a step for it; later: `ringkeep maintenance run upgradesstables CLUSTER`; by hand: {}",
                upgrade_command(older, given.cluster)
            ),
        );
    }
    let upgrade = given.versions.upgrade || !older.is_empty();
    let figures = figures(
        given.backup,
        given.sstables,
        given.moves,
        &takers,
        given.rings,
        given.decided,
    );
    if matches!(given.moves, Moves::Unknown) {
        return Nodes {
            plans: Vec::new(),
            upgrade,
            work: Vec::new(),
        };
    }
    let (plans, work) = takers
        .into_iter()
        .zip(&figures)
        .map(|(taker, figures)| (node_plan(taker, figures), work(figures, upgrade)))
        .unzip();
    Nodes {
        plans,
        upgrade,
        work,
    }
}

/// In the form that rewrites all of these formats on every node.
fn upgrade_command(older: &BTreeSet<String>, cluster: &Cluster) -> &'static str {
    let skips = |node: &&NodeDescription| {
        let current = node
            .release
            .current_formats(&node.readable_formats, &node.written_format);
        older.iter().any(|format| may_be_skipped(format, &current))
    };
    if cluster.nodes.iter().any(skips) {
        "nodetool upgradesstables -a"
    } else {
        "nodetool upgradesstables"
    }
}

impl Nodes {
    pub fn addresses(&self) -> Vec<&str> {
        self.plans.iter().map(|plan| plan.node.as_str()).collect()
    }

    /// Fills in how long it takes and how much disk, and reports where there is too little; returns the time of the whole.
    pub fn estimate(
        &mut self,
        course: &Course,
        rates: &Rates,
        cluster: &Cluster,
        findings: &mut Findings,
    ) -> u64 {
        let estimate = estimate(&self.work, course, rates);
        for (plan, node) in self.plans.iter_mut().zip(&estimate.nodes) {
            plan.seconds = node.seconds;
            plan.disk_bytes_needed = node.disk_bytes;
            let target = cluster
                .nodes
                .iter()
                .find(|target| target.member.host_id == plan.host_id);
            if let Some(target) = target {
                check_space(target, plan, findings);
            }
        }
        estimate.seconds
    }
}

fn requests(load: &Load) -> u64 {
    let whole = load.sstables - load.sliced_sstables;
    whole * REQUESTS_WHOLE + load.sliced_sstables * REQUESTS_SLICED
}

fn work(figures: &Figures, upgrade: bool) -> Work {
    let load = &figures.load;
    let upgrading = |bytes: u64| if upgrade { bytes } else { 0 };
    Work {
        download_bytes: load.download_bytes,
        requests: requests(load),
        staged_bytes: load.download_bytes,
        loads: figures.tables,
        upgrade_bytes: upgrading(load.download_bytes),
        // The largest SSTable may be a whole table.
        upgrade_reserve_bytes: upgrading(figures.largest_table_bytes),
        view_bytes: figures.view_bytes,
    }
}

fn node_plan(taker: Taker, figures: &Figures) -> NodePlan {
    NodePlan {
        node: taker.target.member.address.clone(),
        agent: taker.target.agent.clone(),
        host_id: taker.target.member.host_id,
        sources: taker.sources,
        download_bytes: figures.load.download_bytes,
        disk_bytes_needed: 0,
        sstables: figures.load.sstables,
        sliced_sstables: figures.load.sliced_sstables,
        shares: taker.shares,
        requests: requests(&figures.load),
        seconds: 0,
    }
}

fn check_space(target: &NodeDescription, plan: &NodePlan, findings: &mut Findings) {
    let free_bytes = free_bytes(target);
    if plan.disk_bytes_needed <= free_bytes {
        return;
    }
    findings.say(
        codes::DISK_SPACE,
        &plan.node,
        format!(
            "{} needs {} ({} bytes) on its data disks, of which {} are downloaded, and has {} ({free_bytes} bytes) free",
            plan.node,
            wording::bytes(plan.disk_bytes_needed),
            plan.disk_bytes_needed,
            wording::bytes(plan.download_bytes),
            wording::bytes(free_bytes),
        ),
        "free space (old snapshots: nodetool listsnapshots), add disks, or restore fewer tables",
    );
}

/// Data directories that report the very same figures lie on one disk, and are counted once.
fn free_bytes(target: &NodeDescription) -> u64 {
    let disks: BTreeSet<(u64, u64)> = target
        .data_directories
        .iter()
        .map(|directory| (directory.free_bytes, directory.total_bytes))
        .collect();
    disks.iter().map(|(free_bytes, _)| free_bytes).sum()
}
