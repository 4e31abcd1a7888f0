//! What becomes of each table, or of the tables of each keyspace if there are many.

use std::collections::BTreeMap;

use crate::restore::TableAction;
use crate::text_table::TextTable;
use crate::wording;
use model::plan::{ShownPlan, ShownTable};

/// How many tables have a line each.
const SHOWN_MAX: usize = 40;
/// How many tables are named of those that share a line.
const NAMED_MAX: usize = 3;

pub(super) fn tables(plan: &ShownPlan) -> String {
    if plan.tables.is_empty() {
        return String::new();
    }
    // A refused plan must not read as if it had been carried out.
    let fate = if plan.supported {
        "WHAT HAPPENS TO IT"
    } else {
        "WHAT WOULD HAPPEN TO IT"
    };
    if plan.tables.len() > SHOWN_MAX {
        return by_keyspace(&plan.tables, fate);
    }
    let mut rows = TextTable::new(&["TABLE", fate, "ID"]);
    for table in &plan.tables {
        let name = format!("{}.{}", table.keyspace, table.table);
        rows.row([name, in_words(table.action).to_owned(), ids(table)]);
    }
    rows.render()
}

fn in_words(action: Option<TableAction>) -> &'static str {
    match action {
        Some(TableAction::Create) => "is not there: created, then loaded",
        Some(TableAction::Truncate) => "is there: emptied, then loaded",
        Some(TableAction::Recreate) => "is there: dropped, created as it was, then loaded",
        Some(TableAction::RebuildView) => "a view: rebuilt from its base table",
        Some(TableAction::Swap) => "its files are swapped while Cassandra is stopped",
        None => "not known to this release of ringkeep",
    }
}

/// The id is in the name of the table's folder on the nodes.
fn ids(table: &ShownTable) -> String {
    match (&table.source_id, &table.target_id) {
        // No file of a view is taken.
        _ if table.action == Some(TableAction::RebuildView) => "-".to_owned(),
        (Some(source), Some(target)) if source != target => format!("{source} into {target}"),
        (Some(id), _) | (None, Some(id)) => id.clone(),
        (None, None) => "-".to_owned(),
    }
}

/// Tables of one keyspace that fare alike share a line.
fn by_keyspace(tables: &[ShownTable], fate: &'static str) -> String {
    let mut alike: BTreeMap<(&str, &str), Vec<&ShownTable>> = BTreeMap::new();
    for table in tables {
        let key = (table.keyspace.as_str(), in_words(table.action));
        alike.entry(key).or_default().push(table);
    }
    let mut rows = TextTable::new(&["KEYSPACE", ">TABLES", ">BYTES", fate, "AMONG THEM"]);
    for ((keyspace, fate), tables) in alike {
        let names: Vec<&String> = tables.iter().map(|table| &table.table).collect();
        rows.row([
            keyspace.to_owned(),
            wording::count(tables.len() as u64),
            wording::bytes(tables.iter().map(|table| table.bytes).sum()),
            fate.to_owned(),
            wording::first(&names, NAMED_MAX),
        ]);
    }
    rows.render()
}
