//! Statements that a schema must survive, as far as each release line knows them.

use lab::Release;

/// The keyspace that they are about.
pub const KEYSPACE: &str = "Odd_Names";

/// All that the line knows, in the order in which they must run.
pub fn statements(release: Release) -> Vec<String> {
    let mut all: Vec<String> = COMMON.map(str::to_owned).to_vec();
    all.push(all_options(release));
    if release == Release::C311 {
        all.extend(ONLY_3_11.map(str::to_owned));
    }
    if release >= Release::C50 {
        all.extend(FROM_5_0.map(str::to_owned));
    }
    // Last: an index that is made while the view is built stops the building.
    all.extend(VIEWS.map(str::to_owned));
    all
}

/// Every option away from its default.
fn all_options(release: Release) -> String {
    let own = match release {
        Release::C311 => {
            "AND dclocal_read_repair_chance = 0.2 AND read_repair_chance = 0.3 \
             AND speculative_retry = '50ms' \
             AND compression = {'class': 'DeflateCompressor', 'chunk_length_in_kb': '32', 'crc_check_chance': '0.5'}"
        }
        Release::C40 | Release::C41 => {
            "AND read_repair = 'NONE' AND additional_write_policy = '80p' \
             AND speculative_retry = 'MIN(99p,50ms)' \
             AND compression = {'class': 'ZstdCompressor', 'compression_level': '3', 'chunk_length_in_kb': '32', \
             'min_compress_ratio': '1.5'}"
        }
        Release::C50 => {
            "AND read_repair = 'NONE' AND additional_write_policy = '80p' \
             AND speculative_retry = 'MAX(99p,50ms)' AND allow_auto_snapshot = false AND incremental_backups = false \
             AND compression = {'class': 'ZstdCompressor', 'compression_level': '3', 'chunk_length_in_kb': '32'}"
        }
    };
    let chance = match release {
        // It stands in the compression there.
        Release::C311 => "",
        _ => "AND crc_check_chance = 0.5",
    };
    format!(
        r#"CREATE TABLE "Odd_Names"."All_Options" (
            "Key" int, c1 text, c2 int, v text, PRIMARY KEY (("Key"), c1, c2)
        ) WITH CLUSTERING ORDER BY (c1 DESC, c2 ASC)
            AND comment = 'a;b''c -- "x" /* y */ $$ ä'
            AND bloom_filter_fp_chance = 0.05
            AND caching = {{'keys': 'NONE', 'rows_per_partition': '120'}}
            AND compaction = {{'class': 'SizeTieredCompactionStrategy', 'min_threshold': '6', 'max_threshold': '20',
                'tombstone_threshold': '0.3', 'only_purge_repaired_tombstones': 'true'}}
            AND cdc = true
            AND default_time_to_live = 1000
            AND gc_grace_seconds = 12345
            AND max_index_interval = 1024
            AND min_index_interval = 64
            AND memtable_flush_period_in_ms = 3600000
            {chance} {own}"#
    )
}

const COMMON: [&str; 37] = [
    r#"CREATE KEYSPACE "Odd_Names" WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 1}
        AND durable_writes = false"#,
    r#"CREATE TYPE "Odd_Names".inner_type (a int, "B c" text, d frozen<set<text>>)"#,
    r#"CREATE TYPE "Odd_Names"."Outer" (one frozen<inner_type>, many frozen<list<frozen<inner_type>>>,
        pairs frozen<map<text, frozen<tuple<int, frozen<inner_type>>>>>)"#,
    r#"ALTER TYPE "Odd_Names".inner_type ADD later bigint"#,
    r#"ALTER TYPE "Odd_Names".inner_type RENAME a TO "A""#,
    // Functions that share a name, bodies with what ends statements, types of users and tuples.
    r#"CREATE FUNCTION "Odd_Names".first_of(v inner_type) RETURNS NULL ON NULL INPUT RETURNS text LANGUAGE java
        AS 'String s = "a;b''c"; /* -- */ return s + v.getString("later");'"#,
    r#"CREATE FUNCTION "Odd_Names".first_of(v text) RETURNS NULL ON NULL INPUT RETURNS text LANGUAGE java
        AS $$return v; $$"#,
    r#"CREATE FUNCTION "Odd_Names"."Count_State"("State" tuple<int, bigint>, v int) CALLED ON NULL INPUT
        RETURNS tuple<int, bigint> LANGUAGE java AS 'return State;'"#,
    r#"CREATE FUNCTION "Odd_Names".final_of(state tuple<int, bigint>) RETURNS NULL ON NULL INPUT RETURNS double
        LANGUAGE java AS 'return 1.0;'"#,
    r#"CREATE AGGREGATE "Odd_Names".average(int) SFUNC "Count_State" STYPE tuple<int, bigint> FINALFUNC final_of
        INITCOND (0, 0)"#,
    r#"CREATE FUNCTION "Odd_Names".gather(state list<text>, v text) CALLED ON NULL INPUT RETURNS list<text>
        LANGUAGE java AS 'return state;'"#,
    // No quotes in it: Cassandra does not write them as it reads them.
    r#"CREATE AGGREGATE "Odd_Names".gathered(text) SFUNC gather STYPE list<text> INITCOND ['a; b', '']"#,
    // Columns that are gone, of every kind, and two that are back.
    r#"CREATE TABLE "Odd_Names".dropped_columns (
        pk int, "Ck;1" text, kept text static, gone_static int static, gone set<text>, gone_frozen frozen<list<int>>,
        gone_udt frozen<"Outer">, gone_unfrozen inner_type, gone_tuple tuple<int, text>, again text, "Again 2" map<int, text>,
        v int, "quoted ""name""" text, gone_map map<text, frozen<inner_type>>, PRIMARY KEY (pk, "Ck;1")
    ) WITH CLUSTERING ORDER BY ("Ck;1" DESC)"#,
    r#"ALTER TABLE "Odd_Names".dropped_columns DROP gone_static"#,
    r#"ALTER TABLE "Odd_Names".dropped_columns DROP gone"#,
    r#"ALTER TABLE "Odd_Names".dropped_columns DROP gone_frozen"#,
    r#"ALTER TABLE "Odd_Names".dropped_columns DROP gone_udt"#,
    r#"ALTER TABLE "Odd_Names".dropped_columns DROP gone_tuple"#,
    r#"ALTER TABLE "Odd_Names".dropped_columns DROP gone_map"#,
    r#"ALTER TABLE "Odd_Names".dropped_columns DROP "quoted ""name""""#,
    r#"ALTER TABLE "Odd_Names".dropped_columns DROP again"#,
    r#"ALTER TABLE "Odd_Names".dropped_columns ADD again text"#,
    r#"ALTER TABLE "Odd_Names".dropped_columns DROP "Again 2""#,
    r#"ALTER TABLE "Odd_Names".dropped_columns ADD "Again 2" map<int, text>"#,
    // Names that are words of CQL.
    r#"CREATE TABLE "Odd_Names"."select" ("from" int, "primary" text, static int, type text, "TTL" text,
        PRIMARY KEY (("from", "primary"), static))"#,
    r#"CREATE TABLE "Odd_Names".counters (a text, b int, up counter, "Down" counter, PRIMARY KEY (a, b))
        WITH comment = '' AND gc_grace_seconds = 0"#,
    r#"CREATE TABLE "Odd_Names".nested (
        id timeuuid PRIMARY KEY, outer_value frozen<"Outer">, plain inner_type,
        deep map<text, frozen<map<int, frozen<list<frozen<"Outer">>>>>>, pair tuple<int, frozen<inner_type>>,
        own 'org.apache.cassandra.db.marshal.CompositeType(org.apache.cassandra.db.marshal.UTF8Type,org.apache.cassandra.db.marshal.Int32Type)'
    )"#,
    // Indexes of every target.
    r#"CREATE TABLE "Odd_Names".indexed (
        pk int, ck text, side text static, m map<text, int>, s set<text>, l list<int>, f frozen<list<int>>, "V v" text, plain text,
        big text, PRIMARY KEY (pk, ck)
    )"#,
    r#"CREATE INDEX ON "Odd_Names".indexed (plain)"#,
    r#"CREATE INDEX "By_V" ON "Odd_Names".indexed ("V v")"#,
    r#"CREATE INDEX by_key ON "Odd_Names".indexed (KEYS(m))"#,
    r#"CREATE INDEX by_element ON "Odd_Names".indexed (s)"#,
    r#"CREATE INDEX by_list ON "Odd_Names".indexed (VALUES(l))"#,
    r#"CREATE INDEX by_all ON "Odd_Names".indexed (FULL(f))"#,
    r#"CREATE INDEX by_ck ON "Odd_Names".indexed (ck)"#,
    r#"CREATE INDEX by_side ON "Odd_Names".indexed (side)"#,
    r#"CREATE CUSTOM INDEX by_big ON "Odd_Names".indexed (big) USING 'org.apache.cassandra.index.sasi.SASIIndex'
        WITH OPTIONS = {'mode': 'CONTAINS', 'case_sensitive': 'false',
        'analyzer_class': 'org.apache.cassandra.index.sasi.analyzer.NonTokenizingAnalyzer'}"#,
];

const ONLY_3_11: [&str; 5] = [
    r#"CREATE TABLE "Odd_Names".compact_dense (a int, b text, c int, v text, PRIMARY KEY (a, b, c)) WITH COMPACT STORAGE
        AND CLUSTERING ORDER BY (b DESC, c ASC) AND comment = 'dense'"#,
    r#"CREATE TABLE "Odd_Names".compact_keys (a int, b text, PRIMARY KEY (a, b)) WITH COMPACT STORAGE"#,
    r#"CREATE TABLE "Odd_Names".compact_static (a int PRIMARY KEY, "V" text, w int) WITH COMPACT STORAGE"#,
    r#"CREATE TABLE "Odd_Names".by_date (a int PRIMARY KEY, v text) WITH compaction = {
        'class': 'DateTieredCompactionStrategy', 'base_time_seconds': '3600', 'max_sstable_age_days': '10'}"#,
    r#"CREATE TABLE "Odd_Names".old_plain (a int PRIMARY KEY, v text) WITH compression = {'sstable_compression': ''}"#,
];

const FROM_5_0: [&str; 5] = [
    r#"CREATE TABLE "Odd_Names".vectors (id int PRIMARY KEY, face vector<float, 3>, parts frozen<list<vector<int, 2>>>)
        WITH compaction = {'class': 'UnifiedCompactionStrategy', 'scaling_parameters': 'T4, L8'}"#,
    r#"CREATE CUSTOM INDEX by_face ON "Odd_Names".vectors (face) USING 'StorageAttachedIndex'
        WITH OPTIONS = {'similarity_function': 'DOT_PRODUCT'}"#,
    r#"CREATE TABLE "Odd_Names".masked (
        id int, born date MASKED WITH DEFAULT, "Mail" text MASKED WITH mask_inner(1, null, '*'),
        name text MASKED WITH mask_replace('a; b, )'), PRIMARY KEY (id, born))"#,
    r#"CREATE INDEX by_name ON "Odd_Names".masked (name) USING 'sai'
        WITH OPTIONS = {'case_sensitive': 'false', 'normalize': 'true'}"#,
    r#"CREATE INDEX by_entry ON "Odd_Names".indexed (ENTRIES(m)) USING 'sai'"#,
];

// No quotes in the filter, nor in masks: no release writes them as it reads them, and 3.11 cannot use its own schema then.
const VIEWS: [&str; 2] = [
    r#"CREATE MATERIALIZED VIEW "Odd_Names"."By_V" AS SELECT pk, "Ck;1", v, again FROM "Odd_Names".dropped_columns
        WHERE v IS NOT NULL AND pk IS NOT NULL AND "Ck;1" = 'a; b' PRIMARY KEY (v, pk, "Ck;1")
        WITH CLUSTERING ORDER BY (pk DESC, "Ck;1" ASC) AND comment = 'view''s; own' AND gc_grace_seconds = 999"#,
    r#"CREATE MATERIALIZED VIEW "Odd_Names"."where" AS SELECT * FROM "Odd_Names"."select"
        WHERE "from" IS NOT NULL AND "primary" IS NOT NULL AND static > 3 AND static < 10
        PRIMARY KEY ((static, "from"), "primary")"#,
];
