//! What a restore takes back, and whether the CQL brings it forward again.

use cassandra_schema::{SameMeaning, Schema, Table, TableDiff, Why, diff, diff_schema, diff_type};
use proptest::prelude::*;

#[track_caller]
fn schema(text: &str) -> Schema {
    let (schema, problems) = Schema::parse_text(text);
    assert_eq!(problems, []);
    schema
}

#[track_caller]
fn table(text: &str) -> Table {
    schema(text).tables.remove(0)
}

#[track_caller]
fn check(backup: &str, live: &str, forward: &[&str], cannot: &[(&str, Why)]) -> TableDiff {
    let diff = diff(&table(backup), &table(live));
    assert_eq!(diff.forward.statements, forward, "{backup}\n{live}");
    let found: Vec<(&str, Why)> = diff
        .forward
        .unforwardable
        .iter()
        .map(|one| (one.what.as_str(), one.why))
        .collect();
    assert_eq!(found, cannot, "{backup}\n{live}");
    assert!(!diff.is_empty());
    diff
}

const T: &str = "CREATE TABLE k.t (a int, b int, s int static, v text, PRIMARY KEY (a, b))";

#[test]
fn added_columns_are_lost_and_dropped_ones_reappear() {
    let live = "CREATE TABLE k.t (a int, b int, s int static, w text, \"X\" list<int> static MASKED WITH DEFAULT, v text, \
                PRIMARY KEY (a, b)); ALTER TABLE k.t DROP v USING TIMESTAMP 7";
    let diff = check(
        T,
        live,
        &[
            "ALTER TABLE k.t DROP v USING TIMESTAMP 7",
            "ALTER TABLE k.t ADD \"X\" list<int> static MASKED WITH mask_default()",
            "ALTER TABLE k.t ADD w text",
        ],
        &[],
    );
    assert!(diff.touches_data());
    let lost: Vec<&str> = diff.columns_lost.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(lost, ["X", "w"]);
    assert_eq!(diff.columns_reappear[0].name, "v");
}

#[test]
fn a_column_dropped_and_added_again_is_emptied_again() {
    let live = "CREATE TABLE k.t (a int, b int, s int static, v text, PRIMARY KEY (a, b)); \
                ALTER TABLE k.t DROP v USING TIMESTAMP 7; ALTER TABLE k.t ADD v blob";
    let diff = check(
        T,
        live,
        &[
            "ALTER TABLE k.t DROP v USING TIMESTAMP 7",
            "ALTER TABLE k.t ADD v blob",
        ],
        &[],
    );
    assert_eq!(diff.columns_refilled, ["v"]);
    assert_eq!(diff.types_revert.len(), 1);
}

#[test]
fn what_no_statement_changes_is_reported() {
    for (live, cannot) in [
        (
            T.replace("v text", "v blob"),
            vec![("k.t.v", Why::ColumnType)],
        ),
        (
            T.replace("b int", "b bigint"),
            vec![("k.t.b", Why::ColumnType)],
        ),
        (
            T.replace("v text", "v text static"),
            vec![("k.t.v", Why::Static)],
        ),
        (
            T.replace("(a, b)", "((a, b))"),
            vec![("k.t", Why::PrimaryKey)],
        ),
        (
            T.replace("(a, b)", "(b, a)"),
            vec![("k.t", Why::PrimaryKey)],
        ),
        (
            format!("{T} WITH CLUSTERING ORDER BY (b DESC)"),
            vec![("k.t.b", Why::ClusteringOrder)],
        ),
        (
            format!("{T} WITH COMPACT STORAGE"),
            vec![("k.t", Why::CompactStorage)],
        ),
        (
            format!("{T} WITH VERTEX LABEL x"),
            vec![("k.t", Why::GraphLabel)],
        ),
    ] {
        check(T, &live, &[], &cannot);
    }
}

#[test]
fn a_key_column_of_the_same_type_and_place_was_renamed() {
    let live = T
        .replace("b int", "\"B\" int")
        .replace("(a, b)", "(a, \"B\")");
    let diff = check(T, &live, &["ALTER TABLE k.t RENAME b TO \"B\""], &[]);
    assert!(diff.columns_lost.is_empty() && diff.columns_reappear.is_empty());
}

#[test]
fn options_are_set_as_they_are_live_or_to_their_default() {
    let with = |options: &str| format!("{T} WITH {options}");
    let diff = check(
        &with("comment = 'a' AND gc_grace_seconds = 10 AND cdc = false"),
        &with("comment = 'b; c' AND compaction = {'class': 'LeveledCompactionStrategy'}"),
        &[
            "ALTER TABLE k.t WITH bloom_filter_fp_chance = '0.1' AND comment = 'b; c' \
             AND compaction = {'class': 'LeveledCompactionStrategy'} AND gc_grace_seconds = '864000'",
        ],
        &[],
    );
    assert!(!diff.touches_data());
    check(
        &with("nodesync = {'enabled': 'true'}"),
        T,
        &[],
        &[("k.t.nodesync", Why::NoDefault)],
    );
}

#[test]
fn masks_and_triggers_are_added_and_removed() {
    let masked = T.replace("v text", "v text MASKED WITH k.f()");
    check(
        T,
        &masked,
        &["ALTER TABLE k.t ALTER v MASKED WITH k.f()"],
        &[],
    );
    check(&masked, T, &["ALTER TABLE k.t ALTER v DROP MASKED"], &[]);
    let with_trigger = format!("{T}; CREATE TRIGGER r ON k.t USING 'X'");
    check(
        T,
        &with_trigger,
        &["CREATE TRIGGER r ON k.t USING 'X'"],
        &[],
    );
    check(&with_trigger, T, &["DROP TRIGGER IF EXISTS r ON k.t"], &[]);
}

#[test]
fn dropping_compact_storage_brings_its_columns_to_light() {
    let backup = "CREATE TABLE k.t (a int PRIMARY KEY, v text) WITH COMPACT STORAGE";
    let live = "CREATE TABLE k.t (a int, column1 text, v text static, value blob, PRIMARY KEY (a, column1))";
    let diff = check(backup, live, &["ALTER TABLE k.t DROP COMPACT STORAGE"], &[]);
    assert!(diff.columns_lost.is_empty() && diff.kinds_revert.is_empty());
}

#[test]
fn fields_are_compared_by_their_place() {
    let of = |text: &str| schema(text).types.remove(0);
    let backup = of("CREATE TYPE k.a (x int, y frozen<list<text>>)");
    assert!(diff_type(&backup, &backup).is_empty());
    let live = of("CREATE TYPE k.a (x int, \"Y\" frozen<list<varchar>>, z text)");
    let diff = diff_type(&backup, &live);
    assert_eq!(
        diff.forward.statements,
        [
            "ALTER TYPE k.a RENAME y TO \"Y\"",
            "ALTER TYPE k.a ADD z text"
        ]
    );
    let other = of("CREATE TYPE k.a (x text)");
    let whys: Vec<Why> = diff_type(&backup, &other)
        .forward
        .unforwardable
        .iter()
        .map(|one| one.why)
        .collect();
    assert_eq!(whys, [Why::FieldType, Why::FieldRemoved]);
}

#[test]
fn a_whole_schema_is_brought_forward_in_order() {
    let backup = schema(
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy'}; CREATE TYPE k.a (x int); \
         CREATE TABLE k.t (a int PRIMARY KEY, v text); CREATE TABLE k.gone (a int PRIMARY KEY); \
         CREATE INDEX i ON k.t (v); CREATE INDEX old ON k.t (v)",
    );
    let live = schema(
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy'}; CREATE TYPE k.a (x int, y frozen<b>); \
         CREATE TYPE k.b (z int); CREATE TABLE k.t (a int PRIMARY KEY, v text, w frozen<b>); \
         CREATE TABLE k.new (a int PRIMARY KEY, n int) WITH ID = 5a1c395e-b41f-11e5-9f22-ba0be0483c18; \
         ALTER TABLE k.new DROP n USING TIMESTAMP 5; CREATE CUSTOM INDEX i ON k.t (v) USING 'sai'; \
         CREATE MATERIALIZED VIEW k.mv AS SELECT * FROM k.t WHERE v IS NOT NULL AND a IS NOT NULL PRIMARY KEY (v, a); \
         CREATE TABLE elsewhere.t (a int PRIMARY KEY)",
    );
    let diff = diff_schema(&backup, &live);
    let flat = |text: &String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let statements: Vec<String> = diff.forward.statements.iter().map(flat).collect();
    assert_eq!(
        statements,
        [
            "DROP INDEX IF EXISTS k.old",
            "DROP INDEX IF EXISTS k.i",
            "CREATE TYPE IF NOT EXISTS k.b ( z int )",
            "ALTER TYPE k.a ADD y frozen<b>",
            "ALTER TABLE k.t ADD w frozen<b>",
            "CREATE TABLE IF NOT EXISTS k.new ( a int, PRIMARY KEY (a) )",
            "CREATE CUSTOM INDEX IF NOT EXISTS i ON k.t (v) USING 'sai'",
            "CREATE MATERIALIZED VIEW IF NOT EXISTS k.mv AS SELECT * FROM k.t WHERE v IS NOT NULL AND a IS NOT NULL PRIMARY KEY (v, a) WITH CLUSTERING ORDER BY (a ASC)",
        ]
    );
    let names = |keys: &[cassandra_schema::ObjectKey]| -> Vec<String> {
        keys.iter().map(|key| key.name.clone()).collect()
    };
    assert_eq!(names(&diff.reappear), ["gone", "old"]);
    assert_eq!(names(&diff.not_in_backup), ["b", "new", "mv"]);
    assert_eq!(names(&diff.revert), ["i"]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_table_does_not_differ_from_itself(table in crate::given::table()) {
        prop_assert!(diff(&table, &table).is_empty());
    }

    #[test]
    fn every_difference_is_shown((a, b, _) in crate::given::mutated()) {
        let diff = diff(&a, &b);
        // Of columns that both never had, only history differs.
        let same_but_for_history = {
            let mut b = b.clone();
            b.dropped.clone_from(&a.dropped);
            a.same_definition(&b)
        };
        prop_assert!(!diff.is_empty() || same_but_for_history);
    }

    #[test]
    fn what_is_brought_forward_is_the_live_table((backup, live) in crate::given::evolved()) {
        let found = diff(&backup, &live);
        let mut restored = Schema { tables: vec![backup], ..Schema::default() };
        for statement in &found.forward.statements {
            let done = restored.run(statement, None);
            prop_assert!(done.is_ok(), "{} {:?}", statement, done);
        }
        let restored = &restored.tables[0];
        let only_defaults = found.forward.unforwardable.iter().all(|one| one.why == Why::NoDefault);
        prop_assert!(only_defaults, "{:?}", found.forward.unforwardable);
        if found.forward.unforwardable.is_empty() {
            prop_assert!(restored.same_definition(&live), "{:?}\n{:?}\n{:?}", found, restored, live);
        }
    }
}
