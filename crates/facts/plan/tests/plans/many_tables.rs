//! Plans that are too large to be read line by line: what is much is counted, and the JSON has all of it.

use expect_test::expect;
use model::{Finding, Severity, When};
use plan::{RestoreRequest, ShownPlan, plan_restore, render};

use crate::world::*;

/// A keyspace with many tables, each with an index: some are there as they were, some have a column more, the others are not
/// there.
fn many(tables: u128) -> RestoreRequest {
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    for keyspace in ["blog", "crm"] {
        source.keyspace(keyspace);
        target.keyspace(keyspace);
    }
    for number in 0..tables {
        let keyspace = if number % 5 == 0 { "blog" } else { "crm" };
        let name = format!("t{number:03}");
        let (full, id) = (format!("{keyspace}.{name}"), 100 + number);
        source.table(&full, id, "id int PRIMARY KEY, c text");
        source.index(&format!("{keyspace}.{name}_by_c"), &name);
        match number % 4 {
            0 => {}
            1 => {
                target.table(&full, id, "id int PRIMARY KEY, c text, later int");
            }
            _ => {
                target.table(&full, id, "id int PRIMARY KEY, c text");
            }
        }
    }
    let mut request = request(&source, &target);
    for node in &mut request.nodes {
        node.data_directories[0].free_bytes = 2000 * GIB;
    }
    request
}

#[test]
fn five_hundred_tables_are_counted() {
    let request = many(498);
    check(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (250)
              SCHEMA_REVERTS blog.t005 (during)
                  the live definition of blog.t005 is not as it was in the backup: the table is dropped and made as it was
                  hint: the plan has what is undone, and the CQL that does it again where there is any
                  and 124 more like it: blog.t025, blog.t045, blog.t065, blog.t085, blog.t105, blog.t125, blog.t145, blog.t165 and 116 more; --output json has all
              SCHEMA_COLUMN_LOST blog.t005 (during)
                  blog.t005 has columns that were added since the backup, and are gone after the restore: later
                  hint: the plan has the CQL that adds them again, empty
                  and 124 more like it: blog.t025, blog.t045, blog.t065, blog.t085, blog.t105, blog.t125, blog.t145, blog.t165 and 116 more; --output json has all

            advice (603)
              INDEX_REBUILD blog.t000_by_c (during)
                  the index t000_by_c of blog.t000 is rebuilt while rows are loaded
                  and 497 more like it: blog.t005_by_c, blog.t010_by_c, blog.t015_by_c, blog.t020_by_c, blog.t025_by_c, blog.t030_by_c, blog.t035_by_c, blog.t040_by_c and 489 more; --output json has all
              AUTO_SNAPSHOTS_LEFT staging (after)
                  Cassandra keeps what blog.t005, blog.t010, blog.t015, blog.t025, blog.t030, blog.t035, blog.t045, blog.t050 and 367 more held before in snapshots on every node, together about 1.1 TiB
                  hint: once the restored data is known to be good, on each node: `nodetool listsnapshots` shows them as truncated-… and dropped-…, and `nodetool clearsnapshot -t TAG` deletes one
              BACKUP_UNVERIFIED prod/nightly-1 (before)
                  the backup has not been read back since it was written
                  hint: `ringkeep backup verify prod/nightly-1 --level sstables` reads every byte of it; the restore itself checks all that it takes
              SCHEMA_FORWARD blog.t005 (after)
                  the restore undoes what was done to blog.t005 since the backup: added later int
                  hint: to have it again: ALTER TABLE blog.t005 ADD later int
                  and 100 more like it: blog.t025, blog.t045, blog.t065, blog.t085, blog.t105, blog.t125, blog.t145, blog.t165 and 92 more; --output json has all
              REPAIR_ADVISED staging (after)
                  the replicas' snapshots were not taken in one instant
                  hint: `ringkeep maintenance run repair staging --keyspace blog --keyspace crm --keyspace shop`, which does one node after the other
              AUTH_NOT_INCLUDED staging (after)
                  users, roles and permissions are not part of the backup
                  hint: make roles and grants again, set up external authentication, and check that applications can log in

            KEYSPACE  TABLES      BYTES  WHAT HAPPENS TO IT                                 AMONG THEM
            blog          25   75.0 GiB  is not there: created, then loaded                 t000, t020, t040 and 22 more
            blog          25   75.0 GiB  is there: dropped, created as it was, then loaded  t005, t025, t045 and 22 more
            blog          50  150.0 GiB  is there: emptied, then loaded                     t010, t015, t030 and 47 more
            crm          100  300.0 GiB  is not there: created, then loaded                 t004, t008, t012 and 97 more
            crm          100  300.0 GiB  is there: dropped, created as it was, then loaded  t001, t009, t013 and 97 more
            crm          198  594.0 GiB  is there: emptied, then loaded                     t002, t003, t006 and 195 more
            shop           2    6.0 GiB  is there: emptied, then loaded                     Metrics_2, orders

            UNDONE IN THE SCHEMA (the CQL does it again after the restore)
            blog.t005: since the backup: added later int
                ALTER TABLE blog.t005 ADD later int;
            blog.t025: since the backup: added later int
                ALTER TABLE blog.t025 ADD later int;
            blog.t045: since the backup: added later int
                ALTER TABLE blog.t045 ADD later int;
            blog.t065: since the backup: added later int
                ALTER TABLE blog.t065 ADD later int;
            blog.t085: since the backup: added later int
                ALTER TABLE blog.t085 ADD later int;
            blog.t105: since the backup: added later int
                ALTER TABLE blog.t105 ADD later int;
            blog.t125: since the backup: added later int
                ALTER TABLE blog.t125 ADD later int;
            blog.t145: since the backup: added later int
                ALTER TABLE blog.t145 ADD later int;
            blog.t165: since the backup: added later int
                ALTER TABLE blog.t165 ADD later int;
            blog.t185: since the backup: added later int
                ALTER TABLE blog.t185 ADD later int;
            and 115 more: blog.t205, blog.t225, blog.t245, blog.t265, blog.t285, blog.t305, blog.t325, blog.t345 and 107 more; --output json has all

            NODE       DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1  500.0 GiB    550.0 GiB      1000       0  00000000-0000-0000-0000-000000000011
            10.1.0.2  500.0 GiB    550.0 GiB      1000       0  00000000-0000-0000-0000-000000000012
            10.1.0.3  500.0 GiB    550.0 GiB      1000       0  00000000-0000-0000-0000-000000000013

            STEP         ON          AFTER
            pin          -           -
            stage        every node  pin
            trialschema  -           every stage
                2 DROP KEYSPACE: ringkeep_trial_1, ringkeep_trial_2
                2 CREATE KEYSPACE: ringkeep_trial_1, ringkeep_trial_2
                26 CREATE TABLE in ringkeep_trial_1: t000, t005, t025 and 23 more
                26 CREATE INDEX in ringkeep_trial_1: t000_by_c, t005_by_c, t025_by_c and 23 more
                100 CREATE TABLE in ringkeep_trial_2: t001, t009, t013 and 97 more
                100 CREATE INDEX in ringkeep_trial_2: t001_by_c, t009_by_c, t013_by_c and 97 more
                --cql prints all 256 statements
            trial        every node  trialschema
            trialdrop    -           every trial
                DROP KEYSPACE IF EXISTS ringkeep_trial_1;
                DROP KEYSPACE IF EXISTS ringkeep_trial_2;
            check        -           trialdrop
            schema       -           check
                25 CREATE TABLE in blog: t000, t020, t040 and 22 more
                75 CREATE INDEX in blog: t000_by_c, t010_by_c, t015_by_c and 72 more
                298 CREATE INDEX in crm: t002_by_c, t003_by_c, t004_by_c and 295 more
                100 CREATE TABLE in crm: t004, t008, t012 and 97 more
                --cql prints all 498 statements
            replace      -           schema
                25 DROP TABLE in blog: t005, t025, t045 and 22 more
                25 CREATE TABLE in blog: t005, t025, t045 and 22 more
                75 TRUNCATE TABLE in blog: t005, t025, t045 and 72 more
                75 CREATE INDEX in blog: t005_by_c, t025_by_c, t045_by_c and 72 more
                100 DROP TABLE in crm: t001, t009, t013 and 97 more
                100 CREATE TABLE in crm: t001, t009, t013 and 97 more
                298 TRUNCATE TABLE in crm: t001, t009, t013 and 295 more
                298 CREATE INDEX in crm: t001_by_c, t009_by_c, t013_by_c and 295 more
                50 DROP INDEX in blog: t010_by_c, t015_by_c, t030_by_c and 47 more
                198 DROP INDEX in crm: t002_by_c, t003_by_c, t006_by_c and 195 more
                2 TRUNCATE TABLE in shop: Metrics_2, orders
                --cql prints all 1,246 statements
            load         every node  replace
            finish       every node  every load
            unpin        -           every finish

            takes about 2h 38m
        "#]],
    );

    let plan = ShownPlan::from(&plan_restore(&request));
    let text = render::restore_plan(&plan, render::Statements::Counted, &render::plain);
    assert!(text.lines().count() < 120, "{}", text.lines().count());
    assert!(text.lines().all(|line| line.len() < 200), "{text}");
}

#[test]
fn a_script_has_every_statement_on_a_line() {
    let plan = ShownPlan::from(&plan_restore(&many(498)));
    let script = render::script(&plan);
    let statements: Vec<&str> = script.lines().filter(|line| line.ends_with(';')).collect();
    let planned: usize = plan.steps.iter().map(|step| step.cql.len()).sum();
    let is_forward = |line: &&&str| line.starts_with("-- ");
    let forward = statements.iter().filter(is_forward).count();
    assert_eq!(statements.len() - forward, planned);
    let undone = plan.schema_changes.iter();
    let undone: usize = undone.map(|change| change.forward_cql.len()).sum();
    assert_eq!(forward, undone);
    assert!(planned > 500 && undone > 100, "{planned} {undone}");
    let comments = script.lines().filter(|line| !line.ends_with(';'));
    expect![[r#"
        -- step trialschema
        -- step trialdrop
        -- step schema
        -- step replace
        -- no step: does again after the restore what it undoes in the schema
    "#]]
    .assert_eq(&comments.map(|line| format!("{line}\n")).collect::<String>());
}

#[test]
fn findings_are_folded_if_many_are_of_one_code() {
    let finding = |code: &str, number: usize| Finding {
        code: code.into(),
        severity: Severity::Warning,
        when: When::Before,
        subject: format!("shop.t{number}"),
        message: format!("so it is with shop.t{number}"),
        hint: "do it".into(),
    };
    let text = |count| {
        let mut findings: Vec<Finding> = (0..count).map(|number| finding("MANY", number)).collect();
        findings.insert(1, finding("FEW", 77));
        render::findings(&findings, &render::plain)
    };
    let heads = |text: &str| {
        text.lines()
            .filter(|line| line.contains("(before)"))
            .count()
    };
    assert_eq!(heads(&text(5)), 6, "{}", text(5));
    expect![[r#"
        warnings (13)
          MANY shop.t0 (before)
              so it is with shop.t0
              hint: do it
              and 11 more like it: shop.t1, shop.t2, shop.t3, shop.t4, shop.t5, shop.t6, shop.t7, shop.t8 and 3 more; --output json has all
          FEW shop.t77 (before)
              so it is with shop.t77
              hint: do it
    "#]]
    .assert_eq(&text(12));
}
