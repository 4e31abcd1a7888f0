//! The call that changes the limits of a task's transfers.

use api::convert::parsed;
use api::pb::node_agent as pb;
use api::status;
use model::TaskId;
use model::task::TransferLimits;

use super::call::{Call, Reply};
use crate::error::AgentError;

/// Takes no lock: those of the transfers are held for as long as these run.
pub(super) async fn set(
    (call, request): (Call, pb::SetLimitsRequest),
) -> Reply<pb::SetLimitsResponse> {
    let task: TaskId = parsed("task_id", &request.task_id).map_err(status)?;
    let asked = TransferLimits {
        bandwidth_bytes_per_second: request.bandwidth_bytes_per_second,
        parallel_files: request.parallel_files,
    };
    call.locked(
        [],
        |agent| async move {
            let set = agent.limits.set(&agent.config, &task.to_string(), asked);
            Ok::<_, AgentError>(set)
        },
        Into::into,
    )
    .await
}
