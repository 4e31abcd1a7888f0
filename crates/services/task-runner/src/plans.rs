//! Plans of restores that were shown: numbered, so that the very plan that somebody has read can be started.
//!
//! What is kept is what was asked for and a digest of what would be done. A plan is started by making it again: if it
//! comes out the same, it is the one that was shown; if not, the world has changed and it is refused.

use std::sync::Arc;

use api::pb::planner::RestorePlan;
use jiff::Timestamp;
use prost::Message;
use serde::{Deserialize, Serialize};
use state_store::{Expected, StateError, StateStore};

use crate::error::RunnerError;
use crate::restore::NewRestore;
use crate::store::{decode, encode};

const PLANS: &str = "plans/";
/// Of the newest plans; who wants an older one plans again.
const KEPT_MAX: usize = 200;
/// How often a number is tried where others take the same one.
const NUMBER_TRIES: usize = 20;

/// A plan that was shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PlanRecord {
    pub wish: NewRestore,
    pub digest: String,
    pub made_at: Timestamp,
}

#[derive(Clone)]
pub(crate) struct PlanStore {
    store: Arc<dyn StateStore>,
}

/// Padded, so that keys sort as numbers.
fn key(number: u64) -> String {
    format!("{PLANS}{number:020}")
}

fn number(key: &str) -> u64 {
    key.strip_prefix(PLANS)
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

impl PlanStore {
    pub fn new(store: Arc<dyn StateStore>) -> Self {
        Self { store }
    }

    /// Keeps a plan; answers its number.
    pub async fn keep(&self, record: &PlanRecord) -> Result<u64, RunnerError> {
        let mut tries = 0;
        loop {
            let kept = self.store.list(PLANS).await?;
            let next = kept.last().map_or(0, |entry| number(&entry.key)) + 1;
            let key = key(next);
            let value = encode(&key, record)?;
            match self.store.put(&key, value, Expected::Absent, None).await {
                Ok(_) => {
                    // The newest is never among them, so that no number is given twice.
                    for old in kept.iter().rev().skip(KEPT_MAX) {
                        self.store
                            .delete(&old.key, Expected::Anything, None)
                            .await?;
                    }
                    return Ok(next);
                }
                Err(StateError::Conflict { .. }) if tries < NUMBER_TRIES => tries += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    pub async fn get(&self, number: u64) -> Result<Option<PlanRecord>, RunnerError> {
        let entry = self.store.get(&key(number)).await?;
        entry.map(decode).transpose()
    }
}

/// A hash over what a plan does. What it says, and for how long it may take, changes with the hour and is left out.
pub(crate) fn digest(plan: &RestorePlan) -> String {
    let mut plan = plan.clone();
    plan.number = 0;
    plan.seconds = 0;
    plan.findings.clear();
    for node in &mut plan.nodes {
        node.seconds = 0;
    }
    blake3::hash(&plan.encode_to_vec()).to_hex().to_string()
}

/// What came out otherwise, for people.
pub(crate) fn difference(plan: &RestorePlan) -> String {
    let refusals: Vec<&str> = plan
        .findings
        .iter()
        .filter(|finding| finding.severity() == api::pb::types::Severity::Refusal)
        .map(|finding| finding.message.as_str())
        .collect();
    match refusals.as_slice() {
        [] => "made now, it would do something else: the ring, the schema or the backup's files are not what they were".to_owned(),
        refusals => format!("made now, it is refused: {}", refusals.join("; ")),
    }
}
