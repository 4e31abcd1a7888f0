//! Rings with more or fewer nodes, tokens and racks than the backup's.

use expect_test::expect;

use crate::world::*;

/// `shop.orders` in quarters of the ring, into a target of the same release that has nothing yet.
fn quartered() -> (Side, Side) {
    let mut source = Side::new("cassandra 4.1.9", "10.0.0.", 0x11);
    source
        .keyspace("shop")
        .table("shop.orders", 1, "id int PRIMARY KEY, c text")
        .holds("shop.orders", quarters("nb"));
    (source, empty("cassandra 4.1.9"))
}

#[test]
fn three_nodes_into_five() {
    let (source, mut target) = quartered();
    target.members(&[
        ("dc1", "r1", &[-74]),
        ("dc1", "r2", &[-37]),
        ("dc1", "r3", &[0]),
        ("dc1", "r1", &[37]),
        ("dc1", "r2", &[74]),
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
            10.1.0.1   1.5 GiB      1.7 GiB         3       2  00000000-0000-0000-0000-000000000012
            10.1.0.2   1.5 GiB      1.7 GiB         3       2  00000000-0000-0000-0000-000000000014
            10.1.0.3   4.0 GiB      4.4 GiB         4       0  00000000-0000-0000-0000-000000000013
            10.1.0.4   2.5 GiB      2.7 GiB         3       2  00000000-0000-0000-0000-000000000012
            10.1.0.5   2.5 GiB      2.7 GiB         3       2  00000000-0000-0000-0000-000000000014

            STEP    ON          AFTER
            pin     -           -
            stage   every node  pin
            check   -           every stage
            schema  -           check
                CREATE KEYSPACE IF NOT EXISTS shop WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true;
                CREATE TABLE IF NOT EXISTS shop.orders (id int PRIMARY KEY, c text) WITH ID = 00000000-0000-0000-0000-000000000001 AND comment = '';
            load    every node  schema
            finish  every node  every load
            unpin   -           every finish

            takes about 38s
        "#]],
    );
}

#[test]
fn three_nodes_into_two_that_hold_fewer_replicas() {
    let (source, mut target) = quartered();
    target.members(&[("dc1", "r1", &[-45]), ("dc1", "r2", &[45])]);
    check_particular(
        &request(&source, &target),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (1)
              REPLICATION_ADJUSTED shop (during)
                  shop is made with the replication {'class': 'NetworkTopologyStrategy', 'dc1': '2'}; in the backup it was {'class': 'NetworkTopologyStrategy', 'dc1': '3'}
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
            10.1.0.1   8.0 GiB      8.8 GiB         8       0  00000000-0000-0000-0000-000000000012, 00000000-0000-0000-0000-000000000014
            10.1.0.2   4.0 GiB      4.4 GiB         4       0  00000000-0000-0000-0000-000000000013

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

            takes about 1m 06s
        "#]],
    );
}

#[test]
fn one_token_for_each_node_into_four() {
    let (source, mut target) = quartered();
    target.members(&[
        ("dc1", "r1", &[-80, -35, 10, 55]),
        ("dc1", "r2", &[-65, -20, 25, 70]),
        ("dc1", "r3", &[-50, -5, 40, 85]),
        ("dc1", "r1", &[-60, -15, 30, 75]),
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
            10.1.0.1   2.2 GiB      2.4 GiB         4       4  00000000-0000-0000-0000-000000000012
            10.1.0.2   4.0 GiB      4.4 GiB         4       0  00000000-0000-0000-0000-000000000013
            10.1.0.3   4.0 GiB      4.4 GiB         4       0  00000000-0000-0000-0000-000000000014
            10.1.0.4   1.8 GiB      2.0 GiB         4       4  00000000-0000-0000-0000-000000000012

            STEP    ON          AFTER
            pin     -           -
            stage   every node  pin
            check   -           every stage
            schema  -           check
                CREATE KEYSPACE IF NOT EXISTS shop WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true;
                CREATE TABLE IF NOT EXISTS shop.orders (id int PRIMARY KEY, c text) WITH ID = 00000000-0000-0000-0000-000000000001 AND comment = '';
            load    every node  schema
            finish  every node  every load
            unpin   -           every finish

            takes about 38s
        "#]],
    );
}

#[test]
fn the_same_tokens_in_one_rack() {
    let (source, mut target) = quartered();
    target.members(&[
        ("dc1", "r1", &[-30]),
        ("dc1", "r1", &[0]),
        ("dc1", "r1", &[30]),
        ("dc1", "r1", &[60]),
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
            10.1.0.1   3.3 GiB      3.7 GiB         4       1  00000000-0000-0000-0000-000000000012
            10.1.0.2   3.3 GiB      3.7 GiB         4       1  00000000-0000-0000-0000-000000000013
            10.1.0.3   3.3 GiB      3.7 GiB         4       2  00000000-0000-0000-0000-000000000014
            10.1.0.4   2.0 GiB      2.2 GiB         4       4  00000000-0000-0000-0000-000000000012, 00000000-0000-0000-0000-000000000013, 00000000-0000-0000-0000-000000000014

            STEP    ON          AFTER
            pin     -           -
            stage   every node  pin
            check   -           every stage
            schema  -           check
                CREATE KEYSPACE IF NOT EXISTS shop WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true;
                CREATE TABLE IF NOT EXISTS shop.orders (id int PRIMARY KEY, c text) WITH ID = 00000000-0000-0000-0000-000000000001 AND comment = '';
            load    every node  schema
            finish  every node  every load
            unpin   -           every finish

            takes about 33s
        "#]],
    );
}
