//! Into the same ring, if it cannot be determined which partitions each node owns: the files are taken whole, and imported
//! without the check of tokens.

use expect_test::expect;
use model::SourceShare;
use plan::{RequestedMode, RestoreOptions, RestoreRequest, plan_restore};

use crate::own::between;
use crate::world::*;

const CUSTOM: &str = "{'class': 'com.example.MoonPhaseStrategy'}";
const TRANSIENT: &str = "{'class': 'NetworkTopologyStrategy', 'dc1': '3/1'}";

/// The shop, with a keyspace `odd` beside it that is replicated in another way.
fn beside(release: &str, replication: &str) -> (Side, Side) {
    let (mut source, mut target) = between(release);
    for side in [&mut source, &mut target] {
        side.keyspace("odd")
            .table("odd.moons", 3, "id int PRIMARY KEY, c text")
            .replicate("odd", replication);
    }
    (source, target)
}

/// The shares of each node: keyspaces, whether they have ranges, and whether they trim.
fn shares(request: &RestoreRequest) -> Vec<Vec<(String, bool, bool)>> {
    let plan = plan_restore(request);
    assert!(plan.supported, "{:?}", plan.findings);
    let share = |it: &SourceShare| (it.keyspaces.join(","), !it.ranges.is_empty(), it.trims);
    let nodes = plan.nodes.iter();
    nodes
        .map(|node| node.shares.iter().map(share).collect())
        .collect()
}

#[test]
fn a_keyspace_of_a_custom_strategy_is_loaded_without_the_check_of_tokens() {
    let (source, target) = beside("cassandra 4.1.9", CUSTOM);
    check_particular(
        &request(&source, &target),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            advice (4)
              CLEANUP_ADVISED odd (after)
                  which partitions of odd each node owns cannot be determined, so that SSTables may hold partitions of others: they are loaded whole, without Cassandra's check of tokens
                  hint: afterwards, on each node: `nodetool cleanup odd`
              IN_PLACE_POSSIBLE staging (before)
                  the ring is that of the backup: its files can be swapped while Cassandra is stopped
                  hint: --mode in-place is faster for much data; the cluster is down meanwhile
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM odd.moons LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT HAPPENS TO IT              ID
            odd.moons       is there: emptied, then loaded  00000000-0000-0000-0000-000000000003
            shop.Metrics_2  is there: emptied, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is there: emptied, then loaded  00000000-0000-0000-0000-000000000001

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   3.0 GiB      3.3 GiB         6       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   3.0 GiB      3.3 GiB         6       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   3.0 GiB      3.3 GiB         6       0  00000000-0000-0000-0000-000000000013

            STEP         ON          AFTER
            pin          -           -
            stage        every node  pin
            trialschema  -           every stage
                DROP KEYSPACE IF EXISTS ringkeep_trial_1;
                CREATE KEYSPACE ringkeep_trial_1 WITH replication = {'class': 'com.example.MoonPhaseStrategy'} AND durable_writes = true;
                CREATE TABLE ringkeep_trial_1.moons (
                    id int,
                    c text,
                    PRIMARY KEY (id)
                ) WITH comment = '';
            trial        every node  trialschema
            trialdrop    -           every trial
                DROP KEYSPACE IF EXISTS ringkeep_trial_1;
            check        -           trialdrop
            replace      -           check
                TRUNCATE TABLE odd.moons;
                TRUNCATE TABLE shop."Metrics_2";
                TRUNCATE TABLE shop.orders;
            load         every node  replace
            finish       every node  every load
            unpin        -           every finish

            takes about 50s
        "#]],
    );
}

#[test]
fn a_transiently_replicated_keyspace_is_loaded_without_the_check_of_tokens() {
    let (source, target) = beside("cassandra 4.1.9", TRANSIENT);
    check_particular(
        &request(&source, &target),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            advice (4)
              CLEANUP_ADVISED odd (after)
                  which partitions of odd each node owns cannot be determined, so that SSTables may hold partitions of others: they are loaded whole, without Cassandra's check of tokens
                  hint: afterwards, on each node: `nodetool cleanup odd`
              IN_PLACE_POSSIBLE staging (before)
                  the ring is that of the backup: its files can be swapped while Cassandra is stopped
                  hint: --mode in-place is faster for much data; the cluster is down meanwhile
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM odd.moons LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT HAPPENS TO IT              ID
            odd.moons       is there: emptied, then loaded  00000000-0000-0000-0000-000000000003
            shop.Metrics_2  is there: emptied, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is there: emptied, then loaded  00000000-0000-0000-0000-000000000001

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   3.0 GiB      3.3 GiB         6       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   3.0 GiB      3.3 GiB         6       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   3.0 GiB      3.3 GiB         6       0  00000000-0000-0000-0000-000000000013

            STEP         ON          AFTER
            pin          -           -
            stage        every node  pin
            trialschema  -           every stage
                DROP KEYSPACE IF EXISTS ringkeep_trial_1;
                CREATE KEYSPACE ringkeep_trial_1 WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3/1'} AND durable_writes = true;
                CREATE TABLE ringkeep_trial_1.moons (
                    id int,
                    c text,
                    PRIMARY KEY (id)
                ) WITH comment = '';
            trial        every node  trialschema
            trialdrop    -           every trial
                DROP KEYSPACE IF EXISTS ringkeep_trial_1;
            check        -           trialdrop
            replace      -           check
                TRUNCATE TABLE odd.moons;
                TRUNCATE TABLE shop."Metrics_2";
                TRUNCATE TABLE shop.orders;
            load         every node  replace
            finish       every node  every load
            unpin        -           every finish

            takes about 50s
        "#]],
    );
}

#[test]
fn a_keyspace_that_is_not_understood_leaves_the_ranges_of_others_as_they_are() {
    for replication in [CUSTOM, TRANSIENT] {
        let (mut source, mut target) = beside("cassandra 4.1.9", replication);
        for side in [&mut source, &mut target] {
            side.keyspace("copies")
                .table("copies.all", 4, "id int PRIMARY KEY, c text");
        }
        for shares in shares(&request(&source, &target)) {
            let expected = [
                ("shop", true, true),
                ("odd", false, true),
                ("copies", false, false),
            ];
            let expected = expected.map(|(name, ranges, trims)| (name.to_owned(), ranges, trims));
            assert_eq!(shares, expected, "{replication}");
        }
    }
}

#[test]
fn a_partitioner_that_is_not_understood_has_everything_loaded_without_the_check_of_tokens() {
    for partitioner in ["com.example.MoonPartitioner", "ByteOrderedPartitioner"] {
        let (mut source, mut target) = between("cassandra 4.1.9");
        for side in [&mut source, &mut target] {
            side.partitioner = partitioner.into();
        }
        let request = request(&source, &target);
        for shares in shares(&request) {
            assert_eq!(shares, [("shop".to_owned(), false, true)]);
        }
        let findings = plan_restore(&request).findings;
        let advised = findings.iter().find(|it| it.code == "CLEANUP_ADVISED");
        assert_eq!(advised.expect("the advice").subject, "shop");
    }
}

#[test]
fn files_that_are_not_imported_are_taken_as_they_are_however_they_are_replicated() {
    let (source, target) = beside("cassandra 3.11.19", CUSTOM);
    let older = request(&source, &target);
    let (source, target) = beside("cassandra 4.1.9", CUSTOM);
    let in_place = RestoreRequest {
        options: RestoreOptions {
            mode: RequestedMode::InPlace,
            ..RestoreOptions::default()
        },
        ..request(&source, &target)
    };
    for request in [older, in_place] {
        assert!(shares(&request).iter().all(Vec::is_empty));
        let findings = plan_restore(&request).findings;
        assert!(findings.iter().all(|it| it.code != "CLEANUP_ADVISED"));
    }
}
