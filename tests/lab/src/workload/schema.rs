//! The tables: every kind of column, key, compression, compaction and index that a backup meets in real life.

use std::collections::BTreeMap;

use crate::release::Release;

/// Run after the column was written and flushed, so that SSTables hold a column that the table no longer has.
pub const DROP_COLUMN: &str = "ALTER TABLE shop.baskets DROP legacy";

/// Ten days: nothing expires while a test runs.
pub const TTL_SECONDS: u32 = 864_000;

const REPLICAS_MAX: usize = 3;

/// All statements, in the order in which they must run.
pub fn statements(release: Release, datacenters: &BTreeMap<String, usize>) -> Vec<String> {
    let mut statements = keyspaces(datacenters);
    // Zstandard came with 4.0.
    let dense = if release >= Release::C40 {
        "ZstdCompressor"
    } else {
        "DeflateCompressor"
    };
    statements.extend(TYPES_AND_FUNCTIONS.map(str::to_owned));
    statements.extend(TABLES.map(|table| {
        table
            .replace("@DENSE", dense)
            .replace("@TTL", &TTL_SECONDS.to_string())
    }));
    let vector = if release >= Release::C50 {
        ", v_vector vector<float, 3>"
    } else {
        ""
    };
    statements.push(ALL_TYPES.replace("@VECTOR", vector));
    statements.push(INDEX.to_owned());
    if release >= Release::C50 {
        statements.push(SAI_INDEX.to_owned());
    }
    // Last: an index that is made while the view is built stops the building, and fails by that.
    statements.push(VIEW.to_owned());
    statements
}

fn keyspaces(datacenters: &BTreeMap<String, usize>) -> Vec<String> {
    let replicas: Vec<String> = datacenters
        .iter()
        .map(|(datacenter, nodes)| format!("'{datacenter}': {}", nodes.min(&REPLICAS_MAX)))
        .collect();
    let nodes: usize = datacenters.values().sum();
    vec![
        format!(
            "CREATE KEYSPACE shop WITH replication = {{'class': 'NetworkTopologyStrategy', {}}}",
            replicas.join(", ")
        ),
        format!(
            "CREATE KEYSPACE \"Metrics_2\" WITH replication = \
             {{'class': 'SimpleStrategy', 'replication_factor': {}}}",
            nodes.min(REPLICAS_MAX)
        ),
    ]
}

const TYPES_AND_FUNCTIONS: [&str; 3] = [
    "CREATE TYPE shop.address (street text, city text, codes frozen<list<int>>)",
    "CREATE FUNCTION shop.longer (longest int, word text) CALLED ON NULL INPUT RETURNS int LANGUAGE java \
     AS 'if (word == null) return longest; return Math.max(longest, word.length());'",
    "CREATE AGGREGATE shop.longest (text) SFUNC longer STYPE int INITCOND 0",
];

const TABLES: [&str; 7] = [
    // Wide partitions, mixed order, static columns, collections and user types, frozen and not.
    "CREATE TABLE shop.orders (
        customer_id uuid, year int, placed_at timestamp, line int,
        customer_name text static, loyalty int static,
        product text, amount decimal, note text,
        tags set<text>, attributes map<text, text>, steps list<text>,
        ship_to frozen<address>, bill_to address, box frozen<tuple<int, int, double>>,
        PRIMARY KEY ((customer_id, year), placed_at, line)
    ) WITH CLUSTERING ORDER BY (placed_at DESC, line ASC)
        AND compression = {'class': 'LZ4Compressor', 'chunk_length_in_kb': 16}",
    "CREATE TABLE shop.events (
        source text, day date, id timeuuid, level text, payload blob,
        PRIMARY KEY ((source, day), id)
    ) WITH CLUSTERING ORDER BY (id DESC)
        AND compaction = {'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'DAYS', 'compaction_window_size': 1}
        AND compression = {'class': '@DENSE'}
        AND default_time_to_live = @TTL",
    r#"CREATE TABLE shop.products (
        sku text PRIMARY KEY, category text, maker text, name text, price decimal, stock int
    ) WITH comment = 'Parts; the ''good'' ones -- see "Catalogue" /* 2 */ $$'
        AND compaction = {'class': 'LeveledCompactionStrategy'}
        AND compression = {'class': 'SnappyCompressor'}"#,
    "CREATE TABLE shop.page_hits (
        page text, day date, hits counter, bytes counter, PRIMARY KEY (page, day)
    )",
    "CREATE TABLE shop.baskets (
        owner uuid, items frozen<set<text>>, opened_at timestamp,
        history list<frozen<tuple<timestamp, text>>>, matrix map<text, frozen<list<int>>>,
        places frozen<map<text, frozen<address>>>, legacy text,
        PRIMARY KEY (owner, items)
    )",
    r#"CREATE TABLE "Metrics_2"."Samples" (
        "Sensor Id" text, day int, "At" timestamp, "Value" double, "Raw" blob, quality smallint,
        PRIMARY KEY (("Sensor Id", day), "At")
    ) WITH CLUSTERING ORDER BY ("At" DESC)
        AND compression = {'class': 'LZ4Compressor', 'chunk_length_in_kb': 4}"#,
    r#"CREATE TABLE "Metrics_2".latest (
        sensor text, kind text, owner text static, reading double, seen_at timestamp,
        PRIMARY KEY (sensor, kind)
    ) WITH compaction = {'class': 'LeveledCompactionStrategy'}
        AND compression = {'class': 'DeflateCompressor'}"#,
];

/// Every native type once, in a table without compression.
const ALL_TYPES: &str = "CREATE TABLE shop.all_types (
        id int PRIMARY KEY,
        v_ascii ascii, v_bigint bigint, v_blob blob, v_boolean boolean, v_date date, v_decimal decimal,
        v_double double, v_duration duration, v_float float, v_inet inet, v_int int, v_smallint smallint,
        v_text text, v_time time, v_timestamp timestamp, v_timeuuid timeuuid, v_tinyint tinyint, v_uuid uuid,
        v_varchar varchar, v_varint varint@VECTOR
    ) WITH compression = {'enabled': 'false'}";

const INDEX: &str = "CREATE INDEX products_by_maker ON shop.products (maker)";
const VIEW: &str = "CREATE MATERIALIZED VIEW shop.products_by_category AS SELECT * FROM shop.products \
     WHERE category IS NOT NULL AND sku IS NOT NULL PRIMARY KEY (category, sku)";

const SAI_INDEX: &str = "CREATE INDEX products_by_price ON shop.products (price) USING 'sai'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_gets_what_it_knows() {
        let datacenters = BTreeMap::from([("dc1".to_owned(), 4), ("dc2".to_owned(), 1)]);
        for release in Release::ALL {
            let all = statements(release, &datacenters).join("\n");
            assert!(all.contains("'dc1': 3, 'dc2': 1"), "{all}");
            assert!(!all.contains('@'), "{all}");
            assert_eq!(all.contains("Zstd"), release >= Release::C40);
            assert_eq!(all.contains("'sai'"), release >= Release::C50);
            assert_eq!(all.contains("vector<"), release >= Release::C50);
        }
    }
}
