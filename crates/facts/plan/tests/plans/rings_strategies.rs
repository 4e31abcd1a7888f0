//! Keyspaces that are replicated in another way on the target than in the backup.

use expect_test::expect;
use plan::{RequestedMode, RestoreOptions, RestoreRequest};

use crate::world::*;

const SIMPLE: &str = "{'class': 'SimpleStrategy', 'replication_factor': '2'}";

/// The same tables on both sides, with SSTables in quarters of the ring.
fn quartered() -> (Side, Side) {
    let (mut source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source
        .holds("shop.orders", quarters("nb"))
        .holds("shop.Metrics_2", vec![wide("nb")]);
    (source, target)
}

#[test]
fn simple_strategy_onto_datacenters() {
    let (mut source, target) = quartered();
    source.replicate("shop", SIMPLE);
    check_particular(
        &request(&source, &target),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            advice (3)
              KEYSPACE_REPLICATION_MISMATCH shop (before)
                  shop is replicated by {'class': 'NetworkTopologyStrategy', 'dc1': '3'} on the target, and was by {'class': 'SimpleStrategy', 'replication_factor': '2'} in the backup
                  hint: its data is mapped onto the replicas that it has now
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop."Metrics_2" LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT HAPPENS TO IT              ID
            shop.Metrics_2  is there: emptied, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is there: emptied, then loaded  00000000-0000-0000-0000-000000000001

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   5.0 GiB      5.5 GiB         7       4  00000000-0000-0000-0000-000000000011, 00000000-0000-0000-0000-000000000013
            10.1.0.2   5.0 GiB      5.5 GiB         7       4  00000000-0000-0000-0000-000000000011, 00000000-0000-0000-0000-000000000012
            10.1.0.3   5.0 GiB      5.5 GiB         8       6  00000000-0000-0000-0000-000000000011, 00000000-0000-0000-0000-000000000013

            STEP         ON          AFTER
            pin          -           -
            stage        every node  pin
            trialschema  -           every stage
                DROP KEYSPACE IF EXISTS ringkeep_trial_1;
                CREATE KEYSPACE ringkeep_trial_1 WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true;
                CREATE TABLE ringkeep_trial_1."Metrics_2" (
                    id int,
                    c text,
                    PRIMARY KEY (id)
                ) WITH comment = '';
            trial        every node  trialschema
            trialdrop    -           every trial
                DROP KEYSPACE IF EXISTS ringkeep_trial_1;
            check        -           trialdrop
            replace      -           check
                TRUNCATE TABLE shop."Metrics_2";
                TRUNCATE TABLE shop.orders;
            load         every node  replace
            finish       every node  every load
            unpin        -           every finish

            takes about 59s
        "#]],
    );
}

#[test]
fn datacenters_onto_simple_strategy() {
    let (source, mut target) = quartered();
    target.replicate("shop", SIMPLE);
    check_particular(
        &request(&source, &target),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            advice (3)
              KEYSPACE_REPLICATION_MISMATCH shop (before)
                  shop is replicated by {'class': 'SimpleStrategy', 'replication_factor': '2'} on the target, and was by {'class': 'NetworkTopologyStrategy', 'dc1': '3'} in the backup
                  hint: its data is mapped onto the replicas that it has now
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop."Metrics_2" LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT HAPPENS TO IT              ID
            shop.Metrics_2  is there: emptied, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is there: emptied, then loaded  00000000-0000-0000-0000-000000000001

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   8.3 GiB      9.2 GiB        12       7  00000000-0000-0000-0000-000000000011, 00000000-0000-0000-0000-000000000012, 00000000-0000-0000-0000-000000000013
            10.1.0.2   5.0 GiB      5.5 GiB         7       4  00000000-0000-0000-0000-000000000011, 00000000-0000-0000-0000-000000000012
            10.1.0.3   1.7 GiB      1.8 GiB         3       3  00000000-0000-0000-0000-000000000013

            STEP         ON          AFTER
            pin          -           -
            stage        every node  pin
            trialschema  -           every stage
                DROP KEYSPACE IF EXISTS ringkeep_trial_1;
                CREATE KEYSPACE ringkeep_trial_1 WITH replication = {'class': 'SimpleStrategy', 'replication_factor': '2'} AND durable_writes = true;
                CREATE TABLE ringkeep_trial_1."Metrics_2" (
                    id int,
                    c text,
                    PRIMARY KEY (id)
                ) WITH comment = '';
            trial        every node  trialschema
            trialdrop    -           every trial
                DROP KEYSPACE IF EXISTS ringkeep_trial_1;
            check        -           trialdrop
            replace      -           check
                TRUNCATE TABLE shop."Metrics_2";
                TRUNCATE TABLE shop.orders;
            load         every node  replace
            finish       every node  every load
            unpin        -           every finish

            takes about 1m 23s
        "#]],
    );
}

#[test]
fn a_live_keyspace_of_another_replication_is_refused_in_place() {
    let (source, mut target) = quartered();
    target.replicate("shop", "{'class': 'NetworkTopologyStrategy', 'dc1': '2'}");
    let request = RestoreRequest {
        options: RestoreOptions {
            mode: RequestedMode::InPlace,
            ..RestoreOptions::default()
        },
        ..request(&source, &target)
    };
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, in place: REFUSED

            refusals (1)
              KEYSPACE_REPLICATION_MISMATCH shop (before)
                  shop is replicated by {'class': 'NetworkTopologyStrategy', 'dc1': '2'} on the target, and was by {'class': 'NetworkTopologyStrategy', 'dc1': '3'} in the backup
                  hint: restore online, which maps its data; or first: ALTER KEYSPACE shop WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'}; and plan again

            advice (3)
              OLD_FILES_KEPT staging (after)
                  the files that are replaced stay on the nodes, 6.0 GiB now
                  hint: once the restore has proved right, free their space with `ringkeep restore accept TASK`; take it back with `ringkeep restore rollback TASK`
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop."Metrics_2" LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT WOULD HAPPEN TO IT                           ID
            shop.Metrics_2  its files are swapped while Cassandra is stopped  00000000-0000-0000-0000-000000000002
            shop.orders     its files are swapped while Cassandra is stopped  00000000-0000-0000-0000-000000000001
        "#]],
    );
}

#[test]
fn one_table_into_another_ring() {
    let (source, mut target) = quartered();
    target.members(&[
        ("dc1", "r1", &[-60]),
        ("dc1", "r2", &[-20]),
        ("dc1", "r3", &[20]),
        ("dc1", "r1", &[60]),
    ]);
    let request = RestoreRequest {
        options: RestoreOptions {
            selection: selection(&[], &["shop.orders"]),
            ..RestoreOptions::default()
        },
        ..request(&source, &target)
    };
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            advice (2)
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop.orders LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE        WHAT HAPPENS TO IT              ID
            shop.orders  is there: emptied, then loaded  00000000-0000-0000-0000-000000000001

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   1.3 GiB      1.5 GiB         2       2  00000000-0000-0000-0000-000000000011
            10.1.0.2   4.0 GiB      4.4 GiB         4       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   4.0 GiB      4.4 GiB         4       0  00000000-0000-0000-0000-000000000013
            10.1.0.4   2.7 GiB      2.9 GiB         4       2  00000000-0000-0000-0000-000000000011

            STEP         ON          AFTER
            pin          -           -
            stage        every node  pin
            trialschema  -           every stage
                DROP KEYSPACE IF EXISTS ringkeep_trial_1;
                CREATE KEYSPACE ringkeep_trial_1 WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true;
                CREATE TABLE ringkeep_trial_1.orders (
                    id int,
                    c text,
                    PRIMARY KEY (id)
                ) WITH comment = '';
            trial        every node  trialschema
            trialdrop    -           every trial
                DROP KEYSPACE IF EXISTS ringkeep_trial_1;
            check        -           trialdrop
            replace      -           check
                TRUNCATE TABLE shop.orders;
            load         every node  replace
            finish       every node  every load
            unpin        -           every finish

            takes about 47s
        "#]],
    );
}

#[test]
fn one_keyspace_of_two_into_another_ring() {
    let (mut source, _) = quartered();
    source
        .keyspace("blog")
        .table("blog.posts", 5, "id int PRIMARY KEY, c text")
        .holds("blog.posts", quarters("nb"));
    let mut target = empty("cassandra 4.1.9");
    target.members(&[("dc1", "r1", &[-45]), ("dc1", "r2", &[45])]);
    let request = RestoreRequest {
        options: RestoreOptions {
            selection: selection(&["blog"], &[]),
            ..RestoreOptions::default()
        },
        ..request(&source, &target)
    };
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (1)
              REPLICATION_ADJUSTED blog (during)
                  blog is made with the replication {'class': 'NetworkTopologyStrategy', 'dc1': '2'}; in the backup it was {'class': 'NetworkTopologyStrategy', 'dc1': '3'}
                  hint: to have it otherwise, make it as you want it and plan again; from this: CREATE KEYSPACE blog WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '2'}

            advice (2)
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM blog.posts LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE       WHAT HAPPENS TO IT                  ID
            blog.posts  is not there: created, then loaded  00000000-0000-0000-0000-000000000005

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   8.0 GiB      8.8 GiB         8       0  00000000-0000-0000-0000-000000000011, 00000000-0000-0000-0000-000000000013
            10.1.0.2   4.0 GiB      4.4 GiB         4       0  00000000-0000-0000-0000-000000000012

            STEP    ON          AFTER
            pin     -           -
            stage   every node  pin
            check   -           every stage
            schema  -           check
                CREATE KEYSPACE IF NOT EXISTS blog WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '2'} AND durable_writes = true;
                CREATE TABLE IF NOT EXISTS blog.posts (id int PRIMARY KEY, c text) WITH ID = 00000000-0000-0000-0000-000000000005 AND comment = '';
            load    every node  schema
            finish  every node  every load
            unpin   -           every finish

            takes about 1m 06s
        "#]],
    );
}

#[test]
fn two_keyspaces_that_are_replicated_in_two_ways() {
    let (mut source, _) = quartered();
    source
        .keyspace("blog")
        .table("blog.posts", 5, "id int PRIMARY KEY, c text")
        .holds("blog.posts", vec![wide("nb")])
        .replicate("blog", "{'class': 'NetworkTopologyStrategy', 'dc1': '1'}");
    let mut target = empty("cassandra 4.1.9");
    target.members(&[
        ("dc1", "r1", &[-60]),
        ("dc1", "r2", &[-20]),
        ("dc1", "r3", &[20]),
        ("dc1", "r1", &[60]),
    ]);
    check_particular(
        &request(&source, &target),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            advice (2)
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM blog.posts LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT HAPPENS TO IT                  ID
            blog.posts      is not there: created, then loaded  00000000-0000-0000-0000-000000000005
            shop.Metrics_2  is not there: created, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is not there: created, then loaded  00000000-0000-0000-0000-000000000001

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   2.0 GiB      2.2 GiB         4       4  00000000-0000-0000-0000-000000000011
            10.1.0.2   5.2 GiB      5.7 GiB         7       2  00000000-0000-0000-0000-000000000011, 00000000-0000-0000-0000-000000000012
            10.1.0.3   5.2 GiB      5.7 GiB         7       2  00000000-0000-0000-0000-000000000012, 00000000-0000-0000-0000-000000000013
            10.1.0.4   3.6 GiB      3.9 GiB         7       5  00000000-0000-0000-0000-000000000011, 00000000-0000-0000-0000-000000000013

            STEP    ON          AFTER
            pin     -           -
            stage   every node  pin
            check   -           every stage
            schema  -           check
                CREATE KEYSPACE IF NOT EXISTS blog WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '1'} AND durable_writes = true;
                CREATE KEYSPACE IF NOT EXISTS shop WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true;
                CREATE TABLE IF NOT EXISTS blog.posts (id int PRIMARY KEY, c text) WITH ID = 00000000-0000-0000-0000-000000000005 AND comment = '';
                CREATE TABLE IF NOT EXISTS shop."Metrics_2" (id int PRIMARY KEY, c text) WITH ID = 00000000-0000-0000-0000-000000000002 AND comment = '';
                CREATE TABLE IF NOT EXISTS shop.orders (id int PRIMARY KEY, c text) WITH ID = 00000000-0000-0000-0000-000000000001 AND comment = '';
            load    every node  schema
            finish  every node  every load
            unpin   -           every finish

            takes about 58s
        "#]],
    );
}
