//! Every code that a finding can have, in one table; docs/findings.md is made from it.

mod code;
mod page;

use model::{Severity, When};

pub use code::Code;
pub use page::page;

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
    PRODUCT_UNKNOWN Refusal Before
        "What a target node shows is that of no product that is known, or its signs contradict each other: it is a build of \
         one's own, or a product that reports neither its name nor enough else. Which formats it reads is not known, and \
         SSTables that it does not read could be ignored after the tables were emptied. So only what the trial load proves \
         is restored, which is a warning; it is a refusal if live data would be replaced that no trial covers \
         (`--skip-trial`, a role that may not make the scratch keyspace, a table that cannot be copied), if the restore is in \
         place, or if the nodes differ. `ringkeep cluster show` has what was seen. Set `product` in `[cassandra]` of each \
         node's agent. Backups are made all the same."
    PRODUCT_CONTRADICTED Refusal Before
        "The settings `product` and `product_version` of an agent state something that its node contradicts, as \
         `ringkeep cluster show` has it. Nothing is restored there until the settings are corrected. Backups are made all the \
         same, with a warning, and note what the node shows."
    UPGRADE_SSTABLES_REQUIRED Advice After
        "Restored SSTables stay in the format of the backup until they are rewritten. The plan has an \
         upgradesstables step for each node, which succeeds if no older SSTable is left on disk; the report of a restore \
         that had it no longer lists this. `ringkeep maintenance run upgradesstables CLUSTER` does the same later, as a task of \
         its own. Until it is done the cluster serves all data, but must not be upgraded to \
         the next major release."
    LATER_MINOR_VERSION Advice After
        "The target runs a later minor release. Where a restored SSTable's format is not the target's own, the plan \
         has an upgradesstables step; otherwise nothing more is to be done."
    CASSANDRA_ONTO_HCD Advice After
        "A Cassandra 4 backup goes onto HCD, which reads its SSTables and writes another format. The plan has an \
         upgradesstables step for them."
    SCHEMA_VALIDATION_REQUIRED Warning Before
        "A DSE backup goes onto HCD, which lacks some of DSE's features. The plan of a restore looks for them in the \
         backup's schema, and names each that it finds by DSE_FEATURE_UNSUPPORTED; where it finds none, this is advice. \
         What programs use without any trace in the schema, such as analytics jobs, it cannot see."
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
         other. Restore into a cluster with the backup's partitioner. The backup may hold single SSTables of another \
         partitioner too."

    SSTABLE_NEEDS_REWRITE Refusal Before
        "The backup holds SSTables in a format that the target reads, with something in them that it reads wrong or not at \
         all: slices that DSE streamed without copying, tuples that DSE before 6.8.36 wrote, counters with shards of before \
         2.1, or user-defined types whose frozenness Cassandra 3.0 did not write down. They would load, and rows would be \
         lost or unreadable. The finding says where they must be rewritten, and by which command, before they are backed \
         up again. Where the target can mend them itself, or where only some of them are in doubt, this is a warning."

    // The cluster and its agents.
    AGENT_UNREACHABLE Refusal Before
        "An agent of the cluster did not reply. Each node's agent is needed, because each node holds a part of the \
         data."
    NODE_UNHEALTHY Refusal Before
        "A node's agent replies, but reports that its Cassandra cannot be backed up or restored now; the message says why."
    SCHEMA_DISAGREEMENT Refusal Before
        "The nodes do not all have the same schema version, or the schema changed while it was read. Wait until \
         `nodetool describecluster` shows one version, and plan again."
    RING_DISAGREEMENT Refusal Before
        "The nodes do not all see the same ring. Wait until `nodetool status` shows the same on each of them; a node \
         that is joining, leaving or moving must finish first."
    RING_MEMBER_WITHOUT_AGENT Refusal Before
        "The ring has a member whose agent is not registered with the cluster. Register all agents, or remove a node \
         that is gone from the ring."
    GHOST_MEMBER Refusal Before
        "The system tables of some nodes have a member that gossip does not know: a node that was removed has left its rows \
         behind. It never agrees on a schema, and no command that asks gossip (`nodetool status`, `describecluster`, \
         `removenode`) shows or removes it. `nodetool assassinate`, or deleting the rows, does. A node that is only down is known \
         to gossip and is not named so. As a warning: the backup was asked for without some nodes."
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
    KEYSPACE_LEFT_OUT Warning Before
        "A keyspace of the backup is replicated only in datacenters in which its ring has no node, as a datacenter that was \
         removed leaves them behind. No node holds a row of it, and Cassandra 4.0 and later refuse to make such a keyspace, so \
         that it is left out. A refusal where it was asked for by name. If programs need it, make it by hand."
    VIEW_NEEDS_BASE Refusal Before
        "A materialized view was asked for without the table that it is built from. Ask for the table: its views come \
         with it."
    NOTHING_SELECTED Refusal Before
        "What was asked for is in the schema of the backup, which has every keyspace of the cluster, and was not backed up."
    NOTHING_TO_BACK_UP Refusal Before
        "The cluster has no keyspaces of its own: all that it holds belongs to the product."
    BACKUP_INCOMPLETE Refusal Before
        "Of a restore: the backup lacks something that a restore needs: nodes of the ring as it was, or the definition of a table. \
         Without it a restore would leave holes that look like success. Where nodes are missing, the finding says how \
         much of the ring has how few replicas, and which `--completeness` goes without them: `quorum` where what was \
         written at QUORUM is there, `one` where every range has a replica left, `any` where rows are missing \
         altogether. `all` is the usual one. Of a backup that was asked for with one of them: so much would be missing \
         from it."
    BACKUP_DAMAGED Warning Before
        "SSTables of the backup were damaged on their nodes already when it was made, with `--keep-damaged`. They are \
         restored as they are: Cassandra may refuse to load them, or fail to read some rows. The finding names the first \
         of them. Restore from another backup if you can; else run `nodetool scrub` on the named tables after the \
         restore, on each node, and a full repair. Online into the same ring they are loaded whole, without the check \
         that every partition is the node's own: then run `nodetool cleanup` too."

    OBJECTS_MISSING Refusal Before
        "The backup names objects that the bucket no longer has, or has with another size: they were deleted or overwritten by \
         something other than Ringkeep, or the store has lost them. The restore would fail when it fetches them. Restore from \
         another backup, or leave the tables out that the finding names. `ringkeep backup verify --level manifest` lists all. \
         As advice: looking took too long, as for a very large backup."
    BACKUP_UNVERIFIED Advice Before
        "The backup has not been read back since it was written, or damage was found when it was. Every byte was checked on \
         its way out, and every byte that a restore takes is checked on its way in, before anything is changed; damage in the \
         bucket would be found then, when time is short. `ringkeep backup verify --level objects`, or `sstables`, finds it \
         now, and its result is kept with the backup: a backup that was found whole is not named again."
    COVERAGE_REDUCED Warning Before
        "The backup lacks, or is made without, some of the replicas that its ring had, and that was asked for with `--completeness \
         quorum`, `one` or `any`. What only the missing replicas had is not restored, and reads may return older \
         rows than they did. The plan shows how much of the ring has how many replicas. Run a full repair before \
         programs read: it spreads what is there, and brings back nothing else. As advice: the missing nodes held nothing of what is \
         restored."

    // Where it goes, and how.
    TOPOLOGY_DIFFERS Refusal Before
        "A restore in place was asked for, and the target's ring is not that of the backup. In place, each target node takes \
         over all files of one source node, so that it needs the same tokens, datacenter and rack; host ids and addresses \
         may differ. Restore online: then each node is given the rows of its own ranges, whatever the rings are."
    IN_PLACE_POSSIBLE Advice Before
        "The target's ring is that of the backup, and its agents may stop and start Cassandra: `--mode in-place` is possible. \
         It swaps folders instead of loading SSTables, which is faster for much data, and the cluster is down meanwhile."
    DATACENTER_UNMAPPED Refusal Before
        "A datacenter of the backup has no place on the target, or a datacenter of the target would be given replicas \
         that none of the backup's feeds: none has its name, and `--datacenter BACKUP=TARGET` names none for it; or the \
         one that is named does not exist. One may feed several, `--datacenter BACKUP=TARGET,OTHER`, and several one. \
         Where any are named, those that are not are left out."
    DATACENTER_LEFT_OUT Warning Before
        "A datacenter of the backup feeds none of the target. Its replicas are not restored. What was written to it alone, \
         at LOCAL_ONE or LOCAL_QUORUM shortly before the backup, may be nowhere else."
    REPLICATION_ADJUSTED Warning During
        "A keyspace is made with another replication than it had in the backup, because the target has other datacenters \
         or fewer nodes. The finding has the CQL of both. Change it again after the restore if that is not what you want, \
         and repair."
    REPLICATION_NOT_UNDERSTOOD Refusal Before
        "A keyspace's replication strategy, or its options, are none that Ringkeep can compute replicas for, so that it \
         cannot say which rows belong on which node. SimpleStrategy, NetworkTopologyStrategy, LocalStrategy and \
         EverywhereStrategy are understood; transient replicas are not. Such a keyspace goes into a ring with the same \
         tokens, datacenters and racks, replicated as it was: then each node takes all files of one other, and nothing \
         has to be computed."
    SSTABLE_NOT_SLICEABLE Refusal Before
        "A node of the target's ring needs a part of an SSTable that cannot be cut: one that is encrypted, which only its own \
         product can read, or one that DSE streamed in part without copying. Loaded whole it would leave rows on nodes that \
         do not own them, which come back as of the restore when ranges move. Restore into a ring with the same tokens, \
         datacenters and racks: there every SSTable goes whole. For SSTables that DSE streamed so, `nodetool upgradesstables \
         -a` on the source before another backup helps too."
    FOREIGN_PARTITIONS Advice During
        "The ring is that of the backup, and its nodes held partitions that they do not own: they were not cleaned up after \
         the ring grew or the replication was lowered. `nodetool import` takes no folder with such a partition, so these \
         are left out; other nodes have their rows. The finding counts the SSTables whose ends show it. Others are looked \
         through when they are staged, and rewritten only if there are such partitions in them. In place, and on 3.11, files \
         are taken as they are."
    CLEANUP_ADVISED Advice After
        "SSTables that cannot be cut are loaded whole, without the check that every partition is the node's own: encrypted \
         ones, those that DSE streamed in part without copying, all of a keyspace whose replication strategy is not \
         understood (a custom one, or transient replication), and all if the partitioner is not understood or the ring has \
         more ranges than a plan can carry. \
         Partitions that a node does not own come back as of the restore when ranges move: run `nodetool cleanup` on each \
         node afterwards."
    KEYSPACE_REPLICATION_MISMATCH Advice Before
        "A keyspace is there, and is not replicated on the target as it was in the backup. Online that is advice: the \
         data is mapped onto the replicas that the keyspace has now. In place it is a refusal, because each node takes \
         all files of one other and would hold rows that are not its own: restore online, or change the replication to \
         that of the backup first, and back, with a repair, after the restore."
    MODE_UNAVAILABLE Refusal Before
        "A restore in place was asked for and cannot be done. It needs agents that may stop and start Cassandra, one \
         release line, the data of every node, and tables that are missing or are as they were in the backup, id \
         included. Restore online instead."
    DISK_SPACE Refusal Before
        "A node has less free space on its data disks than the restore needs there: the staged files, what rebuilt \
         views and rewritten SSTables take, and a reserve. The finding has the figures."

    RING_NOT_UNDERSTOOD Refusal Before
        "Who holds what on the ring of backup or target is not known: its partitioner is neither Murmur3Partitioner nor \
         RandomPartitioner, or the members do not make one ring. Such a backup goes into a ring with the same tokens, \
         datacenters and racks only, and with every node's data in it."

    // The schema.
    TYPE_DIFFERS Refusal Before
        "A user-defined type, function or aggregate is there and is not as it was in the backup. Restored rows would be \
         read by the wrong definition. A restore takes tables back and refuses this, because tables that it leaves alone may \
         use the live definition, and CQL has no statement that gives a field its earlier type. Bring it back to the backup's \
         form by the CQL of the finding, or drop it, first. As advice: a type has fields that were added since, and keeps them."
    DURABLE_WRITES_DIFFER Warning After
        "A live keyspace of the restore has another value of durable_writes than it had in the backup, and keeps it: with false, \
         a node that crashes loses what it has not flushed yet. The hint has the CQL that sets it as it was. As advice: the \
         live keyspace has true, which is the safe value."
    NAME_TAKEN Refusal Before
        "Something else has the name that a table, a view or an index of the backup needs. Drop or rename it first. With \
         `--rename` that is also a live table that Ringkeep has not made as a copy, or that is of another form than the \
         backup's: choose another name, or drop it by hand."
    RENAME_REFUSED Refusal Before
        "A restore with `--rename` cannot be done as it was asked for: a new name is none that Cassandra takes, belongs to the \
         product, or is the name that the table has; a thing gets two names, or two things get one; a rename is of nothing \
         that is selected; or something is selected that gets no other name, and would replace what is live. The finding \
         says which."
    RENAME_NOT_POSSIBLE Refusal Before
        "A definition cannot be made under another name: it is not understood, so that the old name may be anywhere in it, or \
         names itself in a way that CQL cannot change, as tables of DSE Graph and indexes of DSE Search do. Leave it out, or \
         restore it under its own name into another cluster."
    RENAME_REPLACES Warning During
        "The new name of a table or view that is restored under another name is that of a live one, which makes way if it is an \
         earlier copy. A table that Ringkeep has not made as a copy is refused (`NAME_TAKEN`). Give the copy a name that is \
         free if what it holds is needed."
    RENAME_INDEX_NAMED Advice During
        "A table gets another name, and so do its indexes, because the names of indexes are unique in a keyspace and the live \
         table has them. The new table's name takes the place of the old one in front, or is put there."
    RENAME_LEAVES_OUT Warning During
        "Something does not come with what is restored under another name: tables of the keyspace that are not in the backup, or \
         triggers and change data capture, through which writes to the copy would reach what is live. The finding says which."
    RENAME_VIEWS_LEFT_OUT Warning During
        "A table that gets another name by itself comes without its materialized views, which would need names, too. Views of a \
         keyspace that is renamed as a whole keep their names and are built in the new keyspace."
    CUSTOM_COMPACTION_MISSING Refusal Before
        "A table uses a compaction strategy that the target's release does not bring, and no table on the target uses \
         it. Install the class on every target node and make a table with it, or restore into a cluster that has it."
    SCHEMA_NOT_UNDERSTOOD Warning Before
        "A definition in the schema of backup or target is not understood. It is made as it is written, and compared word \
         by word; what the target's release does not take of it is not found before the restore. Compare it with what the \
         target's release accepts."
    FEATURE_UNSUPPORTED Refusal Before
        "The backup's schema uses something that the target's release does not have, so that a statement of the restore \
         would fail. The finding names the object and the feature. Where it can be made in another way, the plan offers \
         that, and `--rewrite-schema` does it; else leave the object's table out, or restore into a release that has it."
    CUSTOM_INDEX_MISSING Refusal Before
        "A table has an index of a class that the target's release does not bring, and no index on the target uses it. \
         Install the class on every target node and make an index with it, or drop the index from what is restored. Built-in \
         secondary indexes come back by themselves."
    SETTING_DISABLED Refusal Before
        "The backup's schema uses a part of CQL that is switched off on a target node: materialized views, user-defined \
         functions, SASI indexes, masked columns or another part that has a setting; advice if a node does not report \
         the setting. The statements that make them would be refused in the middle of the restore. Switch \
         it on in cassandra.yaml of every node, by the setting that the finding names, and restart them one by one."
    GUARDRAIL_REFUSES Refusal Before
        "A guardrail of a target node refuses a statement of the restore, perhaps after tables were emptied: something that \
         is switched off (DROP and TRUNCATE, indexes, SimpleStrategy, tables without compression, options of tables), or a limit \
         that is reached (keyspaces, tables, columns, fields, indexes, views, replicas). Guardrails do not hold for \
         superusers, and not on nodes that ask for no login. The finding names the setting and the nodes. As a warning: \
         the node does not report whether the agent's role is a superuser."
    MEMTABLE_MISSING Refusal Before
        "A table of the backup names a memtable configuration that cassandra.yaml of a target node does not define, so that the \
         statement that makes the table would be refused. Configurations are not part of a schema: define it on every node, \
         restart nodes and agents one by one, and plan again."
    GRANT_MISSING Refusal Before
        "The role that an agent logs in as lacks a permission that the statements of the restore need, or may not read a table \
         of the product that an agent reads. The hint has the GRANT statements; the least that a role needs is in \
         docs/running.md. As a warning: the restore can be done, and something that would refuse it may go unseen, \
         or rows of its views may come after its end or be lost."
    AUTO_SNAPSHOT_OFF Warning Before
        "The restore empties or drops live tables, and `auto_snapshot` is off on a node: nothing keeps what they hold now. Back \
         up the target first, or switch it on."
    DSE_FEATURE_UNSUPPORTED Warning Before
        "The backup's schema uses a feature that only DSE has: search indexes, graph, NodeSync, tiered or in-memory \
         storage, types or strategies of its own. The rows are restored; the feature does not work on the target. There \
         is one finding for each feature that was found, and it says what becomes of it. A refusal where the target would \
         not take the statement that makes it; then `--rewrite-schema` leaves the feature out, where that is possible."
    SCHEMA_REWRITTEN Warning During
        "The target does not take something of the backup's schema as it was, and the plan makes it in another way, \
         because `--rewrite-schema` asked for that, or leaves out an option that was chosen and on which no row depends. \
         The finding says what is made instead. Rows are not touched. What only DSE has is reported by \
         DSE_FEATURE_UNSUPPORTED."
    SCHEMA_REWRITE_OFFERED Advice Before
        "The target does not take something of the backup's schema as it was. The plan lists how it could be made \
         instead; `--rewrite-schema` makes it so. Where another finding refuses the restore because of it, that is lifted \
         then."
    SCHEMA_COLUMN_LOST Warning During
        "A column was added to a live table since the backup. It is gone after the restore, with all that is in it, because \
         the table is made as it was. The plan has the CQL that adds it again, empty."
    SCHEMA_COLUMN_REAPPEARS Warning During
        "A column was dropped from a live table since the backup. It is back after the restore, with what was in it. The plan \
         has the CQL that drops it again."
    SCHEMA_TYPE_REVERTS Warning During
        "A column, or a field of a user-defined type, has another type than it had in the backup, and has the old one after \
         the restore. Programs that write the new type fail until it is changed forward again, where Cassandra allows that."
    SCHEMA_REVERTS Warning During
        "Something in the live schema is not as it was in the backup and is made as it was. A live table is dropped and \
         made again; with `auto_snapshot` its data stays in a snapshot of the node. The plan shows what is undone, and the \
         CQL that does it again after the restore."
    TABLE_NOT_IN_BACKUP Warning During
        "A live table of a restored keyspace is not in the backup. It stays as it is."
    MATERIALIZED_VIEW_REBUILD Warning During
        "A materialized view over a restored table is dropped if it is there, and rebuilt from the restored rows by \
         a step of the plan. Until that is done, reads of it fail."
    INDEX_REBUILD Advice During
        "A secondary index is rebuilt while the restored SSTables are loaded, which takes time and CPU."
    TIERED_STORAGE Warning Before
        "A table that is backed up has DSE's tiered storage. Its SSTables may lie in folders that only dse.yaml names, which \
         agents do not read. A snapshot that names an SSTable in such a folder fails the backup, so that nothing is left out \
         without a word."
    SEARCH_REINDEX Warning After
        "A restored table has an index of DSE Search. Its core lies in `solr.data`, is no part of a backup, and does not follow \
         SSTables that are loaded or swapped in: searches may miss restored rows and find rows that are gone until it is \
         indexed again. The hint has the commands of DSE for that, from its documentation."

    // Rows that run out, and rows that are locked.
    TTL_MAY_EXPIRE Warning During
        "A part of a table's cells has a time to live that ends before the restore does. They are restored as they were, \
         time of expiry included, and are gone when it is reached. The figures are estimates from the SSTables' own \
         statistics, with each replica counted, and are reported if they make up more than one cell in a thousand: finer \
         than that the statistics do not tell. Nothing brings such cells back: neither a longer `default_time_to_live`, \
         which is applied when rows are written, nor gc_grace_seconds. Restore soon, and these tables first."
    TDE_KEY_MISSING Refusal Before
        "A table of the backup is encrypted, and a target node does not have the system key by that name. Its SSTables \
         could not be read; depending on `disk_failure_policy` the node would stop, or silently go on without them. Keys are \
         kept apart from backups, and Ringkeep never copies one. Bring the file from the source's `system_key_directory` to \
         every target node, under the same name, with the same content."
    TDE_KEY_DIFFERS Refusal Before
        "A target node has a system key of the name that an encrypted table needs, with another content: most often because \
         both clusters call their own key `system_key`. The SSTables could not be read. Overwrite the target's key only if \
         no table of the target is encrypted by it; otherwise the tables of one cluster must be encrypted again under a key \
         of another name first. Keys are compared by salted fingerprints, and never leave their nodes. As a warning: the \
         source's own nodes had different keys under that name."
    TDE_KEY_UNKNOWN Warning Before
        "A table of the backup is encrypted, and whether the target has its key is not known: the key was not on the \
         source's nodes or could not be read when the backup was made, it is held by a KMIP server, or an SSTable does not \
         record its name. Make sure of it by hand before restoring."
    TDE_KEY_ROWS Warning Before
        "Tables are encrypted by keys which themselves stand, wrapped by the system key, in the table `encrypted_keys` of \
         the keyspace `dse_system`, on HCD `hcd_system`. That keyspace belongs to the product and is not part of a backup. \
         The target needs the source's rows besides its own: add them before the restore, and never truncate the table or \
         delete from it, because other tables need the rows that are there."
    TDE_UNAVAILABLE Refusal Before
        "A table of the backup is encrypted, and the target's release cannot decrypt tables: Apache Cassandra has no encryptor. \
         Restore into DSE or HCD; or alter the table on the source to another compressor, run `nodetool upgradesstables -a`, \
         and back up again."

    // Afterwards.
    AUTH_NOT_INCLUDED Advice After
        "Users, roles and permissions are not part of a backup. After restoring into another cluster, make the roles \
         and grants again, set up external authentication, and check that applications can log in."
    DATA_TO_VERIFY Advice After
        "A restore checks every byte that it takes against the hashes of the backup, and counts that Cassandra has opened each \
         SSTable. Whether the rows are those that are needed is for people and their programs: read rows that are known, and \
         run the application's own checks, before users come back."
    CONNECTIONS_STAY Advice After
        "The backup is of another cluster than the one that it is restored into. Programs keep using the old one until their \
         contact points, datacenter names and credentials are changed."
    AUTO_SNAPSHOTS_LEFT Advice After
        "Before Cassandra drops or empties a table it takes a snapshot of it, unless `auto_snapshot` is off. The snapshots \
         are the way back, and hold disk space until they are cleared: `nodetool listsnapshots` shows them, with their sizes, \
         under tags that begin with truncated- or dropped-."
    TOMBSTONES_KEPT Warning After
        "The backup is old in comparison with gc_grace_seconds of some tables. Replicas that hold a tombstone could drop it, in \
         reads too, while another that missed the deletion still has the row: what was deleted before the backup would come \
         back. So the restore gives these tables a higher gc_grace_seconds: what they had, plus the backup's age, plus as much \
         as they had (a day at least) for the restore and a repair. It does so where a backup is older than a tenth of \
         gc_grace_seconds, rows have more than one replica, and gc_grace_seconds is not 0. Until it is lowered again, \
         tombstones and expired rows take disk space. Repair, then run the CQL of the hint."
    SCHEMA_FORWARD Advice After
        "The restore undoes something of the live schema that was changed since the backup. The hint has the CQL that does \
         it again, columns that were added as empty ones. It is kept with the task, because the live schema no longer shows it."
    COMMIT_LOG_POSITIONS Warning After
        "SSTables name the positions in the commit log of the node that wrote them. Cassandra before 3.11.11 takes those of \
         other nodes for its own (CASSANDRA-16619), and after a crash it may leave out writes when it replays its commit \
         log. Positions of a log that is begun after the restore are later than all of them: drain and restart each node \
         once, or restore into 3.11.11 or later. A restore in place restarts the nodes anyway."
    REPAIR_ADVISED Advice After
        "The nodes' snapshots were not taken in the same instant, and a backup holds what each replica had. Run a \
         full repair of the restored keyspaces when the restore is done: `ringkeep maintenance run repair CLUSTER --keyspace \
         KEYSPACE` does one node after the other. \
         Also after a restore in place that was given up once nodes had stopped, and after its rollback: hints for its tables \
         were dropped."

    IN_PLACE_UNTRIED Warning Before
        "Restores in place are tested on Cassandra 3.11 to 5.0. On DSE and HCD none was run: whether such a node keeps \
         truncation records in system.local, which hold late writes back, is not known. The records are read back before \
         clients are cut off, and if they are not there the restore ends with nothing moved. Restore online, or rehearse on \
         a copy of the cluster first."
    OLD_FILES_KEPT Advice After
        "A restore in place keeps the files that it replaces, in the staging folders beside the data directories. They take \
         their space until `ringkeep restore accept TASK` deletes them; until then `ringkeep restore rollback TASK` stops \
         the nodes and puts them back. Rolling back ends with the next restore of any of the tables."
    ACCEPTED_BY_SETTING Advice After
        "Ringkeep has accepted a restore in place by itself, because `accept_in_place_after_hours` in `[tasks]` of the \
         task-runner is set: the old files are deleted, and the restore can no longer be rolled back. By default nothing is \
         accepted without a user."
    TRIAL_SKIPPED Warning Before
        "Before live data is replaced, each node loads a few SSTables into a scratch keyspace, so that what it would refuse is \
         refused while nothing is lost yet. The agents' role, or a guardrail, does not allow the scratch keyspace, and the \
         restore goes without. Allow it (mostly GRANT CREATE ON ALL KEYSPACES), and plan again."

    SNAPSHOTS_APART Warning After
        "The snapshots of a backup were taken more than a minute apart, by the clocks of the nodes. Usually it is less than a \
         second: a node failed and was asked again, or was busy, or the clocks differ. The backup has what each node held when \
         its own snapshot was taken, so that of rows which were written together in that time some may be there and others \
         not. Make another backup, and check the clocks if it happens again. In the plan of a restore this is advice: take \
         another backup if programs rely on such rows. A repair afterwards brings the replicas of a row together; it does not \
         bring rows that no snapshot has."

    // What a task could not do, said when it ends.
    SCHEMA_CHANGED_DURING_BACKUP Warning After
        "The schema changed between the plan of a backup and its snapshots. The backup holds the later schema; a table \
         that was dropped or made in that time may be missing from it. Make another backup."
    SNAPSHOT_NOT_CLEARED Warning After
        "A node's snapshot could not be removed after a backup, and holds disk space. The task-runner removes it once the \
         node's agent replies; the hint has the nodetool command that does it by hand."
    BACKUP_NOT_ABANDONED Warning After
        "A failed backup could not be marked as failed, so that it is listed as running. Delete it."
    STAGING_NOT_REMOVED Warning After
        "What a restore left on a node's data disks could not be removed. Nothing uses it any more. The task-runner removes \
         staged files once the node's agent replies; `ringkeep leftovers` shows and clears all of it."
    CASSANDRA_NOT_STARTED Warning After
        "A restore in place was given up before it replaced anything, and Cassandra could not be started again on a node on \
         which it had been drained or stopped. Its data is as it was. Start Cassandra there; if its process still runs, it \
         is drained and takes no requests: stop it first."
    CASSANDRA_STOPPED Warning After
        "A restore in place has failed while Cassandra was stopped, or being stopped, on the nodes that the finding names: \
         they serve nothing until it is started. The hint has the command that goes on, and the one that goes back if \
         nothing was replaced yet."
    CLIENTS_CUT_OFF Warning After
        "A restore in place, or its rollback, has cut clients off and stopped no node: it was ended by force, or it has failed \
         and could not let clients in again on the nodes that the finding names. Nodes may refuse clients until they are let \
         in again; the hint has the commands."
    NEWER_WRITES_POSSIBLE Warning After
        "A rollback has put old files back on a node that could not be started before, and so has no record that keeps newer \
         writes out. Writes to the restored tables that clients made since the restore, and that other nodes keep as hints for \
         this node, may be applied to it."
    ENDED_BY_FORCE Warning After
        "A task was ended by `task fail --force` after its point of no return, so that what it had begun is half done. The \
         finding names the tables."
    LEFT_ON_NODES Warning After
        "A restore that was ended by force leaves files on the nodes that the finding names: staged ones, old ones that it \
         had moved aside, or compaction that it had switched off. A resume of the restore uses and removes them."
    MADE_AND_KEPT Advice After
        "A restore was given up before it replaced anything, and had made keyspaces, types, tables or indexes that were \
         missing. They stay, without data, because they may be in use. The hint has the CQL that drops them."
    TRIAL_NOT_DROPPED Warning After
        "A restore was given up in its trial load, and its scratch keyspaces, whose names start with ringkeep_trial_, could \
         not be removed. Nothing uses them. The hint has the CQL that drops them."
    PIN_NOT_RELEASED Warning After
        "A restore could not give up its hold on a backup, or keeps it so that it can be resumed; until it is released the \
         backup cannot be deleted. Once the restore has ended for good, the task-runner tries again every hour."
    RETENTION_REFUSED Advice After
        "A backup that a retention policy lets go was not deleted, because the storage-catalog has refused it: mostly it was \
         pinned, or became a base, after the policy had been applied. It stays, and the next run decides again. A run also \
         ends if the policies change while it applies them."
    RETENTION_CLOCK Warning After
        "Backups that no rule of a retention policy keeps stay, because between the dates of two backups there is a gap that no \
         earlier gap explains: either backups were not made for long, or the clock of the storage-catalog was wrong, and ages are \
         not known. They go by themselves once the backups after the gap span the days of the policy."
    DELETION_CUT_SHORT Warning After
        "A task that applies retention was ended while it deleted a backup, and the deletion could not be finished. The backup \
         can no longer be restored. The next run of retention finishes it, and so does the command of the hint."
}

/// What is no longer to be done once the upgradesstables steps of a restore are done.
pub const DONE_BY_UPGRADE: &[Code] = &[
    UPGRADE_SSTABLES_REQUIRED,
    LATER_MINOR_VERSION,
    CASSANDRA_ONTO_HCD,
];

#[cfg(test)]
mod tests;
