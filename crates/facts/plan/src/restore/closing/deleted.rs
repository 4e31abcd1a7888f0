//! What keeps deleted rows deleted, and what people have to do so that tombstones are dropped again.

use std::collections::BTreeMap;

use model::TableRef;
use model::cql::quote;

use crate::cql::GRACE;
use crate::findings::Findings;
use crate::restore::schema::tombstones;
use crate::restore::sstables::Restored;
use crate::{codes, wording};

/// Statements that a hint spells out before it shows how they are made.
const STATEMENTS_MAX: usize = 4;

pub(crate) fn check(restored: &Restored, findings: &mut Findings) {
    let age = wording::duration(restored.tombstones.age_seconds);
    let mut groups: BTreeMap<(&str, u64, u64), Vec<&TableRef>> = BTreeMap::new();
    for (table, grace) in restored.tombstones.raised() {
        let group = (table.keyspace.as_str(), grace.was, grace.will_be);
        groups.entry(group).or_default().push(table);
    }
    for ((keyspace, was, raised), tables) in groups {
        let is_view = |table: &TableRef| {
            let mut decided = restored.outcome.decided.iter();
            decided.any(|it| it.plan.table == *table && it.view_of.is_some())
        };
        let lower = match tables.len() {
            0..=STATEMENTS_MAX => {
                let statements = tables
                    .iter()
                    .map(|table| tombstones::alter(table, is_view(table), was));
                Vec::from_iter(statements).join("; ")
            }
            _ => format!(
                "for each of the tables ALTER TABLE {}.TABLE WITH {} = {was}",
                quote(keyspace),
                GRACE
            ),
        };
        let time_left = raised.saturating_sub(was + restored.tombstones.age_seconds);
        findings.say(
            codes::TOMBSTONES_KEPT,
            keyspace,
            format!(
                "the backup is {age} old, so that rows which were deleted before it could come back: {} of {} is raised from {was} to {raised} until they are repaired",
                GRACE,
                wording::list(tables),
            ),
            format!(
                "{}, which is to end within {} from now; then {lower}",
                wording::repair_command(restored.given.request.target.as_str(), &[keyspace]),
                wording::duration(time_left)
            ),
        );
    }
}
