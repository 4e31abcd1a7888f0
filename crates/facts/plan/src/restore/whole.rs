//! What is said of a restore as a whole: whether both sides go together, how else it could be done, what is left to do.

use std::collections::BTreeMap;

use model::manifest::BackupManifest;

use super::RestoreRequest;
use super::versions::Versions;
use crate::cluster::Cluster;
use crate::findings::Findings;
use crate::verdict::simple_name;
use crate::{codes, text};

/// The schema is read after the nodes are described: a change in between would go unseen.
pub(super) fn schema_version(request: &RestoreRequest, cluster: &Cluster, findings: &mut Findings) {
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

pub(super) fn partitioner(
    name: &str,
    backup: &BackupManifest,
    cluster: &Cluster,
    findings: &mut Findings,
) {
    let source = simple_name(&backup.partitioner);
    let mut others: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in &cluster.nodes {
        let target = simple_name(&node.partitioner);
        if source != target {
            others.entry(target).or_default().push(&node.member.address);
        }
    }
    for (target, nodes) in others {
        let nodes = text::list(nodes);
        findings.say(
            codes::PARTITIONER_DIFFERS,
            name,
            format!("the backup places rows by {source}, and {nodes} by {target}"),
            format!("restore into a cluster with {source}"),
        );
    }
}

/// What a restore in place needs of the target whatever its tables.
pub(super) fn in_place(cluster: &Cluster, versions: &Versions, findings: &mut Findings) {
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
pub(super) fn offer_in_place(
    name: &str,
    versions: &Versions,
    cluster: &Cluster,
    decide: impl FnOnce(&mut Findings),
    findings: &mut Findings,
) {
    let mut scratch = Findings::default();
    in_place(cluster, versions, &mut scratch);
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

/// What is left to people when the restore is done.
pub(super) fn say_afterwards(
    name: &str,
    source_nodes: usize,
    keyspaces: &[&str],
    findings: &mut Findings,
) {
    if source_nodes > 1 {
        let commands = keyspaces
            .iter()
            .map(|keyspace| format!("`nodetool repair -full {keyspace}`"));
        findings.say(
            codes::REPAIR_ADVISED,
            name,
            "the replicas' snapshots were not taken in one instant",
            match keyspaces {
                [] => String::new(),
                _ => format!("on one node after the other: {}", text::list(commands)),
            },
        );
    }
    findings.say(
        codes::AUTH_NOT_INCLUDED,
        name,
        "users, roles and permissions are not part of the backup",
        "make roles and grants again, set up external authentication, and check that applications can log in",
    );
}
