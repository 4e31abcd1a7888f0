//! Plans of restores that were shown: numbered, so that the very plan that a user has read can be started.
//!
//! The request and a digest of what would be done are kept. A plan is started by making it again: if it comes out the same,
//! it is the one that was shown; if not, the world has changed and it is refused.

use std::sync::Arc;

use jiff::Timestamp;
use model::Severity;
use model::plan::RestorePlan;
use serde::{Deserialize, Serialize};
use state_store::{Expected, StateError, StateStore};

use super::start::NewRestore;
use crate::context::Context;
use crate::engine::{decode, encode};
use crate::error::RunnerError;

const PLANS: &str = "plans/";
/// Only the newest plans are kept; a caller who wants an older one plans again.
const KEPT_MAX: usize = 200;
/// How often a number is tried if others take the same one.
const NUMBER_TRIES: usize = 20;

/// A plan that was shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PlanRecord {
    pub request: NewRestore,
    pub digest: String,
    pub made_at: Timestamp,
}

#[derive(Clone)]
pub(super) struct PlanStore {
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
    pub fn new(context: &Context) -> Self {
        Self {
            store: context.store.clone(),
        }
    }

    /// Keeps a plan; returns its number.
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

/// A hash over what a plan does. Its findings and estimates change with the hour and are left out.
pub(super) fn digest(plan: &RestorePlan) -> Result<String, RunnerError> {
    let mut plan = plan.clone();
    plan.number = 0;
    plan.seconds = 0;
    plan.findings.clear();
    for node in &mut plan.nodes {
        node.seconds = 0;
    }
    let text = serde_json::to_vec(&plan).map_err(|source| StateError::NotJson {
        key: PLANS.to_owned(),
        source,
    })?;
    Ok(blake3::hash(&text).to_hex().to_string())
}

/// What came out differently, for people.
pub(super) fn difference(plan: &RestorePlan) -> String {
    let refusals: Vec<&str> = plan
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Refusal)
        .map(|finding| finding.message.as_str())
        .collect();
    if refusals.is_empty() {
        "made now, it would do something else: the ring, the schema or the backup's files are not what they were".to_owned()
    } else {
        format!("made now, it is refused: {}", refusals.join("; "))
    }
}
