//! Reads what `nodetool tablestats` prints.

use std::collections::BTreeMap;

use model::TableRef;

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
