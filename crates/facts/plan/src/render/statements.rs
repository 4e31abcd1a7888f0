//! The CQL of a plan: word by word if it is little, counted by what it does if it is much, or as a script.

use std::fmt::Write;

use model::cql::{Token, TokenKind, tokens};

use crate::wording;
use model::plan::ShownPlan;

/// How many statements of a step are shown word by word.
const SHOWN_MAX: usize = 20;
/// How many names of a group of statements are given.
const NAMED_MAX: usize = 3;

/// How much CQL the text of a plan has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statements {
    /// Many statements of a step are counted.
    Counted,
    /// Every statement.
    All,
}

/// The statements of one step, indented.
pub(super) fn of_step(out: &mut String, cql: &[String], statements: Statements) {
    if statements == Statements::Counted && cql.len() > SHOWN_MAX {
        counted(out, cql);
        return;
    }
    for statement in cql {
        for line in format!("{statement};").lines() {
            let _ = writeln!(out, "    {line}");
        }
    }
}

/// Statements that do the same to things of one keyspace.
struct Group {
    /// Such as `CREATE TABLE`.
    verb: String,
    /// Empty for statements on keyspaces themselves.
    keyspace: String,
    names: Vec<String>,
}

fn counted(out: &mut String, cql: &[String]) {
    let mut groups: Vec<Group> = Vec::new();
    for statement in cql {
        let (verb, keyspace, name) = subject(statement);
        let alike = |group: &&mut Group| group.verb == verb && group.keyspace == keyspace;
        match groups.iter_mut().find(alike) {
            Some(group) => group.names.push(name),
            None => groups.push(Group {
                verb,
                keyspace,
                names: vec![name],
            }),
        }
    }
    for group in &groups {
        let place = if group.keyspace.is_empty() {
            String::new()
        } else {
            format!(" in {}", group.keyspace)
        };
        let count = wording::count(group.names.len() as u64);
        let names = wording::first(&group.names, NAMED_MAX);
        let _ = writeln!(out, "    {count} {}{place}: {names}", group.verb);
    }
    let all = wording::count(cql.len() as u64);
    let _ = writeln!(out, "    --cql prints all {all} statements");
}

/// What a statement does, in which keyspace, and to what. Of a statement of another form its first word.
fn subject(statement: &str) -> (String, String, String) {
    const OBJECTS: [&str; 7] = [
        "KEYSPACE",
        "TYPE",
        "TABLE",
        "VIEW",
        "INDEX",
        "FUNCTION",
        "AGGREGATE",
    ];
    let mut rest = tokens(statement).peekable();
    let mut verb = rest.next().map_or("", |token| token.text).to_uppercase();
    let mut object = "";
    while let Some(token) = rest.next_if(|token| token.kind == TokenKind::Word) {
        let found = OBJECTS.iter().find(|object| token.is(object));
        if let Some(found) = found {
            object = found;
            break;
        }
    }
    verb = format!("{verb} {object}").trim().to_owned();
    while rest
        .next_if(|token| ["IF", "NOT", "EXISTS"].iter().any(|word| token.is(word)))
        .is_some()
    {}
    let (keyspace, name) = name(&mut rest);
    // An index is named without its keyspace where it is made, which is that of its table.
    if object == "INDEX" && keyspace.is_empty() && rest.next_if(|token| token.is("ON")).is_some() {
        let (keyspace, _) = self::name(&mut rest);
        return (verb, keyspace, name);
    }
    (verb, keyspace, name)
}

/// A name, and the keyspace before it if there is one.
fn name<'a>(tokens: &mut std::iter::Peekable<impl Iterator<Item = Token<'a>>>) -> (String, String) {
    let mut one = || {
        tokens
            .next()
            .and_then(|token| token.name())
            .unwrap_or_default()
    };
    let first = one();
    if tokens.next_if(|token| token.is_symbol('.')).is_some() {
        let second = tokens.next().and_then(|token| token.name());
        return (first, second.unwrap_or_default());
    }
    (String::new(), first)
}

/// Every statement of the plan's steps on a line of its own, and behind comments what would be done again afterwards.
/// Made to be read, searched and piped.
pub fn script(plan: &ShownPlan) -> String {
    let mut out = String::new();
    for step in plan.steps.iter().filter(|step| !step.cql.is_empty()) {
        let _ = writeln!(out, "-- step {}", step.id);
        for statement in &step.cql {
            let _ = writeln!(out, "{};", one_line(statement));
        }
    }
    let forward = plan.schema_changes.iter();
    let forward: Vec<&String> = forward.flat_map(|change| &change.forward_cql).collect();
    if !forward.is_empty() {
        out.push_str("-- no step: does again after the restore what it undoes in the schema\n");
    }
    for statement in forward {
        for line in format!("{};", one_line(statement)).lines() {
            let _ = writeln!(out, "-- {line}");
        }
    }
    out
}

/// The statement without line ends between its words. Those in strings and bodies of functions are part of what it means.
fn one_line(statement: &str) -> String {
    let mut line = String::with_capacity(statement.len());
    let mut end = 0;
    for token in tokens(statement) {
        let blank = &statement[end..token.at];
        // Comments are blanks too, and one that runs to the end of its line would take the rest with it.
        if blank.chars().any(|c| c != ' ') {
            line.push(' ');
        } else {
            line.push_str(blank);
        }
        line.push_str(token.text);
        end = token.end();
    }
    line.trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_counted_by_what_they_do_and_where() {
        for (statement, expected) in [
            (
                "CREATE KEYSPACE IF NOT EXISTS \"Shop\" WITH replication = {}",
                ("CREATE KEYSPACE", "", "Shop"),
            ),
            (
                "CREATE TABLE IF NOT EXISTS shop.\"Metrics_2\" (id int PRIMARY KEY)",
                ("CREATE TABLE", "shop", "Metrics_2"),
            ),
            (
                "CREATE CUSTOM INDEX IF NOT EXISTS by_c ON shop.orders (c) USING 'x'",
                ("CREATE INDEX", "shop", "by_c"),
            ),
            (
                "DROP INDEX IF EXISTS shop.by_c",
                ("DROP INDEX", "shop", "by_c"),
            ),
            (
                "CREATE MATERIALIZED VIEW IF NOT EXISTS shop.v AS SELECT *",
                ("CREATE VIEW", "shop", "v"),
            ),
            (
                "CREATE OR REPLACE FUNCTION shop.f (a int) RETURNS int",
                ("CREATE FUNCTION", "shop", "f"),
            ),
            (
                "TRUNCATE TABLE shop.orders",
                ("TRUNCATE TABLE", "shop", "orders"),
            ),
            (
                "ALTER TABLE shop.orders DROP old",
                ("ALTER TABLE", "shop", "orders"),
            ),
            ("", ("", "", "")),
        ] {
            let (verb, keyspace, name) = subject(statement);
            assert_eq!((&*verb, &*keyspace, &*name), expected, "{statement}");
        }
    }

    #[test]
    fn a_statement_of_a_script_is_one_line_and_means_the_same() {
        for (statement, expected) in [
            (
                "CREATE TABLE a.b (\n  id int\n)",
                "CREATE TABLE a.b ( id int )",
            ),
            ("A -- why\n B /* \n */ C", "A B C"),
            ("A 'x\ny'  B", "A 'x\ny'  B"),
            ("F AS $$a;\nb;$$", "F AS $$a;\nb;$$"),
        ] {
            assert_eq!(one_line(statement), expected);
        }
    }
}
