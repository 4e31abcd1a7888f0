//! How many agents of a cluster did not reply when they were last asked, if there were any: `reach/<cluster>`.

use std::collections::BTreeMap;

use model::ClusterName;
use serde::{Deserialize, Serialize};
use state_store::{Expected, StateError};

use crate::context::Context;
use crate::engine::{decode, encode};
use crate::error::RunnerError;

const REACH: &str = "reach/";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Reach {
    unreachable: usize,
}

fn key(cluster: &ClusterName) -> String {
    format!("{REACH}{cluster}")
}

/// Keeps what was found out if it is new, whichever runner has found it. Best effort: the next look follows.
pub(crate) async fn note_reach(context: &Context, cluster: &ClusterName, unreachable: usize) {
    if let Err(error) = try_note(context, cluster, unreachable).await {
        let error = api::error::chain(&error);
        tracing::debug!(cluster_id = %cluster, error, "reach of agents not kept");
    }
}

async fn try_note(
    context: &Context,
    cluster: &ClusterName,
    unreachable: usize,
) -> Result<(), RunnerError> {
    let key = key(cluster);
    let kept = context.store.get(&key).await?;
    let kept: Option<Reach> = kept.map(decode).transpose()?;
    if kept.map_or(0, |kept| kept.unreachable) == unreachable {
        return Ok(());
    }
    if unreachable == 0 {
        return Ok(forget_reach(context, cluster).await?);
    }
    let value = encode(&key, &Reach { unreachable })?;
    let put = context.store.put(&key, value, Expected::Anything, None);
    put.await?;
    Ok(())
}

pub(crate) async fn forget_reach(
    context: &Context,
    cluster: &ClusterName,
) -> Result<(), StateError> {
    let key = key(cluster);
    context.store.delete(&key, Expected::Anything, None).await
}

/// The clusters of which agents did not reply, and how many.
pub(super) async fn list(context: &Context) -> Result<BTreeMap<ClusterName, usize>, RunnerError> {
    let mut all = BTreeMap::new();
    for entry in context.store.list(REACH).await? {
        if let Ok(cluster) = entry.key[REACH.len()..].parse() {
            let reach: Reach = decode(entry)?;
            all.insert(cluster, reach.unreachable);
        }
    }
    Ok(all)
}
