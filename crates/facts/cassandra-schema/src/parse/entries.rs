//! Converts schemas from and to their stored form: one entry for each object.

use cassandra_versions::Release;
use model::{SchemaEntry, SchemaKind};

use super::error::{ParseError, ParseErrorKind, ParseProblem};
use super::statement::parse_statement;
use crate::order::{Object, replay_order};
use crate::schema::Schema;
use crate::table::Table;

impl Schema {
    /// Parses a stored schema. Returns everything that is understood, and a problem for each entry that is not.
    pub fn parse(stored: &model::Schema) -> (Self, Vec<ParseProblem>) {
        let mut schema = Self {
            version: stored.version.clone(),
            ..Self::default()
        };
        let mut problems = Vec::new();
        for entry in &stored.entries {
            if let Err(error) = read(&mut schema, entry) {
                problems.push(ParseProblem {
                    kind: Some(entry.kind),
                    keyspace: entry.keyspace.clone(),
                    name: entry.name.clone(),
                    error,
                });
            }
        }
        (schema, problems)
    }
}

impl Schema {
    /// The stored form, in an order in which it can be replayed.
    pub fn to_stored(&self) -> model::Schema {
        self.stored(|object| object.to_cql())
    }

    /// The same in the dialect of this release.
    pub fn to_stored_for(&self, release: &Release) -> model::Schema {
        self.stored(|object| object.to_cql_for(release))
    }

    fn stored(&self, cql: impl Fn(Object) -> Vec<String>) -> model::Schema {
        let objects = replay_order(self).into_iter();
        model::Schema {
            version: self.version.clone(),
            entries: objects.map(|object| entry(object, cql(object))).collect(),
        }
    }
}

fn entry(object: Object, cql: Vec<String>) -> SchemaEntry {
    let key = object.key();
    SchemaEntry {
        keyspace: key.keyspace,
        kind: key.kind,
        name: key.name,
        base_table: match object {
            Object::Index(index) => index.table.clone(),
            Object::View(view) => view.base_table.clone(),
            _ => String::new(),
        },
        cql,
    }
}

fn read(schema: &mut Schema, entry: &SchemaEntry) -> Result<(), ParseError> {
    if entry.cql.is_empty() && entry.kind == SchemaKind::Table {
        let mut table = Table::new(&entry.keyspace, &entry.name);
        table.has_no_cql = true;
        schema.tables.push(table);
        return Ok(());
    }
    // Parsed separately first, so that an entry is taken whole or not at all.
    let mut alone = Schema::default();
    for text in &entry.cql {
        let statement = parse_statement(text, Some(&entry.keyspace))?;
        let said = |kind| ParseError::new(kind, text, 0);
        alone.apply(statement).map_err(said)?;
    }
    let text = entry.cql.first().map_or("", String::as_str);
    if alone.count(entry.kind) == 0 {
        let kind = ParseErrorKind::Expected {
            expected: "a statement that makes what the entry says",
            found: "none".to_owned(),
        };
        return Err(ParseError::new(kind, text, 0));
    }
    let said = |kind| ParseError::new(kind, text, 0);
    schema.absorb(alone).map_err(said)
}
