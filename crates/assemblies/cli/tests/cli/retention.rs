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
    expect![[""]].assert_eq(&ran.transcript(&fake.endpoint));
    let ran = ringkeep(&fake.endpoint, &[args.as_slice(), &["-o", "json"]].concat()).await;
    let view = ran.json();
    assert_eq!(view["go"], serde_json::json!(["hourly"]));
    assert_eq!(view["policy"]["daily"], 7);
    assert_eq!(view["backups"][1]["verdict"], "keep");
}

#[tokio::test]
async fn a_policy_without_rules_is_refused_before_any_call() {
    let ran = ringkeep("", &["retention", "preview", "prod"]).await;
    expect![[""]].assert_eq(&ran.transcript(""));
}
