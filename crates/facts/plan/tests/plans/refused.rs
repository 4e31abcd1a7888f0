//! What is refused for what the backup is, and for what was asked of it.

use expect_test::expect;
use plan::RequestedMode;

use crate::world::*;

#[test]
fn a_downgrade_is_refused_with_every_other_reason_at_once() {
    let (source, target) = shop("cassandra 4.1.9", "cassandra 3.11.19");
    let mut request = request(&source, &target);
    request.nodes[0].unhealthy = "it is draining".into();
    request.nodes[1].partitioner = "org.apache.cassandra.dht.RandomPartitioner".into();
    request.nodes[2].data_directories[0].free_bytes = GIB;
    request.options.selection = selection(&["shop", "blog"], &["shop.nothing"]);
    check(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (7)
              NODE_UNHEALTHY 10.1.0.1 (before)
                  the node 10.1.0.1 is not healthy: it is draining
                  hint: bring the node back; a backup can go without it: --completeness quorum
              VERSION_DOWNGRADE cassandra 4.1.9 to cassandra 3.11.19 (before)
                  cassandra 3.11.19 is older than cassandra 4.1.9, and SSTables cannot be made older
                  hint: restore into the release line of cassandra 4.1.9 or a later one
              PARTITIONER_DIFFERS staging (before)
                  the backup places rows by Murmur3Partitioner, and 10.1.0.2 by RandomPartitioner
                  hint: restore into a cluster with Murmur3Partitioner
              KEYSPACE_NOT_FOUND blog (before)
                  the backup prod/nightly-1 has no keyspace blog
              TABLE_NOT_FOUND shop.nothing (before)
                  the backup prod/nightly-1 has no table shop.nothing
                  hint: names are as Cassandra stores them: case counts, and there are no quotes
              FORMAT_UNREADABLE big-nb (before)
                  the backup holds big-nb SSTables of shop.Metrics_2, shop.orders, which 10.1.0.1, 10.1.0.2, 10.1.0.3 cannot read
                  hint: restore into a release that reads it: cassandra 4.1, cassandra 5.0, hcd 1.x
              DISK_SPACE 10.1.0.3 (before)
                  10.1.0.3 needs 2.2 GiB (2362232008 bytes) on its data disks, of which 2.0 GiB are downloaded, and has 1.0 GiB (1073741824 bytes) free
                  hint: free space (old snapshots: nodetool listsnapshots), add disks, or restore fewer tables

            advice (6)
              AUTO_SNAPSHOTS_LEFT staging (after)
                  Cassandra keeps what shop.Metrics_2, shop.orders held before in snapshots on every node, together about 6.0 GiB
                  hint: once the restored data is known to be good, on each node: `nodetool listsnapshots` shows them as truncated-… and dropped-…, and `nodetool clearsnapshot -t TAG` deletes one
              BACKUP_UNVERIFIED prod/nightly-1 (before)
                  the backup has not been read back since it was written
                  hint: `ringkeep backup verify prod/nightly-1 --level sstables` reads every byte of it; the restore itself checks all that it takes
              REPAIR_ADVISED staging (after)
                  the replicas' snapshots were not taken in one instant
                  hint: `ringkeep maintenance run repair staging --keyspace shop`, which does one node after the other
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop."Metrics_2" LIMIT 10`, and run the application's own checks before users come back
              AUTH_NOT_INCLUDED staging (after)
                  users, roles and permissions are not part of the backup
                  hint: make roles and grants again, set up external authentication, and check that applications can log in
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT WOULD HAPPEN TO IT         ID
            shop.Metrics_2  is there: emptied, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is there: emptied, then loaded  00000000-0000-0000-0000-000000000001

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   2.0 GiB      2.2 GiB         4       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   2.0 GiB      2.2 GiB         4       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   2.0 GiB      2.2 GiB         4       0  00000000-0000-0000-0000-000000000013
        "#]],
    );
}

#[test]
fn another_ring_is_refused_in_place_by_the_nodes_that_do_not_match() {
    let (source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    target.ring[1].rack = "r9".into();
    target.ring[2].tokens = vec!["5".into(), "-7".into()];
    let mut request = request(&source, &target);
    request.options.mode = RequestedMode::InPlace;
    check(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, in place: REFUSED

            refusals (1)
              TOPOLOGY_DIFFERS staging (before)
                  the target's ring is not that of the backup; no target node has the place of the source's 10.0.0.2 (dc1/r2, token 0), 10.0.0.3 (dc1/r3, token 3000000000000000000); no source node has the place of the target's 10.1.0.2 (dc1/r9, token 0), 10.1.0.3 (dc1/r3, tokens 5 and 1 more)
                  hint: restore online: then each node gets the data of its own token ranges

            advice (6)
              BACKUP_UNVERIFIED prod/nightly-1 (before)
                  the backup has not been read back since it was written
                  hint: `ringkeep backup verify prod/nightly-1 --level sstables` reads every byte of it; the restore itself checks all that it takes
              OLD_FILES_KEPT staging (after)
                  the files that are replaced stay on the nodes, 6.0 GiB now
                  hint: once the restore has proved right, free their space with `ringkeep restore accept TASK`; take it back with `ringkeep restore rollback TASK`
              REPAIR_ADVISED staging (after)
                  the replicas' snapshots were not taken in one instant
                  hint: `ringkeep maintenance run repair staging --keyspace shop`, which does one node after the other
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop."Metrics_2" LIMIT 10`, and run the application's own checks before users come back
              AUTH_NOT_INCLUDED staging (after)
                  users, roles and permissions are not part of the backup
                  hint: make roles and grants again, set up external authentication, and check that applications can log in
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT WOULD HAPPEN TO IT                           ID
            shop.Metrics_2  its files are swapped while Cassandra is stopped  00000000-0000-0000-0000-000000000002
            shop.orders     its files are swapped while Cassandra is stopped  00000000-0000-0000-0000-000000000001
        "#]],
    );
}

#[test]
fn a_ring_of_another_size_is_refused_in_place_only() {
    let (source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    target.ring.pop();
    let mut request = request(&source, &target);
    assert_eq!(codes(&request), [] as [&str; 0]);
    request.options.mode = RequestedMode::InPlace;
    assert_eq!(codes(&request), ["Refusal TOPOLOGY_DIFFERS staging"]);
}

#[test]
fn tokens_in_another_order_are_the_same_ring() {
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source.ring[0].tokens = vec!["-7".into(), "5".into()];
    target.ring[0].tokens = vec!["5".into(), "-7".into()];
    assert_eq!(codes(&request(&source, &target)), [] as [&str; 0]);
}

#[test]
fn an_unreadable_format_is_refused_whatever_the_versions_say() {
    let (mut source, target) = shop("cassandra 5.0.5", "cassandra 5.0.5");
    source.tables[0].formats = vec!["big-nb".into(), "big-oa".into()];
    check(
        &request(&source, &target),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (1)
              FORMAT_UNREADABLE big-oa (before)
                  the backup holds big-oa SSTables of shop.orders, which 10.1.0.1, 10.1.0.2, 10.1.0.3 cannot read
                  hint: set `storage_compatibility_mode` to UPGRADING on every target node, then to NONE, with a rolling restart for each: Cassandra 5.0 reads it then

            advice (6)
              AUTO_SNAPSHOTS_LEFT staging (after)
                  Cassandra keeps what shop.Metrics_2, shop.orders held before in snapshots on every node, together about 6.0 GiB
                  hint: once the restored data is known to be good, on each node: `nodetool listsnapshots` shows them as truncated-… and dropped-…, and `nodetool clearsnapshot -t TAG` deletes one
              BACKUP_UNVERIFIED prod/nightly-1 (before)
                  the backup has not been read back since it was written
                  hint: `ringkeep backup verify prod/nightly-1 --level sstables` reads every byte of it; the restore itself checks all that it takes
              REPAIR_ADVISED staging (after)
                  the replicas' snapshots were not taken in one instant
                  hint: `ringkeep maintenance run repair staging --keyspace shop`, which does one node after the other
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop."Metrics_2" LIMIT 10`, and run the application's own checks before users come back
              AUTH_NOT_INCLUDED staging (after)
                  users, roles and permissions are not part of the backup
                  hint: make roles and grants again, set up external authentication, and check that applications can log in
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT WOULD HAPPEN TO IT         ID
            shop.Metrics_2  is there: emptied, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is there: emptied, then loaded  00000000-0000-0000-0000-000000000001

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   2.0 GiB      2.2 GiB         4       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   2.0 GiB      2.2 GiB         4       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   2.0 GiB      2.2 GiB         4       0  00000000-0000-0000-0000-000000000013
        "#]],
    );
}

#[test]
fn an_incomplete_backup_is_refused_by_its_missing_nodes() {
    let (source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let mut request = request(&source, &target);
    request.backup.nodes.remove(1);
    check(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (1)
              BACKUP_INCOMPLETE prod/nightly-1 (before)
                  the backup lacks 10.0.0.2, which was in the ring; of shop in dc1 it has 2 of 3 replicas for 100.0 % of the ring
                  hint: pick a backup that has every node; or --completeness quorum: what was written at QUORUM is there then, on one replica at least

            advice (6)
              AUTO_SNAPSHOTS_LEFT staging (after)
                  Cassandra keeps what shop.Metrics_2, shop.orders held before in snapshots on every node, together about 6.0 GiB
                  hint: once the restored data is known to be good, on each node: `nodetool listsnapshots` shows them as truncated-… and dropped-…, and `nodetool clearsnapshot -t TAG` deletes one
              BACKUP_UNVERIFIED prod/nightly-1 (before)
                  the backup has not been read back since it was written
                  hint: `ringkeep backup verify prod/nightly-1 --level sstables` reads every byte of it; the restore itself checks all that it takes
              REPAIR_ADVISED staging (after)
                  the replicas' snapshots were not taken in one instant
                  hint: `ringkeep maintenance run repair staging --keyspace shop`, which does one node after the other
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop."Metrics_2" LIMIT 10`, and run the application's own checks before users come back
              AUTH_NOT_INCLUDED staging (after)
                  users, roles and permissions are not part of the backup
                  hint: make roles and grants again, set up external authentication, and check that applications can log in
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT WOULD HAPPEN TO IT         ID
            shop.Metrics_2  is there: emptied, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is there: emptied, then loaded  00000000-0000-0000-0000-000000000001

            KEYSPACE  DATACENTER  OF THE RING THE BACKUP HOLDS
            shop      dc1         2 of 3 replicas: 100 %

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   4.0 GiB      4.4 GiB         4       0  00000000-0000-0000-0000-000000000011, 00000000-0000-0000-0000-000000000013
            10.1.0.2   2.0 GiB      2.2 GiB         2       0  00000000-0000-0000-0000-000000000011
            10.1.0.3   2.0 GiB      2.2 GiB         2       0  00000000-0000-0000-0000-000000000013
        "#]],
    );
}

#[test]
fn what_is_not_in_the_backup_is_not_found() {
    let (mut source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source.view("shop.v", 3, "orders");
    let mut request = request(&source, &target);
    request.options.selection = selection(&["system_auth"], &["shop.Orders", "shop.v"]);
    assert_eq!(
        codes(&request),
        [
            "Refusal KEYSPACE_NOT_FOUND system_auth",
            "Refusal TABLE_NOT_FOUND shop.Orders",
            "Refusal VIEW_NEEDS_BASE shop.v",
        ]
    );
}

#[test]
fn a_keyspace_without_tables_that_was_not_backed_up_selects_nothing() {
    let (mut source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source.keyspace("bare");
    let mut request = request(&source, &target);
    // The schema has every keyspace of the cluster.
    request.backup.selection = selection(&["shop"], &[]);
    request.options.selection = selection(&["bare"], &[]);
    assert_eq!(codes(&request), ["Refusal NOTHING_SELECTED prod/nightly-1"]);
}

#[test]
fn a_backup_without_a_definition_is_refused() {
    let (mut source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source.entries.retain(|entry| entry.name != "orders");
    assert_eq!(
        codes(&request(&source, &target))[0],
        "Refusal BACKUP_INCOMPLETE shop.orders"
    );
}

#[test]
fn a_table_that_no_cql_makes_is_filled_where_it_is_and_refused_where_it_is_not() {
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let clear = |side: &mut Side| {
        side.entries
            .iter_mut()
            .filter(|entry| entry.name == "orders")
            .for_each(|entry| entry.cql.clear());
    };
    clear(&mut source);
    clear(&mut target);
    assert_eq!(codes(&request(&source, &target)), [] as [&str; 0]);
    assert_eq!(
        codes(&request(&source, &empty("cassandra 4.1.9"))),
        ["Refusal BACKUP_INCOMPLETE shop.orders"]
    );
}

#[test]
fn a_table_of_two_ids_is_refused() {
    let (source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let mut request = request(&source, &target);
    request.backup.nodes[2].tables[0].id = table_id(77);
    assert_eq!(codes(&request)[0], "Refusal BACKUP_INCOMPLETE shop.orders");
}

#[test]
fn what_the_bucket_lacks_of_a_table_refuses_that_table_alone() {
    let request = |tables: &[&str], lacks: &str| {
        let (source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
        let mut request = request(&source, &target);
        request.options.selection = selection(&[], tables);
        request.missing = Some(vec![lacking(lacks)]);
        codes(&request)
    };
    let refusal = ["Refusal OBJECTS_MISSING prod/nightly-1"];
    assert_eq!(request(&["shop.orders"], "orders"), refusal);
    assert_eq!(request(&["shop.orders"], ""), refusal, "a manifest");
    assert_eq!(request(&["shop.orders"], "Metrics_2"), Vec::<String>::new());
}

#[test]
fn what_the_bucket_lacks_of_a_view_refuses_it_only_if_its_files_are_taken() {
    let is_refused = |mode| {
        let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
        source.view("shop.v", 3, "orders");
        target.view("shop.v", 3, "orders");
        let mut request = request(&source, &target);
        request.options.mode = mode;
        request.missing = Some(vec![lacking("v")]);
        let refusal = "Refusal OBJECTS_MISSING prod/nightly-1";
        codes(&request).iter().any(|it| it == refusal)
    };
    assert!(!is_refused(RequestedMode::Online), "the view is rebuilt");
    assert!(is_refused(RequestedMode::InPlace));
}

/// Of an object of this table of `shop`.
fn lacking(table: &str) -> model::Damage {
    model::Damage {
        node: String::new(),
        keyspace: "shop".into(),
        table: table.into(),
        sstable: String::new(),
        component: String::new(),
        object: "an/object".into(),
        offset: None,
        what: "it is missing".into(),
    }
}

#[test]
fn a_plan_says_if_the_bucket_was_not_looked_through() {
    let (source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let mut request = request(&source, &target);
    request.missing = None;
    let plan = plan::plan_restore(&request);
    assert!(plan.supported);
    let said = |code: &str| plan.findings.iter().any(|it| it.code == code);
    assert!(said("OBJECTS_MISSING"));
}

/// Made in the middle of an upgrade: the backup's own release is that of its oldest node.
#[test]
fn a_backup_of_nodes_of_two_releases_goes_onto_none_older_than_any() {
    let (source, target) = shop("cassandra 4.0.18", "cassandra 4.0.18");
    let mut request = request(&source, &target);
    assert!(plan::plan_restore(&request).supported);
    request.backup.nodes[1].release = release("cassandra 4.1.9");
    let plan = plan::plan_restore(&request);
    assert!(plan.steps.is_empty());
    let code = "Refusal VERSION_DOWNGRADE cassandra 4.1.9 to cassandra 4.0.18".to_owned();
    assert!(codes(&request).contains(&code), "{:?}", codes(&request));
}
