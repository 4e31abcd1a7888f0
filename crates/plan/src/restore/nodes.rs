//! What each target node takes, whether it can read that, and whether it has the space.

use std::collections::BTreeSet;

use model::NodeDescription;
use model::manifest::{BackupManifest, NodeSstables};

use super::NodePlan;
use super::figures::{Figures, figures};
use super::moves::{Moves, Taker};
use super::rings::Rings;
use super::tables::Decided;
use super::versions::Versions;
use crate::cluster::Cluster;
use crate::findings::Findings;
use crate::{codes, text};

/// On top of what is staged: indexes, filters and summaries that Cassandra builds, and room to go on compacting.
const DISK_RESERVE_PERCENT: u64 = 10;

pub(super) struct Nodes {
    pub plans: Vec<NodePlan>,
    /// Whether SSTables are to be upgraded after the restore.
    pub upgrade: bool,
}

/// What the nodes' shares are made from.
pub(super) struct Given<'a> {
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

pub(super) fn plan(given: &Given, findings: &mut Findings) -> Nodes {
    let takers = given.moves.takers(given.cluster, given.rings);
    let older = given.older;
    if !older.is_empty() && !given.versions.upgrade {
        findings.say(
            codes::UPGRADE_SSTABLES_REQUIRED,
            text::list(older),
            "restored SSTables stay in an older format than the target writes until they are upgraded",
            "the restore has a step for it; by hand: nodetool upgradesstables",
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
    let mut plans = Vec::new();
    if !matches!(given.moves, Moves::Unknown) {
        for (taker, figures) in takers.into_iter().zip(figures) {
            let target = taker.target;
            let plan = node_plan(taker, &figures, upgrade);
            check_space(target, &plan, findings);
            plans.push(plan);
        }
    }
    Nodes { plans, upgrade }
}

fn node_plan(taker: Taker, figures: &Figures, upgrade: bool) -> NodePlan {
    // A rebuilt view takes about what it took before. An upgrade writes an SSTable anew before the old one goes, and the
    // largest may be a whole table.
    let upgrade_bytes = if upgrade {
        figures.largest_table_bytes
    } else {
        0
    };
    let used_bytes = figures.load.download_bytes + figures.view_bytes + upgrade_bytes;
    NodePlan {
        node: taker.target.member.address.clone(),
        agent: taker.target.agent.clone(),
        host_id: taker.target.member.host_id,
        sources: taker.sources,
        download_bytes: figures.load.download_bytes,
        disk_bytes_needed: used_bytes + used_bytes / 100 * DISK_RESERVE_PERCENT,
        sstables: figures.load.sstables,
        sliced_sstables: figures.load.sliced_sstables,
        shares: taker.shares,
        requests: 0,
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
            text::bytes(plan.disk_bytes_needed),
            plan.disk_bytes_needed,
            text::bytes(plan.download_bytes),
            text::bytes(free_bytes),
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
