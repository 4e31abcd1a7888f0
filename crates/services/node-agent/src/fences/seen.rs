//! The highest number of each scope, and their form on disk.

use std::fs;
use std::io;
use std::path::Path;

use api::fence::{Fences, Scope};
use cassandra_node::files::FileError;
use serde::de::Error;

use super::FenceError;

/// Scopes that are kept. Each task has one of its own, so those that were not raised for the longest time go first.
const SCOPES_MAX: usize = 2_000;

/// The scope that was raised last is at the end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Seen(Vec<(Scope, u64)>);

impl Seen {
    /// Reads the file; none is as good as an empty one.
    pub fn read(path: &Path) -> Result<Self, FenceError> {
        match fs::read(path) {
            Ok(text) => Self::parse(&text).map_err(|source| FenceError::Unreadable {
                path: path.to_owned(),
                source,
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(FileError::at("read", path)(error).into()),
        }
    }

    fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        let entries: Vec<(String, u64)> = serde_json::from_slice(text)?;
        let entries = entries.into_iter().map(|(scope, number)| {
            let scope = scope.parse().map_err(serde_json::Error::custom)?;
            Ok((scope, number))
        });
        Ok(Self(entries.collect::<Result<_, serde_json::Error>>()?))
    }

    pub fn to_text(&self) -> String {
        let entries = self.0.iter();
        let entries: Vec<_> = entries.map(|(scope, n)| (scope.to_string(), n)).collect();
        serde_json::json!(entries).to_string()
    }

    /// Refuses what is lower than what was seen.
    pub fn check(&self, fences: &Fences) -> Result<(), FenceError> {
        for (scope, sent) in fences.iter() {
            let seen = self.of(scope).unwrap_or(sent);
            if sent < seen {
                return Err(FenceError::Lower { scope, sent, seen });
            }
        }
        Ok(())
    }

    fn of(&self, scope: Scope) -> Option<u64> {
        let found = self.0.iter().find(|(known, _)| *known == scope);
        found.map(|(_, number)| *number)
    }

    /// Takes over what is higher. Whether anything was.
    pub fn raise(&mut self, fences: &Fences) -> bool {
        let mut raised = false;
        for (scope, sent) in fences.iter() {
            if self.of(scope).is_none_or(|seen| seen < sent) {
                self.0.retain(|(known, _)| *known != scope);
                self.0.push((scope, sent));
                raised = true;
            }
        }
        let surplus = self.0.len().saturating_sub(SCOPES_MAX);
        self.0.drain(..surplus);
        raised
    }
}

#[cfg(test)]
mod tests {
    use model::TaskId;
    use uuid::Uuid;

    use super::*;

    fn of_task(n: u128, number: u64) -> Fences {
        Fences::of_task(TaskId(Uuid::from_u128(n)), number)
    }

    #[test]
    fn the_scopes_that_were_not_raised_for_the_longest_time_are_forgotten_first() {
        let mut seen = Seen::default();
        let many = SCOPES_MAX as u128;
        for n in 0..many {
            assert!(seen.raise(&of_task(n, 5)));
        }
        assert!(seen.raise(&of_task(0, 6)), "and is the newest again");
        assert!(!seen.raise(&of_task(0, 6)) && !seen.raise(&of_task(0, 1)));
        assert!(seen.raise(&of_task(many, 1)));
        assert_eq!(seen.0.len(), SCOPES_MAX);
        assert!(seen.check(&of_task(0, 5)).is_err());
        assert!(seen.check(&of_task(1, 1)).is_ok(), "forgotten");
        assert!(seen.check(&of_task(2, 4)).is_err());
        assert_eq!(Seen::parse(seen.to_text().as_bytes()).unwrap(), seen);
    }
}
