//! `ringkeep retention`

use expect_test::expect;

use crate::fake::Fake;
use crate::run::ringkeep;

const AT: [&str; 2] = ["--at", "2026-12-24T12:00:00Z"];

#[tokio::test]
async fn a_preview_names_what_would_go_and_why_the_rest_is_kept() {
    let fake = Fake::default().serve().await;
    let args = [&["retention", "preview", "prod", "--daily", "7"][..], &AT].concat();
    let ran = ringkeep(&fake.endpoint, &args).await;
    expect![[r#"
        exit 0
        --- stdout
        NAME     KIND          STATE     STARTED               UPLOADED  VERDICT  WHY
        hourly   differential  failed    2026-11-22T11:00:00Z       0 B  go       it failed
        nightly  full          complete  2026-11-22T10:00:00Z   1.0 GiB  keep     the newest of its day

        1 of 2 would go, 0 B freed; nothing was deleted
        --- stderr
    "#]].assert_eq(&ran.transcript(&fake.endpoint));
    let ran = ringkeep(&fake.endpoint, &[args.as_slice(), &["-o", "json"]].concat()).await;
    let view = ran.json();
    assert_eq!(view["go"], serde_json::json!(["hourly"]));
    assert_eq!(view["policy"]["daily"], 7);
    assert_eq!(view["backups"][1]["verdict"], "keep");
}

#[tokio::test]
async fn a_policy_without_rules_is_refused_before_any_call() {
    let ran = ringkeep("", &["retention", "preview", "prod"]).await;
    expect![[r#"
        exit 2
        --- stdout
        --- stderr
        error: the policy has no rule; set at least one of last, days, hourly, daily, weekly, monthly and yearly
        hint: for example --last 7, or --daily 7 --weekly 4
    "#]].assert_eq(&ran.transcript(""));
}
