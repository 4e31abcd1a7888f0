//! What the releases of backup and target mean for a restore.

use std::collections::BTreeSet;

use cassandra_versions::{Release, Rule, recognise_source};
use model::NodeDescription;
use model::manifest::{BackupManifest, BackupNode};

use crate::cluster::Cluster;
use crate::compatibility;
use crate::findings::Findings;

pub(crate) struct Versions {
    /// All nodes of backup and target are of one release line: their definitions can be compared as text.
    pub same_line: bool,
    /// The matrix wants the SSTables upgraded.
    pub upgrade: bool,
    /// The pairs of releases for which the backup's schema is to be looked through for what only DSE has.
    pub validate: Vec<String>,
}

pub(crate) fn check(
    backup: &BackupManifest,
    cluster: &Cluster,
    allow_unlisted: bool,
    findings: &mut Findings,
) -> Versions {
    let sources = sources(backup);
    let sources = distinct_lines(sources.iter());
    let (unknown, known): (Vec<&NodeDescription>, Vec<_>) =
        cluster.nodes.iter().partition(|node| is_unknown(node));
    let targets = distinct_lines(known.iter().map(|node| &node.release));
    let mut versions = Versions {
        same_line: unknown.is_empty(),
        upgrade: false,
        validate: Vec::new(),
    };
    for source in &sources {
        // No row of the matrix is about them: the trial load shows what they take.
        for target in distinct_lines(unknown.iter().map(|node| &node.release)) {
            if source.has_later_base_than(target) {
                compatibility::say_downgrade(source, target, findings);
            }
        }
        for target in &targets {
            versions.same_line &= source.is_same_line(target);
            if source.is_unknown_build() && source.has_later_base_than(target) {
                compatibility::say_downgrade(source, target, findings);
                continue;
            }
            let rules = compatibility::check(source, target, allow_unlisted, findings);
            if rules.contains(&Rule::SchemaValidation) {
                versions.validate.push(format!("{source} to {target}"));
            }
            versions.upgrade |= rules.contains(&Rule::UpgradeSstables);
        }
    }
    versions
}

/// Whether it is not known which product the node runs.
pub(crate) fn is_unknown(node: &NodeDescription) -> bool {
    node.recognition.is_unknown(&node.release)
}

/// What the backup's nodes were. The manifest's own release stands for backups without a node.
fn sources(backup: &BackupManifest) -> Vec<Release> {
    let of_node = |node: &BackupNode| recognise_source(&node.release, &formats([node]));
    let mut sources: Vec<Release> = backup.nodes.iter().map(of_node).collect();
    sources.push(recognise_source(&backup.release, &formats(&backup.nodes)));
    sources
}

fn formats<'a>(nodes: impl IntoIterator<Item = &'a BackupNode>) -> Vec<&'a str> {
    let tables = nodes.into_iter().flat_map(|node| &node.tables);
    let formats: BTreeSet<&str> = tables
        .flat_map(|table| table.formats.iter().map(String::as_str))
        .collect();
    formats.into_iter().collect()
}

/// One release for each line, the first that is met.
fn distinct_lines<'a>(releases: impl Iterator<Item = &'a Release>) -> Vec<&'a Release> {
    let mut distinct: Vec<&Release> = Vec::new();
    for release in releases {
        if !distinct.iter().any(|seen| seen.is_same_line(release)) {
            distinct.push(release);
        }
    }
    distinct
}
