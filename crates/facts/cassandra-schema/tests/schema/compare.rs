//! What means the same, and what does not.

use cassandra_schema::{Normal, SameMeaning, Schema, same_storage};

#[track_caller]
fn schema(text: &str) -> Schema {
    let (schema, problems) = Schema::parse_text(text);
    assert_eq!(problems, []);
    schema
}

#[track_caller]
fn check_table(columns: (&str, &str), options: (&str, &str), same: bool) {
    let table = |columns: &str, options: &str| {
        let with = if options.is_empty() { "" } else { "WITH" };
        let text = format!("CREATE TABLE k.t ({columns}, PRIMARY KEY (a, c)) {with} {options}");
        schema(&text).tables.remove(0)
    };
    let (a, b) = (table(columns.0, options.0), table(columns.1, options.1));
    assert_eq!(
        a.same_definition(&b),
        same,
        "{:#?}\n{:#?}",
        a.normal(),
        b.normal()
    );
    let same_columns = columns.0 == columns.1 || same;
    assert_eq!(same_storage(&a, &b), same_columns, "{columns:?}");
}

const COLUMNS: &str = "a int, c int";

#[test]
fn options_that_mean_the_same_are_the_same() {
    for (a, b) in [
        (
            "",
            "read_repair_chance = 0.0 AND dclocal_read_repair_chance = 0.1",
        ),
        (
            "",
            "read_repair = 'BLOCKING' AND additional_write_policy = '99p'",
        ),
        (
            "",
            "memtable = 'default' AND cdc = FALSE AND extensions = {}",
        ),
        ("", "memtable = {}"),
        (
            "",
            "allow_auto_snapshot = true AND incremental_backups = true",
        ),
        (
            "",
            "comment = '' AND gc_grace_seconds = 864000 AND crc_check_chance = 1",
        ),
        ("", "bloom_filter_fp_chance = 0.01"),
        ("", "caching = {'keys': 'all'}"),
        ("", "speculative_retry = '99.0PERCENTILE'"),
        (
            "",
            "compaction = {'class': 'SizeTieredCompactionStrategy', 'min_threshold': '4', 'max_threshold': 32}",
        ),
        ("speculative_retry = 'NONE'", "speculative_retry = 'never'"),
        (
            "speculative_retry = '50ms'",
            "speculative_retry = '50.00MS'",
        ),
        (
            "gc_grace_seconds = 10 AND comment = 'x'",
            "comment = 'x' AND GC_GRACE_SECONDS = '10'",
        ),
        (
            "compaction = {'class': 'org.apache.cassandra.db.compaction.LeveledCompactionStrategy'}",
            "bloom_filter_fp_chance = 0.10 AND compaction = {'enabled': true, 'class': 'LeveledCompactionStrategy'}",
        ),
        (
            "compression = {'sstable_compression': 'org.apache.cassandra.io.compress.LZ4Compressor', 'chunk_length_kb': 16}",
            "compression = {'chunk_length_in_kb': '16', 'class': 'LZ4Compressor', 'enabled': 'true'}",
        ),
        (
            "compression = {'sstable_compression': ''}",
            "compression = {'enabled': 'false'}",
        ),
        (
            "compression = {'class': 'LZ4Compressor', 'crc_check_chance': 0.5}",
            "compression = {'class': 'LZ4Compressor'} AND crc_check_chance = 0.5",
        ),
    ] {
        check_table((COLUMNS, COLUMNS), (a, b), true);
    }
}

#[test]
fn options_that_mean_something_else_are_not() {
    for (a, b) in [
        ("", "read_repair_chance = 0.1"),
        ("", "dclocal_read_repair_chance = 0.0"),
        ("", "cdc = true"),
        ("", "memtable = 'trie'"),
        ("", "extensions = {'a': 0x01}"),
        ("", "comment = ' '"),
        ("", "bloom_filter_fp_chance = 0.1"),
        ("", "caching = {'keys': 'NONE'}"),
        ("", "speculative_retry = '98p'"),
        (
            "",
            "compaction = {'class': 'SizeTieredCompactionStrategy', 'min_threshold': '5'}",
        ),
        (
            "",
            "compaction = {'class': 'org.example.SizeTieredCompactionStrategy'}",
        ),
        ("", "nodesync = {'enabled': 'true'}"),
        ("", "brand_new_option = 1"),
        (
            "compression = {'class': 'LZ4Compressor'}",
            "compression = {'class': 'LZ4Compressor', 'chunk_length_in_kb': 64}",
        ),
        (
            "compression = {'class': 'LZ4Compressor'}",
            "compression = {'enabled': 'false'}",
        ),
        ("comment = 'a'", "comment = 'A'"),
        // A table keeps the chance that it was made with.
        (
            "compaction = {'class': 'LeveledCompactionStrategy'}",
            "compaction = {'class': 'LeveledCompactionStrategy'} AND bloom_filter_fp_chance = 0.01",
        ),
    ] {
        check_table((COLUMNS, COLUMNS), (a, b), false);
    }
}

#[test]
fn types_are_the_same_if_frozen_is_implied() {
    for (a, b, same) in [
        ("text", "varchar", true),
        ("tuple<int, varchar>", "frozen<tuple<int, text>>", true),
        (
            "frozen<list<list<int>>>",
            "frozen<list<frozen<list<int>>>>",
            true,
        ),
        ("frozen<map<int, u>>", "frozen<map<int, frozen<u>>>", true),
        ("list<tuple<int>>", "list<frozen<tuple<int>>>", true),
        ("frozen<int>", "int", true),
        ("u", "k.u", true),
        (
            "'org.apache.cassandra.db.marshal.PointType'",
            "'PointType'",
            true,
        ),
        ("list<int>", "frozen<list<int>>", false),
        ("u", "frozen<u>", false),
        ("u", "\"U\"", false),
        ("int", "\"int\"", false),
        ("map<int, text>", "map<text, int>", false),
        ("vector<float, 3>", "vector<float, 4>", false),
        ("vector<float, 3>", "list<float>", false),
        ("timestamp", "date", false),
        ("uuid", "timeuuid", false),
        ("tuple<int>", "tuple<int, int>", false),
    ] {
        let columns = |of: &str| format!("{COLUMNS}, v {of}");
        check_table((&columns(a), &columns(b)), ("", ""), same);
    }
}

#[test]
fn columns_are_the_same_in_any_order_and_their_masks_by_any_name() {
    check_table(
        ("a int, c int, v int, w int", "w int, v int, c int, a int"),
        ("", ""),
        true,
    );
    check_table(
        ("a int, c int, v int, w int", "a int, c int, v int, W int"),
        ("", ""),
        true,
    );
    check_table(
        (
            "a int, c int, v int, w int",
            "a int, c int, v int, \"W\" int",
        ),
        ("", ""),
        false,
    );
    let masked = |mask: &str| {
        let text = format!("CREATE TABLE k.t (a int PRIMARY KEY, v int MASKED WITH {mask})");
        schema(&text).tables.remove(0)
    };
    for (a, b, same) in [
        ("DEFAULT", "system.mask_default()", true),
        ("mask_inner(1, NULL)", "system.mask_inner( 1,null )", true),
        ("mask_inner(1, null)", "mask_inner(2, null)", false),
        ("k.f()", "k.g()", false),
    ] {
        assert_eq!(masked(a).same_definition(&masked(b)), same, "{a} {b}");
        assert!(same_storage(&masked(a), &masked(b)));
    }
}

#[test]
fn indexes_are_compared_by_their_kind() {
    let index = |text: &str| schema(text).indexes.remove(0);
    for (a, b, same) in [
        (
            "CREATE INDEX i ON k.t (m)",
            "CREATE INDEX i ON k.t (values(m)) USING 'legacy_local_table'",
            true,
        ),
        (
            "CREATE INDEX i ON k.t (m) USING 'sai'",
            "CREATE CUSTOM INDEX i ON k.t (m) USING 'org.apache.cassandra.index.sai.StorageAttachedIndex'",
            true,
        ),
        (
            "CREATE CUSTOM INDEX i ON k.t (m) USING 'X' WITH OPTIONS = {'a': 1}",
            "CREATE CUSTOM INDEX i ON k.t (m) USING 'X' WITH OPTIONS = {'a': '1'}",
            true,
        ),
        (
            "CREATE INDEX i ON k.t (m)",
            "CREATE INDEX i ON k.t (keys(m))",
            false,
        ),
        (
            "CREATE INDEX i ON k.t (m)",
            "CREATE INDEX i ON k.t (full(m))",
            false,
        ),
        (
            "CREATE INDEX i ON k.t (m)",
            "CREATE INDEX i ON k.t (m) USING 'sai'",
            false,
        ),
        (
            "CREATE INDEX i ON k.t (m)",
            "CREATE INDEX i ON k.t (n)",
            false,
        ),
        (
            "CREATE CUSTOM INDEX i ON k.t (m) USING 'X'",
            "CREATE CUSTOM INDEX i ON k.t (m) USING 'Y'",
            false,
        ),
        (
            "CREATE CUSTOM INDEX i ON k.t (m) USING 'sai'",
            "CREATE CUSTOM INDEX i ON k.t (m) USING 'sai' WITH OPTIONS = {'normalize': 'true'}",
            false,
        ),
    ] {
        assert_eq!(index(a).same_definition(&index(b)), same, "{a}\n{b}");
    }
}

#[test]
fn views_and_functions_differ_by_what_they_say_only() {
    let view = |filter: &str| {
        let text = format!(
            "CREATE MATERIALIZED VIEW k.v AS SELECT a, b FROM k.t WHERE {filter} PRIMARY KEY (a, b)"
        );
        schema(&text).views.remove(0)
    };
    for (a, b, same) in [
        (
            "a IS NOT NULL AND b is not null",
            "b IS NOT NULL AND \"a\" IS NOT NULL",
            true,
        ),
        ("a IS NOT NULL AND b > 1", "a IS NOT NULL AND b > 2", false),
        ("a = 'AND'", "a = 'and'", false),
    ] {
        assert_eq!(view(a).same_definition(&view(b)), same, "{a}\n{b}");
    }
    let function = |types: &str, body: &str| {
        let text = format!(
            "CREATE FUNCTION k.f(a {types}) CALLED ON NULL INPUT RETURNS int LANGUAGE java AS {body}"
        );
        schema(&text).functions.remove(0)
    };
    for (a, b, same) in [
        (
            ("frozen<list<text>>", "$$x$$"),
            ("list<varchar>", "'x'"),
            true,
        ),
        (("int", "$$x$$"), ("int", "$$x $$"), false),
        (("int", "$$x$$"), ("bigint", "$$x$$"), false),
    ] {
        let (a, b) = (function(a.0, a.1), function(b.0, b.1));
        let same_name = a.arguments[0].1 == b.arguments[0].1 || same;
        assert_eq!(a.signature() == b.signature(), same_name);
        assert_eq!(a.same_definition(&b), same);
    }
}
