//! Backups of DSE onto Cassandra, which the matrix does not list.

use expect_test::expect;
use plan::RestoreRequest;

use crate::dse::{classes, services};
use crate::world::*;

fn allowed(mut request: RestoreRequest) -> RestoreRequest {
    request.options.allow_unlisted_version = true;
    request
}

#[test]
fn everything_that_stands_against_it_is_said_at_once() {
    check_particular(
        &request(&classes(), &empty("cassandra 4.1.9")),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (6)
              VERSION_PAIR_UNSUPPORTED dse 6.8.50 to cassandra 4.1.9 (before)
                  restoring dse 6.8.50 into cassandra 4.1.9 is not supported, and no path of supported pairs leads there
              DSE_FEATURE_UNSUPPORTED shop.archive (before)
                  shop.archive needs tiered storage in compaction, which cassandra 4.1.9 does not have
                  hint: --rewrite-schema: SizeTieredCompactionStrategy compacts it instead
              DSE_FEATURE_UNSUPPORTED shop.people (before)
                  shop.people needs a DSE Graph label, which cassandra 4.1.9 does not have
                  hint: --rewrite-schema: the graph label is left out
              DSE_FEATURE_UNSUPPORTED places.shops (before)
                  places.shops needs a geometric or date range type of DSE in at, which cassandra 4.1.9 does not have
                  hint: restore into a release that has it, or leave its table out
              DSE_FEATURE_UNSUPPORTED shop.orders_search (before)
                  shop.orders_search needs a DSE Search index, which cassandra 4.1.9 does not have
                  hint: --rewrite-schema: the index is left out
              FORMAT_UNREADABLE bti-bb (before)
                  the backup holds bti-bb SSTables of places.shops, shop.archive, shop.orders, shop.people, which 10.1.0.1, 10.1.0.2, 10.1.0.3 cannot read
                  hint: restore into a release that reads it: dse 6.8, dse 6.9, hcd 1.x

            warnings (3)
              DSE_FEATURE_UNSUPPORTED places (before)
                  places is replicated by EverywhereStrategy, which the target does not have
                  hint: nodes that join later need their datacenter's replicas to be raised
              REPLICATION_ADJUSTED places (during)
                  places is made with the replication {'class': 'NetworkTopologyStrategy', 'dc1': '3'}; in the backup it was {'class': 'EverywhereStrategy'}
                  hint: to have it otherwise, make it as you want it and plan again; from this: CREATE KEYSPACE places WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'}
              DSE_FEATURE_UNSUPPORTED shop.orders (before)
                  shop.orders has NodeSync, which cassandra 4.1.9 does not have: the option is left out

            advice (3)
              SCHEMA_REWRITE_OFFERED shop.archive, shop.orders_search, shop.people (before)
                  shop.archive, shop.orders_search, shop.people could be made in another way, which the plan lists
                  hint: plan again with --rewrite-schema
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM places.shops LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE         WHAT WOULD HAPPEN TO IT             ID
            places.shops  is not there: created, then loaded  00000000-0000-0000-0000-000000000005
            shop.archive  is not there: created, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders   is not there: created, then loaded  00000000-0000-0000-0000-000000000001
            shop.people   is not there: created, then loaded  00000000-0000-0000-0000-000000000003

            MADE IN ANOTHER WAY  HOW                                                     DONE
            shop.orders          the option is left out: nodesync = {'enabled': 'true'}  yes
            shop.archive         SizeTieredCompactionStrategy compacts it instead        with --rewrite-schema
            shop.people          the graph label is left out                             with --rewrite-schema
            shop.orders_search   the index is left out                                   with --rewrite-schema

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   4.0 GiB      4.4 GiB         4       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   4.0 GiB      4.4 GiB         4       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   4.0 GiB      4.4 GiB         4       0  00000000-0000-0000-0000-000000000013
        "#]],
    );
}

#[test]
fn what_can_be_made_in_another_way_is() {
    let mut request = allowed(request(&services(), &empty("cassandra 4.1.9")));
    request.options.rewrite_schema = true;
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (1)
              FORMAT_UNREADABLE bti-bb (before)
                  the backup holds bti-bb SSTables of shop.archive, shop.orders, shop.people, which 10.1.0.1, 10.1.0.2, 10.1.0.3 cannot read
                  hint: restore into a release that reads it: dse 6.8, dse 6.9, hcd 1.x

            warnings (5)
              VERSION_PAIR_UNSUPPORTED dse 6.8.50 to cassandra 4.1.9 (before)
                  restoring dse 6.8.50 into cassandra 4.1.9 is not supported, and no path of supported pairs leads there
              DSE_FEATURE_UNSUPPORTED shop.orders (before)
                  shop.orders has NodeSync, which cassandra 4.1.9 does not have: the option is left out
              DSE_FEATURE_UNSUPPORTED shop.archive (before)
                  shop.archive has tiered storage, which cassandra 4.1.9 does not have: SizeTieredCompactionStrategy compacts it instead
              DSE_FEATURE_UNSUPPORTED shop.people (before)
                  shop.people has a DSE Graph label, which cassandra 4.1.9 does not have: the graph label is left out
              DSE_FEATURE_UNSUPPORTED shop.orders_search (before)
                  shop.orders_search has a DSE Search index, which cassandra 4.1.9 does not have: the index is left out

            advice (2)
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop.archive LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE         WHAT WOULD HAPPEN TO IT             ID
            shop.archive  is not there: created, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders   is not there: created, then loaded  00000000-0000-0000-0000-000000000001
            shop.people   is not there: created, then loaded  00000000-0000-0000-0000-000000000003

            MADE IN ANOTHER WAY  HOW                                                     DONE
            shop.orders          the option is left out: nodesync = {'enabled': 'true'}  yes
            shop.archive         SizeTieredCompactionStrategy compacts it instead        yes
            shop.people          the graph label is left out                             yes
            shop.orders_search   the index is left out                                   yes

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   3.0 GiB      3.3 GiB         6       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   3.0 GiB      3.3 GiB         6       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   3.0 GiB      3.3 GiB         6       0  00000000-0000-0000-0000-000000000013
        "#]],
    );
}
