//! The options behind `WITH`: each a name with a literal or a map of literals.

use std::collections::BTreeMap;
use std::fmt;

use model::cql::literal;

/// Options by name. Their order means nothing.
pub type Options = BTreeMap<String, OptionValue>;

/// A literal of CQL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Literal {
    /// A text in quotes, without them.
    Text(String),
    /// A number, a word, an id or a blob, as it was written.
    Bare(String),
}

impl Literal {
    /// A text, which is given without quotes.
    pub fn text(of: impl Into<String>) -> Self {
        Self::Text(of.into())
    }

    /// The text: Cassandra treats options as text, with quotes or without.
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

/// The value of an option.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OptionValue {
    /// One literal.
    Literal(Literal),
    /// A map of literals.
    Map(BTreeMap<String, Literal>),
    /// A value in other brackets, kept as it was written.
    Raw(String),
}

impl OptionValue {
    /// A text, which is given without quotes.
    pub fn text(of: impl Into<String>) -> Self {
        Self::Literal(Literal::text(of))
    }

    /// A number or word, as it is written in CQL.
    pub fn bare(of: impl Into<String>) -> Self {
        Self::Literal(Literal::Bare(of.into()))
    }

    /// A map of texts, which are given without quotes.
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

    /// The map, if it is one.
    pub fn as_map(&self) -> Option<&BTreeMap<String, Literal>> {
        match self {
            Self::Map(map) => Some(map),
            Self::Literal(_) | Self::Raw(_) => None,
        }
    }

    /// The literal, if it is one.
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

/// The text of one key of a map option.
pub(crate) fn entry<'a>(options: &'a Options, option: &str, key: &str) -> Option<&'a str> {
    options
        .get(option)?
        .as_map()?
        .get(key)
        .map(Literal::content)
}
