//! Into the same ring, where each node owns a part of it: what lies outside of that part is left out.

use cassandra_tokens::{Partitioner, TokenRange, TokenRanges};
use expect_test::expect;
use plan::{RequestedMode, RestoreOptions, RestoreRequest, plan_restore};

use crate::world::*;

const ONE_REPLICA: &str = "{'class': 'NetworkTopologyStrategy', 'dc1': '1'}";

/// A shop of one replica on three nodes with a token each: -30, 0 and 30, in units of 10^17.
fn one_replica(source: &str, target: &str) -> (Side, Side) {
    let (mut source, mut target) = shop(source, target);
    for side in [&mut source, &mut target] {
        side.replicate("shop", ONE_REPLICA);
    }
    (source, target)
}

pub fn between(release: &str) -> (Side, Side) {
    one_replica(release, release)
}

/// Each node holds an SSTable of each third of the ring, and one over all of it.
pub fn astray() -> RestoreRequest {
    let (mut source, target) = between("cassandra 4.1.9");
    let third = 3_000_000_000_000_000_000;
    let tables = vec![
        sstable("nb-1-big", -third + 1, 0),
        sstable("nb-2-big", 1, third),
        sstable("nb-3-big", third + 1, 2 * third),
        sstable("nb-4-big", -third, third),
    ];
    source.holds("shop.orders", tables);
    request(&source, &target)
}

/// An SSTable that only its own product reads.
pub fn uncut() -> RestoreRequest {
    let (mut source, mut target) = between("hcd 1.2.3");
    source.holds("shop.orders", vec![encrypted("bb-1-bti", "shop_key")]);
    source.keys = vec![key("shop_key", Some("aa"))];
    target.keys = source.keys.clone();
    request(&source, &target)
}

#[test]
fn partitions_that_nodes_do_not_own_are_left_out() {
    check_particular(
        &astray(),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            advice (4)
              FOREIGN_PARTITIONS shop.orders (during)
                  in 9 SSTables of shop.orders are partitions that their nodes do not own: they are left out
                  hint: they are left over from before the ring or the replication changed; `nodetool cleanup` on the source's nodes removes them there
              IN_PLACE_POSSIBLE staging (before)
                  the ring is that of the backup: its files can be swapped while Cassandra is stopped
                  hint: --mode in-place is faster for much data; the cluster is down meanwhile
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
            10.1.0.1   3.0 GiB      3.3 GiB         4       1  00000000-0000-0000-0000-000000000011
            10.1.0.2   3.0 GiB      3.3 GiB         4       1  00000000-0000-0000-0000-000000000012
            10.1.0.3   3.0 GiB      3.3 GiB         4       1  00000000-0000-0000-0000-000000000013

            STEP         ON          AFTER
            pin          -           -
            stage        every node  pin
            trialschema  -           every stage
                DROP KEYSPACE IF EXISTS ringkeep_trial_1;
                CREATE KEYSPACE ringkeep_trial_1 WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '1'} AND durable_writes = true;
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

            takes about 45s
        "#]],
    );
}

#[test]
fn each_node_is_given_what_it_owns_and_no_row_is_given_twice() {
    let plan = plan_restore(&astray());
    let mut all = Vec::new();
    for node in &plan.nodes {
        let [share] = node.shares.as_slice() else {
            panic!("{:?}", node.shares);
        };
        assert_eq!([share.source], *node.sources);
        assert!(share.trims);
        for range in &share.ranges {
            let range = TokenRange::parse(&Partitioner::Murmur3, &range.left, &range.right);
            all.push(range.expect("a range"));
        }
    }
    assert_eq!(all.len(), 4, "the range that wraps is two: {all:?}");
    assert!(TokenRanges::new(all).is_whole_ring());
}

#[test]
fn what_cannot_be_cut_is_loaded_whole_and_cleaned_up_afterwards() {
    check_particular(
        &uncut(),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (1)
              TDE_KEY_ROWS hcd_system.encrypted_keys (before)
                  the tables' own keys stand in hcd_system.encrypted_keys of the source, which is not part of the backup
                  hint: before the restore add the rows of hcd_system.encrypted_keys of the source to hcd_system.encrypted_keys of the target, for example by `COPY … TO` and `COPY … FROM` of cqlsh; never truncate the table, and delete nothing from it

            advice (5)
              UPGRADE_SSTABLES_REQUIRED bti-bb (after)
                  restored SSTables stay in the format bti-bb, older than what the target writes, until they are upgraded
                  hint: the restore has a step for it; later: `ringkeep maintenance run upgradesstables CLUSTER`; by hand: nodetool upgradesstables
              CLEANUP_ADVISED shop.orders (after)
                  3 SSTables of shop.orders cannot be cut, and may hold partitions that their nodes do not own: they are loaded whole, without Cassandra's check of tokens
                  hint: afterwards, on each node: `nodetool cleanup shop`
              IN_PLACE_POSSIBLE staging (before)
                  the ring is that of the backup: its files can be swapped while Cassandra is stopped
                  hint: --mode in-place is faster for much data; the cluster is down meanwhile
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
            10.1.0.1   2.0 GiB      3.3 GiB         3       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   2.0 GiB      3.3 GiB         3       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   2.0 GiB      3.3 GiB         3       0  00000000-0000-0000-0000-000000000013

            STEP             ON          AFTER
            pin              -           -
            stage            every node  pin
            trialschema      -           every stage
                DROP KEYSPACE IF EXISTS ringkeep_trial_1;
                CREATE KEYSPACE ringkeep_trial_1 WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '1'} AND durable_writes = true;
                CREATE TABLE ringkeep_trial_1.orders (
                    id int,
                    c text,
                    PRIMARY KEY (id)
                ) WITH comment = '';
                CREATE TABLE ringkeep_trial_1."Metrics_2" (
                    id int,
                    c text,
                    PRIMARY KEY (id)
                ) WITH comment = '';
            trial            every node  trialschema
            trialdrop        -           every trial
                DROP KEYSPACE IF EXISTS ringkeep_trial_1;
            check            -           trialdrop
            replace          -           check
                TRUNCATE TABLE shop."Metrics_2";
                TRUNCATE TABLE shop.orders;
            load             every node  replace
            upgradesstables  every node  its own load
            finish           every node  every upgradesstables
            unpin            -           every finish

            takes about 1m 35s
        "#]],
    );
}

#[test]
fn a_keyspace_that_every_node_holds_whole_is_taken_whole_beside_one_of_parts() {
    let (mut source, mut target) = between("cassandra 4.1.9");
    for side in [&mut source, &mut target] {
        side.keyspace("copies")
            .table("copies.all", 3, "id int PRIMARY KEY, c text");
    }
    let plan = plan_restore(&request(&source, &target));
    for node in &plan.nodes {
        let shares: Vec<_> = node
            .shares
            .iter()
            .map(|it| (it.keyspaces.join(","), it.ranges.is_empty(), it.trims))
            .collect();
        let expected = [("shop", false, true), ("copies", true, false)];
        assert_eq!(
            shares,
            expected.map(|(name, all, trims)| (name.to_owned(), all, trims))
        );
    }
}

#[test]
fn no_node_is_given_ranges_that_it_does_not_need() {
    let everything = |request: &RestoreRequest| {
        let plan = plan_restore(request);
        assert!(plan.supported, "{:?}", plan.findings);
        plan.nodes.iter().all(|node| node.shares.is_empty())
    };
    // `nodetool refresh` takes what it is given.
    let (source, target) = between("cassandra 3.11.19");
    assert!(everything(&request(&source, &target)));
    // Every node holds everything.
    let (source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    assert!(everything(&request(&source, &target)));
    // In place files are swapped as they are.
    let in_place = RestoreRequest {
        options: RestoreOptions {
            mode: RequestedMode::InPlace,
            ..RestoreOptions::default()
        },
        ..astray()
    };
    assert!(everything(&in_place));
}

#[test]
fn a_ring_of_too_many_ranges_is_taken_whole_without_the_check_of_tokens() {
    let (mut source, mut target) = between("cassandra 4.1.9");
    for side in [&mut source, &mut target] {
        for (at, member) in side.ring.iter_mut().enumerate() {
            // In turns, so that no two ranges of a node are one.
            let tokens = (0..22_000_i64).map(|turn| turn * 3 + at as i64);
            member.tokens = tokens.map(|token| token.to_string()).collect();
        }
    }
    let plan = plan_restore(&request(&source, &target));
    let codes: Vec<&str> = plan.findings.iter().map(|it| it.code.as_str()).collect();
    assert!(codes.contains(&"CLEANUP_ADVISED"), "{codes:?}");
    for node in &plan.nodes {
        assert_eq!(node.shares.len(), 1);
        assert!(node.shares[0].trims && node.shares[0].ranges.is_empty());
    }
}
