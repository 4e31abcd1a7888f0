//! The primary key: columns that were renamed, and changes that no statement can make.

use model::cql::quote;

use super::{Changed, Rename, TableDiff, Why};
use crate::table::{Column, ColumnKind, Order, Table, key_text};

pub(super) fn compare(was: &Table, now: &Table, diff: &mut TableDiff) {
    let (before, after) = (key(was), key(now));
    let same_shape = before.len() == after.len()
        && before
            .iter()
            .zip(&after)
            .all(|(a, b)| is_partition(a) == is_partition(b));
    let renames: Vec<Rename> = if same_shape {
        renames(&before, &after)
    } else {
        Vec::new()
    };
    let name_now = |name: &str| {
        let renamed = renames.iter().find(|rename| rename.backup == name);
        renamed
            .map_or(name, |rename| rename.live.as_str())
            .to_owned()
    };
    let same_names = same_shape
        && before
            .iter()
            .zip(&after)
            .all(|(a, b)| name_now(&a.name) == b.name);
    if !same_names {
        diff.primary_key = Some(Changed {
            name: "PRIMARY KEY".to_owned(),
            backup: text(was),
            live: text(now),
        });
        diff.forward.cannot(now.cql_name(), Why::PrimaryKey);
        return;
    }
    if !renames.is_empty() {
        let pairs: Vec<String> = renames
            .iter()
            .map(|rename| format!("{} TO {}", quote(&rename.backup), quote(&rename.live)))
            .collect();
        let (table, pairs) = (now.cql_name(), pairs.join(" AND "));
        let statement = format!("ALTER TABLE {table} RENAME {pairs}");
        diff.forward.statements.push(statement);
    }
    diff.renamed = renames;
    for (a, b) in before.iter().zip(&after) {
        let what = format!("{}.{}", now.cql_name(), quote(&b.name));
        if let (Some(backup), Some(live)) = (order(a), order(b))
            && backup != live
        {
            diff.clustering_order.push(Changed {
                name: b.name.clone(),
                backup,
                live,
            });
            diff.forward.cannot(what, Why::ClusteringOrder);
        }
    }
}

fn key(table: &Table) -> Vec<&Column> {
    table.partition_key().chain(table.clustering()).collect()
}

fn is_partition(column: &Column) -> bool {
    column.kind == ColumnKind::PartitionKey
}

fn order(column: &Column) -> Option<Order> {
    match column.kind {
        ColumnKind::Clustering(order) => Some(order),
        _ => None,
    }
}

/// Columns in the same position and of the same type, whose names the other side does not have.
fn renames(before: &[&Column], after: &[&Column]) -> Vec<Rename> {
    let knows = |columns: &[&Column], name: &str| columns.iter().any(|column| column.name == name);
    before
        .iter()
        .zip(after)
        .filter(|(a, b)| a.name != b.name && a.of == b.of)
        .filter(|(a, b)| !knows(after, &a.name) && !knows(before, &b.name))
        .map(|(a, b)| Rename {
            backup: a.name.clone(),
            live: b.name.clone(),
        })
        .collect()
}

fn text(table: &Table) -> String {
    let partition: Vec<&str> = table
        .partition_key()
        .map(|column| column.name.as_str())
        .collect();
    let clustering: Vec<&str> = table
        .clustering()
        .map(|column| column.name.as_str())
        .collect();
    key_text(&partition, &clustering)
}
