//! Reads what `nodetool tablestats` and `nodetool compactionstats` print.

use std::collections::BTreeMap;

use model::TableRef;

use crate::control::Operation;

/// A line of compactionstats: id, kind in one word or more, keyspace, table, done, total, unit, share in percent.
pub(super) fn operation(line: &str) -> Option<Operation> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_id, kind @ .., keyspace, table, done, total, unit, share] = words.as_slice() else {
        return None;
    };
    let is_share = *share == "n/a" || share.ends_with('%');
    if kind.is_empty() || !is_share {
        return None;
    }
    Some(Operation {
        kind: kind.join(" "),
        table: TableRef::new(*keyspace, *table),
        done: done.parse().ok()?,
        total: total.parse().ok()?,
        unit: (*unit).to_owned(),
    })
}

/// The SSTable counts of the tables. What follows `Table (index): …` is an index's and belongs to none of them.
pub(super) fn sstable_counts(output: &str) -> BTreeMap<TableRef, u64> {
    let (mut keyspace, mut table) = (None, None);
    let mut counts = BTreeMap::new();
    for line in output.lines() {
        let Some((label, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        match label.trim() {
            "Keyspace" => (keyspace, table) = (Some(value), None),
            "Table" => table = Some(value),
            label if label.starts_with("Table (") => table = None,
            "SSTable count" => {
                if let (Some(keyspace), Some(table), Ok(count)) = (keyspace, table, value.parse()) {
                    counts.insert(TableRef::new(keyspace, table), count);
                }
            }
            _ => {}
        }
    }
    counts
}
