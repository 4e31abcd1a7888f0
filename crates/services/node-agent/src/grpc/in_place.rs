//! Calls of a restore in place: the node is made quiet, stopped, swapped there or back, and started.

use api::convert::parsed;
use api::pb::node_agent as pb;
use api::status;

use super::call::{Call, Reply, on_node};
use super::convert;
use crate::agent::on_restore;
use crate::{opened, quiesce, restart, swap};

pub(super) async fn mark_truncated(
    (call, request): (Call, pb::MarkTruncatedRequest),
) -> Reply<pb::MarkTruncatedResponse> {
    let restore = request.restore;
    let tables = convert::targets(request.tables).map_err(status)?;
    let cutoff = parsed("cutoff", &request.cutoff).map_err(status)?;
    call.locked(
        [on_node(), on_restore(&restore)],
        |agent| async move { quiesce::mark_truncated(&agent, &restore, &tables, cutoff).await },
        |()| pb::MarkTruncatedResponse {},
    )
    .await
}

pub(super) async fn cut_clients_off(
    (call, request): (Call, pb::CutClientsOffRequest),
) -> Reply<pb::CutClientsOffResponse> {
    let cutoff = parsed("cutoff", &request.cutoff).map_err(status)?;
    call.locked(
        [on_node()],
        |agent| async move { quiesce::cut_clients_off(&agent, cutoff).await },
        |()| pb::CutClientsOffResponse {},
    )
    .await
}

pub(super) async fn let_clients_in(
    (call, request): (Call, pb::LetClientsInRequest),
) -> Reply<pb::LetClientsInResponse> {
    let restore = request.restore;
    call.locked(
        [on_node(), on_restore(&restore)],
        |agent| async move { quiesce::let_clients_in(&agent, &restore).await },
        |()| pb::LetClientsInResponse {},
    )
    .await
}

pub(super) async fn stop(
    (call, request): (Call, pb::StopCassandraRequest),
) -> Reply<pb::StopCassandraResponse> {
    call.locked(
        [on_node()],
        |agent| async move { restart::stop(&agent, &request.restore).await },
        |()| pb::StopCassandraResponse {},
    )
    .await
}

/// Under the node's lock, so that no other call starts Cassandra meanwhile.
pub(super) async fn swap(
    (call, request): (Call, pb::SwapStagedRequest),
) -> Reply<pb::SwapStagedResponse> {
    let restore = request.restore;
    let tables = convert::targets(request.tables).map_err(status)?;
    call.locked(
        [on_node(), on_restore(&restore)],
        |agent| async move { swap::swap(&agent, &restore, &tables).await },
        |sstables| pb::SwapStagedResponse { sstables },
    )
    .await
}

pub(super) async fn swap_back(
    (call, request): (Call, pb::SwapBackRequest),
) -> Reply<pb::SwapBackResponse> {
    let restore = request.restore;
    call.locked(
        [on_node(), on_restore(&restore)],
        |agent| async move { swap::swap_back(&agent, &restore).await },
        |()| pb::SwapBackResponse {},
    )
    .await
}

pub(super) async fn start(
    (call, request): (Call, pb::StartCassandraRequest),
) -> Reply<pb::StartCassandraResponse> {
    let restore = request.restore;
    let tables = convert::targets(request.tables).map_err(status)?;
    call.locked(
        [on_node()],
        |agent| async move { opened::start(&agent, &restore, &tables).await },
        |()| pb::StartCassandraResponse {},
    )
    .await
}
