//! Under other names: beside what is live, which nothing of the plan touches.

use expect_test::expect;
use model::manifest::KeptDamage;
use model::plan::Rename;
use model::{Damage, SchemaKind, TableId};
use plan::{RestorePlan, RestoreRequest, StepKind, TableAction, plan_restore};

use crate::world::*;

pub fn keyspace(from: &str, to: &str) -> Rename {
    Rename::Keyspace {
        from: from.into(),
        to: to.into(),
    }
}

pub fn table(from: &str, to: &str) -> Rename {
    Rename::Table {
        from: table_ref(from),
        to: table_ref(to),
    }
}

/// Both sides as they were, with a type, an index and a view.
pub fn sides() -> (Side, Side) {
    let mut sides = shop("cassandra 4.1.9", "cassandra 4.1.9");
    for side in [&mut sides.0, &mut sides.1] {
        side.entry(
            SchemaKind::Type,
            "shop.money",
            "",
            &["CREATE TYPE shop.money (amount decimal)"],
        );
        side.entry(
            SchemaKind::Type,
            "shop.unused",
            "",
            &["CREATE TYPE shop.unused (amount decimal)"],
        );
        side.entry(
            SchemaKind::Function,
            "shop.twice(int)",
            "",
            &["CREATE FUNCTION shop.twice(x int) RETURNS NULL ON NULL INPUT RETURNS int LANGUAGE java AS $$ return 2 * x; $$"],
        );
        side.table(
            "shop.prices",
            4,
            "id int PRIMARY KEY, c text, m frozen<money>",
        );
        side.index("shop.prices_c_idx", "prices");
        side.view("shop.prices_by_c", 5, "prices");
    }
    sides
}

pub fn renamed(renames: &[Rename]) -> RestoreRequest {
    let (source, target) = sides();
    RestoreRequest {
        options: plan::RestoreOptions {
            renames: renames.to_vec(),
            ..Default::default()
        },
        ..request(&source, &target)
    }
}

/// No statement of the plan names a thing of the live keyspace.
#[track_caller]
fn check_leaves_alone(plan: &RestorePlan, keyspace: &str) {
    for statement in plan.steps.iter().flat_map(|step| &step.cql) {
        assert!(!statement.contains(&format!("{keyspace}.")), "{statement}");
    }
    let shares = plan.nodes.iter().flat_map(|node| &node.shares);
    for of in shares.flat_map(|share| &share.keyspaces) {
        assert_ne!(of, keyspace, "shares are of the keyspaces of the target");
    }
    for table in &plan.tables {
        assert_ne!(table.table.keyspace, keyspace);
        assert_ne!(table.source_id, table.target_id);
    }
}

#[test]
fn a_table_comes_beside_the_live_one_into_a_keyspace_that_is_made() {
    let request = renamed(&[table("shop.prices", "shop_copy.prices")]);
    check_leaves_alone(&plan_restore(&request), "shop");
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (1)
              RENAME_VIEWS_LEFT_OUT shop.prices (during)
                  shop.prices is renamed by itself and comes without its views: prices_by_c
                  hint: make views of the copy by hand, or rename the keyspace

            advice (3)
              INDEX_REBUILD shop_copy.prices_c_idx (during)
                  the index prices_c_idx of shop_copy.prices is rebuilt while rows are loaded
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop_copy.prices LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE                               WHAT HAPPENS TO IT                  ID
            shop_copy.prices, from shop.prices  is not there: created, then loaded  00000000-0000-0000-0000-000000000004 into fc35479f-9b57-84c6-93ca-3a4e7b872fac

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   1.0 GiB      1.1 GiB         2       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   1.0 GiB      1.1 GiB         2       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   1.0 GiB      1.1 GiB         2       0  00000000-0000-0000-0000-000000000013

            STEP     ON          AFTER
            pin      -           -
            stage    every node  pin
            check    -           every stage
            schema   -           check
                CREATE KEYSPACE IF NOT EXISTS shop_copy WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true;
                CREATE TYPE IF NOT EXISTS shop_copy.money (
                    amount decimal
                );
                CREATE TABLE IF NOT EXISTS shop_copy.prices (
                    id int,
                    c text,
                    m frozen<money>,
                    PRIMARY KEY (id)
                ) WITH ID = fc35479f-9b57-84c6-93ca-3a4e7b872fac AND comment = '';
                CREATE INDEX IF NOT EXISTS prices_c_idx ON shop_copy.prices (c);
            replace  -           schema
                TRUNCATE TABLE shop_copy.prices;
                DROP INDEX IF EXISTS shop_copy.prices_c_idx;
                CREATE INDEX IF NOT EXISTS prices_c_idx ON shop_copy.prices (c);
            load     every node  replace
            finish   every node  every load
            unpin    -           every finish

            takes about 27s
        "#]],
    );
}

#[test]
fn a_table_comes_beside_the_live_one_into_its_own_keyspace() {
    let request = renamed(&[table("shop.prices", "shop.Prices_Old")]);
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (1)
              RENAME_VIEWS_LEFT_OUT shop.prices (during)
                  shop.prices is renamed by itself and comes without its views: prices_by_c
                  hint: make views of the copy by hand, or rename the keyspace

            advice (4)
              RENAME_INDEX_NAMED shop.Prices_Old_c_idx (during)
                  the index prices_c_idx of the backup becomes Prices_Old_c_idx of shop.Prices_Old
              INDEX_REBUILD shop.Prices_Old_c_idx (during)
                  the index Prices_Old_c_idx of shop.Prices_Old is rebuilt while rows are loaded
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop."Prices_Old" LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE                              WHAT HAPPENS TO IT                  ID
            shop.Prices_Old, from shop.prices  is not there: created, then loaded  00000000-0000-0000-0000-000000000004 into 7c1b0197-ca12-8175-9e98-a8e9740e1b3a

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   1.0 GiB      1.1 GiB         2       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   1.0 GiB      1.1 GiB         2       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   1.0 GiB      1.1 GiB         2       0  00000000-0000-0000-0000-000000000013

            STEP     ON          AFTER
            pin      -           -
            stage    every node  pin
            check    -           every stage
            schema   -           check
                CREATE TABLE IF NOT EXISTS shop."Prices_Old" (
                    id int,
                    c text,
                    m frozen<money>,
                    PRIMARY KEY (id)
                ) WITH ID = 7c1b0197-ca12-8175-9e98-a8e9740e1b3a AND comment = '';
                CREATE INDEX IF NOT EXISTS "Prices_Old_c_idx" ON shop."Prices_Old" (c);
            replace  -           schema
                TRUNCATE TABLE shop."Prices_Old";
                DROP INDEX IF EXISTS shop."Prices_Old_c_idx";
                CREATE INDEX IF NOT EXISTS "Prices_Old_c_idx" ON shop."Prices_Old" (c);
            load     every node  replace
            finish   every node  every load
            unpin    -           every finish

            takes about 23s
        "#]],
    );
}

#[test]
fn a_keyspace_comes_under_another_name_with_all_that_is_in_it() {
    let request = renamed(&[keyspace("shop", "Shop_Copy")]);
    check_leaves_alone(&plan_restore(&request), "shop");
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (1)
              MATERIALIZED_VIEW_REBUILD Shop_Copy.prices_by_c (during)
                  the view Shop_Copy.prices_by_c is made and built from Shop_Copy.prices once that is loaded
                  hint: the restore has a step for it; its progress: nodetool viewbuildstatus

            advice (3)
              INDEX_REBUILD Shop_Copy.prices_c_idx (during)
                  the index prices_c_idx of Shop_Copy.prices is rebuilt while rows are loaded
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM "Shop_Copy"."Metrics_2" LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE                                         WHAT HAPPENS TO IT                   ID
            Shop_Copy.Metrics_2, from shop.Metrics_2      is not there: created, then loaded   00000000-0000-0000-0000-000000000002 into ab4e6e27-f80f-88b7-8162-a79a29f80c6e
            Shop_Copy.orders, from shop.orders            is not there: created, then loaded   00000000-0000-0000-0000-000000000001 into eb0deaba-0c56-86a6-9ed6-3f9ed22bfb10
            Shop_Copy.prices, from shop.prices            is not there: created, then loaded   00000000-0000-0000-0000-000000000004 into 0e94a05b-902f-8cf0-85b3-a32b442e04ea
            Shop_Copy.prices_by_c, from shop.prices_by_c  a view: rebuilt from its base table  -

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   3.0 GiB      4.4 GiB         6       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   3.0 GiB      4.4 GiB         6       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   3.0 GiB      4.4 GiB         6       0  00000000-0000-0000-0000-000000000013

            STEP     ON          AFTER
            pin      -           -
            stage    every node  pin
            check    -           every stage
            schema   -           check
                CREATE KEYSPACE IF NOT EXISTS "Shop_Copy" WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'} AND durable_writes = true;
                CREATE TYPE IF NOT EXISTS "Shop_Copy".money (
                    amount decimal
                );
                CREATE TYPE IF NOT EXISTS "Shop_Copy".unused (
                    amount decimal
                );
                CREATE FUNCTION IF NOT EXISTS "Shop_Copy".twice(x int)
                    RETURNS NULL ON NULL INPUT
                    RETURNS int
                    LANGUAGE java
                    AS $$ return 2 * x; $$;
                CREATE TABLE IF NOT EXISTS "Shop_Copy"."Metrics_2" (
                    id int,
                    c text,
                    PRIMARY KEY (id)
                ) WITH ID = ab4e6e27-f80f-88b7-8162-a79a29f80c6e AND comment = '';
                CREATE TABLE IF NOT EXISTS "Shop_Copy".orders (
                    id int,
                    c text,
                    PRIMARY KEY (id)
                ) WITH ID = eb0deaba-0c56-86a6-9ed6-3f9ed22bfb10 AND comment = '';
                CREATE TABLE IF NOT EXISTS "Shop_Copy".prices (
                    id int,
                    c text,
                    m frozen<money>,
                    PRIMARY KEY (id)
                ) WITH ID = 0e94a05b-902f-8cf0-85b3-a32b442e04ea AND comment = '';
                CREATE INDEX IF NOT EXISTS prices_c_idx ON "Shop_Copy".prices (c);
            replace  -           schema
                TRUNCATE TABLE "Shop_Copy"."Metrics_2";
                TRUNCATE TABLE "Shop_Copy".orders;
                TRUNCATE TABLE "Shop_Copy".prices;
                DROP INDEX IF EXISTS "Shop_Copy".prices_c_idx;
                CREATE INDEX IF NOT EXISTS prices_c_idx ON "Shop_Copy".prices (c);
            load     every node  replace
            views    -           every load
                CREATE MATERIALIZED VIEW IF NOT EXISTS "Shop_Copy".prices_by_c AS
                    SELECT *
                    FROM "Shop_Copy".prices
                    WHERE c IS NOT NULL AND id IS NOT NULL
                    PRIMARY KEY (c, id)
                    WITH CLUSTERING ORDER BY (id ASC)
                    AND comment = '';
            finish   every node  views
            unpin    -           every finish

            takes about 1m 27s
        "#]],
    );
}

#[test]
fn a_table_has_its_own_name_and_id_in_the_backup_and_the_same_new_id_each_time() {
    let request = renamed(&[table("shop.prices", "copy.p")]);
    let plan = plan_restore(&request);
    let [only] = plan.tables.as_slice() else {
        panic!("{:?}", plan.tables)
    };
    assert_eq!(only.source, Some(table_ref("shop.prices")));
    assert_eq!(
        (only.source_id, only.action),
        (table_id(4), TableAction::Create)
    );
    let live: Vec<TableId> = (1..=5).map(table_id).collect();
    assert!(!live.contains(&only.target_id));
    assert_eq!(plan_restore(&request), plan);
    let created = &statements(&plan, StepKind::Schema)[2];
    assert!(
        created.contains(&format!("WITH ID = {}", only.target_id)),
        "{created}"
    );
    let other = plan_restore(&renamed(&[table("shop.prices", "copy.q")]));
    assert_ne!(other.tables[0].target_id, only.target_id);
}

#[test]
fn a_selection_picks_a_part_of_a_renamed_keyspace_by_its_names_in_the_backup() {
    let mut request = renamed(&[keyspace("shop", "copy")]);
    request.options.selection = selection(&[], &["shop.orders"]);
    let plan = plan_restore(&request);
    assert!(plan.supported, "{:?}", plan.findings);
    let names: Vec<String> = plan.tables.iter().map(|it| it.table.to_string()).collect();
    assert_eq!(names, ["copy.orders"]);
    let made = statements(&plan, StepKind::Schema);
    assert_eq!(
        made.len(),
        2,
        "no type, which none of its columns needs: {made:?}"
    );
}

#[test]
fn a_table_of_a_renamed_keyspace_may_have_a_name_of_its_own() {
    let plan = plan_restore(&renamed(&[
        keyspace("shop", "copy"),
        table("shop.orders", "elsewhere.o"),
    ]));
    assert!(plan.supported, "{:?}", plan.findings);
    let names: Vec<String> = plan.tables.iter().map(|it| it.table.to_string()).collect();
    assert_eq!(
        names,
        [
            "copy.Metrics_2",
            "copy.prices",
            "elsewhere.o",
            "copy.prices_by_c"
        ]
    );
    check_leaves_alone(&plan, "shop");
}

#[test]
fn a_view_of_which_the_backup_has_no_files_comes_with_its_keyspace() {
    let mut request = renamed(&[keyspace("shop", "copy")]);
    for node in &mut request.backup.nodes {
        node.tables.retain(|table| table.view_of.is_none());
    }
    let plan = plan_restore(&request);
    let views = statements(&plan, StepKind::Views);
    assert!(views[0].contains("copy.prices_by_c"), "{views:?}");
}

#[test]
fn parts_of_the_backup_are_taken_for_the_new_keyspace() {
    let (source, mut target) = sides();
    target.ring.pop();
    let mut request = request(&source, &target);
    request.options.renames = vec![table("shop.orders", "copy.orders")];
    let plan = plan_restore(&request);
    let shares: Vec<_> = plan.nodes.iter().flat_map(|node| &node.shares).collect();
    assert!(!shares.is_empty(), "{:?}", plan.findings);
    for share in shares {
        assert_eq!(share.keyspaces, ["copy"]);
    }
}

#[test]
fn an_earlier_copy_is_emptied_under_the_id_that_it_has() {
    let (source, mut target) = sides();
    target.keyspace("copy");
    let made = TableId::made_of(&["an earlier copy"]);
    target.table(
        "copy.orders",
        made.0.as_u128(),
        "id int PRIMARY KEY, c text",
    );
    let mut request = request(&source, &target);
    request.options.renames = vec![table("shop.orders", "copy.orders")];
    let plan = plan_restore(&request);
    assert_eq!(codes(&request), ["Warning RENAME_REPLACES copy.orders"]);
    let table = &plan.tables[0];
    assert_eq!(
        (table.action, table.source_id, table.target_id),
        (TableAction::Truncate, table_id(1), made)
    );
    assert_eq!(
        statements(&plan, StepKind::Replace),
        ["TRUNCATE TABLE copy.orders"]
    );
    check_leaves_alone(&plan, "shop");
}

#[test]
fn tables_that_the_backup_has_not_are_told_and_a_keyspace_without_tables_comes() {
    let mut request = renamed(&[keyspace("shop", "copy")]);
    request.backup.selection = selection(&[], &["shop.orders"]);
    for node in &mut request.backup.nodes {
        node.tables.retain(|table| table.table == "orders");
    }
    assert_eq!(codes(&request), ["Warning RENAME_LEAVES_OUT shop"]);
    let (mut source, target) = sides();
    source.keyspace("bare");
    let mut request = crate::world::request(&source, &target);
    request.options.renames = vec![keyspace("bare", "bare_copy")];
    let plan = plan_restore(&request);
    assert!(plan.supported, "{:?}", plan.findings);
    let made = statements(&plan, StepKind::Schema);
    assert!(made[0].contains("bare_copy"), "{made:?}");
}

#[test]
fn triggers_and_change_data_capture_stay_with_the_live_table() {
    let (mut source, target) = sides();
    let made = "CREATE TABLE shop.orders (id int PRIMARY KEY, c text) WITH cdc = true";
    let entries = source.entries.iter_mut();
    for entry in entries.filter(|it| it.kind == SchemaKind::Table && it.name == "orders") {
        entry.cql = vec![
            made.to_owned(),
            "CREATE TRIGGER audit ON shop.orders USING 'org.example.Audit'".to_owned(),
        ];
    }
    let mut request = request(&source, &target);
    request.options.renames = vec![table("shop.orders", "copy.orders")];
    assert_eq!(codes(&request), ["Warning RENAME_LEAVES_OUT copy.orders"]);
    let made = statements(&plan_restore(&request), StepKind::Schema).join("; ");
    assert!(!made.contains("TRIGGER") && !made.contains("cdc"), "{made}");
}

#[test]
fn a_copy_begins_empty_because_a_dropped_one_may_have_had_its_id() {
    let request = renamed(&[table("shop.orders", "copy.orders")]);
    let plan = plan_restore(&request);
    assert_eq!(plan.tables[0].action, TableAction::Create);
    let emptied = statements(&plan, StepKind::Replace);
    assert_eq!(emptied, ["TRUNCATE TABLE copy.orders"]);
}

#[test]
fn a_type_of_another_form_in_the_new_keyspace_is_refused() {
    let (source, mut target) = sides();
    target.keyspace("copy");
    target.entry(
        SchemaKind::Type,
        "copy.money",
        "",
        &["CREATE TYPE copy.money (amount text)"],
    );
    let mut request = request(&source, &target);
    request.options.renames = vec![table("shop.prices", "copy.prices")];
    assert!(codes(&request).contains(&"Refusal TYPE_DIFFERS copy.money".to_owned()));
}

#[test]
fn damage_of_the_backup_is_that_of_the_tables_that_are_restored() {
    let mut request = renamed(&[table("shop.orders", "copy.orders")]);
    let damage = |table: &str| Damage {
        node: String::new(),
        keyspace: "shop".into(),
        table: table.into(),
        sstable: "nb-1-big".into(),
        component: "Data.db".into(),
        object: format!("object of {table}"),
        offset: None,
        what: "it is gone".into(),
    };
    request.missing = Some(vec![damage("prices")]);
    assert!(plan_restore(&request).supported);
    request.missing = Some(vec![damage("orders")]);
    assert_eq!(codes(&request), ["Refusal OBJECTS_MISSING prod/nightly-1"]);
    request.missing = Some(Vec::new());
    let kept = |table: &str| KeptDamage {
        keyspace: "shop".into(),
        table: table.into(),
        index: None,
        sstable: "nb-1-big".into(),
        component: "Data.db".into(),
        offset: None,
        what: "it is torn".into(),
    };
    let node = &mut request.backup.nodes[0];
    (node.damaged_sstables, node.damaged) = (1, vec![kept("prices")]);
    assert_eq!(codes(&request), [""; 0]);
    request.backup.nodes[0].damaged = vec![kept("orders")];
    assert_eq!(codes(&request), ["Warning BACKUP_DAMAGED prod/nightly-1"]);
}
