//! What is refused, and how it is said.

use cassandra_schema::{ParseErrorKind, Schema, parse_statement};
use model::{SchemaEntry, SchemaKind};

#[track_caller]
fn check(statement: &str, expected: &str) {
    let error = parse_statement(statement, None).expect_err(statement);
    assert_eq!(error.to_string(), format!("{expected} of `{statement}`"));
}

#[test]
fn an_error_reports_what_was_expected_and_where() {
    for (statement, expected) in [
        ("", "`` makes nothing in a schema, at byte 0"),
        (
            "GRANT ALL ON k TO x",
            "`GRANT` makes nothing in a schema, at byte 0",
        ),
        (
            "CREATE ROLE x",
            "expected what is made, found `ROLE`, at byte 7",
        ),
        (
            "CREATE TABLE t (a int PRIMARY KEY)",
            "`t` names no keyspace, at byte 13",
        ),
        (
            "CREATE TABLE k.t (a int)",
            "expected a PRIMARY KEY, found the end of the statement, at byte 24",
        ),
        (
            "CREATE TABLE k.t (a int, PRIMARY KEY (b))",
            "there is no column `b` before it, at byte 41",
        ),
        (
            "CREATE TABLE k.t (a int PRIMARY KEY",
            "expected `,` or `)`, found the end of the statement, at byte 35",
        ),
        (
            "CREATE TABLE k.t (a 'x PRIMARY KEY)",
            "a string, name or bracket is never closed, at byte 20",
        ),
        (
            "CREATE TABLE k.t (a what<int>, PRIMARY KEY (a))",
            "expected frozen, list, set, map, tuple or vector, found `what`, at byte 20",
        ),
        (
            "CREATE TABLE k.t (a int, a text, PRIMARY KEY (a))",
            "the column `a` is there already, at byte 31",
        ),
        (
            "CREATE TABLE k.t (a int PRIMARY KEY) WITH ID = x",
            "`x` is not a table id, at byte 48",
        ),
        (
            "CREATE TABLE k.t (a int PRIMARY KEY) WITH x = 1 AND x = 2",
            "the option `x` is there already, at byte 52",
        ),
        (
            "CREATE TABLE k.t (a int PRIMARY KEY) WITH CLUSTERING ORDER BY (a DESC)",
            "there is no clustering column `a` before it, at byte 70",
        ),
        (
            "CREATE TABLE k.t (a int PRIMARY KEY) nonsense",
            "expected the end of the statement, found `nonsense`, at byte 37",
        ),
        (
            "CREATE INDEX i ON k.t (some(a))",
            "expected values, keys, entries or full, found `some`, at byte 23",
        ),
        (
            "CREATE TYPE k.a (x vector<float, -1>)",
            "expected how many dimensions, found `-`, at byte 33",
        ),
        (
            "ALTER TABLE k.t DROP a USING TIMESTAMP now",
            "expected a timestamp, found `now`, at byte 39",
        ),
    ] {
        check(statement, expected);
    }
}

fn entry(kind: SchemaKind, name: &str, cql: &[&str]) -> SchemaEntry {
    SchemaEntry {
        keyspace: "k".to_owned(),
        kind,
        name: name.to_owned(),
        base_table: String::new(),
        cql: cql.iter().map(|text| (*text).to_owned()).collect(),
    }
}

#[test]
fn an_entry_that_is_not_understood_leaves_the_rest_usable() {
    let stored = model::Schema {
        version: "v".to_owned(),
        entries: vec![
            entry(
                SchemaKind::Keyspace,
                "k",
                &["CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy'}"],
            ),
            entry(
                SchemaKind::Table,
                "bad",
                &[
                    "CREATE TABLE k.bad (a int PRIMARY KEY)",
                    "COMMENT ON TABLE k.bad IS 'x'",
                ],
            ),
            entry(
                SchemaKind::Table,
                "fine",
                &["CREATE TABLE k.fine (a int PRIMARY KEY)"],
            ),
            entry(SchemaKind::Table, "thrift", &[]),
            entry(
                SchemaKind::Index,
                "i",
                &["CREATE TABLE k.other (a int PRIMARY KEY)"],
            ),
            entry(
                SchemaKind::Table,
                "fine",
                &["CREATE TABLE k.fine (a text PRIMARY KEY)"],
            ),
        ],
    };
    let (schema, problems) = Schema::parse(&stored);
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "k.bad: `COMMENT` makes nothing in a schema, at byte 0 of `COMMENT ON TABLE k.bad IS 'x'`",
            "k.i: expected a statement that makes what the entry says, found none, at byte 0 of `CREATE TABLE k.other (a int PRIMARY KEY)`",
            "k.fine: the table `fine` is there already, at byte 0 of `CREATE TABLE k.fine (a text PRIMARY KEY)`",
        ]
    );
    let names: Vec<(&str, bool)> = schema
        .tables
        .iter()
        .map(|table| (table.name.as_str(), table.has_no_cql))
        .collect();
    assert_eq!(names, [("fine", false), ("thrift", true)]);
    assert_eq!(schema.version, "v");
}

#[test]
fn statements_find_what_they_change_or_report_what_is_missing() {
    let (schema, problems) = Schema::parse_text(
        "USE k; CREATE TABLE t (a int PRIMARY KEY, b int); ALTER TABLE t RENAME a TO \"A\"; ALTER TABLE t DROP (b) ; \
         ALTER TABLE t ADD (c int, d text); ALTER TABLE t WITH comment = ';'; ALTER TABLE none DROP b; \
         ALTER TABLE t DROP \"A\"; CREATE TABLE IF NOT EXISTS t (x int PRIMARY KEY); CREATE TABLE t (x int PRIMARY KEY)",
    );
    let kinds: Vec<ParseErrorKind> = problems.into_iter().map(|p| p.error.kind).collect();
    let unknown = |what, name: &str| ParseErrorKind::Unknown {
        what,
        name: name.to_owned(),
    };
    let duplicate = ParseErrorKind::Duplicate {
        what: "table",
        name: "t".to_owned(),
    };
    assert_eq!(
        kinds,
        [
            unknown("table", "k.none"),
            unknown("column", "A"),
            duplicate
        ]
    );
    let names: Vec<&str> = schema.tables[0]
        .columns
        .iter()
        .map(|c| c.name.as_str())
        .collect();
    assert_eq!(names, ["A", "c", "d"]);
}
