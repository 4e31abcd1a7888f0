//! The kinds of steps that faults hit, and by which call a step of each kind is known.

/// A kind of step, as `task show` names it.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    pub kind: &'static str,
    /// The calls that a step of this kind makes. Several kinds share some of them.
    pub methods: &'static [&'static str],
    /// Whether each node has one; else the cluster has one.
    pub on_each: bool,
    /// Whether the planning makes such calls, too, so that they are held only once the task is there.
    pub planning_calls_too: bool,
}

const fn on_each(kind: &'static str, methods: &'static [&'static str]) -> Step {
    Step {
        kind,
        methods,
        on_each: true,
        planning_calls_too: false,
    }
}

const fn once(kind: &'static str, methods: &'static [&'static str]) -> Step {
    Step {
        on_each: false,
        ..on_each(kind, methods)
    }
}

const fn once_described(kind: &'static str) -> Step {
    Step {
        planning_calls_too: true,
        ..once(kind, &["Describe"])
    }
}

pub const BACKUP: &[Step] = &[
    once("begin", &["BeginBackup"]),
    on_each("snapshot", &["TakeSnapshot"]),
    once_described("capture"),
    on_each("upload", &["UploadSnapshot"]),
    once("commit", &["CommitBackup"]),
    on_each("clear", &["ClearSnapshot"]),
];

/// Of a restore online into a cluster that has most of the tables.
pub const ONLINE: &[Step] = &[
    once("pin", &["PinBackup"]),
    on_each("stage", &["StageRestore"]),
    once("trialschema", &["ExecuteCql"]),
    on_each("trial", &["TryLoad"]),
    once("trialdrop", &["ExecuteCql", "ClearTrial"]),
    once_described("check"),
    once("schema", &["ExecuteCql"]),
    once("replace", &["ExecuteCql"]),
    on_each("load", &["LoadStaged"]),
    once(
        "views",
        &[
            "ExecuteCql",
            "AwaitViews",
            "ForgetBuiltViews",
            "RebuildViews",
        ],
    ),
    on_each("finish", &["FinishRestore"]),
    once("unpin", &["UnpinBackup"]),
];

/// Of a restore in place.
pub const IN_PLACE: &[Step] = &[
    once("pin", &["PinBackup"]),
    on_each("stage", &["StageRestore"]),
    once("trialschema", &["ExecuteCql"]),
    on_each("trial", &["TryLoad"]),
    once("trialdrop", &["ExecuteCql", "ClearTrial"]),
    once_described("check"),
    once("schema", &["ExecuteCql"]),
    once("quiesce", &["MarkTruncated", "CutClientsOff"]),
    on_each("stop", &["StopCassandra"]),
    on_each("swap", &["SwapStaged"]),
    on_each("start", &["StartCassandra"]),
    once("unpin", &["UnpinBackup"]),
];

/// Of the way back from a restore in place. Its other steps are those of the restore.
pub const ROLLBACK: &[Step] = &[
    on_each("swapback", &["SwapBack"]),
    on_each("finish", &["FinishRestore"]),
];

/// Of a restore of an older release's backup. Its other steps are those of [`ONLINE`].
pub const UPGRADE: &Step = &on_each("upgradesstables", &["UpgradeSstables"]);

/// Every step there is, some of them more than once.
pub fn all() -> impl Iterator<Item = &'static Step> {
    let tasks = [BACKUP, ONLINE, IN_PLACE, ROLLBACK];
    tasks.into_iter().flatten().chain([UPGRADE])
}
