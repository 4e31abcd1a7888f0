//! What the releases of backup and target mean for a restore.

use std::collections::BTreeMap;

use cassandra_versions::{Release, Rule};
use model::manifest::BackupManifest;

use crate::cluster::Cluster;
use crate::findings::Findings;
use crate::{codes, compatibility, wording};

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
    refuse_unknown(cluster, findings);
    // The manifest's own release stands for backups without a node.
    let sources = backup.nodes.iter().map(|node| &node.release);
    let sources = distinct_lines(sources.chain([&backup.release]));
    let targets = distinct_lines(cluster.nodes.iter().map(|node| &node.release));
    let mut versions = Versions {
        same_line: true,
        upgrade: false,
        validate: Vec::new(),
    };
    for source in &sources {
        for target in &targets {
            versions.same_line &= source.is_same_line(target);
            let rules = compatibility::check(source, target, allow_unlisted, findings);
            if rules.contains(&Rule::SchemaValidation) {
                versions.validate.push(format!("{source} to {target}"));
            }
            versions.upgrade |= rules.contains(&Rule::UpgradeSstables);
        }
    }
    versions
}

/// What such a node reads is not known, and it may load nothing of what it is given without saying so.
fn refuse_unknown(cluster: &Cluster, findings: &mut Findings) {
    let unknown = cluster
        .nodes
        .iter()
        .filter(|node| node.release.is_unknown_build());
    let mut builds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in unknown {
        let version = node.release.version.as_str();
        builds
            .entry(version)
            .or_default()
            .push(&node.member.address);
    }
    for (version, nodes) in builds {
        let nodes = wording::list(nodes);
        findings.say(
            codes::PRODUCT_UNKNOWN,
            &nodes,
            format!("the version {version} of {nodes} is that of no release of Apache Cassandra, and which product has it is not known"),
            "set `product` in [cassandra] of the node's agent to cassandra, dse or hcd, restart the agent, and plan again",
        );
    }
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
