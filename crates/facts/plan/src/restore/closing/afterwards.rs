//! What is left to people when the restore is done.

use crate::findings::Findings;
use crate::restore::sstables::Restored;
use crate::{codes, wording};

pub(crate) fn check(restored: &Restored, findings: &mut Findings) {
    let given = restored.given;
    let name = given.request.target.as_str();
    let source_nodes = given.backup.nodes.len();
    let has_tables = |keyspace: &&&str| {
        let mut tables = given.selected.tables.iter();
        tables.any(|table| table.table.keyspace == **keyspace)
    };
    let keyspaces = given.selected.keyspaces.iter().filter(has_tables);
    let keyspaces: Vec<&str> = keyspaces.copied().collect();
    // A restore of types and functions alone leaves nothing to repair.
    let only_schema = keyspaces.is_empty() && !given.selected.keyspaces.is_empty();
    if source_nodes > 1 && !only_schema {
        findings.say(
            codes::REPAIR_ADVISED,
            name,
            "the replicas' snapshots were not taken in one instant",
            match keyspaces.as_slice() {
                [] => String::new(),
                _ => format!(
                    "{}, which does one node after the other",
                    wording::repair_command(name, &keyspaces)
                ),
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
