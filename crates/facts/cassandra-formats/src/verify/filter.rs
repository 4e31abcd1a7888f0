//! Filter.db has every partition key: Cassandra does not look for a key that it lacks.

use super::findings::Findings;
use crate::FILTER;
use crate::big_check::Hex;
use crate::error::{Damage, Error, Result};
use crate::filter::Filter;

pub(super) struct FilterCheck<'a> {
    filter: &'a Filter,
    findings: Findings,
    /// The first failure of the filter's source.
    failed: Option<Error>,
}

impl<'a> FilterCheck<'a> {
    pub(super) fn new(filter: &'a Filter) -> Self {
        Self {
            filter,
            findings: Findings::new(FILTER, "keys that it lacks"),
            failed: None,
        }
    }

    /// The next partition, and where it begins in the uncompressed Data.
    pub(super) fn partition(&mut self, key: &[u8], position: u64) {
        match self.filter.might_contain(key) {
            Ok(true) => {}
            Ok(false) => self.findings.add(|| {
                let what = format!(
                    "lacks the key {} of the partition at {position} of Data, which reads therefore miss; Cassandra \
                     builds a filter for an SSTable that has none",
                    Hex(key)
                );
                Damage::whole(FILTER, what)
            }),
            Err(error) => self.failed = Some(self.failed.take().unwrap_or(error)),
        }
    }

    pub(super) fn finish(self) -> Result<Vec<Damage>> {
        match self.failed {
            Some(error) => Err(error),
            None => Ok(self.findings.into_damage()),
        }
    }
}
