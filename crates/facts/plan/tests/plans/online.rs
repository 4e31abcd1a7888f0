//! Online, into a schema that is as it was, or into none.

use expect_test::expect;
use plan::StepKind;

use crate::world::*;

#[test]
fn three_nodes_online_into_the_same_schema() {
    let (source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    check(
        &request(&source, &target),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            advice (7)
              AUTO_SNAPSHOTS_LEFT staging (after)
                  Cassandra keeps what shop.Metrics_2, shop.orders held before in snapshots on every node, together about 6.0 GiB
                  hint: once the restored data is known to be good, on each node: `nodetool listsnapshots` shows them as truncated-… and dropped-…, and `nodetool clearsnapshot -t TAG` deletes one
              BACKUP_UNVERIFIED prod/nightly-1 (before)
                  the backup has not been read back since it was written
                  hint: `ringkeep backup verify prod/nightly-1 --level sstables` reads every byte of it; the restore itself checks all that it takes
              IN_PLACE_POSSIBLE staging (before)
                  the ring is that of the backup: its files can be swapped while Cassandra is stopped
                  hint: --mode in-place is faster for much data; the cluster is down meanwhile
              REPAIR_ADVISED staging (after)
                  the replicas' snapshots were not taken in one instant
                  hint: `ringkeep maintenance run repair staging --keyspace shop`, which does one node after the other
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop."Metrics_2" LIMIT 10`, and run the application's own checks before users come back
              AUTH_NOT_INCLUDED staging (after)
                  users, roles and permissions are not part of the backup
                  hint: make roles and grants again, set up external authentication, and check that applications can log in
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT HAPPENS TO IT              ID
            shop.Metrics_2  is there: emptied, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is there: emptied, then loaded  00000000-0000-0000-0000-000000000001

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   2.0 GiB      2.2 GiB         4       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   2.0 GiB      2.2 GiB         4       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   2.0 GiB      2.2 GiB         4       0  00000000-0000-0000-0000-000000000013

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

            takes about 38s
        "#]],
    );
}

#[test]
fn a_dropped_keyspace_is_made_again() {
    let (mut source, _) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source.entry(
        model::SchemaKind::Type,
        "shop.money",
        "",
        &["CREATE TYPE shop.money (amount decimal)"],
    );
    source.index("shop.by_c", "orders");
    source.view("shop.v", 3, "orders");
    check(
        &request(&source, &empty("cassandra 4.1.9")),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (1)
              MATERIALIZED_VIEW_REBUILD shop.v (during)
                  the view shop.v is made and built from shop.orders once that is loaded
                  hint: the restore has a step for it; its progress: nodetool viewbuildstatus

            advice (7)
              INDEX_REBUILD shop.by_c (during)
                  the index by_c of shop.orders is rebuilt while rows are loaded
              BACKUP_UNVERIFIED prod/nightly-1 (before)
                  the backup has not been read back since it was written
                  hint: `ringkeep backup verify prod/nightly-1 --level sstables` reads every byte of it; the restore itself checks all that it takes
              IN_PLACE_POSSIBLE staging (before)
                  the ring is that of the backup: its files can be swapped while Cassandra is stopped
                  hint: --mode in-place is faster for much data; the cluster is down meanwhile
              REPAIR_ADVISED staging (after)
                  the replicas' snapshots were not taken in one instant
                  hint: `ringkeep maintenance run repair staging --keyspace shop`, which does one node after the other
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop."Metrics_2" LIMIT 10`, and run the application's own checks before users come back
              AUTH_NOT_INCLUDED staging (after)
                  users, roles and permissions are not part of the backup
                  hint: make roles and grants again, set up external authentication, and check that applications can log in
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT HAPPENS TO IT                   ID
            shop.Metrics_2  is not there: created, then loaded   00000000-0000-0000-0000-000000000002
            shop.orders     is not there: created, then loaded   00000000-0000-0000-0000-000000000001
            shop.v          a view: rebuilt from its base table  -

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   2.0 GiB      3.3 GiB         4       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   2.0 GiB      3.3 GiB         4       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   2.0 GiB      3.3 GiB         4       0  00000000-0000-0000-0000-000000000013

            STEP    ON          AFTER
            pin     -           -
            stage   every node  pin
            check   -           every stage
            schema  -           check
                CREATE KEYSPACE IF NOT EXISTS shop WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true;
                CREATE TYPE IF NOT EXISTS shop.money (amount decimal);
                CREATE TABLE IF NOT EXISTS shop."Metrics_2" (id int PRIMARY KEY, c text) WITH ID = 00000000-0000-0000-0000-000000000002 AND comment = '';
                CREATE TABLE IF NOT EXISTS shop.orders (id int PRIMARY KEY, c text) WITH ID = 00000000-0000-0000-0000-000000000001 AND comment = '';
                CREATE INDEX IF NOT EXISTS by_c ON shop.orders (c);
            load    every node  schema
            views   -           every load
                CREATE MATERIALIZED VIEW IF NOT EXISTS shop.v AS SELECT * FROM shop.orders WHERE c IS NOT NULL AND id IS NOT NULL PRIMARY KEY (c, id) WITH ID = 00000000-0000-0000-0000-000000000003 AND comment = '';
            finish  every node  views
            unpin   -           every finish

            takes about 1m 01s
        "#]],
    );
}

#[test]
fn a_single_table_leaves_the_others_alone() {
    let (source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let mut request = request(&source, &target);
    request.options.selection = selection(&[], &["shop.Metrics_2"]);
    check(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            advice (7)
              AUTO_SNAPSHOTS_LEFT staging (after)
                  Cassandra keeps what shop.Metrics_2 held before in snapshots on every node, together about 3.0 GiB
                  hint: once the restored data is known to be good, on each node: `nodetool listsnapshots` shows them as truncated-… and dropped-…, and `nodetool clearsnapshot -t TAG` deletes one
              BACKUP_UNVERIFIED prod/nightly-1 (before)
                  the backup has not been read back since it was written
                  hint: `ringkeep backup verify prod/nightly-1 --level sstables` reads every byte of it; the restore itself checks all that it takes
              IN_PLACE_POSSIBLE staging (before)
                  the ring is that of the backup: its files can be swapped while Cassandra is stopped
                  hint: --mode in-place is faster for much data; the cluster is down meanwhile
              REPAIR_ADVISED staging (after)
                  the replicas' snapshots were not taken in one instant
                  hint: `ringkeep maintenance run repair staging --keyspace shop`, which does one node after the other
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop."Metrics_2" LIMIT 10`, and run the application's own checks before users come back
              AUTH_NOT_INCLUDED staging (after)
                  users, roles and permissions are not part of the backup
                  hint: make roles and grants again, set up external authentication, and check that applications can log in
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT HAPPENS TO IT              ID
            shop.Metrics_2  is there: emptied, then loaded  00000000-0000-0000-0000-000000000002

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   1.0 GiB      1.1 GiB         2       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   1.0 GiB      1.1 GiB         2       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   1.0 GiB      1.1 GiB         2       0  00000000-0000-0000-0000-000000000013

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
            load         every node  replace
            finish       every node  every load
            unpin        -           every finish

            takes about 26s
        "#]],
    );
}

#[test]
fn a_single_table_of_a_dropped_keyspace_is_all_that_is_made() {
    let (source, _) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let mut request = request(&source, &empty("cassandra 4.1.9"));
    request.options.selection = selection(&[], &["shop.orders"]);
    let plan = plan::plan_restore(&request);
    let schema = plan
        .steps
        .iter()
        .find(|step| step.kind == StepKind::Schema)
        .expect("a schema step");
    assert_eq!(schema.cql.len(), 2, "{:?}", schema.cql);
    assert!(schema.cql[0].starts_with("CREATE KEYSPACE IF NOT EXISTS shop"));
    assert!(schema.cql[1].starts_with("CREATE TABLE IF NOT EXISTS shop.orders"));
}

#[test]
fn a_table_made_again_since_is_emptied_and_loaded_under_its_new_id() {
    let (source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    target.entries.retain(|entry| entry.name != "orders");
    target.tables.retain(|table| table.table.table != "orders");
    target.table("shop.orders", 99, "id int PRIMARY KEY, c text");
    check(
        &request(&source, &target),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            advice (6)
              AUTO_SNAPSHOTS_LEFT staging (after)
                  Cassandra keeps what shop.Metrics_2, shop.orders held before in snapshots on every node, together about 6.0 GiB
                  hint: once the restored data is known to be good, on each node: `nodetool listsnapshots` shows them as truncated-… and dropped-…, and `nodetool clearsnapshot -t TAG` deletes one
              BACKUP_UNVERIFIED prod/nightly-1 (before)
                  the backup has not been read back since it was written
                  hint: `ringkeep backup verify prod/nightly-1 --level sstables` reads every byte of it; the restore itself checks all that it takes
              REPAIR_ADVISED staging (after)
                  the replicas' snapshots were not taken in one instant
                  hint: `ringkeep maintenance run repair staging --keyspace shop`, which does one node after the other
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop."Metrics_2" LIMIT 10`, and run the application's own checks before users come back
              AUTH_NOT_INCLUDED staging (after)
                  users, roles and permissions are not part of the backup
                  hint: make roles and grants again, set up external authentication, and check that applications can log in
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT HAPPENS TO IT              ID
            shop.Metrics_2  is there: emptied, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is there: emptied, then loaded  00000000-0000-0000-0000-000000000001 into 00000000-0000-0000-0000-000000000063

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   2.0 GiB      2.2 GiB         4       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   2.0 GiB      2.2 GiB         4       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   2.0 GiB      2.2 GiB         4       0  00000000-0000-0000-0000-000000000013

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

            takes about 38s
        "#]],
    );
}
