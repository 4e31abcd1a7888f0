//! What a restore in place needs of the target, whatever its tables.

use model::plan::RestoreMode;

use super::Given;
use crate::codes;
use crate::findings::Findings;

pub(crate) fn check(given: &Given, findings: &mut Findings) {
    if given.inputs.mode == RestoreMode::InPlace {
        check_any(given, findings);
    }
}

/// Whether a restore in place could be done, whatever was asked for.
pub(crate) fn check_any(given: &Given, findings: &mut Findings) {
    let (cluster, versions) = (&given.inputs.cluster, &given.inputs.versions);
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
