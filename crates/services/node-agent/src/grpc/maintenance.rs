//! The call of a maintenance task.

use api::convert::{ConversionError, parsed, required};
use api::pb::node_agent as pb;
use api::status;
use model::MaintenanceCommand;

use super::call::{Call, Messages, Reply, on_node};
use crate::maintenance::{self, Run};

/// Ids of steps are made of a word and an address.
const STEP_BYTES_MAX: usize = 500;

pub(super) fn run(
    (call, request): (Call, pb::RunMaintenanceRequest),
) -> Reply<Messages<pb::RunMaintenanceResponse>> {
    let run = Run::try_from(request).map_err(status)?;
    let mut locks = vec!["maintenance".to_owned()];
    if run.job.command == MaintenanceCommand::Restart {
        // Nothing else stops or starts Cassandra meanwhile.
        locks.push(on_node());
    }
    call.streamed_under(
        locks,
        |agent, work| async move { maintenance::run(&agent, &run, &work).await },
        |progress, _: Option<()>| pb::RunMaintenanceResponse {
            progress: Some(progress.into()),
        },
    )
}

impl TryFrom<pb::RunMaintenanceRequest> for Run {
    type Error = ConversionError;

    fn try_from(request: pb::RunMaintenanceRequest) -> Result<Self, ConversionError> {
        if request.step.is_empty() {
            return Err(ConversionError::missing("step"));
        }
        if request.step.len() > STEP_BYTES_MAX {
            return Err(ConversionError::invalid("step", "is too long"));
        }
        Ok(Self {
            task: parsed("task_id", &request.task_id)?,
            step: request.step,
            job: required("job", request.job)?.try_into()?,
        })
    }
}
