use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::*;
use crate::testing::FakeCassandra;

/// A node with keyspace `Shop` and, as it happens, tables of the product itself.
fn node(release: &str) -> FakeCassandra {
    let root = tempfile::tempdir().unwrap();
    let node = FakeCassandra::new(root.path(), 1, release);
    let keyspace = |name: &str| {
        json!({ "keyspace_name": name, "durable_writes": true,
                "replication": { "class": "org.apache.cassandra.locator.NetworkTopologyStrategy", "dc1": "3" } })
    };
    let keyspaces = json!([keyspace("Shop"), keyspace("system_auth")]);
    node.cql.set(KEYSPACES, keyspaces.clone());
    node.cql.set(KEYSPACE_NAMES, keyspaces);
    node
}

fn set(node: &FakeCassandra, table: &str, rows: Value) {
    node.cql.set(&select_keyspace(table, "Shop"), rows);
}

async fn check(node: &FakeCassandra, expected: Expect) {
    let schema = read(&node.node, &[]).await.unwrap();
    let text: Vec<String> = schema
        .entries
        .iter()
        .map(|entry| {
            let base = if entry.base_table.is_empty() {
                String::new()
            } else {
                format!(" of {}", entry.base_table)
            };
            let head = format!("== {:?} {}{base}", entry.kind, entry.name);
            std::iter::once(head)
                .chain(entry.cql.clone())
                .collect::<Vec<_>>()
                .join("\n")
                + "\n"
        })
        .collect();
    expected.assert_eq(&text.concat());
}

fn column(table: &str, name: &str, kind: &str, position: i64, order: &str, of: &str) -> Value {
    json!({ "keyspace_name": "Shop", "table_name": table, "column_name": name, "kind": kind,
            "position": position, "clustering_order": order, "type": of })
}

fn table(name: &str) -> Value {
    json!({ "keyspace_name": "Shop", "table_name": name, "id": "5a1c395e-b41f-11e5-9f22-ba0be0483c18",
            "bloom_filter_fp_chance": 0.01, "caching": { "keys": "ALL", "rows_per_partition": "NONE" },
            "cdc": null, "comment": "it's; a \"comment\"",
            "compaction": { "class": "org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy",
                            "max_threshold": "32", "min_threshold": "4" },
            "compression": { "chunk_length_in_kb": "64", "class": "org.apache.cassandra.io.compress.LZ4Compressor" },
            "crc_check_chance": 1.0, "dclocal_read_repair_chance": 0.1, "default_time_to_live": 0,
            "extensions": {}, "flags": ["compound"], "gc_grace_seconds": 864000, "max_index_interval": 2048,
            "memtable_flush_period_in_ms": 0, "min_index_interval": 128, "read_repair_chance": 0.0,
            "speculative_retry": "99PERCENTILE" })
}

/// Only what makes a table one, so that the rest of an expectation can be seen.
fn bare(name: &str, flags: &[&str]) -> Value {
    json!({ "keyspace_name": "Shop", "table_name": name, "flags": flags,
            "id": "5a1c395e-b41f-11e5-9f22-ba0be0483c18" })
}

#[tokio::test]
async fn a_table_of_3_11_is_written_with_its_keys_options_and_odd_names() {
    let node = node("3.11.19");
    set(&node, "tables", json!([table("Orders")]));
    set(
        &node,
        "columns",
        json!([
            column("Orders", "when", "clustering", 0, "desc", "timestamp"),
            column("Orders", "select", "clustering", 1, "asc", "text"),
            column("Orders", "region", "partition_key", 1, "none", "text"),
            column("Orders", "Customer", "partition_key", 0, "none", "uuid"),
            column(
                "Orders",
                "items",
                "regular",
                -1,
                "none",
                "map<text, frozen<\"Item\">>"
            ),
            column("Orders", "a\"b", "static", -1, "none", "'org.example.Odd'"),
        ]),
    );
    check(&node, expect![[r#"
        == Keyspace Shop
        CREATE KEYSPACE "Shop" WITH replication = {'class': 'org.apache.cassandra.locator.NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true
        == Table Orders
        CREATE TABLE "Shop"."Orders" (
            "Customer" uuid,
            region text,
            when timestamp,
            "select" text,
            "a""b" 'org.example.Odd' static,
            items map<text, frozen<"Item">>,
            PRIMARY KEY (("Customer", region), when, "select")
        ) WITH ID = 5a1c395e-b41f-11e5-9f22-ba0be0483c18
            AND CLUSTERING ORDER BY (when DESC, "select" ASC)
            AND bloom_filter_fp_chance = 0.01
            AND caching = {'keys': 'ALL', 'rows_per_partition': 'NONE'}
            AND comment = 'it''s; a "comment"'
            AND compaction = {'class': 'org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy', 'max_threshold': '32', 'min_threshold': '4'}
            AND compression = {'chunk_length_in_kb': '64', 'class': 'org.apache.cassandra.io.compress.LZ4Compressor'}
            AND crc_check_chance = 1.0
            AND dclocal_read_repair_chance = 0.1
            AND default_time_to_live = 0
            AND gc_grace_seconds = 864000
            AND max_index_interval = 2048
            AND memtable_flush_period_in_ms = 0
            AND min_index_interval = 128
            AND read_repair_chance = 0.0
            AND speculative_retry = '99PERCENTILE'
    "#]])
    .await;
}

#[tokio::test]
async fn dropped_columns_are_made_dropped_and_added_again() {
    let node = node("3.11.19");
    set(&node, "tables", json!([bare("t", &["compound"])]));
    set(
        &node,
        "columns",
        json!([
            column("t", "k", "partition_key", 0, "none", "int"),
            column("t", "again", "static", -1, "none", "int"),
        ]),
    );
    let dropped = |name: &str, ms: i64, of: &str| json!({ "keyspace_name": "Shop", "table_name": "t", "column_name": name, "dropped_time": ms, "type": of });
    set(
        &node,
        "dropped_columns",
        json!([
            dropped("Gone", 1700000000123i64, "frozen<tuple<int, text>>"),
            dropped("again", 1700000000456i64, "int"),
        ]),
    );
    let trigger = json!([{ "table_name": "t", "trigger_name": "tr", "options": { "class": "org.example.T" } }]);
    set(&node, "triggers", trigger);
    check(&node, expect![[r#"
        == Keyspace Shop
        CREATE KEYSPACE "Shop" WITH replication = {'class': 'org.apache.cassandra.locator.NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true
        == Table t
        CREATE TABLE "Shop".t (
            k int,
            again int static,
            "Gone" frozen<tuple<int, text>>,
            PRIMARY KEY (k)
        ) WITH ID = 5a1c395e-b41f-11e5-9f22-ba0be0483c18
        ALTER TABLE "Shop".t DROP "Gone" USING TIMESTAMP 1700000000123000
        ALTER TABLE "Shop".t DROP again USING TIMESTAMP 1700000000456000
        ALTER TABLE "Shop".t ADD again int static
        CREATE TRIGGER tr ON "Shop".t USING 'org.example.T'
    "#]])
    .await;
}

#[tokio::test]
async fn tables_of_compact_storage_are_written_as_cql_shows_them() {
    let node = node("3.11.19");
    set(
        &node,
        "tables",
        json!([
            bare("dense", &["compound", "dense"]),
            bare("fixed", &[]),
            bare("keys", &["dense"])
        ]),
    );
    set(
        &node,
        "columns",
        json!([
            column("dense", "k", "partition_key", 0, "none", "int"),
            column("dense", "c", "clustering", 0, "desc", "int"),
            column("dense", "v", "regular", -1, "none", "text"),
            column("fixed", "k", "partition_key", 0, "none", "int"),
            column("fixed", "column1", "clustering", 0, "asc", "text"),
            column("fixed", "value", "regular", -1, "none", "blob"),
            column("fixed", "v", "static", -1, "none", "text"),
            column("keys", "k", "partition_key", 0, "none", "int"),
            column("keys", "c", "clustering", 0, "asc", "int"),
            column("keys", "value", "regular", -1, "none", "empty"),
        ]),
    );
    check(&node, expect![[r#"
        == Keyspace Shop
        CREATE KEYSPACE "Shop" WITH replication = {'class': 'org.apache.cassandra.locator.NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true
        == Table dense
        CREATE TABLE "Shop".dense (
            k int,
            c int,
            v text,
            PRIMARY KEY (k, c)
        ) WITH ID = 5a1c395e-b41f-11e5-9f22-ba0be0483c18
            AND COMPACT STORAGE
            AND CLUSTERING ORDER BY (c DESC)
        == Table fixed
        CREATE TABLE "Shop".fixed (
            k int,
            v text,
            PRIMARY KEY (k)
        ) WITH ID = 5a1c395e-b41f-11e5-9f22-ba0be0483c18
            AND COMPACT STORAGE
        == Table keys
        CREATE TABLE "Shop".keys (
            k int,
            c int,
            PRIMARY KEY (k, c)
        ) WITH ID = 5a1c395e-b41f-11e5-9f22-ba0be0483c18
            AND COMPACT STORAGE
            AND CLUSTERING ORDER BY (c ASC)
    "#]])
    .await;
}

/// With the columns that DataStax's drivers read of 6.8.
#[tokio::test]
async fn what_only_dse_has_is_written_too() {
    let node = node("4.0.0.6850");
    node.cql.set(
        "SELECT * FROM system.local",
        json!([{
            "cluster_name": "c", "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
            "release_version": "4.0.0.6850", "dse_version": "6.8.50", "schema_version": "v1",
            "bootstrapped": "COMPLETED", "host_id": FakeCassandra::HOST_ID, "broadcast_address": "127.0.0.2",
            "data_center": "dc1", "rack": "r1", "tokens": ["10"],
        }]),
    );
    node.cql.set(
        KEYSPACES,
        json!([{ "keyspace_name": "Shop", "durable_writes": true, "graph_engine": "Core",
                 "replication": { "class": "org.apache.cassandra.locator.NetworkTopologyStrategy", "dc1": "3" } }]),
    );
    let mut person = bare("person", &["compound"]);
    person["nodesync"] = json!({ "enabled": "true" });
    set(
        &node,
        "tables",
        json!([bare("knows", &["compound"]), person]),
    );
    set(
        &node,
        "columns",
        json!([
            column("person", "id", "partition_key", 0, "none", "int"),
            column("knows", "out", "partition_key", 0, "none", "int"),
            column("knows", "in", "clustering", 0, "asc", "int"),
        ]),
    );
    set(
        &node,
        "vertices",
        json!([{ "table_name": "person", "label_name": "Person" }]),
    );
    set(
        &node,
        "edges",
        json!([{ "table_name": "knows", "label_name": "knows", "from_table": "person", "to_table": "person",
                 "from_partition_key_columns": ["out"], "from_clustering_columns": [],
                 "to_partition_key_columns": ["in"], "to_clustering_columns": null }]),
    );
    set(
        &node,
        "functions",
        json!([{ "function_name": "twice", "argument_names": ["v"], "argument_types": ["int"], "body": "return v + v;",
                 "called_on_null_input": false, "language": "java", "return_type": "int",
                 "deterministic": true, "monotonic": false, "monotonic_on": ["v"] }]),
    );
    check(&node, expect![[r#"
        == Keyspace Shop
        CREATE KEYSPACE "Shop" WITH replication = {'class': 'org.apache.cassandra.locator.NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true AND graph_engine = 'Core'
        == Function twice(int)
        CREATE FUNCTION "Shop".twice(v int)
            RETURNS NULL ON NULL INPUT
            RETURNS int
            DETERMINISTIC
            MONOTONIC ON v
            LANGUAGE java
            AS $$return v + v;$$
        == Table person
        CREATE TABLE "Shop".person (
            id int,
            PRIMARY KEY (id)
        ) WITH ID = 5a1c395e-b41f-11e5-9f22-ba0be0483c18
            AND VERTEX LABEL "Person"
            AND nodesync = {'enabled': 'true'}
        == Table knows
        CREATE TABLE "Shop".knows (
            out int,
            "in" int,
            PRIMARY KEY (out, "in")
        ) WITH ID = 5a1c395e-b41f-11e5-9f22-ba0be0483c18
            AND CLUSTERING ORDER BY ("in" ASC)
            AND EDGE LABEL knows FROM "Person"(out) TO "Person"("in")
    "#]]).await;
}

/// As Cassandra 4.1.9 describes tables of COMPACT STORAGE, and one that had it.
#[tokio::test]
async fn tables_that_a_newer_release_only_describes_in_a_comment_are_written_from_their_rows() {
    let node = node("4.1.9");
    let omitted = "/*\nWarning: Table \"Shop\".t omitted because it has constructs not compatible with CQL (was created via legacy API).\nApproximate structure, for reference:\n(this should not be used to reproduce this schema)\n\nCREATE TABLE \"Shop\".t (\n    k int,\n    PRIMARY KEY (k)\n) WITH COMPACT STORAGE;\n*/";
    let described = |name: &str, text: &str| json!({ "keyspace_name": "\"Shop\"", "type": "table", "name": name, "create_statement": text });
    node.cql.set(
        "DESCRIBE KEYSPACE \"Shop\" WITH INTERNALS",
        json!([
            described("\"Dense\"", omitted),
            described("fixed", omitted),
            described("keys", omitted),
            described("counts", omitted),
            described("numbers", omitted),
            described("wide", omitted),
            described(
                "dropped",
                "CREATE TABLE \"Shop\".dropped (\n    k int,\n    c int,\n    value empty,\n    PRIMARY KEY (k, c)\n) WITH comment = 'empty';"
            ),
        ]),
    );
    let with_options = |name: &str| {
        let mut row = bare(name, &["dense", "compound"]);
        row["read_repair_chance"] = json!(0.0);
        row["additional_write_policy"] = json!("99p");
        row["memtable"] = json!("trie");
        row["allow_auto_snapshot"] = json!(false);
        row
    };
    set(
        &node,
        "tables",
        json!([
            with_options("Dense"),
            bare("fixed", &[]),
            bare("keys", &["dense"]),
            bare("counts", &["counter"]),
            bare("numbers", &[]),
            bare("wide", &["super", "dense"]),
            bare("dropped", &["compound"]),
        ]),
    );
    set(
        &node,
        "columns",
        json!([
            column("Dense", "k", "partition_key", 0, "none", "int"),
            column("Dense", "c", "clustering", 0, "desc", "int"),
            column("Dense", "d", "clustering", 1, "asc", "text"),
            column("Dense", "v", "regular", -1, "none", "text"),
            column("fixed", "key", "partition_key", 0, "none", "blob"),
            column("fixed", "column1", "clustering", 0, "asc", "ascii"),
            column("fixed", "Odd name", "static", -1, "none", "bigint"),
            column("fixed", "value", "regular", -1, "none", "text"),
            column("keys", "k", "partition_key", 0, "none", "int"),
            column("keys", "c", "clustering", 0, "asc", "int"),
            column("keys", "value", "regular", -1, "none", "empty"),
            column("counts", "k", "partition_key", 0, "none", "int"),
            column("counts", "column1", "clustering", 0, "asc", "text"),
            column("counts", "n", "static", -1, "none", "counter"),
            column("counts", "value", "regular", -1, "none", "counter"),
            column("numbers", "k", "partition_key", 0, "none", "int"),
            column("numbers", "column1", "clustering", 0, "asc", "bigint"),
            column("numbers", "n", "static", -1, "none", "int"),
            column("numbers", "value", "regular", -1, "none", "blob"),
            column("wide", "k", "partition_key", 0, "none", "int"),
            column("wide", "column1", "clustering", 0, "asc", "text"),
            column("wide", "", "regular", -1, "none", "map<text, blob>"),
            column("dropped", "k", "partition_key", 0, "none", "int"),
            column("dropped", "c", "clustering", 0, "asc", "int"),
            column("dropped", "value", "regular", -1, "none", "empty"),
        ]),
    );
    check(
        &node,
        expect![[r#"
        == Table Dense
        CREATE TABLE "Shop"."Dense" (
            k int,
            c int,
            d text,
            v text,
            PRIMARY KEY (k, c, d)
        ) WITH ID = 5a1c395e-b41f-11e5-9f22-ba0be0483c18
            AND COMPACT STORAGE
            AND CLUSTERING ORDER BY (c DESC, d ASC)
            AND additional_write_policy = '99p'
            AND memtable = 'trie'
        == Table fixed
        CREATE TABLE "Shop".fixed (
            key blob,
            "Odd name" bigint,
            PRIMARY KEY (key)
        ) WITH ID = 5a1c395e-b41f-11e5-9f22-ba0be0483c18
            AND COMPACT STORAGE
        == Table keys
        CREATE TABLE "Shop".keys (
            k int,
            c int,
            PRIMARY KEY (k, c)
        ) WITH ID = 5a1c395e-b41f-11e5-9f22-ba0be0483c18
            AND COMPACT STORAGE
            AND CLUSTERING ORDER BY (c ASC)
        == Table counts
        CREATE TABLE "Shop".counts (
            k int,
            n counter,
            PRIMARY KEY (k)
        ) WITH ID = 5a1c395e-b41f-11e5-9f22-ba0be0483c18
            AND COMPACT STORAGE
        == Table numbers
        == Table wide
        == Table dropped
        CREATE TABLE "Shop".dropped (
            k int,
            c int,
            value 'org.apache.cassandra.db.marshal.EmptyType',
            PRIMARY KEY (k, c)
        ) WITH comment = 'empty'
    "#]],
    )
    .await;
}

/// On 3.11, where the table has to be written from its rows.
#[tokio::test]
async fn a_value_that_is_always_empty_is_written_by_its_class() {
    let node = node("3.11.19");
    set(&node, "tables", json!([bare("dropped", &["compound"])]));
    set(
        &node,
        "columns",
        json!([
            column("dropped", "k", "partition_key", 0, "none", "int"),
            column("dropped", "c", "clustering", 0, "asc", "int"),
            column("dropped", "value", "regular", -1, "none", "empty"),
        ]),
    );
    check(&node, expect![[r#"
        == Keyspace Shop
        CREATE KEYSPACE "Shop" WITH replication = {'class': 'org.apache.cassandra.locator.NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true
        == Table dropped
        CREATE TABLE "Shop".dropped (
            k int,
            c int,
            value 'org.apache.cassandra.db.marshal.EmptyType',
            PRIMARY KEY (k, c)
        ) WITH ID = 5a1c395e-b41f-11e5-9f22-ba0be0483c18
            AND CLUSTERING ORDER BY (c ASC)
    "#]]).await;
}

#[tokio::test]
async fn types_functions_aggregates_indexes_and_views_are_written() {
    let node = node("3.11.19");
    set(
        &node,
        "types",
        json!([
            { "type_name": "address", "field_names": ["street", "Zip"], "field_types": ["text", "frozen<zip>"] },
            { "type_name": "zip", "field_names": ["code"], "field_types": ["int"] },
        ]),
    );
    let function = |name: &str, body: &str| {
        json!({ "function_name": name, "argument_names": ["state", "v"],
                "argument_types": ["frozen<tuple<int, frozen<list<text>>>>", "text"], "body": body,
                "called_on_null_input": false, "language": "java", "return_type": "frozen<list<text>>" })
    };
    set(
        &node,
        "functions",
        json!([function("f", "return \"';\";"), function("G", "a $$ 'b'")]),
    );
    set(
        &node,
        "aggregates",
        json!([{ "aggregate_name": "sum", "argument_types": ["text"], "final_func": "G", "initcond": "(0, ['x'])",
                 "state_func": "f", "state_type": "frozen<tuple<int, text>>" }]),
    );
    set(&node, "tables", json!([bare("t", &["compound"])]));
    let columns = ["t", "V"].iter().flat_map(|table| {
        [
            column(table, "k", "partition_key", 0, "none", "int"),
            column(table, "c", "clustering", 0, "asc", "int"),
        ]
    });
    set(&node, "columns", columns.collect());
    set(
        &node,
        "indexes",
        json!([
            { "table_name": "t", "index_name": "I", "kind": "COMPOSITES", "options": { "target": "values(\"M\")" } },
            { "table_name": "t", "index_name": "s", "kind": "CUSTOM",
              "options": { "target": "c", "class_name": "org.apache.cassandra.index.sasi.SASIIndex", "mode": "it's" } },
        ]),
    );
    set(
        &node,
        "views",
        json!([{ "view_name": "V", "base_table_name": "t", "include_all_columns": false,
                 "where_clause": "c IS NOT NULL AND k IS NOT NULL", "default_time_to_live": 0, "gc_grace_seconds": 5,
                 "id": "6a1c395e-b41f-11e5-9f22-ba0be0483c18" }]),
    );
    check(&node, expect![[r#"
        == Keyspace Shop
        CREATE KEYSPACE "Shop" WITH replication = {'class': 'org.apache.cassandra.locator.NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true
        == Type zip
        CREATE TYPE "Shop".zip (
            code int
        )
        == Type address
        CREATE TYPE "Shop".address (
            street text,
            "Zip" frozen<zip>
        )
        == Function f(tuple<int, list<text>>, text)
        CREATE FUNCTION "Shop".f(state tuple<int, list<text>>, v text)
            RETURNS NULL ON NULL INPUT
            RETURNS list<text>
            LANGUAGE java
            AS $$return "';";$$
        == Function G(tuple<int, list<text>>, text)
        CREATE FUNCTION "Shop"."G"(state tuple<int, list<text>>, v text)
            RETURNS NULL ON NULL INPUT
            RETURNS list<text>
            LANGUAGE java
            AS 'a $$ ''b'''
        == Aggregate sum(text)
        CREATE AGGREGATE "Shop".sum(text)
            SFUNC f
            STYPE tuple<int, text>
            FINALFUNC "G"
            INITCOND (0, ['x'])
        == Table t
        CREATE TABLE "Shop".t (
            k int,
            c int,
            PRIMARY KEY (k, c)
        ) WITH ID = 5a1c395e-b41f-11e5-9f22-ba0be0483c18
            AND CLUSTERING ORDER BY (c ASC)
        == Index I of t
        CREATE INDEX "I" ON "Shop".t (values("M"))
        == Index s of t
        CREATE CUSTOM INDEX s ON "Shop".t (c) USING 'org.apache.cassandra.index.sasi.SASIIndex' WITH OPTIONS = {'mode': 'it''s'}
        == View V of t
        CREATE MATERIALIZED VIEW "Shop"."V" AS
            SELECT k, c
            FROM "Shop".t
            WHERE c IS NOT NULL AND k IS NOT NULL
            PRIMARY KEY (k, c)
            WITH ID = 6a1c395e-b41f-11e5-9f22-ba0be0483c18
            AND CLUSTERING ORDER BY (c ASC)
            AND gc_grace_seconds = 5
    "#]])
    .await;
}

#[tokio::test]
async fn what_a_newer_release_describes_is_taken_apart() {
    let node = node("5.0.5");
    let described = |kind: &str, name: &str, text: &str| json!({ "keyspace_name": "\"Shop\"", "type": kind, "name": name, "create_statement": text });
    node.cql.set(
        "DESCRIBE KEYSPACE \"Shop\" WITH INTERNALS",
        json!([
            described("keyspace", "\"Shop\"", "CREATE KEYSPACE \"Shop\" WITH durable_writes = true;"),
            described("function", "\"F\"(int, text)", "CREATE FUNCTION \"Shop\".\"F\"(a int, b text) AS $$ ; $$;"),
            described("function", "g(int)", "CREATE FUNCTION \"Shop\".g(a int) AS $$ it's $$ here $$;"),
            described(
                "table",
                "\"T\"",
                "CREATE TABLE \"Shop\".\"T\" (\n k int\n) WITH ID = x\n AND comment = 'a;b';\n\nALTER TABLE \"Shop\".\"T\" DROP c USING TIMESTAMP 1;\nCREATE INDEX i ON \"Shop\".\"T\" (v);"
            ),
            described("index", "i", "CREATE INDEX i ON \"Shop\".\"T\" (v);"),
            described("materialized_view", "v", "CREATE MATERIALIZED VIEW \"Shop\".v AS SELECT * FROM \"Shop\".\"T\";"),
            described("table", "old", "/*\nWarning: Table omitted;\nCREATE TABLE \"Shop\".old (k int);\n*/"),
        ]),
    );
    set(
        &node,
        "functions",
        json!([{ "function_name": "g", "argument_names": ["a"], "argument_types": ["int"], "body": " it's $$ here ",
                 "called_on_null_input": true, "language": "java", "return_type": "int" }]),
    );
    let trigger = json!([{ "table_name": "T", "trigger_name": "tr", "options": { "class": "org.example.T" } }]);
    set(&node, "triggers", trigger);
    check(
        &node,
        expect![[r#"
        == Keyspace Shop
        CREATE KEYSPACE "Shop" WITH durable_writes = true
        == Function F(int, text)
        CREATE FUNCTION "Shop"."F"(a int, b text) AS $$ ; $$
        == Function g(int)
        CREATE FUNCTION "Shop".g(a int)
            CALLED ON NULL INPUT
            RETURNS int
            LANGUAGE java
            AS ' it''s $$ here '
        == Table T
        CREATE TABLE "Shop"."T" (
         k int
        ) WITH ID = x
         AND comment = 'a;b'
        ALTER TABLE "Shop"."T" DROP c USING TIMESTAMP 1
        CREATE TRIGGER tr ON "Shop"."T" USING 'org.example.T'
        == Table old
        == Index i of T
        CREATE INDEX i ON "Shop"."T" (v)
        == View v of T
        CREATE MATERIALIZED VIEW "Shop".v AS SELECT * FROM "Shop"."T"
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_keyspace_that_is_not_there_is_named() {
    let node = node("5.0.5");
    let error = read(&node.node, &["none".to_owned()]).await.unwrap_err();
    assert_eq!(error.to_string(), "the node has no keyspace `none`");
}
