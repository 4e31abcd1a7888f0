//! Parses one statement.

use super::alter::alter;
use super::cursor::{Cursor, Parsed};
use super::error::{ParseError, ParseErrorKind};
use super::option::options;
use super::{function, index, table, view};
use crate::change::{TableChange, TypeChange};
use crate::function::{Aggregate, Function};
use crate::index::Index;
use crate::keyspace::Keyspace;
use crate::option::{Literal, OptionValue, Options};
use crate::table::{Table, Trigger};
use crate::user_type::UserType;
use crate::view::View;

/// The object that a `CREATE` statement creates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    /// A keyspace.
    Keyspace(Keyspace),
    /// A user-defined type.
    Type(UserType),
    /// A user-defined function.
    Function(Function),
    /// A user-defined aggregate.
    Aggregate(Aggregate),
    /// A table.
    Table(Box<Table>),
    /// A secondary index.
    Index(Index),
    /// A materialized view.
    View(View),
    /// A trigger, which belongs to its table.
    Trigger {
        /// The table's keyspace.
        keyspace: String,
        /// The table's name.
        table: String,
        /// The trigger.
        trigger: Trigger,
    },
}

/// The object that an `ALTER` statement changes, by keyspace and name, and the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alters {
    /// A keyspace, and the options to set.
    Keyspace(String, Options),
    /// A user-defined type.
    Type(String, String, TypeChange),
    /// A table.
    Table(String, String, TableChange),
    /// A materialized view, and the options to set.
    View(String, String, Options),
    /// A search index of DSE.
    SearchIndex {
        /// The keyspace of the indexed table.
        keyspace: String,
        /// The indexed table.
        table: String,
        /// The statement as it was written.
        statement: String,
    },
}

/// What a `CREATE` statement does if the object exists already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnExisting {
    /// It fails.
    Fail,
    /// It does nothing: `IF NOT EXISTS`.
    Keep,
    /// It replaces the object: `OR REPLACE`.
    Replace,
}

/// A statement of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// `USE`: the keyspace of names that are not qualified.
    Use(String),
    /// `CREATE`.
    Create(Made, OnExisting),
    /// `ALTER`.
    Alter(Alters),
}

/// Parses one statement. Names that are not qualified are in `keyspace`.
pub fn parse_statement(text: &str, keyspace: Option<&str>) -> Result<Statement, ParseError> {
    let mut cursor = Cursor::new(text, keyspace)?;
    let statement = if cursor.take(&["CREATE"]) {
        create(&mut cursor)?
    } else if cursor.take(&["ALTER"]) {
        Statement::Alter(alter(&mut cursor)?)
    } else if cursor.take(&["USE"]) {
        Statement::Use(cursor.name("the name of a keyspace")?)
    } else {
        let first = cursor.peek().map_or("", |token| token.text);
        let shown = first.chars().take(40).collect();
        return Err(cursor.error(ParseErrorKind::NotSchema(shown)));
    };
    cursor.end()?;
    Ok(statement)
}

fn create(cursor: &mut Cursor) -> Parsed<Statement> {
    let mut on_existing = if cursor.take(&["OR", "REPLACE"]) {
        OnExisting::Replace
    } else {
        OnExisting::Fail
    };
    let mut keep = |cursor: &mut Cursor| {
        if cursor.if_not_exists() {
            on_existing = OnExisting::Keep;
        }
    };
    let made = if cursor.take(&["KEYSPACE"]) || cursor.take(&["SCHEMA"]) {
        keep(cursor);
        Made::Keyspace(keyspace(cursor)?)
    } else if cursor.take(&["TYPE"]) {
        keep(cursor);
        Made::Type(function::user_type(cursor)?)
    } else if cursor.take(&["FUNCTION"]) {
        keep(cursor);
        Made::Function(function::function(cursor)?)
    } else if cursor.take(&["AGGREGATE"]) {
        keep(cursor);
        Made::Aggregate(function::aggregate(cursor)?)
    } else if cursor.take(&["TABLE"]) || cursor.take(&["COLUMNFAMILY"]) {
        keep(cursor);
        Made::Table(Box::new(table::table(cursor)?))
    } else if cursor.take(&["INDEX"]) {
        keep(cursor);
        Made::Index(index::index(cursor, false)?)
    } else if cursor.take(&["CUSTOM", "INDEX"]) {
        keep(cursor);
        Made::Index(index::index(cursor, true)?)
    } else if cursor.take(&["SEARCH", "INDEX"]) {
        keep(cursor);
        Made::Index(index::search_index(cursor)?)
    } else if cursor.take(&["MATERIALIZED", "VIEW"]) {
        keep(cursor);
        Made::View(view::view(cursor)?)
    } else if cursor.take(&["TRIGGER"]) {
        keep(cursor);
        let (keyspace, table, trigger) = table::trigger(cursor)?;
        Made::Trigger {
            keyspace,
            table,
            trigger,
        }
    } else {
        return Err(cursor.expected("what is made"));
    };
    Ok(Statement::Create(made, on_existing))
}

fn keyspace(cursor: &mut Cursor) -> Parsed<Keyspace> {
    let name = cursor.name("the name of a keyspace")?;
    cursor.keywords(&["WITH"], "WITH")?;
    let mut keyspace = Keyspace {
        name,
        replication: Default::default(),
        durable_writes: true,
        options: Options::new(),
    };
    keyspace.set(options(cursor)?);
    Ok(keyspace)
}

impl Keyspace {
    /// Sets options, as `ALTER KEYSPACE` does.
    pub(crate) fn set(&mut self, mut options: Options) {
        match options.remove("replication") {
            Some(OptionValue::Map(map)) => {
                let texts = map.iter();
                self.replication = texts
                    .map(|(key, value)| (key.clone(), value.content().to_owned()))
                    .collect();
            }
            Some(other) => {
                options.insert("replication".to_owned(), other);
            }
            None => {}
        }
        match options.remove("durable_writes") {
            Some(OptionValue::Literal(Literal::Bare(text) | Literal::Text(text))) => {
                self.durable_writes = !text.eq_ignore_ascii_case("false");
            }
            Some(other) => {
                options.insert("durable_writes".to_owned(), other);
            }
            None => {}
        }
        self.options.extend(options);
    }
}
