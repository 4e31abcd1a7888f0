//! SSTables that a target cannot read, or would read wrong.

use expect_test::expect;
use model::manifest::Hazard;
use plan::RestoreRequest;

use crate::world::*;

/// `shop.orders` of this release with these SSTables on each node, into the same schema.
fn holding(
    source: &str,
    target: &str,
    sstables: Vec<model::manifest::SstableFacts>,
) -> RestoreRequest {
    let (mut side, target) = shop(source, target);
    let formats =
        sstables.iter().map(
            |it| match it.name.split('-').collect::<Vec<_>>().as_slice() {
                [version, _, family] => format!("{family}-{version}"),
                _ => String::new(),
            },
        );
    side.table_mut("shop.orders").formats = formats.collect();
    side.holds("shop.orders", sstables);
    request(&side, &target)
}

#[test]
fn oa_onto_5_0_that_still_writes_as_4_0() {
    check_particular(
        &holding("cassandra 5.0.5", "cassandra 5.0.5", vec![wide("oa")]),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (1)
              FORMAT_UNREADABLE big-oa (before)
                  the backup holds big-oa SSTables of shop.orders, which 10.1.0.1, 10.1.0.2, 10.1.0.3 cannot read
                  hint: set `storage_compatibility_mode` to UPGRADING on every target node, then to NONE, with a rolling restart for each: Cassandra 5.0 reads it then

            TABLE           WHAT WOULD HAPPEN TO IT         ID
            shop.Metrics_2  is there: emptied, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is there: emptied, then loaded  00000000-0000-0000-0000-000000000001

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   2.0 GiB      2.2 GiB         3       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   2.0 GiB      2.2 GiB         3       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   2.0 GiB      2.2 GiB         3       0  00000000-0000-0000-0000-000000000013
        "#]],
    );
}

#[test]
fn bti_of_dse_onto_cassandra() {
    let sstables = vec![sstable("bb-1-bti", -9, 9)];
    let mut request = holding("dse 6.8.50", "cassandra 5.0.5", sstables);
    request.options.allow_unlisted_version = true;
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (1)
              FORMAT_UNREADABLE bti-bb (before)
                  the backup holds bti-bb SSTables of shop.Metrics_2, shop.orders, which 10.1.0.1, 10.1.0.2, 10.1.0.3 cannot read
                  hint: restore into a release that reads it: dse 6.8, dse 6.9, hcd 1.x

            warnings (1)
              VERSION_PAIR_UNSUPPORTED dse 6.8.50 to cassandra 5.0.5 (before)
                  restoring dse 6.8.50 into cassandra 5.0.5 is not supported, and no path of supported pairs leads there

            TABLE           WHAT WOULD HAPPEN TO IT         ID
            shop.Metrics_2  is there: emptied, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is there: emptied, then loaded  00000000-0000-0000-0000-000000000001

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   2.0 GiB      2.2 GiB         3       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   2.0 GiB      2.2 GiB         3       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   2.0 GiB      2.2 GiB         3       0  00000000-0000-0000-0000-000000000013
        "#]],
    );
}

#[test]
fn tuples_and_slices_of_dse() {
    let sstables = vec![
        with_hazard("bb-1-bti", Hazard::Tuples),
        with_hazard("bb-2-bti", Hazard::ZeroCopySlice),
    ];
    check_particular(
        &holding("dse 6.8.20", "hcd 1.2.3", sstables),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (1)
              SSTABLE_NEEDS_REWRITE bti-bb (before)
                  the backup holds 3 bti-bb SSTables of shop.orders with tuples as DSE before 6.8.36 wrote them, which hcd 1.2.3 on 10.1.0.1, 10.1.0.2, 10.1.0.3 loses
                  hint: on exactly DSE 6.8.35 run `nodetool upgradesstables -a` for these tables, on the source or on a cluster that this backup is restored into; bring that cluster to 6.8.36 or later, and back up again

            advice (2)
              SCHEMA_VALIDATION_REQUIRED dse 6.8.20 to hcd 1.2.3 (before)
                  HCD lacks some of DSE's features: none of these was found in the schema of what is restored
                  hint: programs may use others without a trace in the schema, such as DSE Analytics: try them before users do
              UPGRADE_SSTABLES_REQUIRED bti-bb (after)
                  restored SSTables stay in the format bti-bb, older than what the target writes, until they are upgraded
                  hint: the restore has a step for it; later: `ringkeep maintenance run upgradesstables CLUSTER`; by hand: nodetool upgradesstables

            TABLE           WHAT WOULD HAPPEN TO IT         ID
            shop.Metrics_2  is there: emptied, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is there: emptied, then loaded  00000000-0000-0000-0000-000000000001

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   3.0 GiB      5.5 GiB         4       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   3.0 GiB      5.5 GiB         4       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   3.0 GiB      5.5 GiB         4       0  00000000-0000-0000-0000-000000000013
        "#]],
    );
}

#[test]
fn a_downgrade_stays_refused_whatever_is_allowed() {
    let mut request = holding("cassandra 5.0.5", "cassandra 4.1.9", vec![wide("nb")]);
    request.options.allow_unlisted_version = true;
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (1)
              VERSION_DOWNGRADE cassandra 5.0.5 to cassandra 4.1.9 (before)
                  cassandra 4.1.9 is older than cassandra 5.0.5, and SSTables cannot be made older
                  hint: restore into the release line of cassandra 5.0.5 or a later one

            TABLE           WHAT WOULD HAPPEN TO IT         ID
            shop.Metrics_2  is there: emptied, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is there: emptied, then loaded  00000000-0000-0000-0000-000000000001

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   2.0 GiB      2.2 GiB         3       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   2.0 GiB      2.2 GiB         3       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   2.0 GiB      2.2 GiB         3       0  00000000-0000-0000-0000-000000000013
        "#]],
    );
}

#[test]
fn an_unlisted_pair_names_the_nearest_path() {
    let request = holding("cassandra 3.11.19", "cassandra 5.0.5", vec![wide("me")]);
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (1)
              VERSION_PAIR_UNSUPPORTED cassandra 3.11.19 to cassandra 5.0.5 (before)
                  restoring cassandra 3.11.19 into cassandra 5.0.5 is not supported; the nearest supported path is cassandra 3.11 → 4.1 → 5.0
                  hint: restore along that path, upgrading the SSTables at each stop

            advice (1)
              UPGRADE_SSTABLES_REQUIRED big-me (after)
                  restored SSTables stay in the format big-me, older than what the target writes, until they are upgraded
                  hint: the restore has a step for it; later: `ringkeep maintenance run upgradesstables CLUSTER`; by hand: nodetool upgradesstables

            TABLE           WHAT WOULD HAPPEN TO IT         ID
            shop.Metrics_2  is there: emptied, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is there: emptied, then loaded  00000000-0000-0000-0000-000000000001

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   2.0 GiB      3.3 GiB         3       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   2.0 GiB      3.3 GiB         3       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   2.0 GiB      3.3 GiB         3       0  00000000-0000-0000-0000-000000000013
        "#]],
    );
}

#[test]
fn an_unlisted_pair_that_is_allowed_is_warned_of() {
    let mut request = holding("cassandra 3.11.19", "cassandra 5.0.5", vec![wide("me")]);
    request.options.allow_unlisted_version = true;
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (1)
              VERSION_PAIR_UNSUPPORTED cassandra 3.11.19 to cassandra 5.0.5 (before)
                  restoring cassandra 3.11.19 into cassandra 5.0.5 is not supported; the nearest supported path is cassandra 3.11 → 4.1 → 5.0
                  hint: restore along that path, upgrading the SSTables at each stop

            advice (1)
              UPGRADE_SSTABLES_REQUIRED big-me (after)
                  restored SSTables stay in the format big-me, older than what the target writes, until they are upgraded
                  hint: the restore has a step for it; later: `ringkeep maintenance run upgradesstables CLUSTER`; by hand: nodetool upgradesstables

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
                CREATE KEYSPACE ringkeep_trial_1 WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true;
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

            takes about 1m 30s
        "#]],
    );
}

#[test]
fn slices_of_a_release_that_broke_some_are_warned_of() {
    let sstables = vec![with_hazard("bb-1-bti", Hazard::ZeroCopySlice)];
    let request = holding("dse 6.8.7", "dse 6.8.50", sstables);
    assert_eq!(codes(&request), ["Warning SSTABLE_NEEDS_REWRITE bti-bb"]);
}
