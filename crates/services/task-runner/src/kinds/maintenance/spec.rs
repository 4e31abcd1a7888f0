//! What a maintenance task does on which nodes, as it is kept.

use model::plan::PlanStep;
use model::{HostId, MaintenanceJob};
use serde::{Deserialize, Serialize};

use crate::engine::StepError;

/// Its name among the task's documents.
pub(super) const SPEC: &str = "maintenance";

/// A node as the task found it when it was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MaintainedNode {
    pub host_id: HostId,
    /// The node's address, which steps are named after.
    pub address: String,
    pub agent: String,
}

/// What a maintenance task does. Never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MaintenanceSpec {
    /// One after the other.
    pub jobs: Vec<MaintenanceJob>,
    /// The nodes of each rack, one rack after the other.
    pub racks: Vec<Vec<MaintainedNode>>,
    /// Nodes of one rack that are at work at a time.
    pub concurrency: usize,
}

impl MaintenanceSpec {
    pub fn steps(&self) -> Vec<PlanStep> {
        let rack = |rack: &Vec<MaintainedNode>| -> Vec<String> {
            rack.iter().map(|node| node.address.clone()).collect()
        };
        let racks: Vec<Vec<String>> = self.racks.iter().map(rack).collect();
        let racks: Vec<Vec<&str>> = racks
            .iter()
            .map(|rack| rack.iter().map(String::as_str).collect())
            .collect();
        plan::maintenance_steps(&racks, self.jobs.len(), self.concurrency)
    }

    /// The job and the node of a step.
    pub fn part(&self, step: &str) -> Result<(&MaintenanceJob, &MaintainedNode), StepError> {
        for (at, job) in self.jobs.iter().enumerate() {
            let mut nodes = self.racks.iter().flatten();
            let is_meant =
                |node: &&MaintainedNode| plan::maintenance_step_id(at, &node.address) == step;
            if let Some(node) = nodes.find(is_meant) {
                return Ok((job, node));
            }
        }
        Err(StepError::incomplete(format!("there is no step `{step}`")))
    }
}
