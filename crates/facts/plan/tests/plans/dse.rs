//! Backups of DSE, with what only DSE has, onto HCD and onto Cassandra.

use expect_test::expect;
use model::SchemaKind;
use plan::RestoreRequest;

use crate::world::*;

/// A keyspace with a feature of each kind.
pub fn services() -> Side {
    let mut source = Side::new("dse 6.8.50", "10.0.0.", 0x10);
    let tiered = "compaction = {'class': 'org.apache.cassandra.db.compaction.TieredCompactionStrategy', 'config': 'ssd', 'tiering_strategy': 'TimeWindowStorageStrategy'}";
    source
        .keyspace("shop")
        .table_with("shop.orders", 1, "id int PRIMARY KEY, c text", "nodesync = {'enabled': 'true'}")
        .table_with("shop.archive", 2, "id int PRIMARY KEY, c text", tiered)
        .table_with("shop.people", 3, "id int PRIMARY KEY, c text", "VERTEX LABEL person")
        .entry(
            SchemaKind::Index,
            "shop.orders_search",
            "orders",
            &["CREATE CUSTOM INDEX orders_search ON shop.orders () USING 'com.datastax.bdp.search.solr.Cql3SolrSecondaryIndex'"],
        );
    source
}

/// The same with what no release but DSE's and HCD's takes: a type of DSE's own, and replication to every node.
pub fn classes() -> Side {
    let mut source = services();
    source
        .keyspace("places")
        .table("places.shops", 5, "id int PRIMARY KEY, at 'PointType'")
        .replicate(
            "places",
            "{'class': 'org.apache.cassandra.locator.EverywhereStrategy'}",
        );
    source
}

fn rewritten(mut request: RestoreRequest) -> RestoreRequest {
    request.options.rewrite_schema = true;
    request
}

#[test]
fn services_of_dse_onto_hcd() {
    check_particular(
        &request(&services(), &empty("hcd 1.2.3")),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (5)
              DSE_FEATURE_UNSUPPORTED shop.orders (before)
                  shop.orders has NodeSync, which hcd 1.2.3 does not have: the option is left out
              DSE_FEATURE_UNSUPPORTED shop.archive (before)
                  shop.archive has tiered storage in compaction, which hcd 1.2.3 does not have, and goes on without
                  hint: --rewrite-schema: SizeTieredCompactionStrategy compacts it instead
              DSE_FEATURE_UNSUPPORTED shop.people (before)
                  shop.people has a DSE Graph label, which hcd 1.2.3 does not have, and goes on without
                  hint: --rewrite-schema: the graph label is left out
              DSE_FEATURE_UNSUPPORTED shop.orders_search (before)
                  shop.orders_search has a DSE Search index, which hcd 1.2.3 does not have, and goes on without
                  hint: --rewrite-schema: the index is left out
              SCHEMA_VALIDATION_REQUIRED dse 6.8.50 to hcd 1.2.3 (before)
                  HCD lacks some of DSE's features: 4 were found in the schema of what is restored, each named by DSE_FEATURE_UNSUPPORTED
                  hint: programs may use others without a trace in the schema, such as DSE Analytics: try them before users do

            advice (2)
              SCHEMA_REWRITE_OFFERED shop.archive, shop.orders_search, shop.people (before)
                  shop.archive, shop.orders_search, shop.people could be made in another way, which the plan lists
                  hint: plan again with --rewrite-schema
              UPGRADE_SSTABLES_REQUIRED bti-bb (after)
                  restored SSTables stay in the format bti-bb, older than what the target writes, until they are upgraded
                  hint: the restore has a step for it; later: `ringkeep maintenance run upgradesstables CLUSTER`; by hand: nodetool upgradesstables

            TABLE         WHAT HAPPENS TO IT                  ID
            shop.archive  is not there: created, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders   is not there: created, then loaded  00000000-0000-0000-0000-000000000001
            shop.people   is not there: created, then loaded  00000000-0000-0000-0000-000000000003

            MADE IN ANOTHER WAY  HOW                                                     DONE
            shop.orders          the option is left out: nodesync = {'enabled': 'true'}  yes
            shop.archive         SizeTieredCompactionStrategy compacts it instead        with --rewrite-schema
            shop.people          the graph label is left out                             with --rewrite-schema
            shop.orders_search   the index is left out                                   with --rewrite-schema

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   3.0 GiB      4.4 GiB         6       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   3.0 GiB      4.4 GiB         6       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   3.0 GiB      4.4 GiB         6       0  00000000-0000-0000-0000-000000000013

            STEP             ON          AFTER
            pin              -           -
            stage            every node  pin
            check            -           every stage
            schema           -           check
                CREATE KEYSPACE IF NOT EXISTS shop WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true;
                CREATE TABLE IF NOT EXISTS shop.archive (
                    id int,
                    c text,
                    PRIMARY KEY (id)
                ) WITH ID = 00000000-0000-0000-0000-000000000002 AND compaction = {'class': 'org.apache.cassandra.db.compaction.TieredCompactionStrategy', 'config': 'ssd', 'tiering_strategy': 'TimeWindowStorageStrategy'};
                CREATE TABLE IF NOT EXISTS shop.orders (
                    id int,
                    c text,
                    PRIMARY KEY (id)
                ) WITH ID = 00000000-0000-0000-0000-000000000001;
                CREATE CUSTOM INDEX IF NOT EXISTS orders_search ON shop.orders () USING 'com.datastax.bdp.search.solr.Cql3SolrSecondaryIndex';
                CREATE TABLE IF NOT EXISTS shop.people (
                    id int,
                    c text,
                    PRIMARY KEY (id)
                ) WITH ID = 00000000-0000-0000-0000-000000000003 AND VERTEX LABEL person;
            load             every node  schema
            upgradesstables  every node  its own load
            finish           every node  every upgradesstables
            unpin            -           every finish

            takes about 2m 00s
        "#]],
    );
}

#[test]
fn services_of_dse_onto_hcd_rewritten() {
    check_particular(
        &rewritten(request(&services(), &empty("hcd 1.2.3"))),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (5)
              DSE_FEATURE_UNSUPPORTED shop.orders (before)
                  shop.orders has NodeSync, which hcd 1.2.3 does not have: the option is left out
              DSE_FEATURE_UNSUPPORTED shop.archive (before)
                  shop.archive has tiered storage, which hcd 1.2.3 does not have: SizeTieredCompactionStrategy compacts it instead
              DSE_FEATURE_UNSUPPORTED shop.people (before)
                  shop.people has a DSE Graph label, which hcd 1.2.3 does not have: the graph label is left out
              DSE_FEATURE_UNSUPPORTED shop.orders_search (before)
                  shop.orders_search has a DSE Search index, which hcd 1.2.3 does not have: the index is left out
              SCHEMA_VALIDATION_REQUIRED dse 6.8.50 to hcd 1.2.3 (before)
                  HCD lacks some of DSE's features: 4 were found in the schema of what is restored, each named by DSE_FEATURE_UNSUPPORTED
                  hint: programs may use others without a trace in the schema, such as DSE Analytics: try them before users do

            advice (1)
              UPGRADE_SSTABLES_REQUIRED bti-bb (after)
                  restored SSTables stay in the format bti-bb, older than what the target writes, until they are upgraded
                  hint: the restore has a step for it; later: `ringkeep maintenance run upgradesstables CLUSTER`; by hand: nodetool upgradesstables

            TABLE         WHAT HAPPENS TO IT                  ID
            shop.archive  is not there: created, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders   is not there: created, then loaded  00000000-0000-0000-0000-000000000001
            shop.people   is not there: created, then loaded  00000000-0000-0000-0000-000000000003

            MADE IN ANOTHER WAY  HOW                                                     DONE
            shop.orders          the option is left out: nodesync = {'enabled': 'true'}  yes
            shop.archive         SizeTieredCompactionStrategy compacts it instead        yes
            shop.people          the graph label is left out                             yes
            shop.orders_search   the index is left out                                   yes

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   3.0 GiB      4.4 GiB         6       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   3.0 GiB      4.4 GiB         6       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   3.0 GiB      4.4 GiB         6       0  00000000-0000-0000-0000-000000000013

            STEP             ON          AFTER
            pin              -           -
            stage            every node  pin
            check            -           every stage
            schema           -           check
                CREATE KEYSPACE IF NOT EXISTS shop WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true;
                CREATE TABLE IF NOT EXISTS shop.archive (
                    id int,
                    c text,
                    PRIMARY KEY (id)
                ) WITH ID = 00000000-0000-0000-0000-000000000002 AND compaction = {'class': 'SizeTieredCompactionStrategy'};
                CREATE TABLE IF NOT EXISTS shop.orders (
                    id int,
                    c text,
                    PRIMARY KEY (id)
                ) WITH ID = 00000000-0000-0000-0000-000000000001;
                CREATE TABLE IF NOT EXISTS shop.people (
                    id int,
                    c text,
                    PRIMARY KEY (id)
                ) WITH ID = 00000000-0000-0000-0000-000000000003;
            load             every node  schema
            upgradesstables  every node  its own load
            finish           every node  every upgradesstables
            unpin            -           every finish

            takes about 1m 58s
        "#]],
    );
}

#[test]
fn classes_of_dse_stay_on_hcd() {
    let mut request = request(&classes(), &empty("hcd 1.2.3"));
    request.options.selection = selection(&["places"], &[]);
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            advice (2)
              SCHEMA_VALIDATION_REQUIRED dse 6.8.50 to hcd 1.2.3 (before)
                  HCD lacks some of DSE's features: none of these was found in the schema of what is restored
                  hint: programs may use others without a trace in the schema, such as DSE Analytics: try them before users do
              UPGRADE_SSTABLES_REQUIRED bti-bb (after)
                  restored SSTables stay in the format bti-bb, older than what the target writes, until they are upgraded
                  hint: the restore has a step for it; later: `ringkeep maintenance run upgradesstables CLUSTER`; by hand: nodetool upgradesstables

            TABLE         WHAT HAPPENS TO IT                  ID
            places.shops  is not there: created, then loaded  00000000-0000-0000-0000-000000000005

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   1.0 GiB      2.2 GiB         2       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   1.0 GiB      2.2 GiB         2       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   1.0 GiB      2.2 GiB         2       0  00000000-0000-0000-0000-000000000013

            STEP             ON          AFTER
            pin              -           -
            stage            every node  pin
            check            -           every stage
            schema           -           check
                CREATE KEYSPACE IF NOT EXISTS places WITH replication = {'class': 'org.apache.cassandra.locator.EverywhereStrategy'} AND durable_writes = true;
                CREATE TABLE IF NOT EXISTS places.shops (
                    id int,
                    at 'PointType',
                    PRIMARY KEY (id)
                ) WITH ID = 00000000-0000-0000-0000-000000000005 AND comment = '';
            load             every node  schema
            upgradesstables  every node  its own load
            finish           every node  every upgradesstables
            unpin            -           every finish

            takes about 43s
        "#]],
    );
}

/// Nothing that only DSE has is in the way there; a core of Search is to be indexed again.
#[test]
fn services_of_dse_onto_dse_need_their_cores_indexed_again() {
    for target in ["dse 6.8.50", "dse 6.9.2"] {
        let request = request(&services(), &empty(target));
        let findings = plan::plan_restore(&request).findings;
        let of = |code: &str| {
            findings
                .iter()
                .filter(|finding| finding.code == code)
                .count()
        };
        assert_eq!(of("DSE_FEATURE_UNSUPPORTED"), 0, "{target}");
        assert_eq!(of("INDEX_REBUILD"), 0, "{target}");
        let core = findings
            .iter()
            .find(|finding| finding.code == "SEARCH_REINDEX");
        let core = core.expect("a core");
        assert_eq!(core.subject, "shop.orders");
        let command = "`dsetool reload_core shop.orders reindex=true deleteAll=true`";
        assert!(core.hint.contains(command), "{}", core.hint);
        assert!(core.hint.contains("was not tried"), "{}", core.hint);
    }
    let onto_hcd = codes(&request(&services(), &empty("hcd 1.2.3")));
    assert!(!onto_hcd.iter().any(|code| code.contains("SEARCH_REINDEX")));
}

#[test]
fn an_edge_of_a_graph_is_made_after_the_vertices_that_it_joins() {
    let mut source = Side::new("dse 6.8.50", "10.0.0.", 0x10);
    let edge = "EDGE LABEL knows FROM person(a) TO person(b)";
    source
        .keyspace("shop")
        .table_with("shop.knows", 1, "a int, b int, PRIMARY KEY (a, b)", edge)
        .table_with(
            "shop.people",
            2,
            "id int PRIMARY KEY",
            "VERTEX LABEL person",
        );
    let plan = plan::plan_restore(&request(&source, &empty("dse 6.8.50")));
    let made = statements(&plan, plan::StepKind::Schema);
    let at = |table: &str| made.iter().position(|statement| statement.contains(table));
    assert!(at("shop.people (") < at("shop.knows ("), "{made:#?}");
}

#[test]
fn a_feature_is_told_of_where_the_table_is_there_without_it_too() {
    let mut source = services();
    source.without("shop.archive").without("shop.people");
    source.without("shop.orders_search");
    let mut target = empty("hcd 1.2.3");
    target
        .keyspace("shop")
        .table("shop.orders", 1, "id int PRIMARY KEY, c text");
    let request = request(&source, &target);
    let plan = plan::plan_restore(&request);
    assert_eq!(plan.tables[0].action, plan::TableAction::Truncate);
    assert_eq!(
        codes(&request),
        [
            "Warning DSE_FEATURE_UNSUPPORTED shop.orders",
            "Warning SCHEMA_VALIDATION_REQUIRED dse 6.8.50 to hcd 1.2.3"
        ]
    );
}
