//! Datacenters without a place on the other side.

use expect_test::expect;

use crate::rings_datacenters::{fed, two_datacenters};
use crate::world::*;

#[test]
fn one_datacenter_into_two_where_nothing_feeds_the_second() {
    let (source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    target.members(&[
        ("dc1", "r1", &[-60]),
        ("dc1", "r2", &[0]),
        ("dc2", "r1", &[-30]),
        ("dc2", "r2", &[30]),
    ]);
    target.replicate(
        "shop",
        "{'class': 'NetworkTopologyStrategy', 'dc1': '2', 'dc2': '2'}",
    );
    check_particular(
        &request(&source, &target),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (1)
              DATACENTER_UNMAPPED shop (before)
                  the data of shop cannot be mapped: no datacenter of the source that holds replicas feeds the target's datacenter `dc2`
                  hint: to feed it: --datacenter dc1=dc1,dc2; or take it out of the keyspace's replication

            advice (3)
              KEYSPACE_REPLICATION_MISMATCH shop (before)
                  shop is replicated by {'class': 'NetworkTopologyStrategy', 'dc1': '2', 'dc2': '2'} on the target, and was by {'class': 'NetworkTopologyStrategy', 'dc1': '3'} in the backup
                  hint: its data is mapped onto the replicas that it has now
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop."Metrics_2" LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT WOULD HAPPEN TO IT         ID
            shop.Metrics_2  is there: emptied, then loaded  00000000-0000-0000-0000-000000000002
            shop.orders     is there: emptied, then loaded  00000000-0000-0000-0000-000000000001
        "#]],
    );
}

#[test]
fn names_that_neither_side_has() {
    let source = two_datacenters();
    let pairs = [("london", "dc1"), ("paris", "osaka")];
    let request = fed(request(&source, &empty("cassandra 4.1.9")), &pairs);
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (2)
              DATACENTER_UNMAPPED london (before)
                  the backup has no datacenter london; it has paris, tokyo
                  hint: name datacenters as `nodetool status` does, first that of the backup: --datacenter BACKUP=TARGET
              DATACENTER_UNMAPPED osaka (before)
                  the target has no datacenter osaka; it has dc1
                  hint: name datacenters as `nodetool status` does, first that of the backup: --datacenter BACKUP=TARGET

            warnings (1)
              DATACENTER_LEFT_OUT tokyo (before)
                  nothing is restored from the backup's datacenter tokyo: writes at LOCAL_QUORUM or LOCAL_ONE there that had not reached the others when the backup was made are missing
                  hint: to restore them too, add --datacenter tokyo=dc1

            advice (2)
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop.orders LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE        WHAT WOULD HAPPEN TO IT             ID
            shop.orders  is not there: created, then loaded  00000000-0000-0000-0000-000000000001
        "#]],
    );
}

#[test]
fn a_keyspace_in_no_datacenter_that_was_named() {
    let mut source = two_datacenters();
    source
        .keyspace("blog")
        .table("blog.posts", 5, "id int PRIMARY KEY, c text")
        .replicate("blog", "{'class': 'NetworkTopologyStrategy', 'tokyo': '2'}");
    let request = fed(
        request(&source, &empty("cassandra 4.1.9")),
        &[("paris", "dc1")],
    );
    let expected = [
        "Refusal DATACENTER_UNMAPPED blog",
        "Warning REPLICATION_ADJUSTED shop",
        "Warning DATACENTER_LEFT_OUT tokyo",
    ];
    assert_eq!(codes(&request), expected);
}
