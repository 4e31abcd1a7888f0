//! One row of a result, and typed access to it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A column that does not hold what is expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column `{column}` is not {expected}: {found}")]
pub struct RowError {
    /// Its name.
    pub column: String,
    /// What it should hold, for example `a text`.
    pub expected: &'static str,
    /// What it holds, as JSON, or `missing`.
    pub found: String,
}

/// A row by column name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row(pub Map<String, Value>);

impl Row {
    /// The value, with null and a missing column both as nothing: older releases lack columns of newer ones.
    pub fn value(&self, column: &str) -> Option<&Value> {
        self.0.get(column).filter(|value| !value.is_null())
    }

    fn wrong(&self, column: &str, expected: &'static str) -> RowError {
        RowError {
            column: column.to_owned(),
            expected,
            found: self
                .0
                .get(column)
                .map_or("missing".to_owned(), Value::to_string),
        }
    }

    /// A text that must be there.
    pub fn text(&self, column: &str) -> Result<&str, RowError> {
        self.value(column)
            .and_then(Value::as_str)
            .ok_or_else(|| self.wrong(column, "a text"))
    }

    /// A text; none if it is null, missing or no text.
    pub fn optional_text(&self, column: &str) -> Option<&str> {
        self.value(column).and_then(Value::as_str)
    }

    /// A text that must be there and parse; `expected` is for the error.
    pub fn parsed<T: std::str::FromStr>(
        &self,
        column: &str,
        expected: &'static str,
    ) -> Result<T, RowError> {
        self.text(column)?
            .parse()
            .map_err(|_| self.wrong(column, expected))
    }

    /// A number that must be there.
    pub fn number(&self, column: &str) -> Result<i64, RowError> {
        self.value(column)
            .and_then(Value::as_i64)
            .ok_or_else(|| self.wrong(column, "a number"))
    }

    /// A boolean that must be there.
    pub fn flag(&self, column: &str) -> Result<bool, RowError> {
        self.value(column)
            .and_then(Value::as_bool)
            .ok_or_else(|| self.wrong(column, "true or false"))
    }

    /// The texts of a list or set; an empty collection is null to Cassandra.
    pub fn texts(&self, column: &str) -> Result<Vec<String>, RowError> {
        match self.value(column) {
            None => Ok(Vec::new()),
            Some(value) => value
                .as_array()
                .and_then(|items| {
                    items
                        .iter()
                        .map(|item| item.as_str().map(str::to_owned))
                        .collect()
                })
                .ok_or_else(|| self.wrong(column, "a list of texts")),
        }
    }

    /// A map of texts, sorted by key.
    pub fn map(&self, column: &str) -> Result<BTreeMap<String, String>, RowError> {
        match self.value(column) {
            None => Ok(BTreeMap::new()),
            Some(value) => value
                .as_object()
                .and_then(|entries| {
                    entries
                        .iter()
                        .map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                        .collect()
                })
                .ok_or_else(|| self.wrong(column, "a map of texts")),
        }
    }
}
