use super::*;

const TABLE: &str = "CREATE TABLE ks.\"T\" (id int PRIMARY KEY, with_and text) WITH ID = 5a1c395e-b41f-11e5-9f22-ba0be0483c18\n    AND comment = 'a AND b WITH {'\n    AND compaction = {'class': 'org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy', 'max_threshold': '32'}\n    AND read_repair_chance = 0.1\n    AND CLUSTERING ORDER BY (c DESC)";

#[test]
fn a_create_can_be_run_twice() {
    for (given, expected) in [
        (
            "CREATE TABLE a.b (c int)",
            "CREATE TABLE IF NOT EXISTS a.b (c int)",
        ),
        (
            "create table if not exists a.b (c)",
            "create table if not exists a.b (c)",
        ),
        (
            "CREATE KEYSPACE a WITH x = 1",
            "CREATE KEYSPACE IF NOT EXISTS a WITH x = 1",
        ),
        (
            "CREATE CUSTOM INDEX i ON a.b (c)",
            "CREATE CUSTOM INDEX IF NOT EXISTS i ON a.b (c)",
        ),
        (
            "CREATE SEARCH INDEX ON a.b",
            "CREATE SEARCH INDEX IF NOT EXISTS ON a.b",
        ),
        (
            "CREATE INDEX ON a.b (c)",
            "CREATE INDEX IF NOT EXISTS ON a.b (c)",
        ),
        (
            "CREATE MATERIALIZED VIEW a.v AS",
            "CREATE MATERIALIZED VIEW IF NOT EXISTS a.v AS",
        ),
        (
            "CREATE OR REPLACE FUNCTION a.f()",
            "CREATE OR REPLACE FUNCTION a.f()",
        ),
        ("ALTER TABLE a.b DROP c", "ALTER TABLE a.b DROP c"),
    ] {
        assert_eq!(if_not_exists(given), expected);
    }
}

#[test]
fn options_are_dropped_whole_and_only_outside_of_strings() {
    let dropped = retain_options(TABLE, |name| !matches!(name, "read_repair_chance" | "id"));
    assert!(
        !dropped.contains("read_repair_chance") && !dropped.contains("5a1c395e"),
        "{dropped}"
    );
    assert!(
        dropped.contains("(id int PRIMARY KEY, with_and text) WITH comment = 'a AND b WITH {'")
    );
    assert!(dropped.ends_with("AND CLUSTERING ORDER BY (c DESC)"));
    assert_eq!(retain_options(TABLE, |_| true), TABLE);
    assert_eq!(
        retain_options("CREATE TABLE a.b (c int) WITH ID = 1", |_| false),
        "CREATE TABLE a.b (c int)"
    );
}

#[test]
fn the_conditions_of_a_view_are_not_options() {
    let view = "CREATE MATERIALIZED VIEW a.v AS SELECT * FROM a.t WHERE b IS NOT NULL AND c IS NOT NULL PRIMARY KEY (b, c) WITH x = 1 AND y = 2";
    assert_eq!(
        retain_options(view, |name| name == "y"),
        view.replace("x = 1 AND ", "")
    );
}

#[test]
fn a_table_gets_the_id_that_it_had() {
    let id: TableId = "00000000-0000-0000-0000-00000000000a"
        .parse()
        .expect("an id");
    let made = with_id(TABLE, id);
    assert!(
        made.contains("WITH ID = 00000000-0000-0000-0000-00000000000a AND comment"),
        "{made}"
    );
    assert!(!made.contains("5a1c395e"));
    assert_eq!(
        with_id("CREATE TABLE a.b (c int)", id),
        format!("CREATE TABLE a.b (c int) WITH ID = {id}")
    );
    assert_eq!(
        with_id("CREATE TABLE a.b (c int) WITH x = 1", id),
        format!("CREATE TABLE a.b (c int) WITH ID = {id} AND x = 1")
    );
}

#[test]
fn maps_of_strings_are_read() {
    let compaction = option_map(TABLE, "compaction").expect("a map");
    assert_eq!(
        compaction["class"],
        "org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy"
    );
    assert_eq!(compaction["max_threshold"], "32");
    let keyspace = "CREATE KEYSPACE k WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3', 'it''s': 2} AND durable_writes = true";
    let replication = option_map(keyspace, "replication").expect("a map");
    assert_eq!(replication.len(), 3);
    assert_eq!(replication["it's"], "2");
    assert_eq!(option_map(keyspace, "compaction"), None);
}

#[track_caller]
fn check_same(a: &str, b: &str, same: bool) {
    assert_eq!(
        same_definition(&[a.to_owned()], &[b.to_owned()]),
        same,
        "{a}\n{b}"
    );
}

#[test]
fn blanks_ids_and_case_of_words_mean_nothing() {
    check_same(
        "CREATE TABLE a.b (c int PRIMARY KEY) WITH ID = 1-2 AND comment = ''",
        "create table if not exists a.\"b\" (\n  c int primary key\n)\n WITH comment = '' -- x\n;",
        true,
    );
    check_same(
        "CREATE TABLE a.b (c int) WITH ID = 1-2",
        "CREATE TABLE a.b (c int)",
        true,
    );
}

#[test]
fn everything_else_counts() {
    check_same(
        "CREATE TABLE a.b (c int)",
        "CREATE TABLE a.b (c bigint)",
        false,
    );
    check_same(
        "CREATE TABLE a.b (c int)",
        "CREATE TABLE a.\"B\" (c int)",
        false,
    );
    check_same("x WITH comment = 'a'", "x WITH comment = 'A'", false);
    check_same("x WITH comment = 'a b'", "x WITH comment = 'a  b'", false);
    check_same("x WITH a = 1 AND b = 2", "x WITH a = 1", false);
    assert!(!same_definition(
        &["a".into()],
        &["a".into(), "ALTER TABLE a.b DROP c".into()]
    ));
}

#[test]
fn names_are_quoted_where_they_must_be() {
    assert_eq!(
        table_name(&TableRef::new("shop", "Metrics_2")),
        "shop.\"Metrics_2\""
    );
}
