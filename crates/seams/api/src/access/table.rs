//! The table of all rpcs: who may call each, and whether it changes anything.
//!
//! Least privilege: a role is in a row only if its holder makes that call. SECURITY.md shows the same table.

use super::Role::{self, Agent, Catalog, OperatorRead, OperatorWrite, Planner, Runner};
use super::Rpc;

const TASK_RUNNER: &str = "ringkeep.task_runner.v1.TaskRunner";
const STORAGE_CATALOG: &str = "ringkeep.storage_catalog.v1.StorageCatalog";
const PLANNER: &str = "ringkeep.planner.v1.Planner";
const NODE_AGENT: &str = "ringkeep.node_agent.v1.NodeAgent";
const HEALTH: &str = "grpc.health.v1.Health";

const ANYONE: &[Role] = &[OperatorRead, OperatorWrite, Runner, Catalog, Planner, Agent];
const OPERATORS: &[Role] = &[OperatorRead, OperatorWrite];
const WRITERS: &[Role] = &[OperatorWrite];
const RUNNER: &[Role] = &[Runner];
const OPERATORS_AND_RUNNER: &[Role] = &[OperatorRead, OperatorWrite, Runner];

/// Every rpc of every service, health and reflection included.
pub const RPCS: &[Rpc] = &[
    changes(TASK_RUNNER, "AddCluster", WRITERS),
    reads(TASK_RUNNER, "ListClusters", OPERATORS),
    reads(TASK_RUNNER, "GetCluster", OPERATORS),
    changes(TASK_RUNNER, "RemoveCluster", WRITERS),
    changes(TASK_RUNNER, "CreateBackup", WRITERS),
    // It keeps the plan, under a number, and touches nothing else.
    changes(TASK_RUNNER, "PlanRestore", OPERATORS),
    changes(TASK_RUNNER, "StartRestore", WRITERS),
    changes(TASK_RUNNER, "AcceptRestore", WRITERS),
    changes(TASK_RUNNER, "RollBackRestore", WRITERS),
    changes(TASK_RUNNER, "VerifyBackup", WRITERS),
    changes(TASK_RUNNER, "DeleteBackup", WRITERS),
    changes(TASK_RUNNER, "PinBackup", WRITERS),
    changes(TASK_RUNNER, "UnpinBackup", WRITERS),
    reads(TASK_RUNNER, "ListTasks", OPERATORS),
    reads(TASK_RUNNER, "GetTask", OPERATORS),
    reads(TASK_RUNNER, "WatchTask", OPERATORS),
    changes(TASK_RUNNER, "CancelTask", WRITERS),
    changes(TASK_RUNNER, "PauseTask", WRITERS),
    changes(TASK_RUNNER, "SetTaskLimits", WRITERS),
    changes(TASK_RUNNER, "FailTask", WRITERS),
    changes(TASK_RUNNER, "ResumeTask", WRITERS),
    changes(TASK_RUNNER, "PutSchedule", WRITERS),
    reads(TASK_RUNNER, "ListSchedules", OPERATORS),
    reads(TASK_RUNNER, "GetSchedule", OPERATORS),
    changes(TASK_RUNNER, "DeleteSchedule", WRITERS),
    changes(TASK_RUNNER, "PauseSchedule", WRITERS),
    changes(TASK_RUNNER, "ResumeSchedule", WRITERS),
    changes(TASK_RUNNER, "RunSchedule", WRITERS),
    changes(TASK_RUNNER, "PutRetention", WRITERS),
    reads(TASK_RUNNER, "GetRetention", OPERATORS),
    changes(TASK_RUNNER, "DeleteRetention", WRITERS),
    reads(TASK_RUNNER, "PreviewRetention", OPERATORS),
    changes(TASK_RUNNER, "RunRetention", WRITERS),
    reads(TASK_RUNNER, "PlanCollection", OPERATORS),
    changes(TASK_RUNNER, "RunCollection", WRITERS),
    changes(TASK_RUNNER, "StartMaintenance", WRITERS),
    reads(TASK_RUNNER, "GetMaintenance", OPERATORS),
    reads(TASK_RUNNER, "ListLeftovers", OPERATORS),
    changes(TASK_RUNNER, "ClearLeftovers", WRITERS),
    changes(STORAGE_CATALOG, "BeginBackup", RUNNER),
    changes(STORAGE_CATALOG, "CommitBackup", RUNNER),
    changes(STORAGE_CATALOG, "AbandonBackup", RUNNER),
    reads(STORAGE_CATALOG, "ListBackups", OPERATORS_AND_RUNNER),
    reads(STORAGE_CATALOG, "GetBackup", OPERATORS_AND_RUNNER),
    reads(STORAGE_CATALOG, "FindBackup", OPERATORS_AND_RUNNER),
    reads(STORAGE_CATALOG, "ListSstables", RUNNER),
    // It keeps the result in the bucket.
    changes(STORAGE_CATALOG, "VerifyBackup", RUNNER),
    changes(STORAGE_CATALOG, "SetVerifyLimits", RUNNER),
    changes(STORAGE_CATALOG, "DeleteBackup", RUNNER),
    changes(STORAGE_CATALOG, "DeleteBackupIf", RUNNER),
    reads(STORAGE_CATALOG, "FindGarbage", RUNNER),
    changes(STORAGE_CATALOG, "PinBackup", RUNNER),
    changes(STORAGE_CATALOG, "UnpinBackup", RUNNER),
    reads(STORAGE_CATALOG, "GetStoreStatus", OPERATORS_AND_RUNNER),
    reads(PLANNER, "CheckCompatibility", OPERATORS_AND_RUNNER),
    reads(PLANNER, "PlanBackup", RUNNER),
    reads(PLANNER, "PlanRestore", RUNNER),
    reads(NODE_AGENT, "Describe", RUNNER),
    reads(NODE_AGENT, "GetSchema", RUNNER),
    changes(NODE_AGENT, "TakeSnapshot", RUNNER),
    changes(NODE_AGENT, "UploadSnapshot", RUNNER),
    changes(NODE_AGENT, "ClearSnapshot", RUNNER),
    reads(NODE_AGENT, "FingerprintKeys", RUNNER),
    changes(NODE_AGENT, "StageRestore", RUNNER),
    changes(NODE_AGENT, "TryLoad", RUNNER),
    changes(NODE_AGENT, "ClearTrial", RUNNER),
    changes(NODE_AGENT, "ExecuteCql", RUNNER),
    changes(NODE_AGENT, "LoadStaged", RUNNER),
    changes(NODE_AGENT, "MarkTruncated", RUNNER),
    changes(NODE_AGENT, "CutClientsOff", RUNNER),
    changes(NODE_AGENT, "LetClientsIn", RUNNER),
    changes(NODE_AGENT, "StopCassandra", RUNNER),
    changes(NODE_AGENT, "SwapStaged", RUNNER),
    changes(NODE_AGENT, "SwapBack", RUNNER),
    changes(NODE_AGENT, "StartCassandra", RUNNER),
    changes(NODE_AGENT, "UpgradeSstables", RUNNER),
    reads(NODE_AGENT, "AwaitViews", RUNNER),
    changes(NODE_AGENT, "ForgetBuiltViews", RUNNER),
    changes(NODE_AGENT, "RebuildViews", RUNNER),
    changes(NODE_AGENT, "FinishRestore", RUNNER),
    changes(NODE_AGENT, "RunMaintenance", RUNNER),
    changes(NODE_AGENT, "SetLimits", RUNNER),
    reads(NODE_AGENT, "ListLeftovers", RUNNER),
    changes(NODE_AGENT, "ClearLeftovers", RUNNER),
    reads(HEALTH, "Check", ANYONE),
    reads(HEALTH, "Watch", ANYONE),
    reads(
        "grpc.reflection.v1.ServerReflection",
        "ServerReflectionInfo",
        ANYONE,
    ),
    reads(
        "grpc.reflection.v1alpha.ServerReflection",
        "ServerReflectionInfo",
        ANYONE,
    ),
];

const fn reads(service: &'static str, method: &'static str, roles: &'static [Role]) -> Rpc {
    Rpc {
        service,
        method,
        roles,
        changes: false,
    }
}

const fn changes(service: &'static str, method: &'static str, roles: &'static [Role]) -> Rpc {
    Rpc {
        service,
        method,
        roles,
        changes: true,
    }
}
