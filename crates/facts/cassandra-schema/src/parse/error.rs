//! Errors of parsing: why a statement is not understood, and where.

use model::SchemaKind;

/// Why a statement is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseErrorKind {
    /// Something else was expected.
    #[error("expected {expected}, found {found}")]
    Expected {
        /// What was expected.
        expected: &'static str,
        /// What was found.
        found: String,
    },
    /// A string, name or bracket is never closed.
    #[error("a string, name or bracket is never closed")]
    Unclosed,
    /// Types are nested too deep.
    #[error("the type is nested too deep")]
    TooDeep,
    /// The statement, which begins with this word, creates or changes nothing in a schema.
    #[error("`{0}` makes nothing in a schema")]
    NotSchema(String),
    /// This name has no keyspace, and none is in use.
    #[error("`{0}` names no keyspace")]
    NoKeyspace(String),
    /// The statement needs an object that no statement before it creates.
    #[error("there is no {what} `{name}` before it")]
    Unknown {
        /// The kind of object.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// The object exists already.
    #[error("the {what} `{name}` is there already")]
    Duplicate {
        /// The kind of object.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// The option `id` is not a table id.
    #[error("`{0}` is not a table id")]
    TableId(String),
}

/// A statement that is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}, at byte {at_bytes} of `{statement}`")]
pub struct ParseError {
    /// What is wrong.
    pub kind: ParseErrorKind,
    /// The beginning of the statement.
    pub statement: String,
    /// The offset in the statement, in bytes.
    pub at_bytes: usize,
}

const SHOWN_CHARS: usize = 80;

impl ParseError {
    pub(crate) fn new(kind: ParseErrorKind, statement: &str, at_bytes: usize) -> Self {
        let mut shown: String = statement.chars().take(SHOWN_CHARS).collect();
        if shown.len() < statement.len() {
            shown.push('…');
        }
        Self {
            kind,
            statement: shown,
            at_bytes,
        }
    }
}

/// A part of a schema that is not understood; the rest of the schema can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {error}", self.subject())]
pub struct ParseProblem {
    /// The kind of object according to the entry; `None` for a statement of a script.
    pub kind: Option<SchemaKind>,
    /// The keyspace in the entry; empty if it is unknown.
    pub keyspace: String,
    /// The name in the entry; empty if it is unknown.
    pub name: String,
    /// The first error.
    pub error: ParseError,
}

impl ParseProblem {
    fn subject(&self) -> String {
        match (self.keyspace.as_str(), self.name.as_str()) {
            ("", "") => "a statement".to_owned(),
            (keyspace, "") => keyspace.to_owned(),
            (keyspace, name) => format!("{keyspace}.{name}"),
        }
    }
}
