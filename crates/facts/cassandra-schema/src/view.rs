//! A materialized view.

use model::TableId;
use model::cql::quote;

use crate::option::Options;
use crate::table::{Order, key_text, order_text};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    All,
    Columns(Vec<String>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    pub keyspace: String,
    pub name: String,
    pub id: Option<TableId>,
    /// In the same keyspace.
    pub base_table: String,
    pub selection: Selection,
    /// What stands behind `WHERE`, as it was written; empty where there is none.
    pub filter: String,
    pub partition_key: Vec<String>,
    pub clustering: Vec<(String, Order)>,
    pub options: Options,
}

impl View {
    pub fn cql_name(&self) -> String {
        format!("{}.{}", quote(&self.keyspace), quote(&self.name))
    }

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
