//! Changes of a task's limits, each made once.

use jiff::Timestamp;
use model::task::LimitsChange;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::TaskRecord;

/// Requests that wait for a driver at a time, and those that a record remembers.
pub(crate) const REQUESTS_MAX: usize = 16;

/// A change of limits that is asked for through a runner that does not drive the task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LimitsRequest {
    pub id: Uuid,
    pub change: LimitsChange,
    /// The revision of the limits that it changes. Once they have another, it counts for nothing and is asked again.
    pub revision: u64,
    pub asked_at: Timestamp,
}

/// Who asks for a change.
#[derive(Debug, Clone)]
pub(crate) enum AskedLimits {
    /// A caller that waits for the reply.
    Here(LimitsChange),
    /// Callers of other runners, in their order.
    Elsewhere(Vec<LimitsRequest>),
}

/// What was made of requests, so that none is done twice or over a newer change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LimitsHistory {
    /// Grows with each change.
    pub revision: u64,
    /// The last requests that were done, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<Uuid>,
}

impl LimitsHistory {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a request was made of these limits and is not done yet.
    pub fn admits(&self, request: &LimitsRequest) -> bool {
        request.revision == self.revision && !self.requests.contains(&request.id)
    }
}

impl TaskRecord {
    /// Returns whether anything was done: not if all requests were done before, or are older than the last change.
    pub fn change_limits(&mut self, asked: &AskedLimits) -> bool {
        let history = &mut self.limits_history;
        let (changes, done): (Vec<LimitsChange>, Vec<Uuid>) = match asked {
            AskedLimits::Here(change) => (vec![*change], Vec::new()),
            AskedLimits::Elsewhere(requests) => {
                let admitted = requests.iter().filter(|request| history.admits(request));
                admitted.map(|request| (request.change, request.id)).unzip()
            }
        };
        if changes.is_empty() {
            return false;
        }
        let before = self.limits.unwrap_or_default();
        let limits = changes
            .iter()
            .fold(before, |limits, change| change.of(limits));
        self.limits = Some(limits);
        history.revision = history.revision.saturating_add(1);
        history.requests.extend(done);
        let forgotten = history.requests.len().saturating_sub(REQUESTS_MAX);
        history.requests.drain(..forgotten);
        true
    }
}
