//! Backups of clusters some of whose nodes are not there.

use expect_test::{Expect, expect};
use model::manifest::BackupKind;
use model::{MemberVersion, Selection};
use plan::{BackupRequest, Completeness, UnreachableAgent, plan_backup, render};

use crate::world::*;

const POLICIES: [Completeness; 4] = [
    Completeness::All,
    Completeness::Quorum,
    Completeness::One,
    Completeness::Any,
];

fn backup_of(side: &Side, completeness: Completeness) -> BackupRequest {
    BackupRequest {
        backup: backup_ref(),
        kind: BackupKind::Full,
        nodes: side.describe(),
        unreachable: Vec::new(),
        selection: Selection::default(),
        completeness,
        schema: side.schema(),
    }
}

fn shop_of(replicas: u32) -> Side {
    let (mut side, _) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    side.replicate(
        "shop",
        &format!("{{'class': 'NetworkTopologyStrategy', 'dc1': '{replicas}'}}"),
    );
    side
}

/// Cassandra is down on the last so many nodes, as their agents say; the others last heard another schema version of them.
fn down(request: &mut BackupRequest, count: usize) {
    if count == 0 {
        return;
    }
    let at = request.nodes.len() - count;
    let hosts: Vec<_> = request.nodes[at..]
        .iter()
        .map(|it| it.member.host_id)
        .collect();
    for node in &mut request.nodes[at..] {
        node.unhealthy = "Cassandra does not reply to CQL".into();
        node.tables.clear();
        node.schema_version = "an old one".into();
        node.schema_versions = vec!["an old one".into()];
    }
    for node in &mut request.nodes[..at] {
        node.schema_versions.push("an old one".into());
        let old = |host_id: &model::HostId| MemberVersion {
            host_id: *host_id,
            version: "an old one".into(),
        };
        node.peers.dissenting = hosts.iter().map(old).collect();
    }
}

/// The agent of the last node is not there any more.
fn gone(request: &mut BackupRequest) {
    let node = request.nodes.pop().expect("a node");
    request.unreachable.push(UnreachableAgent {
        agent: node.agent,
        reason: "connection refused".into(),
    });
}

#[track_caller]
fn check(request: &BackupRequest, expected: Expect) {
    let plan = plan_backup(request);
    let nodes: Vec<&str> = plan.nodes.iter().map(|it| it.address.as_str()).collect();
    let missing: Vec<String> = plan
        .missing
        .iter()
        .map(|it| format!("{}: {}", it.address, it.reason))
        .collect();
    let steps = plan.steps.iter().filter(|step| !step.node.is_empty());
    assert!(
        steps
            .clone()
            .all(|step| nodes.contains(&step.node.as_str()))
    );
    expected.assert_eq(&format!(
        "{}supported: {}; nodes: {nodes:?}; missing: {missing:?}\n{}",
        render::findings(&plan.findings, &render::plain),
        plan.supported,
        render::coverage(&plan.coverage),
    ));
}

#[test]
fn a_node_that_is_down_stops_a_backup_and_is_said_once() {
    let mut request = backup_of(&shop_of(3), Completeness::All);
    down(&mut request, 1);
    check(
        &request,
        expect![[r#"
        refusals (1)
          NODE_UNHEALTHY 10.0.0.3 (before)
              the node 10.0.0.3 is not healthy: Cassandra does not reply to CQL
              hint: bring the node back; a backup can go without it: --completeness quorum
        supported: false; nodes: ["10.0.0.1", "10.0.0.2", "10.0.0.3"]; missing: []
    "#]],
    );
}

#[test]
fn a_quorum_of_the_replicas_is_enough_if_that_is_asked_for() {
    let mut request = backup_of(&shop_of(3), Completeness::Quorum);
    down(&mut request, 1);
    check(
        &request,
        expect![[r#"
        warnings (2)
          NODE_UNHEALTHY 10.0.0.3 (before)
              the node 10.0.0.3 is not healthy: Cassandra does not reply to CQL
              hint: bring the node back; a backup can go without it: --completeness quorum
          COVERAGE_REDUCED prod (before)
              the backup is made without 10.0.0.3 (Cassandra does not reply to CQL); of shop in dc1 it has 2 of 3 replicas for 100.0 % of the ring
              hint: make a complete backup once the nodes are back; a restore of this one says again what it lacks
        supported: true; nodes: ["10.0.0.1", "10.0.0.2"]; missing: ["10.0.0.3: Cassandra does not reply to CQL"]
        KEYSPACE  DATACENTER  OF THE RING THE BACKUP HOLDS
        shop      dc1         2 of 3 replicas: 100 %
    "#]],
    );
}

#[test]
fn a_node_whose_agent_is_gone_too_is_missing_by_the_ring() {
    let mut request = backup_of(&shop_of(3), Completeness::Quorum);
    gone(&mut request);
    check(
        &request,
        expect![[r#"
        warnings (3)
          AGENT_UNREACHABLE 10.0.0.3:7401 (before)
              the agent 10.0.0.3:7401 did not reply: connection refused
              hint: start the agent, or correct its address with `ringkeep cluster add`
          RING_MEMBER_WITHOUT_AGENT 10.0.0.3 (before)
              no agent describes the ring's member 10.0.0.3 in dc1/r3
              hint: it may be the node of an agent that did not reply; otherwise register its agent
          COVERAGE_REDUCED prod (before)
              the backup is made without 10.0.0.3 (its agent did not reply); of shop in dc1 it has 2 of 3 replicas for 100.0 % of the ring
              hint: make a complete backup once the nodes are back; a restore of this one says again what it lacks
        supported: true; nodes: ["10.0.0.1", "10.0.0.2"]; missing: ["10.0.0.3: its agent did not reply"]
        KEYSPACE  DATACENTER  OF THE RING THE BACKUP HOLDS
        shop      dc1         2 of 3 replicas: 100 %
    "#]],
    );
}

#[test]
fn what_is_missing_is_weighed_by_what_is_asked_for() {
    for (replicas, missing, supported) in [
        (3, 0, [true, true, true, true]),
        (3, 1, [false, true, true, true]),
        (3, 2, [false, false, true, true]),
        // A quorum of two is both of them, so that each has what was written at QUORUM.
        (2, 1, [false, true, true, true]),
        (1, 1, [false, false, false, true]),
        (3, 3, [false, false, false, false]),
    ] {
        let found = POLICIES.map(|policy| {
            let mut request = backup_of(&shop_of(replicas), policy);
            down(&mut request, missing);
            let plan = plan_backup(&request);
            assert_eq!(
                plan.supported,
                !plan.findings.iter().any(model::Finding::is_refusal)
            );
            if policy != Completeness::All {
                assert_eq!(plan.missing.len(), missing);
            }
            plan.supported
        });
        assert_eq!(found, supported, "{replicas} replicas, {missing} missing");
    }
    let mut refused = backup_of(&shop_of(3), Completeness::Quorum);
    down(&mut refused, 2);
    check(
        &refused,
        expect![[r#"
        refusals (1)
          BACKUP_INCOMPLETE prod (before)
              the backup is made without 10.0.0.2 (Cassandra does not reply to CQL), 10.0.0.3 (Cassandra does not reply to CQL); of shop in dc1 it has 1 of 3 replicas for 100.0 % of the ring
              hint: bring the nodes back; or --completeness one: every range has a replica left, and what was written at QUORUM may be missing

        warnings (2)
          NODE_UNHEALTHY 10.0.0.2 (before)
              the node 10.0.0.2 is not healthy: Cassandra does not reply to CQL
              hint: bring the node back; a backup can go without it: --completeness quorum
          NODE_UNHEALTHY 10.0.0.3 (before)
              the node 10.0.0.3 is not healthy: Cassandra does not reply to CQL
              hint: bring the node back; a backup can go without it: --completeness quorum
        supported: false; nodes: ["10.0.0.1"]; missing: ["10.0.0.2: Cassandra does not reply to CQL", "10.0.0.3: Cassandra does not reply to CQL"]
        KEYSPACE  DATACENTER  OF THE RING THE BACKUP HOLDS
        shop      dc1         1 of 3 replicas: 100 %
    "#]],
    );
}

#[test]
fn a_replication_that_is_not_understood_needs_any() {
    let (mut side, _) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    side.replicate("shop", "{'class': 'com.example.MoonPhaseStrategy'}");
    let found = POLICIES.map(|policy| {
        let mut request = backup_of(&side, policy);
        down(&mut request, 1);
        plan_backup(&request).supported
    });
    assert_eq!(found, [false, false, false, true]);
}

#[test]
fn a_cluster_that_is_down_is_not_said_to_have_no_tables() {
    let mut request = backup_of(&shop_of(3), Completeness::All);
    down(&mut request, 3);
    request.selection = selection(&["shop"], &[]);
    let plan = plan_backup(&request);
    let codes: Vec<&str> = plan.findings.iter().map(|it| it.code.as_str()).collect();
    assert_eq!(codes, ["NODE_UNHEALTHY"; 3]);
}

/// A row of a removed node, in the tables of the first node only.
fn haunted(completeness: Completeness) -> BackupRequest {
    let side = shop_of(3);
    let mut request = backup_of(&side, completeness);
    let mut ghost = side.ring[2].clone();
    ghost.host_id = "00000000-0000-0000-0000-000000000099"
        .parse()
        .expect("an id");
    ghost.address = "127.0.0.99".into();
    ghost.tokens = vec!["77".into()];
    let node = &mut request.nodes[0];
    node.peers.ghosts = vec![ghost.host_id];
    node.peers.dissenting = vec![MemberVersion {
        host_id: ghost.host_id,
        version: "another".into(),
    }];
    node.schema_versions.push("another".into());
    let ring = side
        .ring
        .iter()
        .chain([&ghost])
        .cloned()
        .collect::<Vec<_>>();
    node.ring = ring.into();
    request
}

#[test]
fn a_ghost_is_said_to_be_one_with_what_removes_it() {
    check(
        &haunted(Completeness::All),
        expect![[r#"
        refusals (1)
          GHOST_MEMBER 127.0.0.99 (before)
              127.0.0.99 is in the system tables of 10.0.0.1, and gossip knows no such node: a removed node has left it behind
              hint: on one node `nodetool assassinate 127.0.0.99`; if it stays, on each of 10.0.0.1: DELETE FROM system.peers WHERE peer = '127.0.0.99', and since 4.0 DELETE FROM system.peers_v2 WHERE peer = '127.0.0.99'
        supported: false; nodes: ["10.0.0.1", "10.0.0.2", "10.0.0.3"]; missing: []
    "#]],
    );
}

#[test]
fn what_gossip_knows_elsewhere_is_no_ghost() {
    let mut request = haunted(Completeness::All);
    request.nodes[1].ring = request.nodes[0].ring.clone();
    let plan = plan_backup(&request);
    let codes: Vec<&str> = plan.findings.iter().map(|it| it.code.as_str()).collect();
    assert_eq!(codes, ["RING_MEMBER_WITHOUT_AGENT", "RING_DISAGREEMENT"]);
}
