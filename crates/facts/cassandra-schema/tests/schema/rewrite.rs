//! Schemas fitted to another release.

use std::collections::BTreeMap;

use cassandra_schema::{
    Rewrite, Rewritten, Schema, Target, requirements, rewrite, rewrite_table, same_storage, support,
};
use proptest::prelude::*;
use proptest::sample::select;

const RELEASES: [&str; 7] = [
    "cassandra 3.11.19",
    "cassandra 4.0.17",
    "cassandra 4.1.9",
    "cassandra 5.0.5",
    "dse 6.8.50",
    "dse 6.9.2",
    "hcd 1.2.1",
];

fn target(release: &str) -> Target {
    Target {
        release: release.parse().expect("a release"),
        datacenters: BTreeMap::from([("dc1".to_owned(), 3), ("dc2".to_owned(), 1)]),
    }
}

#[track_caller]
fn schema(text: &str) -> Schema {
    let (schema, problems) = Schema::parse_text(text);
    assert_eq!(problems, []);
    schema
}

fn lines(rewritten: &Rewritten) -> (Vec<String>, Vec<String>) {
    let line = |one: &cassandra_schema::Applied| format!("{}: {}", one.subject.name, one.rewrite);
    let applied = rewritten.applied.iter().map(line).collect();
    (applied, rewritten.offered.iter().map(line).collect())
}

#[track_caller]
fn check_options(release: &str, options: &str, expected: &str) {
    let text = |options: &str| format!("CREATE TABLE k.t (a int PRIMARY KEY) WITH {options}");
    let mut given = schema(&text(options)).tables.remove(0);
    let before = given.clone();
    let applied = rewrite_table(&mut given, &release.parse().expect("a release"));
    let expected = match expected {
        "" => "CREATE TABLE k.t (a int PRIMARY KEY)".to_owned(),
        _ => text(expected),
    };
    assert_eq!(given, schema(&expected).tables[0], "{release} {options}");
    assert_eq!(applied.is_empty(), given == before);
}

#[test]
fn options_that_a_release_refuses_are_left_out() {
    for (release, options, expected) in [
        (
            "cassandra 4.0.1",
            "read_repair_chance = 0.1 AND dclocal_read_repair_chance = 0.1 AND comment = 'a'",
            "comment = 'a'",
        ),
        (
            "cassandra 3.11.1",
            "read_repair_chance = 0.1",
            "read_repair_chance = 0.1",
        ),
        (
            "cassandra 3.11.1",
            "read_repair = 'NONE' AND additional_write_policy = '99p' AND cdc = true",
            "cdc = true",
        ),
        (
            "cassandra 4.0.1",
            "memtable = 'default' AND read_repair = 'NONE'",
            "read_repair = 'NONE'",
        ),
        (
            "cassandra 4.1.1",
            "memtable = 'default' AND allow_auto_snapshot = true AND incremental_backups = true",
            "memtable = 'default'",
        ),
        (
            "cassandra 5.0.1",
            "nodesync = {'enabled': 'true'} AND dse_vertex_label_property = 'x'",
            "",
        ),
        (
            "cassandra 5.0.1",
            "memtable = {'class': 'TrieMemtable'}",
            "",
        ),
        (
            "hcd 1.2.1",
            "nodesync = {'enabled': 'true'} AND memtable = {}",
            "memtable = {}",
        ),
        ("hcd 1.2.1", "memtable = 'default'", ""),
        (
            "dse 6.9.1",
            "nodesync = {'enabled': 'true'}",
            "nodesync = {'enabled': 'true'}",
        ),
        (
            "cassandra 5.0.1",
            "an_option_of_tomorrow = 1",
            "an_option_of_tomorrow = 1",
        ),
        (
            "cassandra 5.0.1",
            "compression = {'sstable_compression': 'LZ4Compressor', 'chunk_length_kb': '4', 'crc_check_chance': 0.5}",
            "compression = {'class': 'LZ4Compressor', 'chunk_length_in_kb': '4'} AND crc_check_chance = 0.5",
        ),
        (
            "cassandra 4.0.1",
            "compression = {'sstable_compression': ''}",
            "compression = {'enabled': 'false'}",
        ),
    ] {
        check_options(release, options, expected);
    }
}

#[test]
fn what_changes_behaviour_is_offered_and_done_only_if_it_is_accepted() {
    let given = schema(include_str!("texts/dse-6.8.cql"));
    let target = target("cassandra 5.0.5");
    let asked = rewrite(&given, &target, &|_, _| false);
    let (applied, offered) = lines(&asked);
    assert_eq!(
        applied,
        [
            "place: the option is left out",
            "travel: the option is left out",
        ]
    );
    assert_eq!(
        offered,
        [
            "trips: NetworkTopologyStrategy replicates it to every node instead",
            "trips: the graph engine is left out",
            "half(int): the function is no longer known as deterministic or monotonic",
            "twice(int): the function is no longer known as deterministic or monotonic",
            "total(int): the function is no longer known as deterministic or monotonic",
            "place: SizeTieredCompactionStrategy compacts it instead",
            "place: the column of the search index is left out",
            "place: the graph label is left out",
            "travel: SizeTieredCompactionStrategy compacts it instead",
            "travel: the graph label is left out",
            "trips_place_solr_query_index: the index is left out",
            "trips_travel_solr_query_index: the index is left out",
        ]
    );
    let done = rewrite(&given, &target, &|_, _| true);
    assert_eq!(done.offered, []);
    assert_eq!(done.applied.len(), applied.len() + offered.len());
    let replication = done.schema.keyspaces[0].to_cql();
    assert!(
        replication.contains("{'class': 'NetworkTopologyStrategy', 'dc1': '3', 'dc2': '1'}"),
        "{replication}"
    );
    assert!(!replication.contains("graph_engine"));
    let place = done.schema.tables[0].to_cql().remove(0);
    assert!(
        place.contains(
            "compaction = {'class': 'SizeTieredCompactionStrategy', 'min_threshold': '6'}"
        ),
        "{place}"
    );
    assert_eq!(done.schema.indexes.len(), 1);
}

#[test]
fn after_all_rewritings_nothing_is_left_that_a_rewriting_could_change() {
    let fixtures = [
        include_str!("texts/cassandra-3.11.cql"),
        include_str!("texts/cassandra-5.0.cql"),
        include_str!("texts/dse-6.8.cql"),
        include_str!("texts/hcd-1.2.cql"),
    ];
    for text in fixtures {
        for release in RELEASES {
            let target = target(release);
            let done = rewrite(&schema(text), &target, &|_, _| true);
            for need in requirements(&done.schema) {
                let found = support(&need.feature, &target.release);
                assert!(
                    !matches!(found, cassandra_schema::Support::Rewritable(_)),
                    "{release}: {need:?} {found:?}"
                );
            }
            let twice = rewrite(&done.schema, &target, &|_, _| true);
            assert_eq!(twice.applied, [], "{release}");
        }
    }
}

#[test]
fn indexes_are_named_as_the_release_names_them() {
    let text = "CREATE INDEX old ON k.t (a); CREATE INDEX new ON k.t (b) USING 'sai'; \
                CREATE INDEX said ON k.t (c) USING 'legacy_local_table'";
    for (release, expected) in [
        (
            "cassandra 5.0.5",
            [
                "CREATE INDEX old ON k.t (a) USING 'legacy_local_table'",
                "CREATE INDEX new ON k.t (b) USING 'sai'",
                "CREATE INDEX said ON k.t (c) USING 'legacy_local_table'",
            ]
            .as_slice(),
        ),
        (
            "hcd 1.2.1",
            [
                "CREATE INDEX old ON k.t (a)",
                "CREATE CUSTOM INDEX new ON k.t (b) USING 'StorageAttachedIndex'",
                "CREATE INDEX said ON k.t (c)",
            ]
            .as_slice(),
        ),
        (
            "cassandra 4.1.9",
            [
                "CREATE INDEX old ON k.t (a)",
                "CREATE INDEX said ON k.t (c)",
            ]
            .as_slice(),
        ),
    ] {
        let accept = |_: &_, rewrite: Rewrite| rewrite == Rewrite::LeaveIndexOut;
        let done = rewrite(&schema(text), &target(release), &accept);
        let found: Vec<String> = done
            .schema
            .indexes
            .iter()
            .flat_map(|i| i.to_cql())
            .collect();
        assert_eq!(found, expected, "{release}");
    }
}

#[test]
fn compact_storage_is_kept_if_the_release_has_it_and_else_shown_as_stored() {
    let text = "CREATE TABLE k.t (a int PRIMARY KEY, v text) WITH COMPACT STORAGE";
    let kept = rewrite(&schema(text), &target("cassandra 4.1.9"), &|_, _| true);
    assert_eq!((kept.applied.len(), kept.schema), (0, schema(text)));
    let shown = rewrite(&schema(text), &target("dse 6.8.50"), &|_, _| true);
    let plain = "CREATE TABLE k.t (a int, column1 text, v text static, value blob, PRIMARY KEY (a, column1))";
    assert_eq!(shown.schema, schema(plain));
}

#[test]
fn masks_and_views_are_left_out_only_if_the_release_lacks_them() {
    let text = "CREATE TABLE k.t (a int PRIMARY KEY, v int MASKED WITH DEFAULT); \
                CREATE MATERIALIZED VIEW k.mv AS SELECT * FROM k.t WHERE v IS NOT NULL AND a IS NOT NULL PRIMARY KEY (v, a) \
                WITH memtable = 'default'";
    let offered = |release: &str| lines(&rewrite(&schema(text), &target(release), &|_, _| false)).1;
    assert_eq!(
        offered("cassandra 4.0.17"),
        [
            "t: columns are no longer masked",
            "mv: the view is left out"
        ]
    );
    let done = rewrite(&schema(text), &target("dse 6.9.2"), &|_, _| false);
    assert_eq!(lines(&done).0, ["mv: the option is left out"]);
    assert!(done.schema.views[0].options.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_safe_leaves_what_is_stored_as_it_is(table in crate::given::table(), release in select(RELEASES.to_vec())) {
        let release = release.parse().expect("a release");
        let mut rewritten = table.clone();
        let applied = rewrite_table(&mut rewritten, &release);
        prop_assert!(same_storage(&table, &rewritten));
        prop_assert!(applied.iter().all(|one| one.rewrite.is_safe()));
        prop_assert_eq!(applied.is_empty(), rewritten == table);
        prop_assert_eq!(rewrite_table(&mut rewritten, &release), []);
    }
}
