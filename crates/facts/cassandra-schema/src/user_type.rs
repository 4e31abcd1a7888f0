//! User-defined types.

use model::cql::quote;

use crate::cql_type::CqlType;

/// A field of a user-defined type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name, without quotes.
    pub name: String,
    /// Its type.
    pub of: CqlType,
}

/// A user-defined type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserType {
    /// Its keyspace.
    pub keyspace: String,
    /// Its name, without quotes.
    pub name: String,
    /// The fields in the order in which values are stored.
    pub fields: Vec<Field>,
}

impl UserType {
    /// `keyspace.name`, quoted if necessary.
    pub fn cql_name(&self) -> String {
        format!("{}.{}", quote(&self.keyspace), quote(&self.name))
    }

    /// The statement that creates it.
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
