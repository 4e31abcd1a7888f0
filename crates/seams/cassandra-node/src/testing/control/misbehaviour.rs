//! How a fake node can go wrong.

use model::TableRef;

/// How a node can go wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misbehaviour {
    /// The call fails half-way: the first table is snapshotted, the others are not.
    SnapshotFails,
    /// Once: a command that an earlier agent has left running takes the snapshot first.
    SnapshotTakenByAnother,
    /// The call succeeds and one table has no folder.
    SnapshotSkips(TableRef),
    /// The call succeeds and one table's manifest names nothing.
    SnapshotEmpty(TableRef),
    /// The call succeeds and one component was not linked.
    SnapshotLoses(&'static str),
    /// `import` and `refresh` succeed and do nothing.
    LoadsNothing,
    /// `import` takes one SSTable out of staging and loses it.
    LosesOne,
    /// `import` is cut off by the death of Cassandra in its second SSTable: when it starts, it deletes what is in the live
    /// folder of an SSTable without Data.
    DiesHalfWay,
    /// It goes down in the middle of a drain.
    DiesInDrain,
    /// `upgradesstables` succeeds and leaves one SSTable as it was.
    UpgradesAllButOne,
    /// Clients are served whatever it is told.
    KeepsClients,
    /// Maintenance commands fail.
    MaintenanceFails,
    /// One SSTable of each table is skipped when the node starts.
    OpensAllButOne,
}
