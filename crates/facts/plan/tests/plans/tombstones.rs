//! What was deleted before the backup stays deleted.

use expect_test::expect;
use model::{Finding, SchemaKind};
use plan::{RequestedMode, RestoreRequest, StepKind, TableAction, plan_restore};

use crate::world::*;

/// 100 days after the backup.
fn late(source: &Side, target: &Side) -> RestoreRequest {
    let mut request = request(source, target);
    request.now = "2026-04-12T03:04:05Z".parse().expect("a time");
    request
}

fn kept(request: &RestoreRequest) -> Vec<Finding> {
    let findings = plan_restore(request).findings.into_iter();
    findings.filter(|it| it.code == "TOMBSTONES_KEPT").collect()
}

/// The statements that speak of it, without the rest of a CREATE.
fn graces(request: &RestoreRequest) -> Vec<String> {
    let plan = plan_restore(request);
    assert!(plan.supported, "{:?}", plan.findings);
    let steps = plan.steps.iter().flat_map(|step| &step.cql);
    let spoken = steps.filter(|cql| cql.contains("gc_grace_seconds"));
    let short = |cql: &String| {
        let name = cql.split(['(', 'W']).next().expect("a name").trim();
        let (_, value) = cql.split_once("gc_grace_seconds = ").expect("a value");
        format!("{name}: {value}")
    };
    spoken.map(short).collect()
}

#[test]
fn an_old_backup_is_restored_with_its_tombstones() {
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source
        .table_with(
            "shop.short",
            3,
            "id int PRIMARY KEY",
            "gc_grace_seconds = 60",
        )
        .table_with("shop.none", 4, "id int PRIMARY KEY", "gc_grace_seconds = 0")
        .keyspace("fresh")
        .table("fresh.t", 5, "id int PRIMARY KEY");
    target.redefine(
        SchemaKind::Table,
        "shop.Metrics_2",
        "CREATE TABLE shop.\"Metrics_2\" (id int PRIMARY KEY, c blob)",
    );
    let request = late(&source, &target);
    assert_eq!(
        graces(&request),
        [
            "CREATE TABLE IF NOT EXISTS fresh.t: 10368000",
            "CREATE TABLE IF NOT EXISTS shop.none: 0",
            "CREATE TABLE IF NOT EXISTS shop.short: 8730000",
            "ALTER TABLE shop.orders: 10368000",
            "CREATE TABLE IF NOT EXISTS shop.\"Metrics_2\": 10368000",
        ]
    );
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (5)
              SCHEMA_REVERTS shop.Metrics_2 (during)
                  the live definition of shop.Metrics_2 is not as it was in the backup: the table is dropped and made as it was
                  hint: the plan has what is undone, and the CQL that does it again where there is any
              SCHEMA_TYPE_REVERTS shop.Metrics_2 (during)
                  columns of shop.Metrics_2 get the types back that they had: c from blob to text
                  hint: no CQL changes them again: to go forward, add a column under another name and let programs fill it
              TOMBSTONES_KEPT fresh (after)
                  the backup is 100d 00h old, so that rows which were deleted before it could come back: gc_grace_seconds of fresh.t is raised from 864000 to 10368000 until they are repaired
                  hint: `ringkeep maintenance run repair staging --keyspace fresh`, which is to end within 10d 00h from now; then ALTER TABLE fresh.t WITH gc_grace_seconds = 864000
              TOMBSTONES_KEPT shop (after)
                  the backup is 100d 00h old, so that rows which were deleted before it could come back: gc_grace_seconds of shop.short is raised from 60 to 8730000 until they are repaired
                  hint: `ringkeep maintenance run repair staging --keyspace shop`, which is to end within 1d 00h from now; then ALTER TABLE shop.short WITH gc_grace_seconds = 60
              TOMBSTONES_KEPT shop (after)
                  the backup is 100d 00h old, so that rows which were deleted before it could come back: gc_grace_seconds of shop.Metrics_2, shop.orders is raised from 864000 to 10368000 until they are repaired
                  hint: `ringkeep maintenance run repair staging --keyspace shop`, which is to end within 10d 00h from now; then ALTER TABLE shop."Metrics_2" WITH gc_grace_seconds = 864000; ALTER TABLE shop.orders WITH gc_grace_seconds = 864000

            TABLE           WHAT HAPPENS TO IT                                 ID
            fresh.t         is not there: created, then loaded                 00000000-0000-0000-0000-000000000005
            shop.Metrics_2  is there: dropped, created as it was, then loaded  00000000-0000-0000-0000-000000000002
            shop.none       is not there: created, then loaded                 00000000-0000-0000-0000-000000000004
            shop.orders     is there: emptied, then loaded                     00000000-0000-0000-0000-000000000001
            shop.short      is not there: created, then loaded                 00000000-0000-0000-0000-000000000003

            UNDONE IN THE SCHEMA (the CQL does it again after the restore)
            shop.Metrics_2: since the backup: changed the type of c from text to blob; no CQL brings forward shop."Metrics_2".c: the type of a column cannot be altered

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   5.0 GiB      5.5 GiB        10       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   5.0 GiB      5.5 GiB        10       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   5.0 GiB      5.5 GiB        10       0  00000000-0000-0000-0000-000000000013

            STEP         ON          AFTER
            pin          -           -
            stage        every node  pin
            trialschema  -           every stage
                DROP KEYSPACE IF EXISTS ringkeep_trial_1;
                CREATE KEYSPACE ringkeep_trial_1 WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true;
                CREATE TABLE ringkeep_trial_1.t (
                    id int,
                    PRIMARY KEY (id)
                ) WITH comment = '';
                DROP KEYSPACE IF EXISTS ringkeep_trial_2;
                CREATE KEYSPACE ringkeep_trial_2 WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true;
                CREATE TABLE ringkeep_trial_2."Metrics_2" (
                    id int,
                    c text,
                    PRIMARY KEY (id)
                ) WITH comment = '';
            trial        every node  trialschema
            trialdrop    -           every trial
                DROP KEYSPACE IF EXISTS ringkeep_trial_1;
                DROP KEYSPACE IF EXISTS ringkeep_trial_2;
            check        -           trialdrop
            schema       -           check
                CREATE KEYSPACE IF NOT EXISTS fresh WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true;
                CREATE TABLE IF NOT EXISTS fresh.t (id int PRIMARY KEY) WITH ID = 00000000-0000-0000-0000-000000000005 AND comment = '' AND gc_grace_seconds = 10368000;
                CREATE TABLE IF NOT EXISTS shop.none (id int PRIMARY KEY) WITH ID = 00000000-0000-0000-0000-000000000004 AND gc_grace_seconds = 0;
                CREATE TABLE IF NOT EXISTS shop.short (id int PRIMARY KEY) WITH ID = 00000000-0000-0000-0000-000000000003 AND gc_grace_seconds = 8730000;
            replace      -           schema
                ALTER TABLE shop.orders WITH gc_grace_seconds = 10368000;
                DROP TABLE IF EXISTS shop."Metrics_2";
                CREATE TABLE IF NOT EXISTS shop."Metrics_2" (id int PRIMARY KEY, c text) WITH ID = 00000000-0000-0000-0000-000000000002 AND comment = '' AND gc_grace_seconds = 10368000;
                TRUNCATE TABLE shop."Metrics_2";
                TRUNCATE TABLE shop.orders;
            load         every node  replace
            finish       every node  every load
            unpin        -           every finish

            takes about 1m 33s
        "#]],
    );
}

#[test]
fn what_cannot_disagree_or_is_young_is_left_as_it_is() {
    let (source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    assert_eq!(kept(&request(&source, &target)), []);
    assert_eq!(kept(&late(&source, &target)).len(), 1);
    let single = |side: &mut Side| {
        for entry in &mut side.entries {
            entry.cql[0] = entry.cql[0].replace("'dc1': '3'", "'dc1': '1'");
        }
    };
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    single(&mut target);
    assert_eq!(kept(&late(&source, &target)), []);
    single(&mut source);
    assert_eq!(kept(&late(&source, &target)), []);
    assert_eq!(graces(&late(&source, &target)), [""; 0]);
}

#[test]
fn a_second_restore_finds_the_tables_as_they_were_made() {
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let with = |side: &mut Side, seconds: u64| {
        side.redefine(
            SchemaKind::Table,
            "shop.orders",
            &format!("CREATE TABLE shop.orders (id int PRIMARY KEY, c text) WITH gc_grace_seconds = {seconds}"),
        );
    };
    with(&mut source, 864_000);
    for (mode, action) in [
        (RequestedMode::Online, TableAction::Truncate),
        (RequestedMode::InPlace, TableAction::Swap),
    ] {
        // One that was raised before and not lowered since: young backups set it back, old ones lower nothing.
        for (live, young, old) in [
            (864_000, "", "ALTER TABLE shop.orders: 10368000"),
            (
                9_000_000,
                "ALTER TABLE shop.orders: 864000",
                "ALTER TABLE shop.orders: 10368000",
            ),
            (20_000_000, "ALTER TABLE shop.orders: 864000", ""),
        ] {
            with(&mut target, live);
            for (late_by, expected) in [(false, young), (true, old)] {
                let mut request = match late_by {
                    true => late(&source, &target),
                    false => request(&source, &target),
                };
                request.options.mode = mode;
                let mut said = graces(&request);
                said.retain(|line| line.contains("orders"));
                assert_eq!(said.join(","), expected, "{mode:?} {live} {late_by}");
                let plan = plan_restore(&request);
                let orders = plan.tables.iter().find(|it| it.table.table == "orders");
                assert_eq!(orders.map(|it| it.action), Some(action));
                // Nothing is loaded before, and in place a restore can be cancelled after it is raised.
                let raises = late_by && mode == RequestedMode::InPlace;
                let kind = match raises {
                    true => StepKind::Schema,
                    false => StepKind::Replace,
                };
                let first = statements(&plan, kind).first();
                let is_first = first.is_some_and(|cql| cql.starts_with("ALTER TABLE"));
                assert!(is_first || expected.is_empty());
            }
        }
    }
}

#[test]
fn many_tables_are_told_in_short() {
    let (mut source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    for number in 0..500 {
        source.table(
            &format!("shop.t{number:03}"),
            100 + number,
            "id int PRIMARY KEY",
        );
    }
    let told = kept(&late(&source, &target));
    assert_eq!(told.len(), 1);
    expect![[r#"
        the backup is 100d 00h old, so that rows which were deleted before it could come back: gc_grace_seconds of shop.Metrics_2, shop.orders, shop.t000, shop.t001, shop.t002, shop.t003, shop.t004, shop.t005 and 494 more is raised from 864000 to 10368000 until they are repaired
        `ringkeep maintenance run repair staging --keyspace shop`, which is to end within 10d 00h from now; then for each of the tables ALTER TABLE shop.TABLE WITH gc_grace_seconds = 864000"#]].assert_eq(&format!("{}\n{}", told[0].message, told[0].hint));
}
