//! The call that deletes what tasks have left.

use api::convert::all_into;
use api::pb::node_agent as pb;
use api::status;

use super::call::{Call, Reply};
use crate::error::AgentError;
use crate::leftovers::{self, Clear};

/// Takes no lock here: each leftover is skipped if its lock is held.
pub(super) async fn clear(
    (call, request): (Call, pb::ClearLeftoversRequest),
) -> Reply<pb::ClearLeftoversResponse> {
    let clear = Clear::try_from(request).map_err(status)?;
    call.locked(
        [],
        |agent| async move { Ok::<_, AgentError>(leftovers::clear(&agent, clear).await) },
        |cleared| pb::ClearLeftoversResponse {
            cleared: all_into(cleared),
        },
    )
    .await
}
