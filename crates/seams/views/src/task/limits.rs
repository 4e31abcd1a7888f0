//! What a task may take on each node.

use model::task::{StepLimits, TransferLimits};
use serde::Serialize;

use crate::some;

/// What a task may take on each node on which it moves data.
#[derive(Debug, Clone, Serialize)]
pub struct LimitsView {
    /// Bytes a second; null: no limit.
    pub bandwidth_bytes_per_second: Option<u64>,
    /// Files at a time; null: no limit.
    pub parallel_files: Option<u32>,
}

/// What has become of the limits on the node of a step.
#[derive(Debug, Clone, Serialize)]
pub struct StepLimitsView {
    /// Those of the task.
    pub asked: LimitsView,
    /// What the agent has confirmed: the lower of the task's limits and its own settings. Null until it has.
    pub in_force: Option<LimitsView>,
    /// Why they are not in force.
    pub error: Option<String>,
}

impl From<TransferLimits> for LimitsView {
    fn from(limits: TransferLimits) -> Self {
        let TransferLimits {
            bandwidth_bytes_per_second,
            parallel_files,
        } = limits;
        Self {
            bandwidth_bytes_per_second: (bandwidth_bytes_per_second > 0)
                .then_some(bandwidth_bytes_per_second),
            parallel_files: (parallel_files > 0).then_some(parallel_files),
        }
    }
}

impl From<&StepLimits> for StepLimitsView {
    fn from(limits: &StepLimits) -> Self {
        Self {
            asked: limits.asked.into(),
            in_force: limits.in_force.map(LimitsView::from),
            error: some(&limits.error),
        }
    }
}
