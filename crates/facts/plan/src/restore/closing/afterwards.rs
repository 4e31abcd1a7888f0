//! What is left to people when the restore is done.

use crate::findings::Findings;
use crate::restore::sstables::Restored;
use crate::{codes, wording};

pub(crate) fn check(restored: &Restored, findings: &mut Findings) {
    let given = restored.given;
    let name = given.request.target.as_str();
    let (source_nodes, keyspaces) = (
        given.backup.nodes.len(),
        given.selected.keyspaces.as_slice(),
    );
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
                _ => format!("on one node after the other: {}", wording::list(commands)),
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
