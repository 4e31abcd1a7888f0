//! Calls that a restore makes on a node that serves: CQL, rewritten SSTables, views.

use api::pb::node_agent as pb;
use api::pb::types as pb_types;
use api::status;
use cassandra_node::statements;
use model::TableRef;
use tonic::Status;

use super::call::{Call, Messages, Reply};
use crate::error::AgentError;
use crate::{upgrade, views};

pub(super) async fn execute_cql(
    (call, request): (Call, pb::ExecuteCqlRequest),
) -> Reply<pb::ExecuteCqlResponse> {
    let statements = request.statements;
    let executed = statements.len() as u64;
    call.locked(
        [cql()],
        |agent| async move {
            let executed = statements::execute(&agent.node, &statements).await;
            executed.map_err(AgentError::from)
        },
        |schema_version| pb::ExecuteCqlResponse {
            executed,
            schema_version,
        },
    )
    .await
}

pub(super) fn upgrade_sstables(
    (call, request): (Call, pb::UpgradeSstablesRequest),
) -> Reply<Messages<pb::UpgradeSstablesResponse>> {
    let tables = table_refs(request.tables)?;
    call.streamed(
        "upgradesstables".to_owned(),
        |agent, work| async move { upgrade::upgrade_sstables(&agent, &tables, &work).await },
        |progress, _: Option<()>| pb::UpgradeSstablesResponse {
            progress: Some(progress.into()),
        },
    )
}

pub(super) fn await_views(
    (call, request): (Call, pb::AwaitViewsRequest),
) -> Reply<Messages<pb::AwaitViewsResponse>> {
    let names = table_refs(request.views)?;
    call.streamed(
        on_views(),
        |agent, work| async move { views::await_views(&agent, &names, &work).await },
        |progress, _: Option<()>| pb::AwaitViewsResponse {
            progress: Some(progress.into()),
        },
    )
}

/// Under the lock of waiting for views, so that views whose caller has given up a call like this are waited for only once
/// that call has ended.
pub(super) async fn forget_built_views(
    (call, request): (Call, pb::ForgetBuiltViewsRequest),
) -> Reply<pb::ForgetBuiltViewsResponse> {
    let names = table_refs(request.views)?;
    call.locked(
        [on_views()],
        |agent| async move { views::forget_built(&agent, &names).await },
        |forgotten| pb::ForgetBuiltViewsResponse { forgotten },
    )
    .await
}

pub(super) async fn rebuild_views(
    (call, request): (Call, pb::RebuildViewsRequest),
) -> Reply<pb::RebuildViewsResponse> {
    let names = table_refs(request.views)?;
    call.locked(
        [cql()],
        |agent| async move { views::rebuild(&agent, &names).await },
        |()| pb::RebuildViewsResponse {},
    )
    .await
}

/// The lock of statements that change the schema.
fn cql() -> String {
    "cql".to_owned()
}

/// The lock of what has to do with built views.
fn on_views() -> String {
    "views".to_owned()
}

fn table_refs(tables: Vec<pb_types::TableRef>) -> Result<Vec<TableRef>, Status> {
    api::convert::all(tables).map_err(status)
}
