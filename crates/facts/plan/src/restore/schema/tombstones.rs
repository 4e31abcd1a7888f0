//! How long the target keeps tombstones, so that what was deleted before the backup stays deleted until a repair.
//!
//! A replica that holds a tombstone older than gc_grace_seconds drops it, in compactions and in reads alike, and another that
//! missed the deletion still has the row. The clock runs on while a backup lies in the bucket. So a table whose replicas may
//! disagree is made, or altered before it is loaded, with a gc_grace_seconds under which every tombstone that counted when the
//! backup was taken counts until a repair.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::TableRef;
use model::plan::TableAction;
use placement::{Replication, Ring};

use super::tables::Decided;
use crate::cql::{self, GRACE};
use crate::restore::given::Given;
use crate::restore::placing::replication::{KeyspacePlan, owners};

/// What a table has that does not say.
const DEFAULT_SECONDS: u64 = 864_000;
/// A backup that is younger than this part of gc_grace_seconds is as good as the live data: repairs have to leave as much time
/// as that.
const YOUNG: u64 = 10;
/// The restore and the repair after it are given one gc_grace_seconds, and a day at least.
const REPAIR_SECONDS_MIN: u64 = 86_400;
const HOUR: u64 = 3600;

/// What the tables get. Those that are not here are made as they were, and left as they are.
#[derive(Debug, Default)]
pub(crate) struct Tombstones {
    tables: BTreeMap<TableRef, Grace>,
    /// Of the backup.
    pub age_seconds: u64,
}

/// The gc_grace_seconds of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grace {
    /// In the backup.
    pub was: u64,
    /// On the target, if the table is there and stays.
    pub is: Option<u64>,
    /// While it is loaded, and until it is repaired.
    pub will_be: u64,
}

impl Grace {
    pub fn is_raised(&self) -> bool {
        self.will_be > self.was
    }
}

impl Tombstones {
    pub fn of(given: &Given, keyspaces: &[KeyspacePlan], decided: &[Decided]) -> Self {
        let age_seconds = age_seconds(given);
        let mut tables = BTreeMap::new();
        for keyspace in keyspaces {
            let may_disagree = may_disagree(given, keyspace);
            let of_keyspace = decided
                .iter()
                .filter(|table| table.plan.table.keyspace == keyspace.name && table.is_staged());
            for table in of_keyspace {
                let was = seconds(table.entry.cql.first());
                let raised = match may_disagree {
                    true => raised(was, age_seconds),
                    false => was,
                };
                let is = stays(table).then(|| live_seconds(given, table));
                let will_be = match is {
                    // It may have been raised higher, without a repair since.
                    Some(is) if raised > was => is.max(raised),
                    _ => raised,
                };
                let grace = Grace { was, is, will_be };
                tables.insert(table.plan.table.clone(), grace);
            }
        }
        Self {
            tables,
            age_seconds,
        }
    }

    /// The tables that get more than they had.
    pub fn raised(&self) -> impl Iterator<Item = (&TableRef, &Grace)> {
        self.tables.iter().filter(|(_, grace)| grace.is_raised())
    }

    /// The statement that makes a table, with what it gets.
    pub fn create(&self, table: &Decided, statement: &str) -> String {
        match self.tables.get(&table.plan.table) {
            Some(grace) if grace.is_raised() => {
                cql::with_option_set(statement, GRACE, &grace.will_be.to_string())
            }
            _ => statement.to_owned(),
        }
    }

    /// The statement that gives it to a table that is there, if that has another.
    pub fn alter(&self, table: &Decided) -> Option<String> {
        let grace = self.tables.get(&table.plan.table)?;
        let changes = grace.is.is_some_and(|is| is != grace.will_be);
        changes.then(|| alter(&table.plan.table, table.view_of.is_some(), grace.will_be))
    }

    /// Whether a table that is there gets more than it has.
    pub fn raises_live(&self, table: &Decided) -> bool {
        let grace = self.tables.get(&table.plan.table);
        grace.is_some_and(|grace| grace.is.is_some_and(|is| grace.will_be > is))
    }
}

pub(crate) fn alter(table: &TableRef, is_view: bool, seconds: u64) -> String {
    let kind = match is_view {
        true => "MATERIALIZED VIEW",
        false => "TABLE",
    };
    format!(
        "ALTER {kind} {} WITH {GRACE} = {seconds}",
        cql::table_name(table)
    )
}

/// A tombstone was up to `was` old when the backup was taken, and is older by the backup's age now.
fn raised(was: u64, age_seconds: u64) -> u64 {
    // With 0 tombstones are not wanted, as in tables whose rows only expire.
    if was == 0 || age_seconds < was / YOUNG {
        return was;
    }
    let needed = was + age_seconds + was.max(REPAIR_SECONDS_MIN);
    // Cassandra's is a signed number of 32 bits.
    (needed.div_ceil(HOUR) * HOUR).min(i32::MAX as u64)
}

/// Since the first snapshot.
fn age_seconds(given: &Given) -> u64 {
    let nodes = given.backup.nodes.iter();
    let first: Option<Timestamp> = nodes.map(|node| node.snapshot_taken_at).min();
    first.map_or(0, |first| {
        let seconds = given.request.now.as_second() - first.as_second();
        u64::try_from(seconds).unwrap_or(0)
    })
}

/// One replica agrees with itself, and replicas that were made of the same one agree.
fn may_disagree(given: &Given, keyspace: &KeyspacePlan) -> bool {
    let Some(rings) = &given.inputs.rings else {
        return given.backup.nodes.len() > 1 && given.inputs.cluster.nodes.len() > 1;
    };
    let many = |replication: &Option<Replication>, ring: &Ring| {
        replication
            .as_ref()
            .is_none_or(|replication| replicas(replication, ring) > 1)
    };
    many(&keyspace.source, &rings.source) && many(&keyspace.target, &rings.target)
}

fn replicas(replication: &Replication, ring: &Ring) -> u32 {
    match replication {
        Replication::Simple { replicas } => (*replicas).min(owners(ring, None)),
        Replication::NetworkTopology { datacenters } => datacenters
            .iter()
            .map(|(name, replicas)| (*replicas).min(owners(ring, Some(name))))
            .sum(),
        Replication::Everywhere => owners(ring, None),
        Replication::Local => 1,
    }
}

fn stays(table: &Decided) -> bool {
    table.is_live && table.plan.action != TableAction::Recreate
}

fn live_seconds(given: &Given, table: &Decided) -> u64 {
    let name = &table.plan.table;
    let entry = given
        .live
        .find(table.entry.kind, &name.keyspace, &name.table);
    seconds(entry.and_then(|entry| entry.cql.first()))
}

fn seconds(statement: Option<&String>) -> u64 {
    statement
        .and_then(|statement| cql::option_text(statement, GRACE))
        .and_then(|text| text.parse().ok())
        .unwrap_or(DEFAULT_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tombstones_that_counted_at_the_backup_count_for_a_repair_more() {
        const DAY: u64 = 86_400;
        for (was, age, expected) in [
            // Younger than a tenth.
            (10 * DAY, DAY - 1, 10 * DAY),
            (10 * DAY, DAY, 21 * DAY),
            (10 * DAY, 100 * DAY, 120 * DAY),
            // A repair is given a day at least, and hours are whole.
            (60, 75, DAY + HOUR),
            (0, 100 * DAY, 0),
            (i32::MAX as u64, 10_000 * DAY, i32::MAX as u64),
        ] {
            assert_eq!(raised(was, age), expected, "{was} {age}");
        }
    }
}
