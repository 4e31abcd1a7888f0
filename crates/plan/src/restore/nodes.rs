//! What each target node takes, whether it can read that, and whether it has the space.

use std::collections::{BTreeMap, BTreeSet};

use cassandra_versions::{FormatSettings, current_formats, readable_formats};
use model::manifest::{BackupManifest, BackupNode, TableSummary};
use model::{NodeDescription, TableRef};

use super::tables::Decided;
use super::topology::Pair;
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

pub(super) fn plan(
    backup: &BackupManifest,
    pairs: &[Pair],
    cluster: &Cluster,
    decided: &[Decided],
    versions: &Versions,
    findings: &mut Findings,
) -> Nodes {
    let older = check_formats(backup, pairs, cluster, decided, findings);
    if !older.is_empty() && !versions.upgrade {
        findings.say(
            codes::UPGRADE_SSTABLES_REQUIRED,
            text::list(&older),
            "restored SSTables stay in an older format than the target writes until they are upgraded",
            "the restore has a step for it; by hand: nodetool upgradesstables",
        );
    }
    let upgrade = versions.upgrade || !older.is_empty();
    let plans: Vec<NodePlan> = pairs
        .iter()
        .filter_map(|pair| {
            let source = source_of(backup, pair)?;
            let plan = figures(pair, source, decided, upgrade);
            check_space(pair.target, &plan, findings);
            Some(plan)
        })
        .collect();
    Nodes { plans, upgrade }
}

fn source_of<'a>(backup: &'a BackupManifest, pair: &Pair) -> Option<&'a BackupNode> {
    backup
        .nodes
        .iter()
        .find(|node| node.host_id == pair.source.host_id)
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
fn check_formats(
    backup: &BackupManifest,
    pairs: &[Pair],
    cluster: &Cluster,
    decided: &[Decided],
    findings: &mut Findings,
) -> BTreeSet<String> {
    // Without a mapping every node must be able to read everything.
    let takes: Vec<(&NodeDescription, &BackupNode)> = match pairs {
        [] => cluster
            .nodes
            .iter()
            .flat_map(|target| backup.nodes.iter().map(move |source| (*target, source)))
            .collect(),
        pairs => pairs
            .iter()
            .filter_map(|pair| Some((pair.target, source_of(backup, pair)?)))
            .collect(),
    };
    let mut older = BTreeSet::new();
    let mut unreadable: BTreeMap<&str, (BTreeSet<&str>, BTreeSet<TableRef>)> = BTreeMap::new();
    for (target, source) in takes {
        let readable = readable(target);
        let current = current_formats(&target.release, &readable);
        for table in staged(source, decided) {
            for format in &table.formats {
                if !readable.contains(format) {
                    let (nodes, tables) = unreadable.entry(format).or_default();
                    nodes.insert(&target.member.address);
                    tables.insert(table.table_ref());
                } else if !current.contains(&format.as_str()) {
                    older.insert(format.clone());
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

fn figures(pair: &Pair, source: &BackupNode, decided: &[Decided], upgrade: bool) -> NodePlan {
    let download_bytes = staged(source, decided).map(|table| table.bytes).sum();
    let rebuilt = |summary: &&TableSummary| {
        decided.iter().any(|table| {
            table.plan.action == TableAction::RebuildView && table.plan.table == summary.table_ref()
        })
    };
    // A rebuilt view takes about what it took before. An upgrade writes an SSTable anew before the old one goes, and the
    // largest may be a whole table.
    let view_bytes: u64 = source
        .tables
        .iter()
        .filter(rebuilt)
        .map(|view| view.bytes)
        .sum();
    let largest_bytes = staged(source, decided)
        .map(|table| table.bytes)
        .max()
        .unwrap_or(0);
    let upgrade_bytes = if upgrade { largest_bytes } else { 0 };
    let used_bytes: u64 = download_bytes + view_bytes + upgrade_bytes;
    NodePlan {
        node: pair.target.member.address.clone(),
        agent: pair.target.agent.clone(),
        host_id: pair.target.member.host_id,
        sources: vec![source.host_id],
        download_bytes,
        disk_bytes_needed: used_bytes + used_bytes / 100 * DISK_RESERVE_PERCENT,
        sstables: staged(source, decided).map(|table| table.sstables).sum(),
        sliced_sstables: 0,
        shares: Vec::new(),
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
