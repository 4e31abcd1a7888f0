//! Typed clients: one trait for each service, in the words of the model.
//!
//! A caller sees neither protobuf nor transport: each method takes and returns types of the crate `model`, has its own
//! deadline, and fails with a [`RemoteError`](crate::RemoteError). The `Remote…` types implement the traits over any channel,
//! TCP, TLS or in memory, so that a service in the same process looks like one on another host.

mod call;
mod limits;
mod node_agent;
mod planner;
mod storage_catalog;
mod task_runner;

pub use call::{OnProgress, SILENCE};
pub use limits::{AgentLimits, CatalogLimits, Deadlines, Silence};
pub use node_agent::{
    NodeAgent, RESTAGE_NEEDED, RemoteNodeAgent, RestoreOnNode, RunMaintenance, StageRestore,
    Taking, TryLoad, UploadSnapshot,
};
pub use planner::{Planner, RemotePlanner};
pub use storage_catalog::{
    BeginBackup, BegunBackup, CommitBackup, CompleteBackup, DeleteBackup, FoundBackup,
    RemoteStorageCatalog, StorageCatalog,
};
pub use task_runner::{
    CreateBackup, CreatedBackup, KnownDead, MaintenanceDocument, NamedBackup, PlanRestore,
    RemoteTaskRunner, StartMaintenance, StartRestore, StartedMaintenance, StartedRestore,
    StartedTask, TaskPage, TaskRunner, TaskWatch,
};
