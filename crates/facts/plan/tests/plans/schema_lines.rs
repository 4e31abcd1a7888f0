//! Across release lines a table that was not changed stays, however differently the two releases print it.

use expect_test::expect;
use model::SchemaKind;
use plan::{TableAction, plan_restore};

use crate::world::*;

/// A table as each line describes it, with that line's own options.
fn described(line: &str) -> String {
    let options = match line {
        "3.11" => {
            "bloom_filter_fp_chance = 0.01 AND caching = {'keys': 'ALL', 'rows_per_partition': 'NONE'} AND comment = '' AND compaction = {'class': 'org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy', 'max_threshold': '32', 'min_threshold': '4'} AND compression = {'chunk_length_in_kb': '64', 'class': 'org.apache.cassandra.io.compress.LZ4Compressor'} AND crc_check_chance = 1.0 AND dclocal_read_repair_chance = 0.1 AND default_time_to_live = 0 AND gc_grace_seconds = 864000 AND max_index_interval = 2048 AND memtable_flush_period_in_ms = 0 AND min_index_interval = 128 AND read_repair_chance = 0.0 AND speculative_retry = '99PERCENTILE'"
        }
        "4.0" => {
            "additional_write_policy = '99p' AND bloom_filter_fp_chance = 0.01 AND caching = {'keys': 'ALL', 'rows_per_partition': 'NONE'} AND cdc = false AND comment = '' AND compaction = {'class': 'org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy', 'max_threshold': '32', 'min_threshold': '4'} AND compression = {'chunk_length_in_kb': '64', 'class': 'org.apache.cassandra.io.compress.LZ4Compressor'} AND crc_check_chance = 1.0 AND default_time_to_live = 0 AND extensions = {} AND gc_grace_seconds = 864000 AND max_index_interval = 2048 AND memtable_flush_period_in_ms = 0 AND min_index_interval = 128 AND read_repair = 'BLOCKING' AND speculative_retry = '99p'"
        }
        _ => {
            "additional_write_policy = '99p' AND allow_auto_snapshot = true AND bloom_filter_fp_chance = 0.01 AND caching = {'keys': 'ALL', 'rows_per_partition': 'NONE'} AND cdc = false AND comment = '' AND compaction = {'class': 'org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy', 'max_threshold': '32', 'min_threshold': '4'} AND compression = {'chunk_length_in_kb': '64', 'class': 'org.apache.cassandra.io.compress.LZ4Compressor'} AND memtable = 'default' AND crc_check_chance = 1.0 AND default_time_to_live = 0 AND extensions = {} AND gc_grace_seconds = 864000 AND incremental_backups = true AND max_index_interval = 2048 AND memtable_flush_period_in_ms = 0 AND min_index_interval = 128 AND read_repair = 'BLOCKING' AND speculative_retry = '99p'"
        }
    };
    format!(
        "CREATE TABLE shop.orders (\n    id int PRIMARY KEY,\n    c text\n) WITH ID = {} AND {options};",
        table_id(1)
    )
}

fn upgraded(source: (&str, &str), target: (&str, &str)) -> (Side, Side) {
    let mut sides = shop(source.0, target.0);
    for (side, line) in [(&mut sides.0, source.1), (&mut sides.1, target.1)] {
        side.without("shop.Metrics_2");
        side.redefine(SchemaKind::Table, "shop.orders", &described(line));
    }
    sides
}

#[test]
fn an_unchanged_table_is_emptied_and_not_made_again() {
    for (source, target) in [
        (("cassandra 3.11.19", "3.11"), ("cassandra 4.0.17", "4.0")),
        (("cassandra 4.0.17", "4.0"), ("cassandra 5.0.5", "5.0")),
        (("cassandra 4.0.17", "4.0"), ("cassandra 4.1.9", "4.1")),
        (("dse 6.8.50", "4.0"), ("hcd 1.2.3", "4.1")),
    ] {
        let (source, target) = upgraded(source, target);
        let plan = plan_restore(&request(&source, &target));
        let actions: Vec<TableAction> = plan.tables.iter().map(|table| table.action).collect();
        assert_eq!(
            actions,
            [TableAction::Truncate],
            "{} {:?}",
            target.release,
            plan.schema_changes
        );
        assert_eq!(plan.schema_changes, []);
    }
}

#[test]
fn from_3_11_onto_4_1() {
    let (source, target) = upgraded(("cassandra 3.11.19", "3.11"), ("cassandra 4.1.9", "4.1"));
    check_particular(
        &request(&source, &target),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            advice (3)
              UPGRADE_SSTABLES_REQUIRED cassandra 3.11.19 to cassandra 4.1.9 (after)
                  restored SSTables stay in the format of cassandra 3.11.19 until they are upgraded
                  hint: the restore has a step for it; later: `ringkeep maintenance run upgradesstables CLUSTER`; by hand: nodetool upgradesstables
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop.orders LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE        WHAT HAPPENS TO IT              ID
            shop.orders  is there: emptied, then loaded  00000000-0000-0000-0000-000000000001

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   1.0 GiB      2.2 GiB         2       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   1.0 GiB      2.2 GiB         2       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   1.0 GiB      2.2 GiB         2       0  00000000-0000-0000-0000-000000000013

            STEP             ON          AFTER
            pin              -           -
            stage            every node  pin
            trialschema      -           every stage
                DROP KEYSPACE IF EXISTS ringkeep_trial_1;
                CREATE KEYSPACE ringkeep_trial_1 WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true;
                CREATE TABLE ringkeep_trial_1.orders (
                    id int,
                    c text,
                    PRIMARY KEY (id)
                ) WITH bloom_filter_fp_chance = 0.01
                    AND caching = {'keys': 'ALL', 'rows_per_partition': 'NONE'}
                    AND comment = ''
                    AND compaction = {'class': 'org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy', 'max_threshold': '32', 'min_threshold': '4'}
                    AND compression = {'chunk_length_in_kb': '64', 'class': 'org.apache.cassandra.io.compress.LZ4Compressor'}
                    AND crc_check_chance = 1.0
                    AND default_time_to_live = 0
                    AND gc_grace_seconds = 864000
                    AND max_index_interval = 2048
                    AND memtable_flush_period_in_ms = 0
                    AND min_index_interval = 128
                    AND speculative_retry = '99PERCENTILE';
            trial            every node  trialschema
            trialdrop        -           every trial
                DROP KEYSPACE IF EXISTS ringkeep_trial_1;
            check            -           trialdrop
            replace          -           check
                TRUNCATE TABLE shop.orders;
            load             every node  replace
            upgradesstables  every node  its own load
            finish           every node  every upgradesstables
            unpin            -           every finish

            takes about 52s
        "#]],
    );
}

#[test]
fn from_4_0_onto_5_0_with_a_column_added_since() {
    let (source, mut target) = upgraded(("cassandra 4.0.17", "4.0"), ("cassandra 5.0.5", "5.0"));
    let now = described("5.0").replace("c text\n", "c text,\n    paid boolean\n");
    target.redefine(SchemaKind::Table, "shop.orders", &now);
    check_particular(
        &request(&source, &target),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (2)
              SCHEMA_REVERTS shop.orders (during)
                  the live definition of shop.orders is not as it was in the backup: the table is dropped and made as it was
                  hint: the plan has what is undone, and the CQL that does it again where there is any
              SCHEMA_COLUMN_LOST shop.orders (during)
                  shop.orders has columns that were added since the backup, and are gone after the restore: paid
                  hint: the plan has the CQL that adds them again, empty

            advice (4)
              UPGRADE_SSTABLES_REQUIRED cassandra 4.0.17 to cassandra 5.0.5 (after)
                  restored SSTables stay in the format of cassandra 4.0.17 until they are upgraded
                  hint: the restore has a step for it; later: `ringkeep maintenance run upgradesstables CLUSTER`; by hand: nodetool upgradesstables
              SCHEMA_FORWARD shop.orders (after)
                  the restore undoes what was done to shop.orders since the backup: added paid boolean
                  hint: to have it again: ALTER TABLE shop.orders ADD paid boolean
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop.orders LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE        WHAT HAPPENS TO IT                                 ID
            shop.orders  is there: dropped, created as it was, then loaded  00000000-0000-0000-0000-000000000001

            UNDONE IN THE SCHEMA (the CQL does it again after the restore)
            shop.orders: since the backup: added paid boolean
                ALTER TABLE shop.orders ADD paid boolean;

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   1.0 GiB      2.2 GiB         2       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   1.0 GiB      2.2 GiB         2       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   1.0 GiB      2.2 GiB         2       0  00000000-0000-0000-0000-000000000013

            STEP             ON          AFTER
            pin              -           -
            stage            every node  pin
            trialschema      -           every stage
                DROP KEYSPACE IF EXISTS ringkeep_trial_1;
                CREATE KEYSPACE ringkeep_trial_1 WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true;
                CREATE TABLE ringkeep_trial_1.orders (
                    id int,
                    c text,
                    PRIMARY KEY (id)
                ) WITH additional_write_policy = '99p'
                    AND bloom_filter_fp_chance = 0.01
                    AND caching = {'keys': 'ALL', 'rows_per_partition': 'NONE'}
                    AND comment = ''
                    AND compaction = {'class': 'org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy', 'max_threshold': '32', 'min_threshold': '4'}
                    AND compression = {'chunk_length_in_kb': '64', 'class': 'org.apache.cassandra.io.compress.LZ4Compressor'}
                    AND crc_check_chance = 1.0
                    AND default_time_to_live = 0
                    AND extensions = {}
                    AND gc_grace_seconds = 864000
                    AND max_index_interval = 2048
                    AND memtable_flush_period_in_ms = 0
                    AND min_index_interval = 128
                    AND read_repair = 'BLOCKING'
                    AND speculative_retry = '99p';
            trial            every node  trialschema
            trialdrop        -           every trial
                DROP KEYSPACE IF EXISTS ringkeep_trial_1;
            check            -           trialdrop
            replace          -           check
                DROP TABLE IF EXISTS shop.orders;
                CREATE TABLE IF NOT EXISTS shop.orders (
                    id int PRIMARY KEY,
                    c text
                ) WITH ID = 00000000-0000-0000-0000-000000000001 AND additional_write_policy = '99p' AND bloom_filter_fp_chance = 0.01 AND caching = {'keys': 'ALL', 'rows_per_partition': 'NONE'} AND cdc = false AND comment = '' AND compaction = {'class': 'org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy', 'max_threshold': '32', 'min_threshold': '4'} AND compression = {'chunk_length_in_kb': '64', 'class': 'org.apache.cassandra.io.compress.LZ4Compressor'} AND crc_check_chance = 1.0 AND default_time_to_live = 0 AND extensions = {} AND gc_grace_seconds = 864000 AND max_index_interval = 2048 AND memtable_flush_period_in_ms = 0 AND min_index_interval = 128 AND read_repair = 'BLOCKING' AND speculative_retry = '99p';
                TRUNCATE TABLE shop.orders;
            load             every node  replace
            upgradesstables  every node  its own load
            finish           every node  every upgradesstables
            unpin            -           every finish

            takes about 56s
        "#]],
    );
}

/// Converged Cassandra 4.0, on which HCD 1.x is built, names memtables in another way than Cassandra and HCD 2.x.
#[test]
fn a_memtable_that_was_chosen_is_reported_if_the_target_cannot_have_it() {
    for (from, to, memtable, reported) in [
        ("cassandra 4.1.9", "hcd 1.2.3", "'trie'", true),
        ("cassandra 4.1.9", "hcd 1.2.3", "'default'", false),
        ("hcd 1.2.3", "hcd 2.0.6", "{'class': 'TrieMemtable'}", true),
        ("hcd 1.2.3", "hcd 2.0.6", "{}", false),
    ] {
        let mut source = Side::new(from, "10.0.0.", 0x10);
        source.keyspace("shop").table_with(
            "shop.orders",
            1,
            "id int PRIMARY KEY",
            &format!("memtable = {memtable}"),
        );
        let request = request(&source, &empty(to));
        let codes = codes(&request);
        let code = "Warning SCHEMA_REWRITTEN shop.orders";
        assert_eq!(codes.contains(&code.to_owned()), reported, "{codes:?}");
        let plan = plan::plan_restore(&request);
        assert!(plan.supported, "{codes:?}");
        let made = statements(&plan, plan::StepKind::Schema).concat();
        assert!(!made.contains("memtable"), "{made}");
    }
}

/// Backups of earlier agents have no CQL for a table of COMPACT STORAGE on 4.0 and later; live it has some now.
#[test]
fn a_table_without_cql_in_the_backup_is_filled_if_it_has_the_same_id_and_never_dropped() {
    for (live_id, expected) in [
        (1, None),
        (7, Some("Refusal BACKUP_INCOMPLETE shop.orders")),
    ] {
        let mut source = Side::new("cassandra 4.1.9", "10.0.0.", 0x10);
        source
            .keyspace("shop")
            .table("shop.orders", 1, "id int PRIMARY KEY, c int");
        let mut target = empty("cassandra 4.1.9");
        let compact = "COMPACT STORAGE";
        target.keyspace("shop").table_with(
            "shop.orders",
            live_id,
            "id int PRIMARY KEY, c int",
            compact,
        );
        let mut request = request(&source, &target);
        let entries = request.backup.schema.entries.iter_mut();
        let tables = entries.filter(|entry| entry.kind == SchemaKind::Table);
        tables.for_each(|table| table.cql.clear());
        let refused = codes(&request)
            .into_iter()
            .find(|code| code.starts_with("Refusal"));
        assert_eq!(refused.as_deref(), expected);
        if expected.is_none() {
            let action = plan_restore(&request).tables[0].action;
            assert_eq!(action, TableAction::Truncate);
        }
    }
}
