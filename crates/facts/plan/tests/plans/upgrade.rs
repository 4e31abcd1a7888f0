use expect_test::expect;
use plan::{RequestedMode, plan_restore};

use crate::world::*;

#[test]
fn from_3_11_to_4_1_the_sstables_are_upgraded_and_old_options_dropped() {
    let mut source = Side::new("cassandra 3.11.19", "10.0.0.", 0x10);
    source.keyspace("shop").table_with(
        "shop.orders",
        1,
        "id int PRIMARY KEY, c text",
        "dclocal_read_repair_chance = 0.1 AND comment = 'read_repair_chance = 1' AND read_repair_chance = 0.0",
    );
    let mut target = Side::new("cassandra 4.1.9", "10.1.0.", 0x20);
    target
        .keyspace("shop")
        .table("shop.orders", 5, "id int PRIMARY KEY, c text");
    check(
        &request(&source, &target),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: can be done

            warnings (1)
              SCHEMA_REVERTS shop.orders (during)
                  the live definition of shop.orders is not as it was in the backup: the table is dropped and made as it was
                  hint: the plan has what is undone, and the CQL that does it again where there is any

            advice (6)
              UPGRADE_SSTABLES_REQUIRED cassandra 3.11.19 to cassandra 4.1.9 (after)
                  restored SSTables stay in the format of cassandra 3.11.19 until they are upgraded
                  hint: the restore has a step for it; later: `ringkeep maintenance run upgradesstables CLUSTER`; by hand: nodetool upgradesstables
              AUTO_SNAPSHOTS_LEFT staging (after)
                  Cassandra keeps what shop.orders held before in snapshots on every node, together about 3.0 GiB
                  hint: once the restored data is known to be good, on each node: `nodetool listsnapshots` shows them as truncated-… and dropped-…, and `nodetool clearsnapshot -t TAG` deletes one
              BACKUP_UNVERIFIED prod/nightly-1 (before)
                  the backup has not been read back since it was written
                  hint: `ringkeep backup verify prod/nightly-1 --level sstables` reads every byte of it; the restore itself checks all that it takes
              SCHEMA_FORWARD shop.orders (after)
                  the restore undoes what was done to shop.orders since the backup: changed the options comment
                  hint: to have it again: ALTER TABLE shop.orders WITH comment = ''
              REPAIR_ADVISED staging (after)
                  the replicas' snapshots were not taken in one instant
                  hint: `ringkeep maintenance run repair staging --keyspace shop`, which does one node after the other
              AUTH_NOT_INCLUDED staging (after)
                  users, roles and permissions are not part of the backup
                  hint: make roles and grants again, set up external authentication, and check that applications can log in

            TABLE        WHAT HAPPENS TO IT                                 ID
            shop.orders  is there: dropped, created as it was, then loaded  00000000-0000-0000-0000-000000000001

            UNDONE IN THE SCHEMA (the CQL does it again after the restore)
            shop.orders: since the backup: changed the options comment
                ALTER TABLE shop.orders WITH comment = '';

            MADE IN ANOTHER WAY  HOW                                                       DONE
            shop.orders          the option is left out: dclocal_read_repair_chance = 0.1  yes
            shop.orders          the option is left out: read_repair_chance = 0.0          yes

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
                ) WITH comment = 'read_repair_chance = 1';
            trial            every node  trialschema
            trialdrop        -           every trial
                DROP KEYSPACE IF EXISTS ringkeep_trial_1;
            check            -           trialdrop
            replace          -           check
                DROP TABLE IF EXISTS shop.orders;
                CREATE TABLE IF NOT EXISTS shop.orders (
                    id int,
                    c text,
                    PRIMARY KEY (id)
                ) WITH ID = 00000000-0000-0000-0000-000000000001 AND comment = 'read_repair_chance = 1';
                TRUNCATE TABLE shop.orders;
            load             every node  replace
            upgradesstables  every node  its own load
            finish           every node  every upgradesstables
            unpin            -           every finish

            takes about 56s
        "#]],
    );
}

#[test]
fn a_later_minor_release_upgrades_only_where_the_format_differs() {
    let upgrades = |format: &str| {
        let (mut source, target) = shop("cassandra 4.0.17", "cassandra 4.1.9");
        source.tables[0].formats = vec![format.to_owned()];
        let plan = plan::plan_restore(&request(&source, &target));
        assert!(plan.supported);
        plan.steps
            .iter()
            .filter(|step| step.id.starts_with("upgradesstables-"))
            .count()
    };
    assert_eq!(upgrades("big-nb"), 0);
    assert_eq!(upgrades("big-me"), 3);
}

#[test]
fn an_index_on_5_0_stays_the_kind_that_it_was() {
    let (mut source, _) = shop("cassandra 4.1.9", "cassandra 5.0.5");
    source.index("shop.by_c", "orders");
    let plan = plan::plan_restore(&request(&source, &empty("cassandra 5.0.5")));
    let cql: Vec<&String> = plan.steps.iter().flat_map(|step| &step.cql).collect();
    let index = "CREATE INDEX IF NOT EXISTS by_c ON shop.orders (c) USING 'legacy_local_table'";
    assert!(cql.iter().any(|cql| *cql == index), "{cql:#?}");
}

#[test]
fn an_unlisted_pair_goes_ahead_only_when_allowed() {
    let (mut source, target) = shop("cassandra 3.11.19", "cassandra 5.0.5");
    let mut request = request(&source, &target);
    assert!(!plan::plan_restore(&request).supported);
    request.options.allow_unlisted_version = true;
    assert!(plan::plan_restore(&request).supported);
    source.tables[0].formats = vec!["big-ka".into()];
    request.backup = source.backup();
    assert_eq!(codes(&request)[0], "Refusal FORMAT_UNREADABLE big-ka");
}

#[test]
fn releases_that_trust_the_commit_log_positions_of_others_are_warned_of() {
    let said_of = |target: &str, mode: RequestedMode, own: bool| {
        let (mut source, target) = shop("cassandra 3.11.9", target);
        if own {
            source.ring = target.ring.clone();
        }
        let mut request = request(&source, &target);
        request.options.mode = mode;
        let findings = plan_restore(&request).findings;
        findings.iter().any(|it| it.code == "COMMIT_LOG_POSITIONS")
    };
    assert!(said_of("cassandra 3.11.10", RequestedMode::Online, false));
    assert!(!said_of("cassandra 3.11.10", RequestedMode::Online, true));
    assert!(!said_of("cassandra 3.11.10", RequestedMode::InPlace, false));
    assert!(!said_of("cassandra 3.11.11", RequestedMode::Online, false));
}
