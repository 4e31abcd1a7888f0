//! Rows that run out before the restore is over.

use expect_test::expect;
use plan::Rates;

use crate::world::*;

/// When the plans are made: 2026-01-02T04:00:00Z.
const NOW: u64 = 1_767_326_400;

#[test]
fn what_expires_before_and_during_the_restore_is_told_by_table() {
    let (mut source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source
        .holds(
            "shop.orders",
            vec![expiring(
                "nb-1-big",
                100_000,
                &[
                    (NOW - 600, 2_000),
                    (NOW + 60, 5_000),
                    (NOW + 900_000, 60_000),
                ],
            )],
        )
        .holds(
            "shop.Metrics_2",
            vec![expiring("nb-2-big", 100_000, &[(NOW + 900_000, 100_000)])],
        );
    let mut request = request(&source, &target);
    request.rates = Rates {
        download_bytes_per_second: 10 << 20,
        ..Rates::default()
    };
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (1)
              TTL_MAY_EXPIRE shop.orders (during)
                  about 21,000 of 300,000 cells of shop.orders (7 %) expire before the restore is over, which takes about 3m 52s; 6,000 of them since the backup
                  hint: nothing brings them back, and a longer default_time_to_live does not either; restore sooner, or this table first and alone

            advice (3)
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

            takes about 3m 52s
        "#]],
    );
}
