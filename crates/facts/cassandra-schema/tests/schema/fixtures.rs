//! Schemas as each release line and dialect writes them.

use cassandra_schema::{
    IndexKind, Normal, Object, Requirement, SameMeaning, Schema, diff, replay_order, requirements,
    same_storage,
};

const ALL: [(&str, &str); 9] = [
    ("cassandra 3.11", include_str!("texts/cassandra-3.11.cql")),
    ("cassandra 4.0", include_str!("texts/cassandra-4.0.cql")),
    ("cassandra 4.1", include_str!("texts/cassandra-4.1.cql")),
    ("cassandra 5.0", include_str!("texts/cassandra-5.0.cql")),
    ("dse 6.8", include_str!("texts/dse-6.8.cql")),
    ("hcd 1.2", include_str!("texts/hcd-1.2.cql")),
    ("hcd 1.x", include_str!("texts/hcd-1.x.cql")),
    ("hcd 2.x", include_str!("texts/hcd-2.x.cql")),
    ("snapshot 3.11", include_str!("texts/snapshot-3.11.cql")),
];

#[track_caller]
fn of(name: &str) -> Schema {
    let (_, text) = ALL
        .iter()
        .find(|(known, _)| *known == name)
        .expect("a fixture");
    let (schema, problems) = Schema::parse_text(text);
    assert_eq!(problems, [], "{name}");
    schema
}

fn again(schema: &Schema) -> Schema {
    let cql: Vec<String> = replay_order(schema)
        .into_iter()
        .flat_map(|object| object.to_cql())
        .collect();
    let (again, problems) = Schema::parse_text(&cql.join(";\n"));
    assert_eq!(problems, []);
    again
}

#[test]
fn every_statement_of_every_dialect_is_read_and_can_be_read_back() {
    for (name, _) in ALL {
        let mut schema = of(name);
        // A comment is not written again.
        schema.tables.retain(|table| !table.has_no_cql);
        // Cassandra lists types in this order already, and others need none.
        assert_eq!(again(&schema), schema, "{name}");
    }
}

#[test]
fn a_table_means_the_same_whichever_release_printed_it() {
    let old = of("cassandra 3.11");
    for name in ["cassandra 4.0", "cassandra 4.1", "cassandra 5.0"] {
        let new = of(name);
        let table = |schema: &Schema| schema.table("shop", "orders").cloned().expect("a table");
        let (a, b) = (table(&old), table(&new));
        assert_eq!(a.normal(), b.normal(), "{name}");
        assert!(a.same_definition(&b) && same_storage(&a, &b), "{name}");
        assert!(diff(&a, &b).is_empty(), "{name}");
        for kind in ["by_note", "By Tag"] {
            let index = |schema: &Schema| schema.index("shop", kind).cloned().expect("an index");
            assert!(index(&old).same_definition(&index(&new)), "{name} {kind}");
        }
        let view = |schema: &Schema| schema.view("shop", "by_line").cloned().expect("a view");
        assert_eq!(view(&old).normal(), view(&new).normal(), "{name}");
        assert!(old.types[1].same_definition(&new.types[1]), "{name}");
        assert!(
            old.keyspaces[0].same_definition(&new.keyspaces[0]),
            "{name}"
        );
        assert!(
            old.aggregates[0].same_definition(&new.aggregates[0]),
            "{name}"
        );
    }
}

/// As nodes of Converged Cassandra 4.0 and 5.0, on which they are built, describe the same statements.
#[test]
fn what_the_lines_of_hcd_print_means_the_same() {
    let (one, two) = (of("hcd 1.x"), of("hcd 2.x"));
    for name in ["one", "orders", "vec"] {
        let table = |schema: &Schema| schema.table("shop", name).cloned().expect("a table");
        let (a, b) = (table(&one), table(&two));
        assert_eq!(a.normal(), b.normal(), "{name}");
    }
    let keys = |name: &str| {
        let table = one.table("shop", name).expect("a table");
        let keys = table.partition_key().map(|column| column.name.clone());
        (keys.collect::<Vec<_>>(), table.clustering().count())
    };
    assert_eq!(keys("one"), (vec!["k".to_owned()], 0));
    assert_eq!(keys("orders"), (vec!["k".to_owned()], 2));
    let view = |schema: &Schema| schema.view("shop", "by_tag").cloned().expect("a view");
    assert_eq!(view(&one).normal(), view(&two).normal());
    assert_eq!(one.indexes[1].kind(), IndexKind::Sai);
    let unified = requirements(&one)
        .into_iter()
        .filter(|requirement| requirement.feature == cassandra_schema::Feature::UnifiedCompaction);
    assert_eq!(unified.count(), 4);
}

#[test]
fn dropped_columns_are_the_same_by_either_dialect() {
    let table = of("hcd 1.2").tables.remove(0);
    let names: Vec<&str> = table.dropped.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["Old", "pair", "again"]);
    assert!(table.dropped[0].is_static && !table.dropped[1].is_static);
    let release = |text: &str| text.parse().expect("a release");
    let hcd = table.to_cql_for(&release("hcd 1.2.1"));
    assert_eq!(hcd.len(), 1, "{hcd:?}");
    assert!(hcd[0].contains("DROPPED COLUMN RECORD pair tuple<int, text> USING TIMESTAMP 1700"));
    let cassandra = table.to_cql_for(&release("cassandra 4.0.1"));
    assert_eq!(
        &cassandra[1..],
        [
            "ALTER TABLE shop.readings DROP \"Old\" USING TIMESTAMP 5000",
            "ALTER TABLE shop.readings DROP pair USING TIMESTAMP 1700000000123000",
            "ALTER TABLE shop.readings DROP again USING TIMESTAMP 1700000000456000",
            "ALTER TABLE shop.readings ADD again int",
        ]
    );
    for cql in [hcd, cassandra] {
        let (read, problems) = Schema::parse_text(&cql.join(";\n"));
        assert_eq!(problems, []);
        assert!(same_storage(&read.tables[0], &table));
    }
}

#[test]
fn a_snapshot_of_3_11_names_what_it_could_not_write() {
    let schema = of("snapshot 3.11");
    let bare: Vec<&str> = schema
        .tables
        .iter()
        .filter(|table| table.has_no_cql)
        .map(|table| table.name.as_str())
        .collect();
    assert_eq!(bare, ["Old One"]);
    assert_eq!(schema.indexes[0].name, "t_v_idx");
    assert_eq!(schema.indexes[1].options.len(), 1);
    let table = schema.table("shop", "Old One").expect("a table");
    assert!(!table.same_definition(table) && !same_storage(table, table));
}

#[test]
fn graphs_and_search_indexes_of_dse_are_known() {
    let schema = of("dse 6.8");
    let kinds: Vec<IndexKind> = schema.indexes.iter().map(|index| index.kind()).collect();
    assert_eq!(
        kinds,
        [IndexKind::Search, IndexKind::Sai, IndexKind::Search]
    );
    assert_eq!(schema.indexes[2].search_statements.len(), 2);
    assert!(schema.tables.iter().all(|table| table.graph.is_some()));
}

#[test]
fn each_object_says_what_it_needs() {
    let names = |name: &str| -> Vec<String> {
        let line =
            |need: &Requirement| format!("{} {}: {}", need.subject.name, need.part, need.feature);
        requirements(&of(name)).iter().map(line).collect()
    };
    assert_eq!(
        names("dse 6.8"),
        [
            "trips graph_engine: a DSE Graph keyspace",
            "trips replication: EverywhereStrategy",
            "dse_analytics : a keyspace of DSE Analytics",
            "half(int) : a deterministic or monotonic function",
            "half(int) : a user-defined function",
            "twice(int) : a deterministic or monotonic function",
            "twice(int) : a user-defined function",
            "total(int) : a deterministic or monotonic function",
            "total(int) : a user-defined function",
            "place solr_query: the solr_query column of DSE Search",
            "place : a DSE Graph label",
            "place nodesync: NodeSync",
            "place compaction: tiered storage",
            "place area: a geometric or date range type of DSE",
            "place open: a geometric or date range type of DSE",
            "place road: a geometric or date range type of DSE",
            "place spot: a geometric or date range type of DSE",
            "place compression: the encryption by EncryptingLZ4Compressor",
            "place additional_write_policy: read_repair and additional_write_policy",
            "place read_repair: read_repair and additional_write_policy",
            "travel : a DSE Graph label",
            "travel compaction: DSE In-Memory",
            "travel dse_edge_label_property: a graph property of DSE",
            "trips_place_solr_query_index : a DSE Search index",
            "place_area : a storage-attached index",
            "trips_travel_solr_query_index : a DSE Search index",
        ]
    );
    let five = names("cassandra 5.0");
    for expected in [
        "people id: a masked column",
        "people face: a vector column",
        "people compaction: UnifiedCompactionStrategy",
        "by_face : a storage-attached index",
        "by_line : a materialized view",
        "orders memtable: the memtable option",
    ] {
        assert!(
            five.iter().any(|line| line == expected),
            "{expected} in {five:?}"
        );
    }
    assert!(!five.iter().any(|line| line.starts_with("by_mail")));
    let three = names("cassandra 3.11");
    for expected in [
        "scripted(int) : a function in javascript",
        "fixed : COMPACT STORAGE",
        "fixed audit: the trigger org.example.Audit",
        "by_name : a SASI index",
        "orders read_repair_chance: read_repair_chance",
    ] {
        assert!(
            three.iter().any(|line| line == expected),
            "{expected} in {three:?}"
        );
    }
}

#[test]
fn masks_find_their_functions_and_fields_their_types() {
    for (name, _) in ALL {
        let schema = of(name);
        let order = replay_order(&schema);
        for (at, object) in order.iter().enumerate() {
            for later in &order[at + 1..] {
                let keys = (object.key(), later.key());
                assert!(!object.needs(*later), "{name}: {keys:?}");
            }
        }
    }
    let schema = of("cassandra 5.0");
    let people = schema.table("shop", "people").expect("a table");
    let hide = schema
        .functions
        .iter()
        .find(|function| function.name == "hide");
    let hide = Object::Function(hide.expect("a function"));
    assert!(Object::Table(people).needs(hide));
}
