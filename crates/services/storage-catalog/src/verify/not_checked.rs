//! What a verification could not check, counted by reason: it must not pass for sound.

use std::collections::BTreeMap;

use bucket::StoredSstable;
use cassandra_formats::source::Components;
use cassandra_formats::{DATA, is_attached_index};
use model::NotChecked;

use super::rows;

/// Reasons may name what is special to one SSTable; the report stays small whatever they are.
const REASONS_MAX: usize = 32;
const OTHER: &str = "other reasons";

/// SSTables by the reason why a part of them was not checked.
#[derive(Default)]
pub struct Reasons(BTreeMap<String, u64>);

impl Reasons {
    /// Counts an SSTable once for each reason.
    pub fn add_of_one_sstable(&mut self, mut reasons: Vec<String>) {
        reasons.sort();
        reasons.dedup();
        for reason in reasons {
            self.add(reason, 1);
        }
    }

    pub fn add_all(&mut self, other: Self) {
        for (reason, sstables) in other.0 {
            self.add(reason, sstables);
        }
    }

    fn add(&mut self, reason: String, sstables: u64) {
        let is_full = self.0.len() >= REASONS_MAX && !self.0.contains_key(&reason);
        let reason = if is_full { OTHER.to_owned() } else { reason };
        *self.0.entry(reason).or_default() += sstables;
    }

    pub fn into_list(self) -> Vec<NotChecked> {
        let reasons = self.0.into_iter();
        reasons
            .map(|(reason, sstables)| NotChecked { reason, sstables })
            .collect()
    }
}

/// What nothing here checks of an SSTable, whatever its bytes are; found at Data.db, so once for each SSTable.
pub fn beforehand(sstable: &StoredSstable, component: &str) -> Vec<String> {
    if component != DATA {
        return Vec::new();
    }
    let mut reasons = Vec::new();
    if sstable.names().iter().any(|name| is_attached_index(name)) {
        reasons
            .push("attached indexes (SAI, SASI): no more than their hashes is compared".to_owned());
    }
    // A component that is lost is damage, and reported as such.
    if sstable.is_whole() && !rows::has_all_that_rows_need(sstable) {
        reasons.push(format!(
            "rows and index: {} lacks components that they are read with",
            sstable.descriptor().format
        ));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_sstable_counts_once_for_each_reason_and_reasons_are_bounded() {
        let mut reasons = Reasons::default();
        reasons.add_of_one_sstable(vec!["rows".into(), "rows".into(), "index".into()]);
        for number in 10..10 + 2 * REASONS_MAX {
            reasons.add_of_one_sstable(vec![format!("reason {number}"), "rows".into()]);
        }
        let list = reasons.into_list();
        assert_eq!(list.len(), REASONS_MAX + 1);
        let count = |reason: &str| {
            let mut parts = list.iter().filter(|part| part.reason == reason);
            parts.next().map(|part| part.sstables)
        };
        assert_eq!(count("index"), Some(1));
        assert_eq!(count("rows"), Some(1 + 2 * REASONS_MAX as u64));
        assert_eq!(count(OTHER), Some(REASONS_MAX as u64 + 2));
    }
}
