//! `ringkeep schedule`, which needs no service.

use expect_test::expect;

use crate::run::ringkeep;

#[tokio::test]
async fn a_preview_shows_runs_over_a_change_of_the_clocks() {
    let preview = [
        "schedule",
        "preview",
        "30 2 * * *",
        "--zone",
        "Europe/Berlin",
    ];
    let more = [
        "--full-on",
        "sun",
        "--runs",
        "3",
        "--after",
        "2026-03-27T12:00:00Z",
    ];
    let args = [preview.as_slice(), &more].concat();
    let ran = ringkeep("", &args).await;
    expect![[""]].assert_eq(&ran.transcript(""));
    let ran = ringkeep("", &[args.as_slice(), &["-o", "json"]].concat()).await;
    let view = ran.json();
    assert_eq!(view["runs"].as_array().map(Vec::len), Some(3));
    assert_eq!(view["runs"][1]["starts_at"], "2026-03-29T01:00:00Z");
    assert_eq!(view["worst_loss_seconds"], 25 * 3_600);
}

#[tokio::test]
async fn an_objective_is_checked_or_gives_the_expression() {
    let objective = [
        "--objective-minutes",
        "360",
        "--backup-minutes",
        "20",
        "--runs",
        "1",
    ];
    let at = ["--after", "2026-01-01T00:00:00Z"];
    let derived = [&["schedule", "preview"][..], &objective, &at].concat();
    let ran = ringkeep("", &derived).await;
    expect![[""]].assert_eq(&ran.transcript(""));
    let given = [&["schedule", "preview", "0 */6 * * *"][..], &objective, &at].concat();
    let ran = ringkeep("", &given).await;
    expect![[""]].assert_eq(&ran.transcript(""));
}

#[tokio::test]
async fn what_is_no_expression_is_a_mistake_in_the_command_line() {
    let ran = ringkeep("", &["schedule", "preview", "30 25 * * *"]).await;
    assert_eq!(ran.exit, 2);
    assert!(ran.err.contains("is not a cron expression"), "{}", ran.err);
    assert_eq!(ringkeep("", &["schedule", "preview"]).await.exit, 2);
}
