//! Online, where live definitions are not those of the backup, or the backup has damage.

use expect_test::expect;
use model::Severity;
use model::manifest::KeptDamage;
use plan::{StepKind, plan_restore};

use crate::world::*;

#[test]
fn views_are_dropped_before_and_built_after_the_load() {
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source.view("shop.v", 3, "orders");
    target.view("shop.v", 3, "orders");
    target.view("shop.later", 4, "orders");
    check(
        &request(&source, &target),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (2)
              MATERIALIZED_VIEW_REBUILD shop.v (during)
                  the view shop.v is dropped, and rebuilt from shop.orders once that is loaded: reads of it fail until then
                  hint: the restore has a step for it; its progress: nodetool viewbuildstatus
              MATERIALIZED_VIEW_REBUILD shop.later (during)
                  the view shop.later is dropped, and rebuilt from shop.orders once that is loaded: reads of it fail until then
                  hint: the restore has a step for it; its progress: nodetool viewbuildstatus

            advice (4)
              AUTO_SNAPSHOTS_LEFT staging (after)
                  Cassandra keeps what shop.Metrics_2, shop.orders held before in snapshots on every node, together about 6.0 GiB
                  hint: once the restored data is known to be good, on each node: `nodetool listsnapshots` shows them as truncated-… and dropped-…, and `nodetool clearsnapshot -t TAG` deletes one
              BACKUP_UNVERIFIED prod/nightly-1 (before)
                  the backup has not been read back since it was written
                  hint: `ringkeep backup verify prod/nightly-1 --level sstables` reads every byte of it; the restore itself checks all that it takes
              REPAIR_ADVISED staging (after)
                  the replicas' snapshots were not taken in one instant
                  hint: `ringkeep maintenance run repair staging --keyspace shop`, which does one node after the other
              AUTH_NOT_INCLUDED staging (after)
                  users, roles and permissions are not part of the backup
                  hint: make roles and grants again, set up external authentication, and check that applications can log in

            TABLE           WHAT HAPPENS TO IT                   ID
            shop.Metrics_2  is there: emptied, then loaded       00000000-0000-0000-0000-000000000002
            shop.orders     is there: emptied, then loaded       00000000-0000-0000-0000-000000000001
            shop.v          a view: rebuilt from its base table  -
            shop.later      a view: rebuilt from its base table  -

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   2.0 GiB      3.3 GiB         4       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   2.0 GiB      3.3 GiB         4       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   2.0 GiB      3.3 GiB         4       0  00000000-0000-0000-0000-000000000013

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
                DROP MATERIALIZED VIEW IF EXISTS shop.later;
                DROP MATERIALIZED VIEW IF EXISTS shop.v;
                TRUNCATE TABLE shop."Metrics_2";
                TRUNCATE TABLE shop.orders;
            load         every node  replace
            views        -           every load
                CREATE MATERIALIZED VIEW IF NOT EXISTS shop.v AS SELECT * FROM shop.orders WHERE c IS NOT NULL AND id IS NOT NULL PRIMARY KEY (c, id) WITH ID = 00000000-0000-0000-0000-000000000003 AND comment = '';
                CREATE MATERIALIZED VIEW IF NOT EXISTS shop.later AS SELECT * FROM shop.orders WHERE c IS NOT NULL AND id IS NOT NULL PRIMARY KEY (c, id) WITH ID = 00000000-0000-0000-0000-000000000004 AND comment = '';
            finish       every node  views
            unpin        -           every finish

            takes about 1m 12s
        "#]],
    );
}

#[test]
fn what_differs_is_dropped_and_made_as_it_was() {
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let orders = |side: &mut Side, cql: &[&str]| {
        let entry = side
            .entries
            .iter_mut()
            .find(|entry| entry.name == "orders")
            .expect("orders");
        entry.cql = cql.iter().map(|cql| (*cql).to_owned()).collect();
    };
    orders(
        &mut source,
        &[
            "CREATE TABLE shop.orders (id int PRIMARY KEY, c text, old int) WITH ID = 00000000-0000-0000-0000-000000000001",
            "ALTER TABLE shop.orders DROP old USING TIMESTAMP 1700000000000000",
        ],
    );
    orders(
        &mut target,
        &["CREATE TABLE shop.orders (id int PRIMARY KEY, c text, added int)"],
    );
    source.index("shop.by_c", "orders");
    target.view("shop.later", 4, "orders");
    target
        .keyspace("blog")
        .table("blog.posts", 9, "id int PRIMARY KEY");
    target.table("shop.added", 8, "id int PRIMARY KEY");
    check(
        &request(&source, &target),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (4)
              SCHEMA_REVERTS shop.orders (during)
                  the live definition of shop.orders is not as it was in the backup: the table is dropped and made as it was
                  hint: the plan has what is undone, and the CQL that does it again where there is any
              SCHEMA_REVERTS shop.later (during)
                  the live view shop.later is not in the backup and is dropped with its table
                  hint: to make it again: CREATE MATERIALIZED VIEW shop.later AS SELECT * FROM shop.orders WHERE c IS NOT NULL AND id IS NOT NULL PRIMARY KEY (c, id) WITH ID = 00000000-0000-0000-0000-000000000004 AND comment = ''
              TABLE_NOT_IN_BACKUP shop.added (during)
                  the live table shop.added is not in the backup and stays as it is
              SCHEMA_COLUMN_LOST shop.orders (during)
                  shop.orders has columns that were added since the backup, and are gone after the restore: added
                  hint: the plan has the CQL that adds them again, empty

            advice (7)
              INDEX_REBUILD shop.by_c (during)
                  the index by_c of shop.orders is rebuilt while rows are loaded
              AUTO_SNAPSHOTS_LEFT staging (after)
                  Cassandra keeps what shop.Metrics_2, shop.orders held before in snapshots on every node, together about 6.0 GiB
                  hint: once the restored data is known to be good, on each node: `nodetool listsnapshots` shows them as truncated-… and dropped-…, and `nodetool clearsnapshot -t TAG` deletes one
              BACKUP_UNVERIFIED prod/nightly-1 (before)
                  the backup has not been read back since it was written
                  hint: `ringkeep backup verify prod/nightly-1 --level sstables` reads every byte of it; the restore itself checks all that it takes
              SCHEMA_FORWARD shop.orders (after)
                  the restore undoes what was done to shop.orders since the backup: added added int
                  hint: to have it again: ALTER TABLE shop.orders ADD added int
              SCHEMA_FORWARD shop.later (after)
                  the restore undoes what was done to shop.later since the backup: view made over orders
                  hint: to have it again: CREATE MATERIALIZED VIEW shop.later AS
                      SELECT *
                      FROM shop.orders
                      WHERE c IS NOT NULL AND id IS NOT NULL
                      PRIMARY KEY (c, id)
                      WITH CLUSTERING ORDER BY (id ASC)
                      AND comment = ''
              REPAIR_ADVISED staging (after)
                  the replicas' snapshots were not taken in one instant
                  hint: `ringkeep maintenance run repair staging --keyspace shop`, which does one node after the other
              AUTH_NOT_INCLUDED staging (after)
                  users, roles and permissions are not part of the backup
                  hint: make roles and grants again, set up external authentication, and check that applications can log in

            TABLE           WHAT HAPPENS TO IT                                 ID
            shop.Metrics_2  is there: emptied, then loaded                     00000000-0000-0000-0000-000000000002
            shop.orders     is there: dropped, created as it was, then loaded  00000000-0000-0000-0000-000000000001

            UNDONE IN THE SCHEMA (the CQL does it again after the restore)
            shop.orders: since the backup: added added int
                ALTER TABLE shop.orders ADD added int;
            shop.later: since the backup: view made over orders
                CREATE MATERIALIZED VIEW shop.later AS
                    SELECT *
                    FROM shop.orders
                    WHERE c IS NOT NULL AND id IS NOT NULL
                    PRIMARY KEY (c, id)
                    WITH CLUSTERING ORDER BY (id ASC)
                    AND comment = '';

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
                CREATE TABLE ringkeep_trial_1.orders (
                    id int,
                    c text,
                    old int,
                    PRIMARY KEY (id)
                );
                ALTER TABLE ringkeep_trial_1.orders DROP old USING TIMESTAMP 1700000000000000;
                CREATE TABLE ringkeep_trial_1."Metrics_2" (
                    id int,
                    c text,
                    PRIMARY KEY (id)
                ) WITH comment = '';
                CREATE INDEX by_c ON ringkeep_trial_1.orders (c);
            trial        every node  trialschema
            trialdrop    -           every trial
                DROP KEYSPACE IF EXISTS ringkeep_trial_1;
            check        -           trialdrop
            replace      -           check
                DROP MATERIALIZED VIEW IF EXISTS shop.later;
                DROP TABLE IF EXISTS shop.orders;
                CREATE TABLE IF NOT EXISTS shop.orders (id int PRIMARY KEY, c text, old int) WITH ID = 00000000-0000-0000-0000-000000000001;
                ALTER TABLE shop.orders DROP old USING TIMESTAMP 1700000000000000;
                TRUNCATE TABLE shop.orders;
                CREATE INDEX IF NOT EXISTS by_c ON shop.orders (c);
                TRUNCATE TABLE shop."Metrics_2";
            load         every node  replace
            finish       every node  every load
            unpin        -           every finish

            takes about 57s
        "#]],
    );
}

#[test]
fn a_table_with_dropped_columns_can_be_made_twice() {
    let (mut source, _) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let entry = source
        .entries
        .iter_mut()
        .find(|entry| entry.name == "orders")
        .expect("orders");
    entry
        .cql
        .push("ALTER TABLE shop.orders DROP old USING TIMESTAMP 1700000000000000".into());
    let plan = plan::plan_restore(&request(&source, &empty("cassandra 4.1.9")));
    let schema = plan
        .steps
        .iter()
        .find(|step| step.kind == StepKind::Schema)
        .expect("a schema step");
    let of_orders: Vec<&str> = schema.cql.iter().map(|cql| &cql[..12]).collect();
    let drop = of_orders
        .iter()
        .position(|cql| *cql == "DROP TABLE I")
        .expect("drops first");
    assert_eq!(of_orders[drop + 1], "CREATE TABLE");
    assert_eq!(of_orders[drop + 2], "ALTER TABLE ");
}

#[test]
fn sstables_that_were_damaged_on_their_nodes_are_named() {
    let (source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let mut request = request(&source, &target);
    let kept = |index: Option<&str>, sstable: &str, offset| KeptDamage {
        keyspace: "shop".into(),
        table: "orders".into(),
        index: index.map(str::to_owned),
        sstable: sstable.into(),
        component: "Data.db".into(),
        offset: Some(offset),
        what: "chunk 1 has CRC32 00, expected 11".into(),
    };
    let node = &mut request.backup.nodes[1];
    node.damaged_sstables = 3;
    node.damaged = vec![
        kept(None, "nb-3-big", 0),
        kept(None, "nb-3-big", 70_000),
        kept(Some("by_day"), "nb-4-big", 0),
        kept(None, "nb-5-big", 0),
    ];
    let node = &mut request.backup.nodes[2];
    node.damaged_sstables = 2;
    node.damaged = vec![kept(None, "nb-7-big", 0)];
    let plan = plan_restore(&request);
    assert!(plan.supported);
    let mut findings = plan.findings.iter();
    let finding = findings
        .find(|finding| finding.code == "BACKUP_DAMAGED")
        .expect("a finding");
    assert_eq!(finding.severity, Severity::Warning);
    expect![[r#"
        5 SSTables were damaged on the node when the backup was made, and kept on demand: nb-3-big of shop.orders on 10.0.0.2, nb-5-big of shop.orders on 10.0.0.2, nb-7-big of shop.orders on 10.0.0.3, and 2 more
        restore from another backup if you can; else run `nodetool scrub` on shop.orders and a full repair after the restore
    "#]].assert_eq(&format!("{}\n{}\n", finding.message, finding.hint));

    request.backup.nodes[2].damaged_sstables = 1;
    request.options.selection = selection(&[], &["shop.Metrics_2"]);
    let plan = plan_restore(&request);
    assert!(
        plan.findings
            .iter()
            .all(|finding| finding.code != "BACKUP_DAMAGED")
    );
}
