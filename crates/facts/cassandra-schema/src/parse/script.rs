//! Parses a whole script, for example the `schema.cql` of a snapshot or the output of `DESCRIBE`.

use model::cql::{statements, tokens};

use super::error::{ParseError, ParseProblem};
use super::statement::{Statement, parse_statement};
use crate::schema::Schema;
use crate::table::Table;

impl Schema {
    /// Parses a script. Returns everything that is understood, and a problem for each statement that is not.
    pub fn parse_text(text: &str) -> (Self, Vec<ParseProblem>) {
        let mut schema = Self::default();
        let mut problems = Vec::new();
        let mut used: Option<String> = None;
        for text in statements(text) {
            let done = parse_statement(text, used.as_deref()).and_then(|statement| {
                if let Statement::Use(keyspace) = &statement {
                    used = Some(keyspace.clone());
                }
                let said = |kind| ParseError::new(kind, text, 0);
                schema.apply(statement).map_err(said)
            });
            if let Err(error) = done {
                problems.push(ParseProblem {
                    kind: None,
                    keyspace: used.clone().unwrap_or_default(),
                    name: String::new(),
                    error,
                });
            }
        }
        for (keyspace, name) in omitted(text) {
            if schema.table(&keyspace, &name).is_none() {
                let mut table = Table::new(&keyspace, &name);
                table.has_no_cql = true;
                schema.tables.push(table);
            }
        }
        (schema, problems)
    }
}

impl Schema {
    /// Applies one statement. Names that are not qualified are in `keyspace`.
    pub fn run(&mut self, statement: &str, keyspace: Option<&str>) -> Result<(), ParseError> {
        let said = |kind| ParseError::new(kind, statement, 0);
        let parsed = parse_statement(statement, keyspace)?;
        self.apply(parsed).map_err(said)
    }
}

/// The tables that Cassandra only mentions in a comment, because no CQL can create them.
fn omitted(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut last_end = 0;
    let mut gaps = Vec::new();
    for token in tokens(text) {
        gaps.push(&text[last_end..token.at]);
        last_end = token.end();
    }
    gaps.push(&text[last_end..]);
    for gap in gaps {
        for part in gap.split("Warning: Table ").skip(1) {
            let Some(at) = part.find(" omitted because it has constructs not compatible") else {
                continue;
            };
            let words: Vec<_> = tokens(&part[..at]).collect();
            if let [keyspace, dot, table] = words.as_slice()
                && dot.is_symbol('.')
                && let (Some(keyspace), Some(table)) = (keyspace.name(), table.name())
            {
                found.push((keyspace, table));
            }
        }
    }
    found
}
