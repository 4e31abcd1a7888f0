//! `ringkeep leftovers …`

use expect_test::expect;

use crate::fake::Fake;
use crate::run::ringkeep;
use crate::samples::TASK_ID;

#[tokio::test]
async fn what_tasks_have_left_is_listed_by_node_and_owner() {
    let fake = Fake::default().serve().await;
    let ran = ringkeep(&fake.endpoint, &["leftovers", "list", "prod"]).await;
    expect![[r#"
        exit 0
        --- stdout
        AGENT           KIND       TASK                                     SIZE  OWNER
        127.0.0.2:7401  snapshot   0192f000-0000-7000-8000-000000000001  3.0 MiB  ended
        127.0.0.3:7401  old-files  0192f000-0000-7000-8000-000000000001  3.0 MiB  unknown, half swapped
        --- stderr
        agent 127.0.0.4:7401 did not reply: down
    "#]].assert_eq(&ran.transcript(&fake.endpoint));
    let ran = ringkeep(&fake.endpoint, &["leftovers", "list", "prod", "-o", "json"]).await;
    expect![[r#"
        {
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
        }
    "#]]
    .assert_eq(&ran.out);
}

#[tokio::test]
async fn what_could_not_be_cleared_is_shown_with_the_reason_and_exits_with_1() {
    let fake = Fake::default().serve().await;
    let clear = ["leftovers", "clear", "prod", TASK_ID, "--old-files"];
    let ran = ringkeep(&fake.endpoint, &clear).await;
    assert_eq!(ran.exit, 1);
    expect![[r#"
        exit 1
        --- stdout
        127.0.0.2:7401: staged of task 0192f000-0000-7000-8000-000000000001: 3.0 MiB freed
        127.0.0.3:7401: staged of task 0192f000-0000-7000-8000-000000000001: stays: the agent is at work on it
        --- stderr
        error: not everything could be cleared: 1 left
        hint: each line above says why; `ringkeep leftovers list` shows what is there
    "#]].assert_eq(&ran.transcript(&fake.endpoint));
    let ran = ringkeep(&fake.endpoint, &["leftovers", "clear", "prod"]).await;
    assert_eq!(ran.exit, 2, "none is not all");
}
