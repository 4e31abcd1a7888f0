//! `ringkeep status`

use expect_test::expect;

use crate::fake::Fake;
use crate::run::ringkeep;

#[tokio::test]
async fn all_is_well() {
    let fake = Fake::default().serve().await;
    let ran = ringkeep(&fake.endpoint, &["status"]).await;
    expect![[r#"
        exit 0
        --- stdout
        endpoint ENDPOINT

        task-runner      ok
        storage-catalog  ok
        planner          ok
        node-agent       ok
        store            ok  folder /var/lib/ringkeep/store

        CLUSTER  AGENTS  WELL  LAST BACKUP  FINISHED
        prod          1     1  nightly      2026-11-22T10:05:30Z
        --- stderr
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
    let ran = ringkeep(&fake.endpoint, &["status", "-o", "json"]).await;
    assert_eq!(ran.json()["ok"], true);
    assert_eq!(ran.json()["clusters"][0]["last_backup"]["name"], "nightly");
}

#[tokio::test]
async fn what_is_down_is_named_and_the_rest_still_shown() {
    let mut fake = Fake {
        with_planner: false,
        ..Fake::default()
    };
    fake.store.reachable = false;
    fake.store.detail = "access denied".into();
    fake.clusters[0].nodes[0].unhealthy = "nodetool does not reply".into();
    let fake = fake.serve().await;
    let ran = ringkeep(&fake.endpoint, &["status"]).await;
    expect![[r#"
        exit 1
        --- stdout
        endpoint ENDPOINT

        task-runner      ok
        storage-catalog  ok
        planner          DOWN  ENDPOINT replies, but has no planner behind it, or one of an older release that does not know this command
        node-agent       DOWN  1 of 1 agents not well
        store            DOWN  folder /var/lib/ringkeep/store access denied

        CLUSTER  AGENTS  WELL  LAST BACKUP  FINISHED
        prod          1     0  nightly      2026-11-22T10:05:30Z
        agent 127.0.0.2:7401: nodetool does not reply
        --- stderr
        error: not everything is well: planner, node-agent, store
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
}
