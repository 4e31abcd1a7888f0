//! What is left to people when the restore is done.

use crate::findings::Findings;
use crate::{codes, wording};

pub(crate) fn check(name: &str, source_nodes: usize, keyspaces: &[&str], findings: &mut Findings) {
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
