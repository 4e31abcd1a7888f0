//! Replaces compaction strategies that the target does not have.

use super::{Rewrite, Work};
use crate::option::{Literal, OptionValue, Options};
use crate::order::ObjectKey;

/// The options that every strategy understands.
const COMMON: &[&str] = &[
    "enabled",
    "max_threshold",
    "min_threshold",
    "only_purge_repaired_tombstones",
    "tombstone_compaction_interval",
    "tombstone_threshold",
    "unchecked_tombstone_compaction",
];

impl Work<'_> {
    pub(super) fn compaction(&mut self, key: &ObjectKey, rewrite: Rewrite, options: &mut Options) {
        let Some(value) = options.get_mut("compaction") else {
            return;
        };
        let OptionValue::Map(map) = value else {
            return;
        };
        let class = match rewrite {
            Rewrite::TimeWindow => "TimeWindowCompactionStrategy",
            _ => "SizeTieredCompactionStrategy",
        };
        let mut instead = map.clone();
        instead.retain(|name, _| {
            COMMON.contains(&name.as_str())
                || rewrite == Rewrite::TimeWindow && name == "timestamp_resolution"
        });
        instead.insert("class".to_owned(), Literal::text(class));
        let instead = OptionValue::Map(instead);
        let before = format!("compaction = {value}");
        let after = format!("compaction = {instead}");
        if self.take(key.clone(), rewrite, before, after) {
            *value = instead;
        }
    }
}
