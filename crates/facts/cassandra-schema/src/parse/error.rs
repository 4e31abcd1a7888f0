//! Why a statement is not understood, and where.

use model::SchemaKind;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseErrorKind {
    #[error("expected {expected}, found {found}")]
    Expected {
        expected: &'static str,
        found: String,
    },
    #[error("a string, name or bracket is never closed")]
    Unclosed,
    #[error("the type is nested too deep")]
    TooDeep,
    #[error("`{0}` makes nothing in a schema")]
    NotSchema(String),
    #[error("`{0}` names no keyspace")]
    NoKeyspace(String),
    #[error("there is no {what} `{name}` before it")]
    Unknown { what: &'static str, name: String },
    #[error("the {what} `{name}` is there already")]
    Duplicate { what: &'static str, name: String },
    #[error("`{0}` is not a table id")]
    TableId(String),
}

/// A statement that is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}, at byte {at_bytes} of `{statement}`")]
pub struct ParseError {
    pub kind: ParseErrorKind,
    /// How the statement begins.
    pub statement: String,
    /// Where in the statement.
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
    /// What the entry says that it is; nothing for a statement of a script.
    pub kind: Option<SchemaKind>,
    /// Empty where it is not known.
    pub keyspace: String,
    pub name: String,
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
