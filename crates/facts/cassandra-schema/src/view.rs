//! Materialized views.

use model::TableId;
use model::cql::quote;

use crate::option::Options;
use crate::table::{Order, key_text, order_text};

/// Which columns of its table a view has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// `SELECT *`.
    All,
    /// These columns, in their order.
    Columns(Vec<String>),
}

/// A materialized view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Its keyspace, which is its table's.
    pub keyspace: String,
    /// Its name.
    pub name: String,
    /// Its id, by which its folder is named; `None` if unknown.
    pub id: Option<TableId>,
    /// The name of its table, which is in the same keyspace.
    pub base_table: String,
    /// The columns that it has.
    pub selection: Selection,
    /// The conditions behind `WHERE`, as they were written; empty if there are none.
    pub filter: String,
    /// The columns of the partition key, in their order.
    pub partition_key: Vec<String>,
    /// The clustering columns, in their order.
    pub clustering: Vec<(String, Order)>,
    /// Its options, without the id.
    pub options: Options,
}

impl View {
    /// `keyspace.name`, quoted if necessary.
    pub fn cql_name(&self) -> String {
        format!("{}.{}", quote(&self.keyspace), quote(&self.name))
    }

    /// The statement that creates it.
    pub fn to_cql(&self) -> String {
        let selected = match &self.selection {
            Selection::All => "*".to_owned(),
            Selection::Columns(names) => names
                .iter()
                .map(|name| quote(name).into_owned())
                .collect::<Vec<_>>()
                .join(", "),
        };
        let mut cql = format!(
            "CREATE MATERIALIZED VIEW {} AS\n    SELECT {selected}\n    FROM {}.{}",
            self.cql_name(),
            quote(&self.keyspace),
            quote(&self.base_table)
        );
        if !self.filter.is_empty() {
            cql.push_str(&format!("\n    WHERE {}", self.filter));
        }
        let partition: Vec<&str> = self.partition_key.iter().map(String::as_str).collect();
        let clustering: Vec<(&str, Order)> = self
            .clustering
            .iter()
            .map(|(name, order)| (name.as_str(), *order))
            .collect();
        let names: Vec<&str> = clustering.iter().map(|(name, _)| *name).collect();
        cql.push_str(&format!(
            "\n    PRIMARY KEY ({})",
            key_text(&partition, &names)
        ));
        let mut with = Vec::new();
        if let Some(id) = &self.id {
            with.push(format!("ID = {id}"));
        }
        with.extend(order_text(&clustering));
        for (name, value) in &self.options {
            with.push(format!("{} = {value}", quote(name)));
        }
        if !with.is_empty() {
            cql.push_str(&format!("\n    WITH {}", with.join("\n    AND ")));
        }
        cql
    }
}
