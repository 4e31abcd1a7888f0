//! Every code that a finding can have, in one table; docs/findings.md is made from it.

use std::fmt::Write;

use model::{Severity, When};

/// A kind of finding: its stable name, how much it weighs unless a plan says otherwise, and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    pub name: &'static str,
    pub severity: Severity,
    pub when: When,
    pub about: &'static str,
}

macro_rules! codes {
    ($($name:ident $severity:ident $when:ident $about:literal)*) => {
        $(pub const $name: Code = Code {
            name: stringify!($name),
            severity: Severity::$severity,
            when: When::$when,
            about: $about,
        };)*

        /// All codes, by what they are about.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    // Versions and formats.
    VERSION_DOWNGRADE Refusal Before
        "The target runs an older release than the backup was taken from. SSTables of a later release cannot be made \
         older, and nothing lifts this refusal: restore into the same release line or a later one."
    VERSION_PAIR_UNSUPPORTED Refusal Before
        "The version matrix does not list this source and target. The finding names the nearest path over supported \
         pairs, where there is one. `--allow-unlisted-version` turns it into a warning; a downgrade or an unreadable \
         SSTable format stays refused."
    UPGRADE_SSTABLES_REQUIRED Advice After
        "Restored SSTables stay in the format of the backup until they are rewritten. The plan has an \
         upgradesstables step for each node. Until it is done the cluster serves all data, but must not be upgraded \
         to the next major release."
    LATER_MINOR_VERSION Advice After
        "The target runs a later minor release. Where a restored SSTable's format is not the target's own, the plan \
         has an upgradesstables step; otherwise nothing more is to be done."
    CASSANDRA_ONTO_HCD Advice After
        "A Cassandra 4 backup goes onto HCD, which reads its SSTables and writes another format. The plan has an \
         upgradesstables step for them."
    SCHEMA_VALIDATION_REQUIRED Warning Before
        "A DSE backup goes onto HCD, which lacks some of DSE's features. Check the schema for graph, search and \
         analytics features, NodeSync options and DSE-only compaction strategies before restoring."
    PATCH_DOWNGRADE Advice Before
        "The target runs a lower patch release of the same line, and one that writes an older SSTable format. By \
         Cassandra's rule it reads the newer files, yet what it does not know of in them is ignored. Bring the target \
         to the source's patch release if you can."
    MIXED_VERSIONS Refusal Before
        "The nodes of the cluster do not all run the same release. A restore changes the schema, which must not be \
         done in the middle of an upgrade between release lines: finish the upgrade first. For a backup, and within \
         one release line, this is a warning."
    FORMAT_UNREADABLE Refusal Before
        "The backup holds SSTables in a format that a target node cannot read, whatever the versions say. Nothing \
         lifts this refusal. Cassandra 5.0 reads `oa` only with `storage_compatibility_mode` UPGRADING or NONE; \
         formats before `ma` are read by 3.11 only, and rewritten there by upgradesstables."
    PARTITIONER_DIFFERS Refusal Before
        "Backup and target place rows by different partitioners, so that no SSTable of the one means anything to the \
         other. Restore into a cluster with the backup's partitioner."

    // The cluster and its agents.
    AGENT_UNREACHABLE Refusal Before
        "An agent of the cluster did not answer. Each node's agent is needed, because each node holds a part of the \
         data."
    NODE_UNHEALTHY Refusal Before
        "A node's agent answers, but says that its Cassandra cannot be backed up or restored now; the message says why."
    SCHEMA_DISAGREEMENT Refusal Before
        "The nodes do not all have the same schema version, or the schema changed while it was read. Wait until \
         `nodetool describecluster` shows one version, and plan again."
    RING_DISAGREEMENT Refusal Before
        "The nodes do not all see the same ring. Wait until `nodetool status` shows the same on each of them; a node \
         that is joining, leaving or moving must finish first."
    RING_MEMBER_WITHOUT_AGENT Refusal Before
        "The ring has a member whose agent is not registered with the cluster. Register all agents, or remove a node \
         that is gone from the ring."
    AGENT_OF_ANOTHER_CLUSTER Refusal Before
        "An agent sits beside a node that is not in one ring with the others. Register each cluster by its own agents."
    DUPLICATE_AGENT Refusal Before
        "Two registered agents describe the same node. Register each node's agent once."

    // What was asked for.
    KEYSPACE_NOT_FOUND Refusal Before
        "A keyspace that was asked for is not there: for a backup in the cluster, for a restore in the backup. \
         Keyspaces that belong to the product, such as system_auth, are never part of a backup."
    TABLE_NOT_FOUND Refusal Before
        "A table that was asked for is not there: for a backup in the cluster, for a restore in the backup."
    VIEW_NEEDS_BASE Refusal Before
        "A materialized view was asked for without the table that it is built from. Ask for the table: its views come \
         with it."
    NOTHING_SELECTED Refusal Before
        "What was asked for exists, but has no tables."
    NOTHING_TO_BACK_UP Refusal Before
        "The cluster has no tables of its own: all that it holds belongs to the product."
    BACKUP_INCOMPLETE Refusal Before
        "The backup lacks something that a restore needs: a node of the ring as it was, or the definition of a table. \
         A restore without it would leave holes that look like success."
    BACKUP_DAMAGED Warning Before
        "SSTables of the backup were damaged on their nodes already when it was made, with `--keep-damaged`. They are \
         restored as they are: Cassandra may refuse to load them, or fail to read some rows. The finding names the first \
         of them. Restore from another backup if you can; else run `nodetool scrub` on the named tables after the \
         restore, on each node, and a full repair."

    // Where it goes, and how.
    TOPOLOGY_DIFFERS Refusal Before
        "The target's ring is not that of the backup: each source node needs one target node with the same tokens, \
         datacenter and rack. Host ids and addresses may differ. Restores into other rings are not supported yet."
    KEYSPACE_REPLICATION_MISMATCH Refusal Before
        "A keyspace is not replicated on the target as it was in the backup, so that the nodes own other data than \
         they would be given; or it would be made with datacenters that the target does not have. Bring the \
         replication to that of the backup first; change it, and repair, after the restore."
    MODE_UNAVAILABLE Refusal Before
        "A restore in place was asked for and cannot be done. It needs agents that may stop and start Cassandra, one \
         release line, and tables that are missing or are as they were in the backup, id included. Restore online \
         instead."
    DISK_SPACE Refusal Before
        "A node has less free space on its data disks than the restore needs there: the staged files, what rebuilt \
         views and rewritten SSTables take, and a reserve. The finding has the figures."

    // The schema.
    TYPE_DIFFERS Refusal Before
        "A user-defined type, function or aggregate is there and is not as it was in the backup. Restored rows would \
         be read by the wrong definition. Bring it back to the backup's form, or drop it, first."
    NAME_TAKEN Refusal Before
        "Something else has the name that a table, a view or an index of the backup needs. Drop or rename it first."
    CUSTOM_COMPACTION_MISSING Refusal Before
        "A table uses a compaction strategy that the target's release does not bring, and no table on the target uses \
         it. Install the class on every target node and make a table with it, or restore into a cluster that has it."
    SCHEMA_REVERTS Warning During
        "Something in the live schema is not as it was in the backup and is made as it was: columns added since are \
         gone, dropped columns are back. The live table is dropped; with `auto_snapshot` its data stays in a snapshot \
         of the node."
    TABLE_NOT_IN_BACKUP Warning During
        "A live table of a restored keyspace is not in the backup. It stays as it is."
    MATERIALIZED_VIEW_REBUILD Warning During
        "A materialized view over a restored table is dropped, and built anew from the restored rows by a step of the \
         plan. Until that is done, reads of it fail."
    INDEX_REBUILD Advice During
        "A secondary index is built anew while the restored SSTables are loaded, which takes time and CPU."

    // Afterwards.
    AUTH_NOT_INCLUDED Advice After
        "Users, roles and permissions are not part of a backup. After restoring into another cluster, make the roles \
         and grants again, set up external authentication, and check that applications can log in."
    REPAIR_ADVISED Advice After
        "The nodes' snapshots were not taken in the same instant, and a backup holds what each replica had. Run a \
         full repair of the restored keyspaces when the restore is done."

    // What a task could not do, said when it ends.
    SCHEMA_CHANGED_DURING_BACKUP Warning After
        "The schema changed between the plan of a backup and its snapshots. The backup holds the later schema; a table \
         that was dropped or made in that time may be missing from it. Make another backup."
    SNAPSHOT_NOT_CLEARED Warning After
        "A node's snapshot could not be removed after a backup, and holds disk space. The hint has the nodetool command."
    BACKUP_NOT_ABANDONED Warning After
        "A failed backup could not be marked as failed, so that it is listed as running. Delete it."
    STAGING_NOT_REMOVED Warning After
        "What a restore left on a node's data disks could not be removed. Nothing uses it any more."
    PIN_NOT_RELEASED Warning After
        "A restore could not give up its hold on a backup, which therefore cannot be deleted."
}

impl Code {
    /// The code of this name.
    pub fn find(name: &str) -> Option<Code> {
        ALL.iter().find(|code| code.name == name).copied()
    }
}

/// The text of docs/findings.md.
pub fn page() -> String {
    let mut page = String::from(
        "# Findings\n\n\
         What the planner has to say, and what a task has left to be done, comes as findings: `{code, severity, when, subject, message, hint}`. Codes are stable:\n\
         match on them, never on the text. A plan with any **refusal** is not carried out. A **warning** is a consequence to\n\
         know before agreeing; **advice** is something to do or to know. The severity below is the usual one.\n\n\
         This page is made from the table in `crates/plan/src/codes.rs`; after a change there, run\n\
         `UPDATE=1 cargo test -p plan --test findings`.\n",
    );
    for code in ALL {
        let severity = format!("{:?}", code.severity).to_lowercase();
        let when = format!("{:?}", code.when).to_lowercase();
        let about = fill(code.about);
        let _ = write!(
            page,
            "\n## {}\n\n{severity}, {when}\n\n{about}\n",
            code.name
        );
    }
    page
}

/// Wraps a paragraph at the width of the documentation.
fn fill(paragraph: &str) -> String {
    const WIDTH: usize = 118;
    let mut filled = String::new();
    let mut width = 0;
    for word in paragraph.split_whitespace() {
        let len = word.chars().count();
        if width > 0 && width + 1 + len > WIDTH {
            filled.push('\n');
            width = 0;
        } else if width > 0 {
            filled.push(' ');
            width += 1;
        }
        filled.push_str(word);
        width += len;
    }
    filled
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_code_is_listed_twice_and_each_is_screaming_snake() {
        let names: BTreeSet<&str> = ALL.iter().map(|code| code.name).collect();
        assert_eq!(names.len(), ALL.len());
        for name in names {
            assert!(
                name.chars().all(|c| c.is_ascii_uppercase() || c == '_'),
                "{name}"
            );
        }
    }
}
