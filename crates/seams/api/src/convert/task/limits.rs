//! Limits of a task's transfers between wire and model.

use model::task::{
    BANDWIDTH_BYTES_PER_SECOND_MIN, LimitsChange, NodeLimits, StepLimits, TransferLimits,
};

use crate::convert::ConversionError;
use crate::pb::node_agent::SetLimitsResponse;
use crate::pb::task_runner as pb;

const BANDWIDTH: &str = "bandwidth_bytes_per_second";

/// Refuses a change of nothing, and a bandwidth with which a task would never end.
pub fn limits_change(request: &pb::SetTaskLimitsRequest) -> Result<LimitsChange, ConversionError> {
    let change = LimitsChange {
        bandwidth_bytes_per_second: request.bandwidth_bytes_per_second,
        parallel_files: request.parallel_files,
    };
    if change == LimitsChange::default() {
        return Err(ConversionError::missing("limits"));
    }
    match change.bandwidth_bytes_per_second {
        Some(1..BANDWIDTH_BYTES_PER_SECOND_MIN) => {
            let why = format!("at least {BANDWIDTH_BYTES_PER_SECOND_MIN}, or 0 for no limit");
            Err(ConversionError::invalid(BANDWIDTH, why))
        }
        _ => Ok(change),
    }
}

impl From<TransferLimits> for pb::TaskLimits {
    fn from(limits: TransferLimits) -> Self {
        Self {
            bandwidth_bytes_per_second: limits.bandwidth_bytes_per_second,
            parallel_files: limits.parallel_files,
        }
    }
}

impl From<pb::TaskLimits> for TransferLimits {
    fn from(limits: pb::TaskLimits) -> Self {
        Self {
            bandwidth_bytes_per_second: limits.bandwidth_bytes_per_second,
            parallel_files: limits.parallel_files,
        }
    }
}

impl From<StepLimits> for pb::StepLimits {
    fn from(limits: StepLimits) -> Self {
        Self {
            asked: Some(limits.asked.into()),
            in_force: limits.in_force.map(Into::into),
            error: limits.error,
        }
    }
}

impl From<pb::StepLimits> for StepLimits {
    fn from(limits: pb::StepLimits) -> Self {
        Self {
            asked: limits.asked.map(Into::into).unwrap_or_default(),
            in_force: limits.in_force.map(Into::into),
            error: limits.error,
        }
    }
}

impl From<NodeLimits> for SetLimitsResponse {
    fn from(limits: NodeLimits) -> Self {
        Self {
            upload_bandwidth_bytes_per_second: limits.upload_bandwidth_bytes_per_second,
            download_bandwidth_bytes_per_second: limits.download_bandwidth_bytes_per_second,
            parallel_files: limits.parallel_files,
        }
    }
}

impl From<SetLimitsResponse> for NodeLimits {
    fn from(limits: SetLimitsResponse) -> Self {
        Self {
            upload_bandwidth_bytes_per_second: limits.upload_bandwidth_bytes_per_second,
            download_bandwidth_bytes_per_second: limits.download_bandwidth_bytes_per_second,
            parallel_files: limits.parallel_files,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_nothing_and_a_bandwidth_that_is_too_low_are_refused() {
        let change = |bandwidth, parallel_files| {
            limits_change(&pb::SetTaskLimitsRequest {
                id: String::new(),
                bandwidth_bytes_per_second: bandwidth,
                parallel_files,
            })
        };
        assert_eq!(change(None, None).unwrap_err().field, "limits");
        let low = Some(BANDWIDTH_BYTES_PER_SECOND_MIN - 1);
        assert_eq!(change(low, None).unwrap_err().field, BANDWIDTH);
        for bandwidth in [0, BANDWIDTH_BYTES_PER_SECOND_MIN] {
            let changed = change(Some(bandwidth), None).unwrap();
            assert_eq!(changed.bandwidth_bytes_per_second, Some(bandwidth));
            assert_eq!(changed.parallel_files, None);
        }
        assert_eq!(change(None, Some(0)).unwrap().parallel_files, Some(0));
    }
}
