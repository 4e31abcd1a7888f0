//! What a statement of the plan does, and to what.

use model::TableRef;
use model::cql::{Token, TokenKind, tokens};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    CreateKeyspace,
    CreateTable,
    CreateType,
    CreateFunction,
    CreateAggregate,
    CreateIndex,
    CreateView,
    /// Adds or drops columns.
    AlterColumns,
    /// Changes options of a table or view.
    AlterOptions,
    DropTable,
    DropIndex,
    DropView,
    Truncate,
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Does {
    pub verb: Verb,
    /// Of a keyspace its name, twice.
    pub name: TableRef,
    /// The table that an index or view is made on; else that of the name.
    pub on: TableRef,
}

/// Words between the verb and the name that say nothing of what is done.
const FILLERS: [&str; 8] = [
    "IF",
    "NOT",
    "EXISTS",
    "OR",
    "REPLACE",
    "CUSTOM",
    "MATERIALIZED",
    "COLUMNFAMILY",
];

impl Does {
    pub fn of(statement: &str) -> Self {
        let all: Vec<Token> = tokens(statement).collect();
        let mut words = all.iter().filter(|token| !is_filler(token));
        let first = words.next().map_or("", |token| token.text);
        let mut rest: Vec<&Token> = words.collect();
        let object = rest.first().map_or("", |token| token.text);
        let verb = match (
            first.to_ascii_uppercase().as_str(),
            object.to_ascii_uppercase().as_str(),
        ) {
            ("CREATE", "KEYSPACE") => Verb::CreateKeyspace,
            ("CREATE", "TABLE") => Verb::CreateTable,
            ("CREATE", "TYPE") => Verb::CreateType,
            ("CREATE", "FUNCTION") => Verb::CreateFunction,
            ("CREATE", "AGGREGATE") => Verb::CreateAggregate,
            ("CREATE", "INDEX") => Verb::CreateIndex,
            ("CREATE", "VIEW") => Verb::CreateView,
            ("ALTER", "TABLE" | "VIEW") => Verb::AlterOptions,
            ("DROP", "TABLE") => Verb::DropTable,
            ("DROP", "INDEX") => Verb::DropIndex,
            ("DROP", "VIEW") => Verb::DropView,
            ("TRUNCATE", _) => Verb::Truncate,
            _ => Verb::Other,
        };
        if verb != Verb::Truncate || object.eq_ignore_ascii_case("TABLE") {
            rest.drain(..rest.len().min(1));
        }
        let (name, length) = name(&rest);
        let behind = &rest[length.min(rest.len())..];
        let verb = match verb {
            Verb::AlterOptions if !behind.first().is_some_and(|token| token.is("WITH")) => {
                Verb::AlterColumns
            }
            verb => verb,
        };
        let word = match verb {
            Verb::CreateIndex => Some("ON"),
            Verb::CreateView => Some("FROM"),
            _ => None,
        };
        let at = word.and_then(|word| rest.iter().position(|token| token.is(word)));
        let on = at.map_or_else(|| name.clone(), |at| self::name(&rest[at + 1..]).0);
        Self { verb, name, on }
    }
}

fn is_filler(token: &Token) -> bool {
    FILLERS.iter().any(|filler| token.is(filler))
}

/// The name at the front, and how many tokens it is of.
fn name(tokens: &[&Token]) -> (TableRef, usize) {
    let part = |at: usize| {
        let token = tokens.get(at);
        token
            .filter(|token| matches!(token.kind, TokenKind::Word | TokenKind::Name))
            .and_then(|token| token.name())
            .unwrap_or_default()
    };
    match tokens.get(1) {
        Some(dot) if dot.is_symbol('.') => (TableRef::new(part(0), part(2)), 3),
        _ => (TableRef::new(part(0), part(0)), 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_known_by_what_they_do_and_to_what() {
        for (statement, verb, name, on) in [
            (
                "CREATE KEYSPACE IF NOT EXISTS shop WITH x",
                Verb::CreateKeyspace,
                "shop.shop",
                "shop.shop",
            ),
            (
                "CREATE TABLE IF NOT EXISTS shop.\"T\" (a int)",
                Verb::CreateTable,
                "shop.T",
                "shop.T",
            ),
            (
                "create type shop.t (a int)",
                Verb::CreateType,
                "shop.t",
                "shop.t",
            ),
            (
                "CREATE OR REPLACE FUNCTION shop.f (a int) X",
                Verb::CreateFunction,
                "shop.f",
                "shop.f",
            ),
            (
                "CREATE AGGREGATE shop.f (int) X",
                Verb::CreateAggregate,
                "shop.f",
                "shop.f",
            ),
            (
                "CREATE CUSTOM INDEX IF NOT EXISTS i ON shop.t (c)",
                Verb::CreateIndex,
                "i.i",
                "shop.t",
            ),
            (
                "CREATE MATERIALIZED VIEW IF NOT EXISTS shop.v AS SELECT * FROM shop.t WHERE",
                Verb::CreateView,
                "shop.v",
                "shop.t",
            ),
            (
                "ALTER TABLE shop.t DROP c USING TIMESTAMP 1",
                Verb::AlterColumns,
                "shop.t",
                "shop.t",
            ),
            (
                "ALTER TABLE shop.t WITH gc_grace_seconds = 1",
                Verb::AlterOptions,
                "shop.t",
                "shop.t",
            ),
            (
                "ALTER MATERIALIZED VIEW shop.v WITH x = 1",
                Verb::AlterOptions,
                "shop.v",
                "shop.v",
            ),
            (
                "DROP TABLE IF EXISTS shop.t",
                Verb::DropTable,
                "shop.t",
                "shop.t",
            ),
            (
                "DROP INDEX IF EXISTS shop.i",
                Verb::DropIndex,
                "shop.i",
                "shop.i",
            ),
            (
                "DROP MATERIALIZED VIEW IF EXISTS shop.v",
                Verb::DropView,
                "shop.v",
                "shop.v",
            ),
            ("TRUNCATE TABLE shop.t", Verb::Truncate, "shop.t", "shop.t"),
            ("TRUNCATE shop.t", Verb::Truncate, "shop.t", "shop.t"),
            ("", Verb::Other, ".", "."),
        ] {
            let found = Does::of(statement);
            let names = (found.name.to_string(), found.on.to_string());
            assert_eq!(found.verb, verb, "{statement}");
            assert_eq!(
                (names.0.as_str(), names.1.as_str()),
                (name, on),
                "{statement}"
            );
        }
    }
}
