//! What a schema step has made, and the CQL that drops it again.

use model::cql::{Token, quote, tokens};

/// Statements that drop what these would have made, in an order in which they can be run. Keyspaces are not among them:
/// what others have made there since would go with them.
pub(super) fn drops(statements: &[String]) -> Vec<String> {
    let made = statements.iter().filter_map(|cql| made(cql));
    let things: Vec<Made> = made.filter(|made| made.kind != KEYSPACE).collect();
    // What was made last is dropped first, because it may need what was before.
    things.iter().rev().map(Made::drop).collect()
}

/// The keyspaces that these statements would have made.
pub(super) fn keyspaces(statements: &[String]) -> Vec<String> {
    let made = statements.iter().filter_map(|cql| made(cql));
    made.filter(|made| made.kind == KEYSPACE)
        .map(|made| made.keyspace)
        .collect()
}

struct Made {
    /// As a DROP names it.
    kind: &'static str,
    keyspace: String,
    /// Empty for a keyspace.
    name: String,
}

impl Made {
    fn drop(&self) -> String {
        let (keyspace, name) = (quote(&self.keyspace), quote(&self.name));
        format!("DROP {} IF EXISTS {keyspace}.{name}", self.kind)
    }
}

const KEYSPACE: &str = "KEYSPACE";
const KINDS: [(&str, &str); 7] = [
    (KEYSPACE, KEYSPACE),
    ("TYPE", "TYPE"),
    ("FUNCTION", "FUNCTION"),
    ("AGGREGATE", "AGGREGATE"),
    ("TABLE", "TABLE"),
    ("INDEX", "INDEX"),
    ("VIEW", "MATERIALIZED VIEW"),
];
/// Words between CREATE and the name.
const FILLERS: [&str; 7] = [
    "OR",
    "REPLACE",
    "CUSTOM",
    "MATERIALIZED",
    "IF",
    "NOT",
    "EXISTS",
];

fn made(statement: &str) -> Option<Made> {
    let mut words = tokens(statement);
    if !words.next()?.is("CREATE") {
        return None;
    }
    let mut kind = None;
    let first = loop {
        let word = words.next()?;
        let known = KINDS.iter().find(|(name, _)| word.is(name));
        match known.filter(|_| kind.is_none()) {
            Some((_, known)) => kind = Some(*known),
            None if FILLERS.iter().any(|filler| word.is(filler)) => {}
            None => break word.name()?,
        }
    };
    let kind = kind?;
    let (keyspace, name) = match kind {
        KEYSPACE => (first, String::new()),
        // Its keyspace is that of its table: CREATE INDEX name ON keyspace.table
        "INDEX" => {
            let table = words.find(|word| !word.is("ON"))?;
            (table.name()?, first)
        }
        _ => (first, qualified(&mut words)?),
    };
    Some(Made {
        kind,
        keyspace,
        name,
    })
}

/// The name after a keyspace and a dot.
fn qualified<'a>(words: &mut impl Iterator<Item = Token<'a>>) -> Option<String> {
    match words.next()?.is_symbol('.') {
        true => words.next()?.name(),
        false => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(statements: &[&str], expected: &[&str]) {
        let statements: Vec<String> = statements.iter().map(|cql| (*cql).to_owned()).collect();
        assert_eq!(drops(&statements), expected);
    }

    #[test]
    fn each_thing_is_dropped_by_its_name_and_the_last_first() {
        check(
            &[
                "CREATE TYPE IF NOT EXISTS shop.money (amount int)",
                "CREATE OR REPLACE FUNCTION shop.twice(x int) RETURNS NULL ON NULL INPUT RETURNS int LANGUAGE java AS $$ return x; $$",
                "DROP TABLE IF EXISTS shop.\"Orders\"",
                "CREATE TABLE IF NOT EXISTS shop.\"Orders\" (id int PRIMARY KEY) WITH ID = 1",
                "ALTER TABLE shop.\"Orders\" DROP old",
                "CREATE INDEX IF NOT EXISTS by_c ON shop.\"Orders\" (c)",
                "CREATE CUSTOM INDEX IF NOT EXISTS by_d ON shop.other (d) USING 'SAI'",
                "CREATE MATERIALIZED VIEW IF NOT EXISTS shop.v AS SELECT * FROM shop.t",
            ],
            &[
                "DROP MATERIALIZED VIEW IF EXISTS shop.v",
                "DROP INDEX IF EXISTS shop.by_d",
                "DROP INDEX IF EXISTS shop.by_c",
                "DROP TABLE IF EXISTS shop.\"Orders\"",
                "DROP FUNCTION IF EXISTS shop.twice",
                "DROP TYPE IF EXISTS shop.money",
            ],
        );
    }

    #[test]
    fn a_new_keyspace_is_named_and_never_dropped_with_what_others_made_there() {
        let statements = [
            "CREATE KEYSPACE IF NOT EXISTS blog WITH replication = {'class': 'SimpleStrategy'}",
            "CREATE TABLE IF NOT EXISTS blog.posts (id int PRIMARY KEY)",
            "CREATE TABLE IF NOT EXISTS shop.orders (id int PRIMARY KEY)",
        ];
        check(
            &statements,
            &[
                "DROP TABLE IF EXISTS shop.orders",
                "DROP TABLE IF EXISTS blog.posts",
            ],
        );
        assert_eq!(keyspaces(&statements.map(str::to_owned)), ["blog"]);
    }
}
