//! Writes a materialized view.

use cassandra_versions::Release;
use model::cql::quote;
use model::{SchemaEntry, SchemaKind};

use super::options::options;
use super::render::{entry, qualified};
use super::table::{key_text, keys, order_text};
use crate::cql::{Row, RowError};

pub(super) fn view(
    keyspace: &str,
    row: &Row,
    columns: &[Row],
    release: &Release,
) -> Result<SchemaEntry, RowError> {
    let name = row.text("view_name")?;
    let base = row.text("base_table_name")?;
    let (partition, clustering) = (keys(columns, "partition_key"), keys(columns, "clustering"));
    let selected = if row.flag("include_all_columns")? {
        "*".to_owned()
    } else {
        let mut names = Vec::new();
        let others = columns.iter().filter(|column| {
            !matches!(
                column.optional_text("kind"),
                Some("partition_key" | "clustering")
            )
        });
        for column in partition.iter().chain(&clustering).copied().chain(others) {
            names.push(quote(column.text("column_name")?).into_owned());
        }
        names.join(", ")
    };
    let mut cql = format!(
        "CREATE MATERIALIZED VIEW {} AS\n    SELECT {selected}\n    FROM {}\n    WHERE {}\n    PRIMARY KEY ({})\n    WITH ID = {}",
        qualified(keyspace, name),
        qualified(keyspace, base),
        row.text("where_clause")?,
        key_text(&partition, &clustering)?,
        row.text("id")?,
    );
    if let Some(order) = order_text(&clustering)? {
        cql.push_str(&format!("\n    AND CLUSTERING ORDER BY ({order})"));
    }
    cql.push_str(&options(row, true, release)?);
    Ok(SchemaEntry {
        base_table: base.to_owned(),
        ..entry(keyspace, SchemaKind::View, name, vec![cql])
    })
}
