//! What each target node takes, whether it can read that, and whether it has the space.

use std::collections::{BTreeMap, BTreeSet};

use cassandra_versions::{FormatSettings, current_formats, readable_formats};
use model::manifest::{BackupManifest, BackupNode, NodeSstables, TableSummary};
use model::{NodeDescription, TableRef};

use super::figures::{Figures, figures};
use super::moves::{Moves, Taker};
use super::rings::Rings;
use super::tables::Decided;
use super::versions::Versions;
use super::{NodePlan, TableAction};
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
}

pub(super) fn plan(given: &Given, findings: &mut Findings) -> Nodes {
    let takers = given.moves.takers(given.cluster, given.rings);
    let older = check_formats(given, &takers, findings);
    if !older.is_empty() && !given.versions.upgrade {
        findings.say(
            codes::UPGRADE_SSTABLES_REQUIRED,
            text::list(&older),
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

/// A node's tables whose files are staged.
fn staged<'a>(
    source: &'a BackupNode,
    decided: &'a [Decided],
) -> impl Iterator<Item = &'a TableSummary> {
    source.tables.iter().filter(|summary| {
        decided.iter().any(|table| {
            table.plan.action != TableAction::RebuildView
                && table.plan.source_id == summary.id
                && table.plan.table == summary.table_ref()
        })
    })
}

/// Says which formats cannot be read; answers those that can, and are not what the target writes.
fn check_formats(given: &Given, takers: &[Taker], findings: &mut Findings) -> BTreeSet<String> {
    // Where it is not known who takes what, every node must be able to read everything.
    let unknown = matches!(given.moves, Moves::Unknown);
    let mut held: BTreeMap<&model::HostId, BTreeMap<&str, BTreeSet<TableRef>>> = BTreeMap::new();
    for node in &given.backup.nodes {
        let formats = held.entry(&node.host_id).or_default();
        for table in staged(node, given.decided) {
            for format in &table.formats {
                formats.entry(format).or_default().insert(table.table_ref());
            }
        }
    }
    let mut older = BTreeSet::new();
    let mut unreadable: BTreeMap<&str, (BTreeSet<&str>, BTreeSet<TableRef>)> = BTreeMap::new();
    for taker in takers {
        let readable = readable(taker.target);
        let current = current_formats(&taker.target.release, &readable);
        for (host_id, formats) in &held {
            if !unknown && !taker.sources.contains(host_id) {
                continue;
            }
            for (format, of) in formats {
                if !readable.iter().any(|known| known == format) {
                    let (nodes, tables) = unreadable.entry(format).or_default();
                    nodes.insert(&taker.target.member.address);
                    tables.extend(of.iter().cloned());
                } else if !current.contains(format) {
                    older.insert((*format).to_owned());
                }
            }
        }
    }
    for (format, (nodes, tables)) in unreadable {
        findings.say(
            codes::FORMAT_UNREADABLE,
            format,
            format!(
                "the backup holds {format} SSTables of {}, which {} cannot read",
                text::list(tables),
                text::list(nodes)
            ),
            match format {
                "big-oa" => {
                    "Cassandra 5.0 reads it with storage_compatibility_mode UPGRADING or NONE"
                }
                "big-jb" | "big-ka" | "big-la" | "big-lb" => {
                    "restore into Cassandra 3.11 and upgrade the SSTables there"
                }
                _ => "restore into a cluster that reads this format",
            },
        );
    }
    older
}

/// As the node says; as its release reads by default where it says nothing.
fn readable(node: &NodeDescription) -> Vec<String> {
    if !node.readable_formats.is_empty() {
        return node.readable_formats.clone();
    }
    readable_formats(&node.release, &FormatSettings::default())
        .iter()
        .map(|format| (*format).to_owned())
        .collect()
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
