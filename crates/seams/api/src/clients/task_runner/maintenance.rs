//! Requests for maintenance, and what the task-runner returns.

use model::task::QueueOptions;
use model::{ClusterName, MaintenanceJob, TaskId};

use crate::convert::task::wire_queue_options;
use crate::convert::{ConversionError, all_into, parsed};
use crate::pb::task_runner as pb;

/// What is run on which nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct StartMaintenance {
    /// None: the only registered cluster that has all of the datacenters.
    pub cluster: Option<ClusterName>,
    /// In this order; none: all, by name.
    pub datacenters: Vec<String>,
    /// None: all.
    pub racks: Vec<String>,
    /// One after the other, each on all nodes.
    pub jobs: Vec<MaintenanceJob>,
    /// How many nodes of one rack are at work at a time; 0: one.
    pub concurrency: u32,
    /// The document that asks for it.
    pub document: Option<MaintenanceDocument>,
    pub queue: QueueOptions,
}

/// A document that asks for maintenance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaintenanceDocument {
    pub kind: String,
    /// Empty: none.
    pub namespace: String,
    pub name: String,
    /// All of it, as JSON.
    pub content: String,
    /// How long after the end of its task the name stays taken; 0: for ever.
    pub ttl_seconds: u64,
}

/// The task that was started or found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartedMaintenance {
    pub task: TaskId,
    pub cluster: ClusterName,
    /// The document was applied before.
    pub existed: bool,
}

impl From<StartMaintenance> for pb::StartMaintenanceRequest {
    fn from(start: StartMaintenance) -> Self {
        Self {
            cluster: start.cluster.map(String::from).unwrap_or_default(),
            datacenters: start.datacenters,
            racks: start.racks,
            jobs: all_into(start.jobs),
            concurrency: start.concurrency,
            document: start.document.map(Into::into),
            queue: wire_queue_options(start.queue),
        }
    }
}

impl From<MaintenanceDocument> for pb::MaintenanceDocument {
    fn from(document: MaintenanceDocument) -> Self {
        Self {
            kind: document.kind,
            namespace: document.namespace,
            name: document.name,
            content: document.content,
            ttl_seconds: document.ttl_seconds,
        }
    }
}

impl From<pb::MaintenanceDocument> for MaintenanceDocument {
    fn from(document: pb::MaintenanceDocument) -> Self {
        Self {
            kind: document.kind,
            namespace: document.namespace,
            name: document.name,
            content: document.content,
            ttl_seconds: document.ttl_seconds,
        }
    }
}

impl TryFrom<pb::StartMaintenanceResponse> for StartedMaintenance {
    type Error = ConversionError;

    fn try_from(response: pb::StartMaintenanceResponse) -> Result<Self, ConversionError> {
        Ok(Self {
            task: parsed("task_id", &response.task_id)?,
            cluster: parsed("cluster", &response.cluster)?,
            existed: response.existed,
        })
    }
}
