//! What was changed on the live target since the backup, and is undone.

use expect_test::expect;
use model::SchemaKind;

use crate::world::*;

const ORDERS: &str = "CREATE TABLE shop.orders";

/// The target's `shop.orders` is made by this instead.
fn changed(was: &str, now: &str) -> (Side, Side) {
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source.redefine(SchemaKind::Table, "shop.orders", &format!("{ORDERS} {was}"));
    target.redefine(SchemaKind::Table, "shop.orders", &format!("{ORDERS} {now}"));
    source.without("shop.Metrics_2");
    target.without("shop.Metrics_2");
    (source, target)
}

#[test]
fn columns_that_were_added_dropped_and_changed() {
    let (source, target) = changed(
        "(id int PRIMARY KEY, c text, note text, price int) WITH comment = ''",
        "(id int PRIMARY KEY, c text, price varint, paid boolean, tags set<text>) WITH comment = ''",
    );
    check_particular(
        &request(&source, &target),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (4)
              SCHEMA_REVERTS shop.orders (during)
                  the live definition of shop.orders is not as it was in the backup: the table is dropped and made as it was
                  hint: the plan has what is undone, and the CQL that does it again where there is any
              SCHEMA_COLUMN_LOST shop.orders (during)
                  shop.orders has columns that were added since the backup, and are gone after the restore: paid, tags
                  hint: the plan has the CQL that adds them again, empty
              SCHEMA_COLUMN_REAPPEARS shop.orders (during)
                  shop.orders gets columns back that were dropped since the backup: note
                  hint: the plan has the CQL that drops them again
              SCHEMA_TYPE_REVERTS shop.orders (during)
                  columns of shop.orders get the types back that they had: price from varint to int
                  hint: no CQL changes them again: to go forward, add a column under another name and let programs fill it

            advice (3)
              SCHEMA_FORWARD shop.orders (after)
                  the restore undoes what was done to shop.orders since the backup: added paid boolean, tags set<text>; dropped note; changed the type of price from int to varint; no CQL brings forward shop.orders.price: the type of a column cannot be altered
                  hint: to have it again: ALTER TABLE shop.orders DROP note; ALTER TABLE shop.orders ADD paid boolean; ALTER TABLE shop.orders ADD tags set<text>
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop.orders LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE        WHAT HAPPENS TO IT                                 ID
            shop.orders  is there: dropped, created as it was, then loaded  00000000-0000-0000-0000-000000000001

            UNDONE IN THE SCHEMA (the CQL does it again after the restore)
            shop.orders: since the backup: added paid boolean, tags set<text>; dropped note; changed the type of price from int to varint; no CQL brings forward shop.orders.price: the type of a column cannot be altered
                ALTER TABLE shop.orders DROP note;
                ALTER TABLE shop.orders ADD paid boolean;
                ALTER TABLE shop.orders ADD tags set<text>;

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
                CREATE TABLE ringkeep_trial_1.orders (
                    id int,
                    c text,
                    note text,
                    price int,
                    PRIMARY KEY (id)
                ) WITH comment = '';
            trial        every node  trialschema
            trialdrop    -           every trial
                DROP KEYSPACE IF EXISTS ringkeep_trial_1;
            check        -           trialdrop
            replace      -           check
                DROP TABLE IF EXISTS shop.orders;
                CREATE TABLE IF NOT EXISTS shop.orders (id int PRIMARY KEY, c text, note text, price int) WITH ID = 00000000-0000-0000-0000-000000000001 AND comment = '';
                TRUNCATE TABLE shop.orders;
            load         every node  replace
            finish       every node  every load
            unpin        -           every finish

            takes about 30s
        "#]],
    );
}

#[test]
fn another_primary_key() {
    let (source, target) = changed(
        "(id int, day date, c text, PRIMARY KEY (id, day)) WITH CLUSTERING ORDER BY (day DESC)",
        "(id int, day date, c text, PRIMARY KEY ((id, day)))",
    );
    check_particular(
        &request(&source, &target),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (1)
              SCHEMA_REVERTS shop.orders (during)
                  the live definition of shop.orders is not as it was in the backup: the table is dropped and made as it was
                  hint: the plan has what is undone, and the CQL that does it again where there is any

            advice (2)
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop.orders LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE        WHAT HAPPENS TO IT                                 ID
            shop.orders  is there: dropped, created as it was, then loaded  00000000-0000-0000-0000-000000000001

            UNDONE IN THE SCHEMA (the CQL does it again after the restore)
            shop.orders: since the backup: changed the key from (id, day) to ((id, day)); no CQL brings forward shop.orders: a primary key cannot be altered

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
                CREATE TABLE ringkeep_trial_1.orders (
                    id int,
                    day date,
                    c text,
                    PRIMARY KEY (id, day)
                ) WITH CLUSTERING ORDER BY (day DESC);
            trial        every node  trialschema
            trialdrop    -           every trial
                DROP KEYSPACE IF EXISTS ringkeep_trial_1;
            check        -           trialdrop
            replace      -           check
                DROP TABLE IF EXISTS shop.orders;
                CREATE TABLE IF NOT EXISTS shop.orders (id int, day date, c text, PRIMARY KEY (id, day)) WITH ID = 00000000-0000-0000-0000-000000000001 AND CLUSTERING ORDER BY (day DESC);
                TRUNCATE TABLE shop.orders;
            load         every node  replace
            finish       every node  every load
            unpin        -           every finish

            takes about 30s
        "#]],
    );
}

#[test]
fn options_that_were_changed() {
    let (source, target) = changed(
        "(id int PRIMARY KEY, c text) WITH gc_grace_seconds = 864000 AND compaction = {'class': 'org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy'}",
        "(id int PRIMARY KEY, c text) WITH gc_grace_seconds = 3600 AND compaction = {'class': 'org.apache.cassandra.db.compaction.LeveledCompactionStrategy'}",
    );
    check_particular(
        &request(&source, &target),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (1)
              SCHEMA_REVERTS shop.orders (during)
                  the live definition of shop.orders is not as it was in the backup: the table is dropped and made as it was
                  hint: the plan has what is undone, and the CQL that does it again where there is any

            advice (3)
              SCHEMA_FORWARD shop.orders (after)
                  the restore undoes what was done to shop.orders since the backup: changed the options bloom_filter_fp_chance, compaction, gc_grace_seconds
                  hint: to have it again: ALTER TABLE shop.orders WITH bloom_filter_fp_chance = '0.1' AND compaction = {'class': 'org.apache.cassandra.db.compaction.LeveledCompactionStrategy'} AND gc_grace_seconds = 3600
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop.orders LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE        WHAT HAPPENS TO IT                                 ID
            shop.orders  is there: dropped, created as it was, then loaded  00000000-0000-0000-0000-000000000001

            UNDONE IN THE SCHEMA (the CQL does it again after the restore)
            shop.orders: since the backup: changed the options bloom_filter_fp_chance, compaction, gc_grace_seconds
                ALTER TABLE shop.orders WITH bloom_filter_fp_chance = '0.1' AND compaction = {'class': 'org.apache.cassandra.db.compaction.LeveledCompactionStrategy'} AND gc_grace_seconds = 3600;

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
                CREATE TABLE ringkeep_trial_1.orders (
                    id int,
                    c text,
                    PRIMARY KEY (id)
                ) WITH compaction = {'class': 'org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy'}
                    AND gc_grace_seconds = 864000;
            trial        every node  trialschema
            trialdrop    -           every trial
                DROP KEYSPACE IF EXISTS ringkeep_trial_1;
            check        -           trialdrop
            replace      -           check
                DROP TABLE IF EXISTS shop.orders;
                CREATE TABLE IF NOT EXISTS shop.orders (id int PRIMARY KEY, c text) WITH ID = 00000000-0000-0000-0000-000000000001 AND gc_grace_seconds = 864000 AND compaction = {'class': 'org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy'};
                TRUNCATE TABLE shop.orders;
            load         every node  replace
            finish       every node  every load
            unpin        -           every finish

            takes about 30s
        "#]],
    );
}

#[test]
fn a_table_a_view_and_an_index_that_were_added_since() {
    let (source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    target
        .table("shop.baskets", 9, "id int PRIMARY KEY, c text")
        .index("shop.by_c", "orders")
        .view("shop.by_status", 10, "orders");
    check_particular(
        &request(&source, &target),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (2)
              MATERIALIZED_VIEW_REBUILD shop.by_status (during)
                  the view shop.by_status is dropped, and rebuilt from shop.orders once that is loaded: reads of it fail until then
                  hint: the restore has a step for it; its progress: nodetool viewbuildstatus
              TABLE_NOT_IN_BACKUP shop.baskets (during)
                  the live table shop.baskets is not in the backup and stays as it is

            advice (3)
              INDEX_REBUILD shop.by_c (during)
                  the index by_c of shop.orders is rebuilt while rows are loaded
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop."Metrics_2" LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT HAPPENS TO IT                   ID
            shop.Metrics_2  is there: emptied, then loaded       00000000-0000-0000-0000-000000000002
            shop.orders     is there: emptied, then loaded       00000000-0000-0000-0000-000000000001
            shop.by_status  a view: rebuilt from its base table  -

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
                DROP MATERIALIZED VIEW IF EXISTS shop.by_status;
                TRUNCATE TABLE shop."Metrics_2";
                TRUNCATE TABLE shop.orders;
            load         every node  replace
            views        -           every load
                CREATE MATERIALIZED VIEW IF NOT EXISTS shop.by_status AS SELECT * FROM shop.orders WHERE c IS NOT NULL AND id IS NOT NULL PRIMARY KEY (c, id) WITH ID = 00000000-0000-0000-0000-00000000000a AND comment = '';
            finish       every node  views
            unpin        -           every finish

            takes about 42s
        "#]],
    );
}

#[test]
fn a_field_was_added_to_a_type() {
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source.entry(
        SchemaKind::Type,
        "shop.money",
        "",
        &["CREATE TYPE shop.money (amount decimal)"],
    );
    target.entry(
        SchemaKind::Type,
        "shop.money",
        "",
        &["CREATE TYPE shop.money (amount decimal, currency text)"],
    );
    check_particular(
        &request(&source, &target),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            advice (4)
              TYPE_DIFFERS shop.money (before)
                  the live type shop.money has fields that were added since the backup, and keeps them
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
fn a_field_of_a_type_was_renamed() {
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source.entry(
        SchemaKind::Type,
        "shop.money",
        "",
        &["CREATE TYPE shop.money (amount decimal, cur text)"],
    );
    target.entry(
        SchemaKind::Type,
        "shop.money",
        "",
        &["CREATE TYPE shop.money (amount decimal, currency text)"],
    );
    check_particular(
        &request(&source, &target),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (1)
              TYPE_DIFFERS shop.money (before)
                  the live type shop.money is not as it was in the backup
                  hint: bring it back, and plan again: ALTER TYPE shop.money RENAME currency TO cur

            advice (3)
              SCHEMA_FORWARD shop.money (after)
                  the restore undoes what was done to shop.money since the backup: renamed cur to currency
                  hint: to have it again: ALTER TYPE shop.money RENAME cur TO currency
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop."Metrics_2" LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT WOULD HAPPEN TO IT         ID
            shop.Metrics_2  is there: emptied, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is there: emptied, then loaded  00000000-0000-0000-0000-000000000001

            WOULD BE UNDONE IN THE SCHEMA (the CQL does it again after the restore)
            shop.money: since the backup: renamed cur to currency
                ALTER TYPE shop.money RENAME cur TO currency;

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   2.0 GiB      2.2 GiB         4       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   2.0 GiB      2.2 GiB         4       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   2.0 GiB      2.2 GiB         4       0  00000000-0000-0000-0000-000000000013
        "#]],
    );
}
