//! The options behind `WITH`: each a name with a literal or a map of literals.

use std::collections::BTreeMap;
use std::fmt;

use model::cql::literal;

/// By name. Their order means nothing.
pub type Options = BTreeMap<String, OptionValue>;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Literal {
    /// What stood in quotes, without them.
    Text(String),
    /// A number, a word, an id or a blob, as it was written.
    Bare(String),
}

impl Literal {
    pub fn text(of: impl Into<String>) -> Self {
        Self::Text(of.into())
    }

    /// What it says: Cassandra takes options as text, with quotes or without.
    pub fn content(&self) -> &str {
        match self {
            Self::Text(text) | Self::Bare(text) => text,
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&literal(text)),
            Self::Bare(text) => f.write_str(text),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OptionValue {
    Literal(Literal),
    Map(BTreeMap<String, Literal>),
    /// Brackets of another kind, kept as they were written.
    Raw(String),
}

impl OptionValue {
    pub fn text(of: impl Into<String>) -> Self {
        Self::Literal(Literal::text(of))
    }

    pub fn bare(of: impl Into<String>) -> Self {
        Self::Literal(Literal::Bare(of.into()))
    }

    /// A map of texts.
    pub fn map<K: Into<String>, V: Into<String>>(
        entries: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let entries = entries.into_iter();
        Self::Map(
            entries
                .map(|(key, value)| (key.into(), Literal::text(value)))
                .collect(),
        )
    }

    pub fn as_map(&self) -> Option<&BTreeMap<String, Literal>> {
        match self {
            Self::Map(map) => Some(map),
            Self::Literal(_) | Self::Raw(_) => None,
        }
    }

    pub fn as_literal(&self) -> Option<&Literal> {
        match self {
            Self::Literal(literal) => Some(literal),
            Self::Map(_) | Self::Raw(_) => None,
        }
    }
}

impl fmt::Display for OptionValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(literal) => literal.fmt(f),
            Self::Map(map) => {
                let entries: Vec<String> = map
                    .iter()
                    .map(|(key, value)| format!("{}: {value}", literal(key)))
                    .collect();
                write!(f, "{{{}}}", entries.join(", "))
            }
            Self::Raw(text) => f.write_str(text),
        }
    }
}

/// What a map option says under one key.
pub(crate) fn entry<'a>(options: &'a Options, option: &str, key: &str) -> Option<&'a str> {
    options
        .get(option)?
        .as_map()?
        .get(key)
        .map(Literal::content)
}
