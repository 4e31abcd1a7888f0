//! How many agents of a cluster did not reply when they were last asked, if there were any: `reach/<cluster>`.

use std::collections::BTreeMap;

use model::ClusterName;
use serde::{Deserialize, Serialize};
use state_store::{Expected, StateError};

use crate::context::Context;
use crate::engine::{Unreadable, decode, encode};
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
    // One that cannot be read is written again.
    let is_kept = match kept.map(decode::<Reach>) {
        Some(Ok(kept)) => kept.unreachable == unreachable,
        Some(Err(_)) => false,
        None => unreachable == 0,
    };
    if is_kept {
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
pub(super) async fn list(
    context: &Context,
    unreadable: &mut Unreadable,
) -> Result<BTreeMap<ClusterName, usize>, StateError> {
    let mut all = BTreeMap::new();
    for entry in context.store.list(REACH).await? {
        let key = entry.key.clone();
        let Ok(cluster) = key[REACH.len()..].parse() else {
            continue;
        };
        match decode::<Reach>(entry) {
            Ok(reach) => drop(all.insert(cluster, reach.unreachable)),
            Err(error) => drop(unreadable.insert(key, api::error::chain(&error))),
        }
    }
    Ok(all)
}
