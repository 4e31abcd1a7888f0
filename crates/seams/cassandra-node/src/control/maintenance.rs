//! Maintenance commands as the control port takes them: one table or one keyspace at a time.

use std::fmt;

use model::TableRef;

/// A maintenance command on the running node. Each is safe to run again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Maintenance {
    /// As [`upgrade_sstables`](super::CassandraControl::upgrade_sstables), with so many threads.
    UpgradeSstables {
        /// Whose SSTables.
        table: TableRef,
        /// Also those that Cassandra would leave as they are.
        all: bool,
        /// 0: as many as Cassandra compacts with.
        jobs: u32,
    },
    /// Drops partitions that the node does not own.
    Cleanup {
        /// Whose partitions.
        table: TableRef,
        /// None: Cassandra's default; 0: as many as it compacts with.
        jobs: Option<u32>,
    },
    /// Rewrites SSTables and leaves out what cannot be read.
    Scrub {
        /// Whose SSTables.
        table: TableRef,
        /// As in `Cleanup`.
        jobs: Option<u32>,
        /// Columns are not validated.
        no_validate: bool,
        /// No snapshot is taken before.
        no_snapshot: bool,
        /// Corrupted partitions are left out also of counter tables.
        skip_corrupted: bool,
    },
    /// Compacts all SSTables of a table.
    Compact {
        /// Whose SSTables.
        table: TableRef,
        /// The result is not one large SSTable.
        split_output: bool,
        /// Only SSTables with partitions from one token to another.
        tokens: Option<(String, String)>,
    },
    /// Writes memtables to disk.
    Flush {
        /// Whose memtables.
        table: TableRef,
    },
    /// Drops deleted rows from SSTables.
    GarbageCollect {
        /// Whose SSTables.
        table: TableRef,
        /// As in `Cleanup`.
        jobs: Option<u32>,
    },
    /// Streams what the node owns from another datacenter.
    Rebuild {
        /// Its name.
        source_datacenter: String,
        /// None: all keyspaces.
        keyspace: Option<String>,
    },
    /// A full repair of a keyspace.
    Repair {
        /// Its name.
        keyspace: String,
        /// None of them: all.
        tables: Vec<String>,
        /// Only ranges of which the node is the first replica.
        primary_range: bool,
        /// None: Cassandra's default.
        jobs: Option<u32>,
    },
}

impl Maintenance {
    /// Cassandra's word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::UpgradeSstables { .. } => "upgradesstables",
            Self::Cleanup { .. } => "cleanup",
            Self::Scrub { .. } => "scrub",
            Self::Compact { .. } => "compact",
            Self::Flush { .. } => "flush",
            Self::GarbageCollect { .. } => "garbagecollect",
            Self::Rebuild { .. } => "rebuild",
            Self::Repair { .. } => "repair",
        }
    }
}

/// The command and what it is about.
impl fmt::Display for Maintenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.word();
        match self {
            Self::UpgradeSstables { table, .. }
            | Self::Cleanup { table, .. }
            | Self::Scrub { table, .. }
            | Self::Compact { table, .. }
            | Self::Flush { table }
            | Self::GarbageCollect { table, .. } => write!(f, "{word} {table}"),
            Self::Rebuild { keyspace, .. } => match keyspace {
                None => f.write_str(word),
                Some(keyspace) => write!(f, "{word} {keyspace}"),
            },
            Self::Repair { keyspace, .. } => write!(f, "{word} {keyspace}"),
        }
    }
}
