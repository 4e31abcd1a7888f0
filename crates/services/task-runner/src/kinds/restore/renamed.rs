//! Whether a plan gives each table the name that was asked for.

use model::plan::{Rename, TableAction, TablePlan};

use crate::error::RunnerError;

/// Whatever the planner makes of renames: no table of the backup is loaded under its own name.
pub(super) fn check(tables: &[TablePlan], renames: &[Rename]) -> Result<(), RunnerError> {
    if renames.is_empty() {
        return Ok(());
    }
    let mut filled = tables.iter().filter(|table| is_filled(table));
    match filled.find(|table| !renames.iter().any(|rename| gives(rename, table))) {
        None => Ok(()),
        Some(table) => Err(RunnerError::PlanNotUnderstood(format!(
            "the restore gives other names, and none of them is {}",
            table.table
        ))),
    }
}

fn is_filled(table: &TablePlan) -> bool {
    table.action != TableAction::RebuildView
}

/// Whether the table gets its name by this rename.
fn gives(rename: &Rename, table: &TablePlan) -> bool {
    let Some(source) = &table.source else {
        return false;
    };
    match rename {
        Rename::Table { from, to } => source == from && table.table == *to,
        Rename::Keyspace { from, to } => {
            source.keyspace == *from
                && table.table.keyspace == *to
                && source.table == table.table.table
        }
    }
}

#[cfg(test)]
mod tests {
    use model::{TableId, TableRef};
    use uuid::Uuid;

    use super::*;

    fn planned(source: Option<&str>, table: &str) -> TablePlan {
        let name = |text: &str| {
            let (keyspace, table) = text.split_once('.').expect("keyspace.table");
            TableRef::new(keyspace, table)
        };
        TablePlan {
            source: source.map(name),
            table: name(table),
            source_id: TableId(Uuid::from_u128(1)),
            target_id: TableId(Uuid::from_u128(2)),
            action: TableAction::Create,
            bytes: 0,
        }
    }

    #[test]
    fn a_table_that_gets_no_name_by_the_renames_is_not_restored() {
        let renames = [
            Rename::Keyspace {
                from: "shop".into(),
                to: "copy".into(),
            },
            Rename::Table {
                from: TableRef::new("crm", "people"),
                to: TableRef::new("crm", "old"),
            },
        ];
        for (source, table, is_renamed) in [
            (Some("shop.orders"), "copy.orders", true),
            (Some("crm.people"), "crm.old", true),
            // As a planner leaves it that does not know of renames.
            (None, "shop.orders", false),
            (None, "copy.orders", false),
            (Some("shop.orders"), "shop.orders", false),
            (Some("shop.orders"), "copy.items", false),
            (Some("crm.people"), "copy.people", false),
        ] {
            let tables = vec![planned(source, table)];
            let found = check(&tables, &renames);
            assert_eq!(found.is_ok(), is_renamed, "{source:?} {table}");
            assert!(check(&tables, &[]).is_ok());
        }
    }
}
