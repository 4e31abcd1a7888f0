//! A user-defined type.

use model::cql::quote;

use crate::cql_type::CqlType;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub of: CqlType,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserType {
    pub keyspace: String,
    pub name: String,
    /// In their order, by which values are stored.
    pub fields: Vec<Field>,
}

impl UserType {
    pub fn cql_name(&self) -> String {
        format!("{}.{}", quote(&self.keyspace), quote(&self.name))
    }

    pub fn to_cql(&self) -> String {
        let fields: Vec<String> = self
            .fields
            .iter()
            .map(|field| format!("    {} {}", quote(&field.name), field.of))
            .collect();
        format!(
            "CREATE TYPE {} (\n{}\n)",
            self.cql_name(),
            fields.join(",\n")
        )
    }
}
