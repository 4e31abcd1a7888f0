//! Compares one table of the backup with the live one.

use model::cql::{literal, quote};

use super::{Changed, Forward, Rename, Why, columns, keys, options};
use crate::cql_type::CqlType;
use crate::normal::Normal;
use crate::option::OptionValue;
use crate::table::{Column, ColumnKind, Order, Table};

/// What a restore takes back of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableDiff {
    /// The table's keyspace.
    pub keyspace: String,
    /// The table's name.
    pub table: String,
    /// Live columns that the backup does not have: a restore loses them with their data.
    pub columns_lost: Vec<Column>,
    /// Columns of the backup that are no longer live.
    pub columns_reappear: Vec<Column>,
    /// Columns that were dropped since the backup and added again: their old data reappears.
    pub columns_refilled: Vec<String>,
    /// Key columns that were renamed since the backup.
    pub renamed: Vec<Rename>,
    /// Columns whose type was changed since the backup.
    pub types_revert: Vec<Changed<CqlType>>,
    /// Columns that are static on one side and regular on the other.
    pub kinds_revert: Vec<Changed<ColumnKind>>,
    /// The text of `PRIMARY KEY (…)`, if columns were added to it or removed from it.
    pub primary_key: Option<Changed<String>>,
    /// Clustering columns whose order was changed.
    pub clustering_order: Vec<Changed<Order>>,
    /// Columns whose mask was changed.
    pub masks: Vec<Changed<Option<String>>>,
    /// Options that were changed; `None` is the default.
    pub options: Vec<Changed<Option<OptionValue>>>,
    /// Triggers whose class was changed; `None` is no trigger.
    pub triggers: Vec<Changed<Option<String>>>,
    /// Whether one of the two has COMPACT STORAGE.
    pub compact_storage: Option<Changed<bool>>,
    /// Whether the DSE Graph label was changed.
    pub graph_label_changed: bool,
    /// Whether one of the two has no CQL, so that they cannot be compared.
    pub unknown: bool,
    /// How the changes are brought forward again.
    pub forward: Forward,
}

impl TableDiff {
    /// Whether the two mean the same, apart from the history of dropped columns.
    pub fn is_empty(&self) -> bool {
        let nothing = Self {
            keyspace: self.keyspace.clone(),
            table: self.table.clone(),
            ..Self::default()
        };
        *self == nothing
    }

    /// Whether rows or parts of them appear or disappear, not only options.
    pub fn touches_data(&self) -> bool {
        let same_data = Self {
            masks: Vec::new(),
            options: Vec::new(),
            triggers: Vec::new(),
            graph_label_changed: false,
            forward: Forward::default(),
            ..self.clone()
        };
        !same_data.is_empty()
    }
}

/// Compares a table of the backup with the live table of the same name.
pub fn diff(backup: &Table, live: &Table) -> TableDiff {
    let mut diff = TableDiff {
        keyspace: live.keyspace.clone(),
        table: live.name.clone(),
        ..TableDiff::default()
    };
    if backup.has_no_cql || live.has_no_cql {
        diff.unknown = true;
        diff.forward.cannot(live.cql_name(), Why::NoCql);
        return diff;
    }
    let was = compact_storage(backup, live, &mut diff);
    let (was, now) = (was.normal(), live.normal());
    keys::compare(&was, &now, &mut diff);
    columns::compare(&was, &now, &mut diff);
    options::compare(&was, &now, live, &mut diff);
    triggers(&was, &now, &mut diff);
    if was.graph != now.graph {
        diff.graph_label_changed = true;
        diff.forward.cannot(live.cql_name(), Why::GraphLabel);
    }
    diff
}

/// The backup's table after its storage has become that of the live one.
fn compact_storage(backup: &Table, live: &Table, diff: &mut TableDiff) -> Table {
    let mut was = backup.clone();
    if backup.compact_storage == live.compact_storage {
        return was;
    }
    diff.compact_storage = Some(Changed {
        name: "COMPACT STORAGE".to_owned(),
        backup: backup.compact_storage,
        live: live.compact_storage,
    });
    if live.compact_storage {
        diff.forward.cannot(live.cql_name(), Why::CompactStorage);
    } else {
        let name = live.cql_name();
        let statement = format!("ALTER TABLE {name} DROP COMPACT STORAGE");
        diff.forward.statements.push(statement);
        was.drop_compact_storage();
    }
    was
}

fn triggers(was: &Table, now: &Table, diff: &mut TableDiff) {
    let class = |table: &Table, name: &str| {
        let found = table.triggers.iter().find(|trigger| trigger.name == name);
        found.map(|trigger| trigger.class.clone())
    };
    let mut names: Vec<&String> = was.triggers.iter().map(|trigger| &trigger.name).collect();
    names.extend(now.triggers.iter().map(|trigger| &trigger.name));
    names.sort();
    names.dedup();
    let table = now.cql_name();
    for name in names {
        let (backup, live) = (class(was, name), class(now, name));
        if backup == live {
            continue;
        }
        if backup.is_some() {
            let statement = format!("DROP TRIGGER IF EXISTS {} ON {table}", quote(name));
            diff.forward.statements.push(statement);
        }
        if let Some(class) = &live {
            diff.forward.statements.push(format!(
                "CREATE TRIGGER {} ON {table} USING {}",
                quote(name),
                literal(class)
            ));
        }
        diff.triggers.push(Changed {
            name: name.clone(),
            backup,
            live,
        });
    }
}
