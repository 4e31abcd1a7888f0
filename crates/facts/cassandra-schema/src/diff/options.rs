//! Options that were set since the backup.

use std::collections::BTreeSet;

use model::cql::quote;

use super::{Changed, TableDiff, Why};
use crate::normal::default_of;
use crate::table::Table;

pub(super) fn compare(was: &Table, now: &Table, live: &Table, diff: &mut TableDiff) {
    let names: BTreeSet<&String> = was.options.keys().chain(now.options.keys()).collect();
    let mut set = Vec::new();
    for name in names {
        let (backup, at_live) = (was.options.get(name), now.options.get(name));
        if backup == at_live {
            continue;
        }
        // The live value as it is written, if it is.
        let value = live.options.get(name).cloned().or(at_live.cloned());
        match value.or_else(|| default_of(name)) {
            Some(value) => set.push(format!("{} = {value}", quote(name))),
            None => {
                let what = format!("{}.{}", live.cql_name(), quote(name));
                diff.forward.cannot(what, Why::NoDefault);
            }
        }
        diff.options.push(Changed {
            name: name.clone(),
            backup: backup.cloned(),
            live: at_live.cloned(),
        });
    }
    if !set.is_empty() {
        let (table, set) = (live.cql_name(), set.join(" AND "));
        let statement = format!("ALTER TABLE {table} WITH {set}");
        diff.forward.statements.push(statement);
    }
}
