//! The model: a few maps that do what the port promises.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};
use state_store::{Expected, Fence, StateError, Write};

use crate::KEYS;
use crate::steps::{Guess, Operation};

/// What an operation came to, without what only a backend decides.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    Done,
    Entries(Vec<(String, Value, u64)>, bool),
    Conflict(String),
    Fenced,
    Held,
    Repeated(String),
}

impl Outcome {
    pub fn of(error: StateError) -> Self {
        match error {
            StateError::Conflict { key } => Self::Conflict(key),
            StateError::Fenced { .. } => Self::Fenced,
            StateError::LeaseHeld { .. } => Self::Held,
            StateError::RepeatedKey { key } => Self::Repeated(key),
            error => panic!("{error:?}"),
        }
    }
}

#[derive(Default)]
pub struct Model {
    pub now: u64,
    newest: u64,
    pub entries: BTreeMap<String, (Value, u64)>,
    /// Token and end of each lease; one that was released has ended.
    pub leases: HashMap<String, (u64, u64)>,
}

impl Model {
    pub fn writes(&self, operations: &[Operation]) -> Vec<Write> {
        let write = |operation: &Operation| {
            let key = KEYS[operation.key];
            let found = self.entries.get(key).map(|(_, version)| *version);
            let expected = match operation.guess {
                Guess::Absent => Expected::Absent,
                Guess::Anything => Expected::Anything,
                Guess::Right => found.map_or(Expected::Absent, Expected::Version),
                Guess::Newest => Expected::Version(self.newest),
            };
            match operation.value {
                Some(value) => Write::put(key, json!(value), expected),
                None => Write::delete(key, expected),
            }
        };
        operations.iter().map(write).collect()
    }

    pub fn is_held(&self, fence: &Fence) -> bool {
        let lease = self.leases.get(&fence.lease);
        lease.is_some_and(|(token, end)| *token == fence.token && *end > self.now)
    }

    /// Why the transaction is refused; none if it happens.
    pub fn refusal(&self, writes: &[Write], fence: Option<&Fence>) -> Option<Outcome> {
        let repeated = (1..writes.len()).find(|at| {
            let before = writes[..*at].iter();
            before.map(Write::key).any(|key| key == writes[*at].key())
        });
        if let Some(at) = repeated {
            return Some(Outcome::Repeated(writes[at].key().to_owned()));
        }
        if fence.is_some_and(|fence| !self.is_held(fence)) {
            return Some(Outcome::Fenced);
        }
        let unmet = writes.iter().find(|write| {
            let found = self.entries.get(write.key()).map(|(_, version)| *version);
            match write.expected() {
                Expected::Anything => false,
                Expected::Absent => found.is_some(),
                Expected::Version(version) => found != Some(version),
            }
        });
        unmet.map(|write| Outcome::Conflict(write.key().to_owned()))
    }

    pub fn apply(&mut self, writes: Vec<Write>, version: u64) {
        let changes = writes.iter().any(|write| match write {
            Write::Put { .. } => true,
            Write::Delete { key, .. } => self.entries.contains_key(key),
        });
        assert!(
            version > self.newest || (version == self.newest && !changes),
            "versions grow"
        );
        self.newest = version;
        for write in writes {
            match write {
                Write::Put { key, value, .. } => drop(self.entries.insert(key, (value, version))),
                Write::Delete { key, .. } => drop(self.entries.remove(&key)),
            }
        }
    }

    pub fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        descending: bool,
    ) -> Outcome {
        let mut entries: Vec<_> = self
            .entries
            .iter()
            .filter(|(key, _)| key.starts_with(prefix))
            .map(|(key, (value, version))| (key.clone(), value.clone(), *version))
            .collect();
        if descending {
            entries.reverse();
        }
        entries.retain(|(key, ..)| {
            after.is_none_or(|after| (key.as_str() < after) == descending && key != after)
        });
        let more = entries.len() > limit;
        entries.truncate(limit);
        Outcome::Entries(entries, more)
    }
}
