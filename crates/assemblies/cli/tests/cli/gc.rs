//! `ringkeep gc`

use expect_test::expect;

use crate::fake::Fake;
use crate::run::ringkeep;

#[tokio::test]
async fn a_plan_shows_what_is_of_no_use_and_a_run_asks_first() {
    let fake = Fake::default().serve().await;
    let ran = ringkeep(&fake.endpoint, &["gc", "plan", "prod"]).await;
    expect![[r#"
        exit 0
        --- stdout
        NAME   WHAT    OBJECTS     SIZE
        older  strays        3  3.0 MiB

        nightly: a pin of task 0192f000-0000-7000-8000-000000000001, which has ended
        nightly: a pin of task 0192f000-0000-7000-8000-000000000009, which this task-runner does not know; it stays without --lost-task
        3.0 MiB of no use under 1 name, 1 stale pin; nothing was deleted
        --- stderr
    "#]].assert_eq(&ran.transcript(&fake.endpoint));
    let asked = fake.asked().len();
    let ran = ringkeep(&fake.endpoint, &["gc", "run", "prod"]).await;
    assert_eq!(ran.exit, 2, "{}", ran.err);
    assert_eq!(fake.asked().len(), asked);
    let ran = ringkeep(&fake.endpoint, &["gc", "run", "prod", "--yes"]).await;
    expect![[r#"
        exit 0
        --- stdout
        task 0192f000-0000-7000-8000-000000000001 collects the garbage of cluster prod
        --- stderr
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
}
