use expect_test::expect;
use model::SchemaKind;
use plan::{RequestedMode, RestoreOptions, RestoreRequest, plan_restore};

use crate::world::*;

fn in_place(source: &Side, target: &Side) -> RestoreRequest {
    RestoreRequest {
        options: RestoreOptions {
            mode: RequestedMode::InPlace,
            ..RestoreOptions::default()
        },
        ..request(source, target)
    }
}

#[test]
fn in_place_swaps_tables_and_views_while_all_nodes_are_down() {
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source.view("shop.v", 3, "orders");
    target.view("shop.v", 3, "orders");
    check(
        &in_place(&source, &target),
        expect![[r#"
            restore of prod/nightly-1 into staging, in place: can be done

            advice (6)
              BACKUP_UNVERIFIED prod/nightly-1 (before)
                  the backup has not been read back since it was written
                  hint: `ringkeep backup verify prod/nightly-1 --level sstables` reads every byte of it; the restore itself checks all that it takes
              OLD_FILES_KEPT staging (after)
                  the files that are replaced stay on the nodes, 9.0 GiB now
                  hint: once the restore has proved right, free their space with `ringkeep restore accept TASK`; take it back with `ringkeep restore rollback TASK`
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

            TABLE           WHAT HAPPENS TO IT                                ID
            shop.Metrics_2  its files are swapped while Cassandra is stopped  00000000-0000-0000-0000-000000000002
            shop.orders     its files are swapped while Cassandra is stopped  00000000-0000-0000-0000-000000000001
            shop.v          its files are swapped while Cassandra is stopped  00000000-0000-0000-0000-000000000003

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   3.0 GiB      3.3 GiB         6       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   3.0 GiB      3.3 GiB         6       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   3.0 GiB      3.3 GiB         6       0  00000000-0000-0000-0000-000000000013

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
            quiesce      -           check
            stop         every node  quiesce
            swap         every node  every stop
            start        every node  every swap
            unpin        -           every start

            takes about 2m 58s
        "#]],
    );
}

#[test]
fn in_place_makes_what_is_missing_first() {
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source.view("shop.v", 3, "orders");
    source.index("shop.by_c", "orders");
    target.entries.retain(|entry| entry.name != "orders");
    target.tables.retain(|table| table.table.table != "orders");
    let plan = plan_restore(&in_place(&source, &target));
    let missing = plan.tables.iter().filter(|table| table.missing);
    let missing: Vec<&str> = missing.map(|table| table.table.table.as_str()).collect();
    assert_eq!(missing, ["orders", "v"]);
    check(
        &in_place(&source, &target),
        expect![[r#"
            restore of prod/nightly-1 into staging, in place: can be done

            advice (6)
              BACKUP_UNVERIFIED prod/nightly-1 (before)
                  the backup has not been read back since it was written
                  hint: `ringkeep backup verify prod/nightly-1 --level sstables` reads every byte of it; the restore itself checks all that it takes
              OLD_FILES_KEPT staging (after)
                  the files that are replaced stay on the nodes, 3.0 GiB now
                  hint: once the restore has proved right, free their space with `ringkeep restore accept TASK`; take it back with `ringkeep restore rollback TASK`
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

            TABLE           WHAT HAPPENS TO IT                                ID
            shop.Metrics_2  its files are swapped while Cassandra is stopped  00000000-0000-0000-0000-000000000002
            shop.orders     its files are swapped while Cassandra is stopped  00000000-0000-0000-0000-000000000001
            shop.v          its files are swapped while Cassandra is stopped  00000000-0000-0000-0000-000000000003

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   3.0 GiB      3.3 GiB         6       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   3.0 GiB      3.3 GiB         6       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   3.0 GiB      3.3 GiB         6       0  00000000-0000-0000-0000-000000000013

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
            schema       -           check
                CREATE TABLE IF NOT EXISTS shop.orders (id int PRIMARY KEY, c text) WITH ID = 00000000-0000-0000-0000-000000000001 AND comment = '';
                CREATE INDEX IF NOT EXISTS by_c ON shop.orders (c);
                CREATE MATERIALIZED VIEW IF NOT EXISTS shop.v AS SELECT * FROM shop.orders WHERE c IS NOT NULL AND id IS NOT NULL PRIMARY KEY (c, id) WITH ID = 00000000-0000-0000-0000-000000000003 AND comment = '';
            quiesce      -           schema
            stop         every node  quiesce
            swap         every node  every stop
            start        every node  every swap
            unpin        -           every start

            takes about 3m 04s
        "#]],
    );
}

#[test]
fn in_place_needs_agents_that_may_restart_cassandra() {
    let (source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let mut request = in_place(&source, &target);
    request.nodes[1].can_restart = false;
    assert_eq!(codes(&request), ["Refusal MODE_UNAVAILABLE 10.1.0.2"]);
}

#[test]
fn in_place_needs_one_release_line() {
    let (source, target) = shop("cassandra 4.0.17", "cassandra 4.1.9");
    assert_eq!(
        codes(&in_place(&source, &target)),
        ["Refusal MODE_UNAVAILABLE in place"]
    );
}

#[test]
fn in_place_needs_tables_as_they_were() {
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    target.tables[0].id = table_id(99);
    target.entries[2].cql = vec!["CREATE TABLE shop.\"Metrics_2\" (id int PRIMARY KEY)".into()];
    target.index("shop.later", "orders");
    target.view("shop.later_view", 4, "orders");
    source.entry(
        SchemaKind::View,
        "shop.unstored",
        "orders",
        &["CREATE MATERIALIZED VIEW shop.unstored AS SELECT * FROM shop.orders WHERE id IS NOT NULL AND c IS NOT NULL PRIMARY KEY (c, id)"],
    );
    check(
        &in_place(&source, &target),
        expect![[r#"
            restore of prod/nightly-1 into staging, in place: REFUSED

            refusals (5)
              MODE_UNAVAILABLE shop.Metrics_2 (before)
                  shop.Metrics_2 cannot be restored in place: its definition is not that of the backup
                  hint: restore online
              MODE_UNAVAILABLE shop.orders (before)
                  shop.orders cannot be restored in place: it has the id 00000000-0000-0000-0000-000000000063, and 00000000-0000-0000-0000-000000000001 in the backup
                  hint: restore online
              MODE_UNAVAILABLE shop.unstored (before)
                  shop.unstored cannot be restored in place: the backup has no files of this view
                  hint: restore online
              MODE_UNAVAILABLE shop.later_view (before)
                  the live view shop.later_view is not in the backup, and would not agree with its table
                  hint: drop it first and make it again afterwards, or restore online
              MODE_UNAVAILABLE shop.orders (before)
                  shop.orders cannot be restored in place: its index later is not that of the backup
                  hint: restore online

            warnings (1)
              SCHEMA_COLUMN_REAPPEARS shop.Metrics_2 (during)
                  shop.Metrics_2 gets columns back that were dropped since the backup: c
                  hint: the plan has the CQL that drops them again

            advice (8)
              BACKUP_UNVERIFIED prod/nightly-1 (before)
                  the backup has not been read back since it was written
                  hint: `ringkeep backup verify prod/nightly-1 --level sstables` reads every byte of it; the restore itself checks all that it takes
              SCHEMA_FORWARD shop.Metrics_2 (after)
                  the restore undoes what was done to shop.Metrics_2 since the backup: dropped c
                  hint: to have it again: ALTER TABLE shop."Metrics_2" DROP c
              SCHEMA_FORWARD shop.unstored (after)
                  the restore undoes what was done to shop.unstored since the backup: view dropped
                  hint: to have it again: DROP MATERIALIZED VIEW shop.unstored
              OLD_FILES_KEPT staging (after)
                  the files that are replaced stay on the nodes, 3.0 GiB now
                  hint: once the restore has proved right, free their space with `ringkeep restore accept TASK`; take it back with `ringkeep restore rollback TASK`
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

            TABLE           WHAT WOULD HAPPEN TO IT                           ID
            shop.Metrics_2  its files are swapped while Cassandra is stopped  00000000-0000-0000-0000-000000000002
            shop.orders     its files are swapped while Cassandra is stopped  00000000-0000-0000-0000-000000000001
            shop.unstored   its files are swapped while Cassandra is stopped  00000000-0000-0000-0000-000000000000

            WOULD BE UNDONE IN THE SCHEMA (the CQL does it again after the restore)
            shop.Metrics_2: since the backup: dropped c
                ALTER TABLE shop."Metrics_2" DROP c;
            shop.unstored: since the backup: view dropped
                DROP MATERIALIZED VIEW shop.unstored;

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   2.0 GiB      2.2 GiB         4       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   2.0 GiB      2.2 GiB         4       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   2.0 GiB      2.2 GiB         4       0  00000000-0000-0000-0000-000000000013
        "#]],
    );
}

#[test]
fn in_place_needs_the_files_of_every_node_where_they_were() {
    let (source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let mut lacking = in_place(&source, &target);
    lacking.backup.nodes.pop();
    lacking.options.completeness = plan::Completeness::Any;
    let mut renamed = in_place(&source, &target);
    renamed
        .options
        .datacenters
        .insert("dc2".into(), "dc1".into());
    for (request, expected) in [
        (
            lacking,
            &[
                "Refusal MODE_UNAVAILABLE in place",
                "Warning COVERAGE_REDUCED prod/nightly-1",
            ][..],
        ),
        (
            renamed,
            &[
                "Refusal DATACENTER_UNMAPPED dc2",
                "Refusal MODE_UNAVAILABLE in place",
                "Warning DATACENTER_LEFT_OUT dc1",
            ],
        ),
    ] {
        assert_eq!(codes(&request), expected);
    }
}
