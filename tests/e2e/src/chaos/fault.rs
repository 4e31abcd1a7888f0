//! What is done to the processes, the connections and the disks.

use std::fmt;

/// A process that faults hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Victim {
    Agent,
    Runner,
    Catalog,
    Cassandra,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// kill -9; it is started again soon after.
    Kill(Victim),
    /// SIGSTOP, and SIGCONT a while later.
    Freeze(Victim),
    /// The task-runner's connections to the service that it calls are cut, and refused for a while.
    Cut,
    /// A node's data folder has no room for a while.
    DiskFull,
}

use Victim::{Agent, Cassandra, Catalog, Runner};

pub const FAULTS: [Fault; 10] = [
    Fault::Kill(Agent),
    Fault::Freeze(Cassandra),
    Fault::Kill(Runner),
    Fault::DiskFull,
    Fault::Freeze(Catalog),
    Fault::Kill(Cassandra),
    Fault::Cut,
    Fault::Freeze(Agent),
    Fault::Kill(Catalog),
    Fault::Freeze(Runner),
];

impl Fault {
    /// Why a step of this kind has nothing that the fault could hit.
    pub fn has_no_target(self, kind: &str) -> Option<&'static str> {
        let is_of_cassandra = matches!(self, Self::Kill(Cassandra) | Self::Freeze(Cassandra));
        let is_down = matches!(kind, "swap" | "swapback");
        (is_of_cassandra && is_down).then_some("Cassandra is stopped in this step")
    }
}

impl fmt::Display for Victim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Agent => "agent",
            Runner => "runner",
            Catalog => "catalog",
            Cassandra => "cassandra",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill(victim) => write!(f, "kill {victim}"),
            Self::Freeze(victim) => write!(f, "freeze {victim}"),
            Self::Cut => f.write_str("cut connection"),
            Self::DiskFull => f.write_str("disk full"),
        }
    }
}
