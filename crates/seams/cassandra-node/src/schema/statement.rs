//! What a statement of a schema makes, read from its first words.

use model::SchemaKind;
use model::cql::{Token, tokens};

/// What a `CREATE` statement makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Creates {
    Object {
        kind: SchemaKind,
        name: String,
        /// For an index or a view.
        base_table: String,
    },
    /// A trigger is no object of its own here: it goes with its table.
    Trigger { name: String },
}

/// Nothing for a statement that makes nothing new, such as `ALTER`.
pub(super) fn creates(statement: &str) -> Option<Creates> {
    let words: Vec<Token<'_>> = tokens(statement).collect();
    let mut rest = words.as_slice();
    take(&mut rest, "create").then_some(())?;
    if take(&mut rest, "or") {
        take(&mut rest, "replace");
    }
    for adjective in ["custom", "materialized"] {
        take(&mut rest, adjective);
    }
    let (noun, after) = rest.split_first()?;
    rest = after;
    if take(&mut rest, "if") {
        take(&mut rest, "not");
        take(&mut rest, "exists");
    }
    let kind = match noun.text.to_ascii_lowercase().as_str() {
        "keyspace" | "schema" => SchemaKind::Keyspace,
        "type" => SchemaKind::Type,
        "function" => SchemaKind::Function,
        "aggregate" => SchemaKind::Aggregate,
        "table" | "columnfamily" => SchemaKind::Table,
        "index" => SchemaKind::Index,
        "view" => SchemaKind::View,
        "trigger" => {
            return Some(Creates::Trigger {
                name: rest.first()?.name()?,
            });
        }
        _ => return None,
    };
    let name = qualified(rest)?;
    let base_table = match kind {
        SchemaKind::Index => after_word(rest, "on")?,
        SchemaKind::View => after_word(rest, "from")?,
        _ => String::new(),
    };
    Some(Creates::Object {
        kind,
        name,
        base_table,
    })
}

fn take(rest: &mut &[Token<'_>], keyword: &str) -> bool {
    match rest.split_first() {
        Some((first, after)) if first.is(keyword) => {
            *rest = after;
            true
        }
        _ => false,
    }
}

/// The last part of `a` or `a.b`.
fn qualified(rest: &[Token<'_>]) -> Option<String> {
    match rest {
        [_, dot, name, ..] if dot.is_symbol('.') => name.name(),
        [name, ..] => name.name(),
        [] => None,
    }
}

/// The name behind the first such word outside parentheses.
fn after_word(rest: &[Token<'_>], word: &str) -> Option<String> {
    let mut depth = 0;
    for (at, token) in rest.iter().enumerate() {
        match token.text {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ if depth == 0 && token.is(word) => return qualified(&rest[at + 1..]),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(statement: &str, expected: Option<(SchemaKind, &str, &str)>) {
        let found = creates(statement).map(|creates| match creates {
            Creates::Object {
                kind,
                name,
                base_table,
            } => (kind, name, base_table),
            Creates::Trigger { .. } => panic!("a trigger"),
        });
        let expected = expected.map(|(k, n, b)| (k, n.to_owned(), b.to_owned()));
        assert_eq!(found, expected, "{statement}");
    }

    #[test]
    fn the_first_words_say_what_is_made() {
        check(
            "CREATE TABLE IF NOT EXISTS ks.\"T\" (a int)",
            Some((SchemaKind::Table, "T", "")),
        );
        check(
            "CREATE INDEX i ON ks.t (a)",
            Some((SchemaKind::Index, "i", "t")),
        );
        check(
            "CREATE CUSTOM INDEX \"I\" ON \"K s\".\"on\" (values(a)) USING 'x ON y'",
            Some((SchemaKind::Index, "I", "on")),
        );
        check(
            "CREATE MATERIALIZED VIEW ks.v AS SELECT \"from\", b FROM ks.t WHERE a IS NOT NULL",
            Some((SchemaKind::View, "v", "t")),
        );
        check(
            "CREATE OR REPLACE FUNCTION ks.f(a int) ...",
            Some((SchemaKind::Function, "f", "")),
        );
        check("ALTER TABLE ks.t DROP a USING TIMESTAMP 1", None);
        check("CREATE ROLE r", None);
    }

    #[test]
    fn a_trigger_goes_with_its_table() {
        assert_eq!(
            creates("CREATE TRIGGER t ON ks.t USING 'c'"),
            Some(Creates::Trigger { name: "t".into() })
        );
    }
}
