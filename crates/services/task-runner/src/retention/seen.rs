//! What gauges show of retention.

use std::collections::BTreeMap;

use model::ClusterName;
use retention::PolicyState;
use state_store::StateError;

use super::store;
use crate::context::Context;
use crate::engine::{Unreadable, decode_readable};

/// Retention of a cluster that has policies.
pub(crate) struct Retained {
    pub cluster: ClusterName,
    pub policies: usize,
    /// Deletions that the last run that has come to its end was refused; none if there is no such run.
    pub refused: Option<u64>,
}

/// Retention of every cluster, as far as it can be read.
pub(crate) async fn readable(
    context: &Context,
    unreadable: &mut Unreadable,
) -> Result<Vec<Retained>, StateError> {
    let entries = store::all_policies(context).await?;
    let states: Vec<PolicyState> = decode_readable(entries, unreadable);
    let mut counts: BTreeMap<ClusterName, usize> = BTreeMap::new();
    for state in states {
        *counts.entry(state.cluster).or_default() += 1;
    }
    let mut all = Vec::new();
    for (cluster, policies) in counts {
        let newest = store::newest_runs(context, &cluster).await?;
        let runs: Vec<retention::PastRun> = decode_readable(newest, unreadable);
        let ended = runs.iter().find(|run| run.finished_at.is_some());
        let refused = ended.map(|run| run.refused);
        all.push(Retained {
            cluster,
            policies,
            refused,
        });
    }
    Ok(all)
}
