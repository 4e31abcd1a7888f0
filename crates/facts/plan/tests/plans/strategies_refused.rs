//! Replication and partitioners for which it is not known which node holds what.

use expect_test::expect;
use plan::{RequestedMode, RestoreRequest};

use crate::world::*;

fn replicated(replication: &str) -> RestoreRequest {
    let (mut source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source.replicate("shop", replication);
    request(&source, &target)
}

#[test]
fn transient_replicas() {
    let request = replicated("{'class': 'NetworkTopologyStrategy', 'dc1': '3/1'}");
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (1)
              REPLICATION_NOT_UNDERSTOOD shop (before)
                  who holds shop on the ring of the backup is not known: `dc1` is `3/1`: transient replication is not understood
                  hint: restore it into a ring with the same tokens, datacenters and racks, replicated as it was; or leave the keyspace out

            advice (3)
              KEYSPACE_REPLICATION_MISMATCH shop (before)
                  shop is replicated by {'class': 'NetworkTopologyStrategy', 'dc1': '3'} on the target, and was by {'class': 'NetworkTopologyStrategy', 'dc1': '3/1'} in the backup
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop."Metrics_2" LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT WOULD HAPPEN TO IT         ID
            shop.Metrics_2  is there: emptied, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is there: emptied, then loaded  00000000-0000-0000-0000-000000000001
        "#]],
    );
}

#[test]
fn a_strategy_that_is_not_known() {
    let request = replicated("{'class': 'com.example.MoonPhaseStrategy', 'phase': '2'}");
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (1)
              REPLICATION_NOT_UNDERSTOOD shop (before)
                  who holds shop on the ring of the backup is not known: replication strategy `com.example.MoonPhaseStrategy` is not understood
                  hint: restore it into a ring with the same tokens, datacenters and racks, replicated as it was; or leave the keyspace out

            advice (3)
              KEYSPACE_REPLICATION_MISMATCH shop (before)
                  shop is replicated by {'class': 'NetworkTopologyStrategy', 'dc1': '3'} on the target, and was by {'class': 'com.example.MoonPhaseStrategy', 'phase': '2'} in the backup
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop."Metrics_2" LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT WOULD HAPPEN TO IT         ID
            shop.Metrics_2  is there: emptied, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is there: emptied, then loaded  00000000-0000-0000-0000-000000000001
        "#]],
    );
}

#[test]
fn what_is_not_understood_goes_into_the_same_ring() {
    for replication in [
        "{'class': 'NetworkTopologyStrategy', 'dc1': '3/1'}",
        "{'class': 'com.example.MoonPhaseStrategy', 'phase': '2'}",
    ] {
        let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
        source.replicate("shop", replication);
        target.replicate("shop", replication);
        assert_eq!(codes(&request(&source, &target)), [] as [&str; 0]);
        target.ring[0].tokens = vec!["77".into()];
        let refused = ["Refusal REPLICATION_NOT_UNDERSTOOD shop"];
        assert_eq!(codes(&request(&source, &target)), refused);
    }
}

fn partitioned(source: &str, target: &str) -> RestoreRequest {
    let class = |name: &str| format!("org.apache.cassandra.dht.{name}");
    let mut sides = shop("cassandra 4.1.9", "cassandra 4.1.9");
    for (side, name) in [(&mut sides.0, source), (&mut sides.1, target)] {
        side.partitioner = class(name);
        if name != "Murmur3Partitioner" {
            // Tokens of neither are negative.
            for (at, member) in side.ring.iter_mut().enumerate() {
                member.tokens = vec![format!("{at}0")];
            }
        }
    }
    request(&sides.0, &sides.1)
}

#[test]
fn random_onto_random_with_other_tokens() {
    let mut request = partitioned("RandomPartitioner", "RandomPartitioner");
    request.backup.ring[1].tokens = vec!["85070591730234615865843651857942052864".into()];
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

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

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   2.0 GiB      2.2 GiB         2       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   2.0 GiB      2.2 GiB         2       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   2.0 GiB      2.2 GiB         2       0  00000000-0000-0000-0000-000000000013

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
fn random_onto_murmur3() {
    let request = partitioned("RandomPartitioner", "Murmur3Partitioner");
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (1)
              PARTITIONER_DIFFERS staging (before)
                  the backup places rows by RandomPartitioner, and 10.1.0.1, 10.1.0.2, 10.1.0.3 by Murmur3Partitioner
                  hint: restore into a cluster with RandomPartitioner

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
        "#]],
    );
}

#[test]
fn byte_ordered_into_another_ring_and_into_the_same() {
    let mut request = partitioned("ByteOrderedPartitioner", "ByteOrderedPartitioner");
    for mode in [RequestedMode::Auto, RequestedMode::InPlace] {
        request.options.mode = mode;
        assert_eq!(codes(&request), [] as [&str; 0]);
    }
    request.options.mode = RequestedMode::Auto;
    request.backup.ring[1].tokens = vec!["15".into()];
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (1)
              RING_NOT_UNDERSTOOD backup and target (before)
                  who holds what on the ring of backup and target is not known: where ByteOrderedPartitioner places replicas is not understood
                  hint: restore the whole backup into a ring with the same tokens, datacenters and racks

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
        "#]],
    );
}
