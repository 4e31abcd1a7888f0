//! Backups that lack nodes, under each of the four policies.

use expect_test::expect;
use plan::{Completeness, RestoreRequest};

use crate::world::*;

/// Five nodes of which the backup lacks these.
fn lacking(missing: &[usize], completeness: Completeness) -> RestoreRequest {
    let (mut source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source.members(&[
        ("dc1", "r1", &[-74]),
        ("dc1", "r2", &[-37]),
        ("dc1", "r3", &[0]),
        ("dc1", "r1", &[37]),
        ("dc1", "r2", &[74]),
    ]);
    source.holds("shop.orders", quarters("nb"));
    let mut request = request(&source, &target);
    let gone: Vec<_> = missing.iter().map(|at| source.ring[*at].host_id).collect();
    request
        .backup
        .nodes
        .retain(|node| !gone.contains(&node.host_id));
    request
        .sstables
        .retain(|node| !gone.contains(&node.host_id));
    request.options.completeness = completeness;
    request
}

#[test]
fn all_is_not_reached_by_a_backup_without_a_node() {
    check_particular(
        &lacking(&[0], Completeness::All),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (1)
              BACKUP_INCOMPLETE prod/nightly-1 (before)
                  the backup lacks 10.0.0.1, which was in the ring; of shop in dc1 it has 2 of 3 replicas for 39.8 % of the ring
                  hint: pick a backup that has every node; or --completeness quorum: what was written at QUORUM is there then, on one replica at least

            advice (2)
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop."Metrics_2" LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT WOULD HAPPEN TO IT         ID
            shop.Metrics_2  is there: emptied, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is there: emptied, then loaded  00000000-0000-0000-0000-000000000001

            KEYSPACE  DATACENTER  OF THE RING THE BACKUP HOLDS
            shop      dc1         3 of 3 replicas: 60.2 %, 2 of 3 replicas: 39.8 %

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   6.0 GiB      6.6 GiB         8       4  00000000-0000-0000-0000-000000000012, 00000000-0000-0000-0000-000000000015
            10.1.0.2   8.5 GiB      9.4 GiB        11       4  00000000-0000-0000-0000-000000000012, 00000000-0000-0000-0000-000000000013, 00000000-0000-0000-0000-000000000015
            10.1.0.3   6.0 GiB      6.6 GiB         8       4  00000000-0000-0000-0000-000000000013, 00000000-0000-0000-0000-000000000014
        "#]],
    );
}

#[test]
fn quorum_goes_without_one_replica_of_three() {
    check_particular(
        &lacking(&[0], Completeness::Quorum),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (1)
              COVERAGE_REDUCED prod/nightly-1 (before)
                  the backup lacks 10.0.0.1, which was in the ring; of shop in dc1 it has 2 of 3 replicas for 39.8 % of the ring
                  hint: run a full repair before programs read: until then reads at QUORUM may miss rows that are there; nothing brings back what no node of the backup had

            advice (2)
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop."Metrics_2" LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT HAPPENS TO IT              ID
            shop.Metrics_2  is there: emptied, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is there: emptied, then loaded  00000000-0000-0000-0000-000000000001

            KEYSPACE  DATACENTER  OF THE RING THE BACKUP HOLDS
            shop      dc1         3 of 3 replicas: 60.2 %, 2 of 3 replicas: 39.8 %

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   6.0 GiB      6.6 GiB         8       4  00000000-0000-0000-0000-000000000012, 00000000-0000-0000-0000-000000000015
            10.1.0.2   8.5 GiB      9.4 GiB        11       4  00000000-0000-0000-0000-000000000012, 00000000-0000-0000-0000-000000000013, 00000000-0000-0000-0000-000000000015
            10.1.0.3   6.0 GiB      6.6 GiB         8       4  00000000-0000-0000-0000-000000000013, 00000000-0000-0000-0000-000000000014

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

            takes about 1m 24s
        "#]],
    );
}

#[test]
fn quorum_is_not_reached_without_two_replicas_of_three() {
    check_particular(
        &lacking(&[0, 1], Completeness::Quorum),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (1)
              BACKUP_INCOMPLETE prod/nightly-1 (before)
                  the backup lacks 10.0.0.1, 10.0.0.2, which were in the ring; of shop in dc1 it has 1 of 3 replicas for 19.8 % of the ring, 2 of 3 replicas for 40.1 % of the ring
                  hint: pick a backup that has every node; or --completeness one: every range has a replica left, and what was written at QUORUM may be missing

            advice (2)
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop."Metrics_2" LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT WOULD HAPPEN TO IT         ID
            shop.Metrics_2  is there: emptied, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is there: emptied, then loaded  00000000-0000-0000-0000-000000000001

            KEYSPACE  DATACENTER  OF THE RING THE BACKUP HOLDS
            shop      dc1         3 of 3 replicas: 40.1 %, 2 of 3 replicas: 40.1 %, 1 of 3 replicas: 19.8 %

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   6.0 GiB      6.6 GiB         8       4  00000000-0000-0000-0000-000000000013, 00000000-0000-0000-0000-000000000014
            10.1.0.2   8.6 GiB      9.5 GiB        11       4  00000000-0000-0000-0000-000000000013, 00000000-0000-0000-0000-000000000014, 00000000-0000-0000-0000-000000000015
            10.1.0.3   6.0 GiB      6.6 GiB         8       4  00000000-0000-0000-0000-000000000013, 00000000-0000-0000-0000-000000000015
        "#]],
    );
}

#[test]
fn one_goes_without_two_replicas_of_three() {
    check_particular(
        &lacking(&[0, 1], Completeness::One),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (1)
              COVERAGE_REDUCED prod/nightly-1 (before)
                  the backup lacks 10.0.0.1, 10.0.0.2, which were in the ring; of shop in dc1 it has 1 of 3 replicas for 19.8 % of the ring, 2 of 3 replicas for 40.1 % of the ring
                  hint: run a full repair before programs read: until then reads at QUORUM may miss rows that are there; nothing brings back what no node of the backup had

            advice (2)
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop."Metrics_2" LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT HAPPENS TO IT              ID
            shop.Metrics_2  is there: emptied, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is there: emptied, then loaded  00000000-0000-0000-0000-000000000001

            KEYSPACE  DATACENTER  OF THE RING THE BACKUP HOLDS
            shop      dc1         3 of 3 replicas: 40.1 %, 2 of 3 replicas: 40.1 %, 1 of 3 replicas: 19.8 %

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   6.0 GiB      6.6 GiB         8       4  00000000-0000-0000-0000-000000000013, 00000000-0000-0000-0000-000000000014
            10.1.0.2   8.6 GiB      9.5 GiB        11       4  00000000-0000-0000-0000-000000000013, 00000000-0000-0000-0000-000000000014, 00000000-0000-0000-0000-000000000015
            10.1.0.3   6.0 GiB      6.6 GiB         8       4  00000000-0000-0000-0000-000000000013, 00000000-0000-0000-0000-000000000015

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

            takes about 1m 25s
        "#]],
    );
}

#[test]
fn any_goes_with_parts_of_the_ring_that_no_node_has() {
    check_particular(
        &lacking(&[0, 1, 2], Completeness::Any),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (1)
              COVERAGE_REDUCED prod/nightly-1 (before)
                  the backup lacks 10.0.0.1, 10.0.0.2, 10.0.0.3, which were in the ring; of shop in dc1 it has none of 3 replicas for 19.8 % of the ring, 1 of 3 replicas for 40.1 % of the ring, 2 of 3 replicas for 40.1 % of the ring
                  hint: run a full repair before programs read: until then reads at QUORUM may miss rows that are there; nothing brings back what no node of the backup had

            advice (2)
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop."Metrics_2" LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT HAPPENS TO IT              ID
            shop.Metrics_2  is there: emptied, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is there: emptied, then loaded  00000000-0000-0000-0000-000000000001

            KEYSPACE  DATACENTER  OF THE RING THE BACKUP HOLDS
            shop      dc1         2 of 3 replicas: 40.1 %, 1 of 3 replicas: 40.1 %, 0 of 3 replicas: 19.8 %

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   6.9 GiB      7.6 GiB         8       4  00000000-0000-0000-0000-000000000014, 00000000-0000-0000-0000-000000000015
            10.1.0.2   5.3 GiB      5.8 GiB         7       4  00000000-0000-0000-0000-000000000014, 00000000-0000-0000-0000-000000000015
            10.1.0.3   5.3 GiB      5.8 GiB         7       4  00000000-0000-0000-0000-000000000014, 00000000-0000-0000-0000-000000000015

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

            takes about 1m 13s
        "#]],
    );
}

#[test]
fn each_policy_takes_what_those_before_it_take() {
    use Completeness::{All, Any, One, Quorum};
    for (missing, enough) in [
        (&[][..], [true, true, true, true]),
        (&[0], [false, true, true, true]),
        (&[0, 1], [false, false, true, true]),
        (&[0, 1, 2], [false, false, false, true]),
    ] {
        let supported = [All, Quorum, One, Any]
            .map(|policy| plan::plan_restore(&lacking(missing, policy)).supported);
        assert_eq!(supported, enough, "{missing:?}");
    }
}
