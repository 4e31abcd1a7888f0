//! Datacenters of other names, more of them or fewer.

use expect_test::expect;
use plan::RestoreRequest;

use crate::world::*;

const TWO: &str = "{'class': 'NetworkTopologyStrategy', 'paris': '2', 'tokyo': '1'}";

/// Two nodes in each of the datacenters, and `shop.orders` in quarters of the ring.
pub fn two_datacenters() -> Side {
    let mut source = Side::new("cassandra 4.1.9", "10.0.0.", 0x11);
    source
        .members(&[
            ("paris", "r1", &[-60]),
            ("paris", "r2", &[0]),
            ("tokyo", "r1", &[-30]),
            ("tokyo", "r2", &[30]),
        ])
        .keyspace("shop")
        .table("shop.orders", 1, "id int PRIMARY KEY, c text")
        .holds("shop.orders", quarters("nb"))
        .replicate("shop", TWO);
    source
}

pub fn fed(mut request: RestoreRequest, pairs: &[(&str, &str)]) -> RestoreRequest {
    let pair = |(source, target): &(&str, &str)| ((*source).to_owned(), (*target).to_owned());
    request.options.datacenters = pairs.iter().map(pair).collect();
    request
}

#[test]
fn one_datacenter_of_another_name() {
    let (source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    target.entries.clear();
    target.tables.clear();
    for member in &mut target.ring {
        member.datacenter = "lab".into();
    }
    let unnamed = request(&source, &target);
    assert_eq!(codes(&unnamed), ["Refusal DATACENTER_UNMAPPED dc1"]);
    check_particular(
        &fed(unnamed, &[("dc1", "lab")]),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (1)
              REPLICATION_ADJUSTED shop (during)
                  shop is made with the replication {'class': 'NetworkTopologyStrategy', 'lab': '3'}; in the backup it was {'class': 'NetworkTopologyStrategy', 'dc1': '3'}
                  hint: to have it otherwise, make it as you want it and plan again; from this: CREATE KEYSPACE shop WITH replication = {'class': 'NetworkTopologyStrategy', 'lab': '3'}

            advice (2)
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop."Metrics_2" LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT HAPPENS TO IT                  ID
            shop.Metrics_2  is not there: created, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is not there: created, then loaded  00000000-0000-0000-0000-000000000001

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   2.0 GiB      2.2 GiB         2       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   2.0 GiB      2.2 GiB         2       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   2.0 GiB      2.2 GiB         2       0  00000000-0000-0000-0000-000000000013

            STEP    ON          AFTER
            pin     -           -
            stage   every node  pin
            check   -           every stage
            schema  -           check
                CREATE KEYSPACE IF NOT EXISTS shop WITH replication = {'class': 'NetworkTopologyStrategy', 'lab': '3'} AND durable_writes = true;
                CREATE TABLE IF NOT EXISTS shop."Metrics_2" (id int PRIMARY KEY, c text) WITH ID = 00000000-0000-0000-0000-000000000002 AND comment = '';
                CREATE TABLE IF NOT EXISTS shop.orders (id int PRIMARY KEY, c text) WITH ID = 00000000-0000-0000-0000-000000000001 AND comment = '';
            load    every node  schema
            finish  every node  every load
            unpin   -           every finish

            takes about 29s
        "#]],
    );
}

#[test]
fn two_datacenters_into_two_of_other_sizes() {
    let source = two_datacenters();
    let mut target = empty("cassandra 4.1.9");
    target.members(&[
        ("paris", "r1", &[-70]),
        ("paris", "r2", &[-10]),
        ("paris", "r3", &[50]),
        ("tokyo", "r1", &[-40]),
    ]);
    check_particular(
        &request(&source, &target),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            advice (2)
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop.orders LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE        WHAT HAPPENS TO IT                  ID
            shop.orders  is not there: created, then loaded  00000000-0000-0000-0000-000000000001

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   2.7 GiB      2.9 GiB         5       4  00000000-0000-0000-0000-000000000012, 00000000-0000-0000-0000-000000000013
            10.1.0.2   2.7 GiB      2.9 GiB         3       2  00000000-0000-0000-0000-000000000013
            10.1.0.3   2.7 GiB      2.9 GiB         4       2  00000000-0000-0000-0000-000000000012
            10.1.0.4   4.0 GiB      4.4 GiB         6       4  00000000-0000-0000-0000-000000000014, 00000000-0000-0000-0000-000000000015

            STEP    ON          AFTER
            pin     -           -
            stage   every node  pin
            check   -           every stage
            schema  -           check
                CREATE KEYSPACE IF NOT EXISTS shop WITH replication = {'class': 'NetworkTopologyStrategy', 'paris': '2', 'tokyo': '1'} AND durable_writes = true;
                CREATE TABLE IF NOT EXISTS shop.orders (id int PRIMARY KEY, c text) WITH ID = 00000000-0000-0000-0000-000000000001 AND comment = '';
            load    every node  schema
            finish  every node  every load
            unpin   -           every finish

            takes about 38s
        "#]],
    );
}

#[test]
fn two_datacenters_into_one_with_the_other_left_out() {
    let source = two_datacenters();
    let request = fed(
        request(&source, &empty("cassandra 4.1.9")),
        &[("paris", "dc1")],
    );
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (2)
              REPLICATION_ADJUSTED shop (during)
                  shop is made with the replication {'class': 'NetworkTopologyStrategy', 'dc1': '2'}; in the backup it was {'class': 'NetworkTopologyStrategy', 'paris': '2', 'tokyo': '1'}
                  hint: to have it otherwise, make it as you want it and plan again; from this: CREATE KEYSPACE shop WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '2'}
              DATACENTER_LEFT_OUT tokyo (before)
                  nothing is restored from the backup's datacenter tokyo: writes at LOCAL_QUORUM or LOCAL_ONE there that had not reached the others when the backup was made are missing
                  hint: to restore them too, add --datacenter tokyo=dc1

            advice (2)
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop.orders LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE        WHAT HAPPENS TO IT                  ID
            shop.orders  is not there: created, then loaded  00000000-0000-0000-0000-000000000001

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   3.3 GiB      3.7 GiB         5       3  00000000-0000-0000-0000-000000000012, 00000000-0000-0000-0000-000000000013
            10.1.0.2   3.3 GiB      3.7 GiB         4       1  00000000-0000-0000-0000-000000000013
            10.1.0.3   1.3 GiB      1.5 GiB         2       2  00000000-0000-0000-0000-000000000012

            STEP    ON          AFTER
            pin     -           -
            stage   every node  pin
            check   -           every stage
            schema  -           check
                CREATE KEYSPACE IF NOT EXISTS shop WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '2'} AND durable_writes = true;
                CREATE TABLE IF NOT EXISTS shop.orders (id int PRIMARY KEY, c text) WITH ID = 00000000-0000-0000-0000-000000000001 AND comment = '';
            load    every node  schema
            finish  every node  every load
            unpin   -           every finish

            takes about 33s
        "#]],
    );
}

#[test]
fn two_datacenters_into_one_that_both_feed() {
    let source = two_datacenters();
    let pairs = [("paris", "dc1"), ("tokyo", "dc1")];
    let request = fed(request(&source, &empty("cassandra 4.1.9")), &pairs);
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (1)
              REPLICATION_ADJUSTED shop (during)
                  shop is made with the replication {'class': 'NetworkTopologyStrategy', 'dc1': '2'}; in the backup it was {'class': 'NetworkTopologyStrategy', 'paris': '2', 'tokyo': '1'}
                  hint: to have it otherwise, make it as you want it and plan again; from this: CREATE KEYSPACE shop WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '2'}

            advice (2)
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop.orders LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE        WHAT HAPPENS TO IT                  ID
            shop.orders  is not there: created, then loaded  00000000-0000-0000-0000-000000000001

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   6.7 GiB      7.3 GiB        10       6  00000000-0000-0000-0000-000000000012, 00000000-0000-0000-0000-000000000013, 00000000-0000-0000-0000-000000000014, 00000000-0000-0000-0000-000000000015
            10.1.0.2   6.7 GiB      7.3 GiB         9       4  00000000-0000-0000-0000-000000000013, 00000000-0000-0000-0000-000000000014, 00000000-0000-0000-0000-000000000015
            10.1.0.3   2.7 GiB      2.9 GiB         4       4  00000000-0000-0000-0000-000000000012, 00000000-0000-0000-0000-000000000015

            STEP    ON          AFTER
            pin     -           -
            stage   every node  pin
            check   -           every stage
            schema  -           check
                CREATE KEYSPACE IF NOT EXISTS shop WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '2'} AND durable_writes = true;
                CREATE TABLE IF NOT EXISTS shop.orders (id int PRIMARY KEY, c text) WITH ID = 00000000-0000-0000-0000-000000000001 AND comment = '';
            load    every node  schema
            finish  every node  every load
            unpin   -           every finish

            takes about 57s
        "#]],
    );
}

#[test]
fn one_datacenter_that_feeds_two() {
    let (source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    target
        .without("shop.orders")
        .without("shop.Metrics_2")
        .entries
        .clear();
    target.members(&[
        ("dc1", "r1", &[-60]),
        ("dc1", "r2", &[0]),
        ("dc2", "r1", &[-30]),
        ("dc2", "r2", &[30]),
    ]);
    let request = fed(request(&source, &target), &[("dc1", "dc1,dc2")]);
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (1)
              REPLICATION_ADJUSTED shop (during)
                  shop is made with the replication {'class': 'NetworkTopologyStrategy', 'dc1': '2', 'dc2': '2'}; in the backup it was {'class': 'NetworkTopologyStrategy', 'dc1': '3'}
                  hint: to have it otherwise, make it as you want it and plan again; from this: CREATE KEYSPACE shop WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '2', 'dc2': '2'}

            advice (2)
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop."Metrics_2" LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT HAPPENS TO IT                  ID
            shop.Metrics_2  is not there: created, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is not there: created, then loaded  00000000-0000-0000-0000-000000000001

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   4.0 GiB      4.4 GiB         4       0  00000000-0000-0000-0000-000000000011, 00000000-0000-0000-0000-000000000013
            10.1.0.2   2.0 GiB      2.2 GiB         2       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   2.0 GiB      2.2 GiB         2       0  00000000-0000-0000-0000-000000000011
            10.1.0.4   4.0 GiB      4.4 GiB         4       0  00000000-0000-0000-0000-000000000012, 00000000-0000-0000-0000-000000000013

            STEP    ON          AFTER
            pin     -           -
            stage   every node  pin
            check   -           every stage
            schema  -           check
                CREATE KEYSPACE IF NOT EXISTS shop WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '2', 'dc2': '2'} AND durable_writes = true;
                CREATE TABLE IF NOT EXISTS shop."Metrics_2" (id int PRIMARY KEY, c text) WITH ID = 00000000-0000-0000-0000-000000000002 AND comment = '';
                CREATE TABLE IF NOT EXISTS shop.orders (id int PRIMARY KEY, c text) WITH ID = 00000000-0000-0000-0000-000000000001 AND comment = '';
            load    every node  schema
            finish  every node  every load
            unpin   -           every finish

            takes about 43s
        "#]],
    );
}
