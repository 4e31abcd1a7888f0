//! `ringkeep cluster …`

use expect_test::expect;

use crate::fake::Fake;
use crate::run::ringkeep;

#[tokio::test]
async fn clusters_are_registered_listed_and_forgotten() {
    let fake = Fake::default().serve().await;
    let add = [
        "cluster",
        "add",
        "prod",
        "--agent",
        "10.0.0.5:7401",
        "--agent",
        "10.0.0.6:7401",
    ];
    let ran = ringkeep(&fake.endpoint, &add).await;
    assert_eq!(
        (ran.exit, ran.out.as_str()),
        (0, "cluster prod is registered with 2 agents\n")
    );
    let ran = ringkeep(&fake.endpoint, &["cluster", "list"]).await;
    expect![[r#"
        NAME  AGENTS  ADDRESSES
        prod       1  127.0.0.2:7401
    "#]]
    .assert_eq(&ran.out);
    let ran = ringkeep(&fake.endpoint, &["cluster", "remove", "prod"]).await;
    assert_eq!(ran.out, "cluster prod is forgotten; its backups stay\n");
    let ran = ringkeep(&fake.endpoint, &["cluster", "list", "-o", "json"]).await;
    expect![[r#"
        [
          {
            "name": "prod",
            "agents": [
              "127.0.0.2:7401"
            ]
          }
        ]
    "#]]
    .assert_eq(&ran.out);
}

#[tokio::test]
async fn an_adopted_cluster_is_shown_with_what_lost_tasks_have_left() {
    let mut fake = Fake::default();
    fake.clusters[0].nodes[0].cluster_name = "Other".into();
    let fake = fake.serve().await;
    let adopt = ["cluster", "adopt", "prod", "--agent", "10.0.0.5:7401"];
    let ran = ringkeep(&fake.endpoint, &adopt).await;
    expect![[r#"
        exit 0
        --- stdout
        cluster prod is registered with 1 agent
        its newest backup is of a cluster that Cassandra calls `Test Cluster`, and these nodes belong to `Other`: if they are not the same, run `ringkeep cluster remove prod` and adopt these under another name
        1 backup can be restored, the newest is nightly
        prod/nightly is pinned by task 0192f000-0000-7000-8000-000000000009: if it was lost, `ringkeep gc run prod --lost-task 0192f000-0000-7000-8000-000000000009`
        tasks have left something on the nodes; `ringkeep leftovers clear prod TASK` removes what a lost task has left:
        AGENT           KIND       TASK                                     SIZE  OWNER
        127.0.0.2:7401  snapshot   0192f000-0000-7000-8000-000000000001  3.0 MiB  ended
        127.0.0.3:7401  old-files  0192f000-0000-7000-8000-000000000001  3.0 MiB  unknown, half swapped
        agent 127.0.0.4:7401 did not reply: down
        schedules and retention policies were in the state: create them again
        --- stderr
    "#]].assert_eq(&ran.transcript(&fake.endpoint));
    let adopt = [&adopt[..], &["-o", "json"]].concat();
    let ran = ringkeep(&fake.endpoint, &adopt).await;
    expect![[r#"
        {
          "name": "prod",
          "agents": [
            "10.0.0.5:7401"
          ],
          "complete_backups": 1,
          "newest_backup": "nightly",
          "running_backups": [],
          "unknown_pins": [
            {
              "backup": "nightly",
              "task_id": "0192f000-0000-7000-8000-000000000009"
            }
          ],
          "leftovers": {
            "leftovers": [
              {
                "agent": "127.0.0.2:7401",
                "kind": "snapshot",
                "task": "0192f000-0000-7000-8000-000000000001",
                "bytes": 3145728,
                "half_swapped": false,
                "owner": "ended"
              },
              {
                "agent": "127.0.0.3:7401",
                "kind": "old-files",
                "task": "0192f000-0000-7000-8000-000000000001",
                "bytes": 3145728,
                "half_swapped": true,
                "owner": "unknown"
              }
            ],
            "unreachable": [
              {
                "agent": "127.0.0.4:7401",
                "reason": "down"
              }
            ]
          },
          "other_cluster_name": {
            "backup": "Test Cluster",
            "nodes": "Other"
          }
        }
    "#]]
    .assert_eq(&ran.out);
}

#[tokio::test]
async fn show_says_what_the_agents_say() {
    let mut fake = Fake::default();
    let node = &mut fake.clusters[0].nodes[0];
    node.unhealthy = "nodetool does not reply".into();
    let recognition = api::pb::types::Recognition {
        confidence: api::pb::types::Confidence::Contradicted.into(),
        seen: vec![
            "release_version 5.0.5".into(),
            "view sstable_indexes".into(),
        ],
        contradictions: vec!["view sstable_indexes is of HCD".into()],
    };
    node.recognition = Some(recognition);
    let mut alike = node.clone();
    alike.agent = "127.0.0.4:7401".into();
    alike.member.as_mut().expect("a member").address = "127.0.0.4".into();
    alike.unhealthy.clear();
    fake.clusters[0].nodes.push(alike);
    fake.clusters[0]
        .unreachable
        .push(api::pb::planner::UnreachableAgent {
            agent: "127.0.0.3:7401".into(),
            reason: "connection refused".into(),
        });
    let fake = fake.serve().await;
    let ran = ringkeep(&fake.endpoint, &["cluster", "show", "prod"]).await;
    expect![[r#"
        cluster prod

        AGENT           NODE       DATACENTER  RACK  RELEASE             DATA       FREE  STATE
        127.0.0.2:7401  127.0.0.2  dc1         r1    cassandra 5.0.5  3.0 GiB  100.0 GiB  unhealthy: nodetool does not reply
        127.0.0.4:7401  127.0.0.4  dc1         r1    cassandra 5.0.5  3.0 GiB  100.0 GiB  healthy
        127.0.0.3:7401  -          -           -     -                      -          -  does not reply: connection refused

        cassandra 5.0.5 on 127.0.0.2, 127.0.0.4
          contradicted: release_version 5.0.5, view sstable_indexes
          contradiction: view sstable_indexes is of HCD
    "#]].assert_eq(&ran.out);
    let ran = ringkeep(&fake.endpoint, &["cluster", "show", "prod", "-o", "json"]).await;
    assert_eq!(ran.json()["nodes"][0]["healthy"], false);
    let recognition = &ran.json()["nodes"][0]["recognition"];
    assert_eq!(recognition["confidence"], "contradicted");
    assert_eq!(recognition["seen"][1], "view sstable_indexes");
    assert_eq!(
        recognition["contradictions"][0],
        "view sstable_indexes is of HCD"
    );
    assert_eq!(ran.json()["unreachable"][0]["agent"], "127.0.0.3:7401");
}
