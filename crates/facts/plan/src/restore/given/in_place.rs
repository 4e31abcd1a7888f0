//! What a restore in place needs of the target, whatever its tables.

use super::versions::Versions;
use crate::cluster::Cluster;
use crate::codes;
use crate::findings::Findings;

pub(crate) fn check(cluster: &Cluster, versions: &Versions, findings: &mut Findings) {
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
