//! How long calls may last, as settings of who calls.

use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// How long calls that last may make no progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// While the agent itself moves bytes.
    pub transfer: Duration,
    /// While Cassandra works for the agent, which reports nothing in the middle of a table.
    pub cassandra: Duration,
}

/// How long the calls to an agent may last that report nothing before they return. An agent that is gone is noticed sooner,
/// by its connection; one that goes on with a call that was given up is found at it by the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// A snapshot flushes all memtables first, and links every file of every table.
    pub snapshot: Duration,
    /// Statements wait for schema agreement, one by one.
    pub cql: Duration,
    /// Stopping drains first, and starts again what went down without having drained.
    pub stop: Duration,
    pub swap: Duration,
    /// Starting replays the commit log and waits for CQL.
    pub start: Duration,
    /// Removing snapshots, staged files and other leftovers.
    pub tidy: Duration,
}

/// How long calls to an agent may last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgentLimits {
    pub silence: Silence,
    pub deadlines: Deadlines,
}

/// How long calls to the storage-catalog may last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CatalogLimits {
    /// A commit asks the bucket for every object of the backup.
    pub commit: Duration,
    /// How long verifying or deleting may make no progress.
    pub silence: Duration,
}

impl Default for AgentLimits {
    fn default() -> Self {
        Self {
            silence: Silence {
                transfer: HOUR,
                cassandra: HOUR * 24,
            },
            deadlines: Deadlines {
                snapshot: HOUR * 4,
                cql: HOUR * 4,
                stop: HOUR * 4,
                swap: HOUR * 4,
                start: HOUR * 4,
                tidy: MINUTE * 30,
            },
        }
    }
}

impl Default for CatalogLimits {
    fn default() -> Self {
        Self {
            commit: HOUR * 4,
            silence: HOUR,
        }
    }
}
