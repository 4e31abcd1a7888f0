//! What is wrong with the target itself.

use expect_test::expect;
use model::Severity;
use plan::{UnreachableAgent, plan_restore};

use crate::world::*;

#[test]
fn a_node_without_space_is_refused_with_its_figures() {
    let (source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let mut request = request(&source, &target);
    request.nodes[1].data_directories[0].free_bytes = 2 * GIB;
    check(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (1)
              DISK_SPACE 10.1.0.2 (before)
                  10.1.0.2 needs 2.2 GiB (2362232008 bytes) on its data disks, of which 2.0 GiB are downloaded, and has 2.0 GiB (2147483648 bytes) free
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
fn two_data_directories_on_one_disk_are_counted_once() {
    let (source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let mut request = request(&source, &target);
    let directory = &mut request.nodes[0].data_directories[0];
    directory.free_bytes = 2 * GIB;
    let twin = directory.clone();
    request.nodes[0].data_directories.push(twin);
    assert_eq!(codes(&request), ["Refusal DISK_SPACE 10.1.0.1"]);
    request.nodes[0].data_directories[1].total_bytes += 1;
    assert_eq!(codes(&request), [] as [&str; 0]);
}

#[test]
fn agents_must_all_reply_and_be_of_one_ring() {
    let (source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let mut request = request(&source, &target);
    let mut stranger = request.nodes[0].clone();
    stranger.agent = "10.9.0.1:7401".into();
    stranger.cluster_name = "Other".into();
    stranger.member.host_id = model::HostId(uuid::Uuid::from_u128(0x99));
    stranger.member.address = "10.9.0.1".into();
    let mut twin = request.nodes[0].clone();
    twin.agent = "10.1.0.1:9999".into();
    request.nodes.remove(2);
    request.nodes.extend([stranger, twin]);
    request.unreachable.push(UnreachableAgent {
        agent: "10.1.0.3:7401".into(),
        reason: "connection refused".into(),
    });
    assert_eq!(
        codes(&request),
        [
            "Refusal AGENT_UNREACHABLE 10.1.0.3:7401",
            "Refusal DUPLICATE_AGENT 10.1.0.1:9999",
            "Refusal AGENT_OF_ANOTHER_CLUSTER 10.9.0.1:7401",
            "Refusal RING_MEMBER_WITHOUT_AGENT 10.1.0.3",
        ]
    );
}

#[test]
fn two_rings_of_one_cluster_name_are_told_apart() {
    let (source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let mut request = request(&source, &target);
    let mut other = Side::new("cassandra 4.1.9", "10.2.0.", 0x30);
    other.ring.truncate(1);
    request.nodes.extend(other.describe());
    assert_eq!(
        codes(&request),
        ["Refusal AGENT_OF_ANOTHER_CLUSTER 10.2.0.1:7401"]
    );
}

#[test]
fn a_cluster_without_agents_is_refused() {
    let (source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let mut request = request(&source, &target);
    request.nodes.clear();
    let refusals: Vec<String> = codes(&request)
        .into_iter()
        .filter(|line| line.starts_with("Refusal"))
        .collect();
    assert_eq!(refusals, ["Refusal AGENT_UNREACHABLE staging"]);
}

#[test]
fn nodes_that_disagree_are_refused() {
    let (source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let mut request = request(&source, &target);
    request.nodes[0]
        .schema_versions
        .push("00000000-0000-0000-0000-0000000000bb".into());
    std::sync::Arc::make_mut(&mut request.nodes[1].ring)[0].rack = "moved".into();
    assert_eq!(
        codes(&request),
        [
            "Refusal SCHEMA_DISAGREEMENT staging",
            "Refusal RING_DISAGREEMENT staging"
        ]
    );
}

#[test]
fn a_schema_that_changed_while_it_was_read_is_refused() {
    let (source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let mut request = request(&source, &target);
    request.schema.version = "00000000-0000-0000-0000-0000000000bb".into();
    assert_eq!(codes(&request), ["Refusal SCHEMA_DISAGREEMENT staging"]);
}

#[test]
fn mixed_release_lines_are_refused_and_mixed_patches_are_warned_of() {
    for (other, severity) in [
        ("cassandra 4.1.8", Severity::Warning),
        ("cassandra 5.0.5", Severity::Refusal),
    ] {
        let (source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
        let mut request = request(&source, &target);
        request.nodes[2].release = release(other);
        let plan = plan_restore(&request);
        let mixed = plan
            .findings
            .iter()
            .find(|finding| finding.code == "MIXED_VERSIONS");
        assert_eq!(mixed.expect("mixed").severity, severity, "{other}");
    }
}
