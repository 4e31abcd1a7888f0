//! Whether a plan gives each table the name that was asked for.

use model::Selection;
use model::plan::{Rename, RestoreOptions, TableAction, TablePlan};

use crate::error::RunnerError;

/// Whatever the planner makes of renames: no table of the backup is loaded under its own name.
pub(super) fn check(tables: &[TablePlan], renames: &[Rename]) -> Result<(), RunnerError> {
    if renames.is_empty() {
        return Ok(());
    }
    let mut tables = tables.iter();
    match tables.find(|table| !renames.iter().any(|rename| gives(rename, table))) {
        None => Ok(()),
        Some(table) => Err(RunnerError::PlanNotUnderstood(format!(
            "the restore gives other names, and none of them is {}",
            table.table
        ))),
    }
}

/// What is selected, by the names in the backup. Nothing but what is renamed is restored.
pub(super) fn selection(options: &RestoreOptions) -> Selection {
    let mut selection = options.selection.clone();
    if selection.is_everything() {
        for rename in &options.renames {
            match rename {
                Rename::Keyspace { from, .. } => selection.keyspaces.push(from.clone()),
                Rename::Table { from, .. } => selection.tables.push(from.clone()),
            }
        }
    }
    selection
}

/// Whether the table gets its name by this rename. A view is of a keyspace that gets tables: one that is rebuilt with its
/// table need not be in the backup.
fn gives(rename: &Rename, table: &TablePlan) -> bool {
    if table.action == TableAction::RebuildView {
        return rename.to_keyspace() == table.table.keyspace;
    }
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
            missing: false,
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

    #[test]
    fn a_view_is_rebuilt_in_a_new_keyspace_only() {
        let renames = [Rename::Keyspace {
            from: "shop".into(),
            to: "copy".into(),
        }];
        for (table, is_new) in [("copy.v", true), ("shop.v", false)] {
            let view = TablePlan {
                action: TableAction::RebuildView,
                ..planned(None, table)
            };
            assert_eq!(check(&[view], &renames).is_ok(), is_new, "{table}");
        }
    }

    #[test]
    fn without_a_selection_only_what_is_renamed_is_looked_at() {
        let mut options = RestoreOptions::default();
        options.renames.push(Rename::Table {
            from: TableRef::new("shop", "orders"),
            to: TableRef::new("copy", "orders"),
        });
        assert_eq!(
            selection(&options).tables,
            [TableRef::new("shop", "orders")]
        );
        options.selection.keyspaces.push("shop".into());
        assert_eq!(selection(&options), options.selection);
        assert!(selection(&RestoreOptions::default()).is_everything());
    }
}
