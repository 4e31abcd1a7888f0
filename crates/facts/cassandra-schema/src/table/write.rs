//! Writes a table as the statements that create it.

use cassandra_versions::{Product, Release};
use model::cql::{literal, quote};

use super::{Column, ColumnKind, DroppedColumn, EdgeEnd, GraphLabel, Order, Table};

/// How dropped columns are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DroppedBy {
    /// They are created and dropped again, which every release line understands.
    Alter,
    /// `DROPPED COLUMN RECORD`, the only way to record a tuple or user type that was not frozen.
    Record,
}

impl Table {
    /// The statements that create it, in their order, in a form that every release line understands.
    pub fn to_cql(&self) -> Vec<String> {
        self.statements(DroppedBy::Alter)
    }

    /// The same in the dialect of this release.
    pub fn to_cql_for(&self, release: &Release) -> Vec<String> {
        self.statements(match release.product {
            Product::Hcd => DroppedBy::Record,
            Product::Cassandra | Product::Dse => DroppedBy::Alter,
        })
    }

    fn statements(&self, dropped_by: DroppedBy) -> Vec<String> {
        if self.has_no_cql {
            return Vec::new();
        }
        let (recorded, altered): (Vec<_>, Vec<_>) = self
            .dropped
            .iter()
            .partition(|column| dropped_by == DroppedBy::Record && column.dropped_us.is_some());
        let mut cql = vec![self.create(&recorded, &altered)];
        let name = self.cql_name();
        for column in &altered {
            let quoted = quote(&column.name);
            cql.push(match column.dropped_us {
                Some(us) => format!("ALTER TABLE {name} DROP {quoted} USING TIMESTAMP {us}"),
                None => format!("ALTER TABLE {name} DROP {quoted}"),
            });
        }
        // In the order of the columns, so that parsing gives the same order.
        for column in self.others().filter(|column| again(&altered, column)) {
            cql.push(format!("ALTER TABLE {name} ADD {}", column_text(column)));
        }
        cql.extend(self.triggers.iter().map(|trigger| {
            let (trigger, class) = (quote(&trigger.name), literal(&trigger.class));
            format!("CREATE TRIGGER {trigger} ON {name} USING {class}")
        }));
        cql
    }

    fn create(&self, recorded: &[&DroppedColumn], altered: &[&DroppedColumn]) -> String {
        let mut lines: Vec<String> = self
            .columns
            .iter()
            .filter(|column| !again(altered, column))
            .map(column_text)
            .collect();
        lines.extend(altered.iter().map(|column| {
            let suffix = if column.is_static { " static" } else { "" };
            format!("{} {}{suffix}", quote(&column.name), column.of)
        }));
        let names = |columns: Vec<&'_ Column>| -> Vec<String> {
            columns.iter().map(|column| column.name.clone()).collect()
        };
        let partition = names(self.partition_key().collect());
        let clustering = names(self.clustering().collect());
        lines.push(format!(
            "PRIMARY KEY ({})",
            key_text(
                &partition.iter().map(String::as_str).collect::<Vec<_>>(),
                &clustering.iter().map(String::as_str).collect::<Vec<_>>()
            )
        ));
        let mut cql = format!(
            "CREATE TABLE {} (\n    {}\n)",
            self.cql_name(),
            lines.join(",\n    ")
        );
        let with = self.properties(recorded);
        if !with.is_empty() {
            cql.push_str(&format!(" WITH {}", with.join("\n    AND ")));
        }
        cql
    }

    fn properties(&self, recorded: &[&DroppedColumn]) -> Vec<String> {
        let mut with = Vec::new();
        if let Some(id) = &self.id {
            with.push(format!("ID = {id}"));
        }
        if self.compact_storage {
            with.push("COMPACT STORAGE".to_owned());
        }
        let orders: Vec<(&str, Order)> = self
            .clustering()
            .filter_map(|column| match column.kind {
                ColumnKind::Clustering(order) => Some((column.name.as_str(), order)),
                _ => None,
            })
            .collect();
        with.extend(order_text(&orders));
        with.extend(self.graph.as_ref().map(graph_text));
        for column in recorded {
            let is_static = if column.is_static { " static" } else { "" };
            with.push(format!(
                "DROPPED COLUMN RECORD {} {}{is_static} USING TIMESTAMP {}",
                quote(&column.name),
                column.of,
                column.dropped_us.unwrap_or_default()
            ));
        }
        for (name, value) in &self.options {
            with.push(format!("{} = {value}", quote(name)));
        }
        with
    }
}

/// Whether a column was dropped once and exists again.
fn again(dropped: &[&DroppedColumn], column: &Column) -> bool {
    dropped.iter().any(|dropped| dropped.name == column.name)
}

/// A column as it is written in `CREATE TABLE` and `ALTER TABLE … ADD`.
pub(crate) fn column_text(column: &Column) -> String {
    let mut text = format!("{} {}", quote(&column.name), column.of);
    if column.kind == ColumnKind::Static {
        text.push_str(" static");
    }
    text.push_str(&mask_text(column));
    text
}

pub(crate) fn mask_text(column: &Column) -> String {
    let mask = column.mask.as_ref();
    mask.map_or_else(String::new, |mask| format!(" MASKED WITH {mask}"))
}

/// The primary key: `a` or `(a, b)`, and the clustering columns behind it.
pub(crate) fn key_text(partition: &[&str], clustering: &[&str]) -> String {
    let quoted: Vec<_> = partition.iter().map(|name| quote(name)).collect();
    let mut text = match quoted.as_slice() {
        [one] => one.clone().into_owned(),
        several => format!("({})", several.join(", ")),
    };
    for name in clustering {
        text.push_str(&format!(", {}", quote(name)));
    }
    text
}

/// The order of all clustering columns; `None` if there are none.
pub(crate) fn order_text(clustering: &[(&str, Order)]) -> Option<String> {
    let columns: Vec<String> = clustering
        .iter()
        .map(|(name, order)| match order {
            Order::Ascending => format!("{} ASC", quote(name)),
            Order::Descending => format!("{} DESC", quote(name)),
        })
        .collect();
    (!columns.is_empty()).then(|| format!("CLUSTERING ORDER BY ({})", columns.join(", ")))
}

fn graph_text(label: &GraphLabel) -> String {
    let named = |label: &Option<String>| {
        let label = label.as_ref();
        label.map_or_else(String::new, |label| format!(" {}", quote(label)))
    };
    match label {
        GraphLabel::Vertex(label) => format!("VERTEX LABEL{}", named(label)),
        GraphLabel::Edge { label, from, to } => format!(
            "EDGE LABEL{} FROM {} TO {}",
            named(label),
            end_text(from),
            end_text(to)
        ),
    }
}

fn end_text(end: &EdgeEnd) -> String {
    let partition: Vec<&str> = end.partition_key.iter().map(String::as_str).collect();
    let clustering: Vec<&str> = end.clustering.iter().map(String::as_str).collect();
    format!(
        "{}({})",
        quote(&end.label),
        key_text(&partition, &clustering)
    )
}
