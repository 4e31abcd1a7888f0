//! Limits of what a task moves on each node, which may change while it runs.

use serde::{Deserialize, Serialize};

/// The lowest bandwidth that a task can be limited to, in bytes a second. Below it, the large parts of a file would take
/// longer than a call may go without progress, and the task would never end.
pub const BANDWIDTH_BYTES_PER_SECOND_MIN: u64 = 1 << 20;

/// What a task may take on each node on which it moves data. 0: no limit of its own; the agent's settings are in force.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferLimits {
    #[serde(default)]
    pub bandwidth_bytes_per_second: u64,
    /// Files at a time.
    #[serde(default)]
    pub parallel_files: u32,
}

/// A change of [`TransferLimits`]: what is none stays as it is, and 0 lifts a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitsChange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth_bytes_per_second: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel_files: Option<u32>,
}

/// What is in force on a node for one task: the lower of the task's limits and those of the agent's settings. 0: no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NodeLimits {
    pub upload_bandwidth_bytes_per_second: u64,
    pub download_bandwidth_bytes_per_second: u64,
    /// Files at a time.
    pub parallel_files: u32,
}

/// What has become of a task's limits on the node of a step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepLimits {
    /// Those of the task.
    pub asked: TransferLimits,
    /// Those that the agent has confirmed; none until it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force: Option<TransferLimits>,
    /// Why they are not in force; empty if they are, or if the agent was not asked yet.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
}

impl LimitsChange {
    /// The limits after the change.
    #[must_use]
    pub fn of(self, before: TransferLimits) -> TransferLimits {
        TransferLimits {
            bandwidth_bytes_per_second: self
                .bandwidth_bytes_per_second
                .unwrap_or(before.bandwidth_bytes_per_second),
            parallel_files: self.parallel_files.unwrap_or(before.parallel_files),
        }
    }
}

impl StepLimits {
    /// Limits that the agent has not been asked for yet.
    pub fn to_be_set(asked: TransferLimits) -> Self {
        Self {
            asked,
            ..Self::default()
        }
    }

    /// Whether the agent has neither confirmed nor refused them.
    pub fn is_open(&self) -> bool {
        self.in_force.is_none() && self.error.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_leaves_alone_what_it_does_not_name() {
        let before = TransferLimits {
            bandwidth_bytes_per_second: 5,
            parallel_files: 2,
        };
        let lifted = LimitsChange {
            bandwidth_bytes_per_second: Some(0),
            parallel_files: None,
        };
        let after = lifted.of(before);
        assert_eq!(
            (after.bandwidth_bytes_per_second, after.parallel_files),
            (0, 2)
        );
        assert_eq!(LimitsChange::default().of(before), before);
    }
}
