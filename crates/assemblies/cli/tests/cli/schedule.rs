//! `ringkeep schedule`; its preview needs no service.

use expect_test::expect;

use crate::fake::Fake;
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
    expect![[r#"
        exit 0
        --- stdout
        30 2 * * * (At 02:30), Europe/Berlin

        STARTS                     KIND          BACKUP
        2026-03-28T02:30:00+01:00  full          scheduled-20260328t013000z
        2026-03-29T03:00:00+02:00  full          scheduled-20260329t010000z
        2026-03-30T02:30:00+02:00  differential  scheduled-20260330t003000z

        a restore loses writes of at most 25h 00m, if every backup succeeds
        --- stderr
    "#]]
    .assert_eq(&ran.transcript(""));
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
    expect![[r#"
        exit 0
        --- stdout
        0 */4 * * * (At minute 0, of every 4 hours), UTC

        STARTS                     KIND  BACKUP
        2026-01-01T04:00:00+00:00  full  scheduled-20260101t040000z

        a restore loses writes of at most 4h 20m, if every backup succeeds
        --- stderr
    "#]]
    .assert_eq(&ran.transcript(""));
    let given = [&["schedule", "preview", "0 */6 * * *"][..], &objective, &at].concat();
    let ran = ringkeep("", &given).await;
    expect![[r#"
        exit 1
        --- stdout
        0 */6 * * * (At minute 0, of every 6 hours), UTC

        STARTS                     KIND  BACKUP
        2026-01-01T06:00:00+00:00  full  scheduled-20260101t060000z

        a restore loses writes of at most 6h 20m, if every backup succeeds
        --- stderr
        error: a restore could lose writes of 6h 20m, which is more than the objective allows
        hint: run backups more often, or make them faster, or allow a longer loss
    "#]]
    .assert_eq(&ran.transcript(""));
}

#[tokio::test]
async fn an_objective_is_not_kept_by_fewer_than_two_runs_and_a_derived_expression_is_in_utc() {
    let at = ["--after", "2026-01-01T00:00:00Z", "-o", "json"];
    let rare = [
        "schedule",
        "preview",
        "0 0 29 2 *",
        "--objective-minutes",
        "60",
    ];
    let ran = ringkeep("", &[&rare[..], &at].concat()).await;
    assert_eq!(ran.exit, 1, "{}", ran.out);
    assert!(ran.err.contains("OBJECTIVE_NOT_KEPT"), "{}", ran.err);
    let daily = ["schedule", "preview", "--objective-minutes", "1440"];
    let ran = ringkeep(
        "",
        &[&daily[..], &["--zone", "Europe/Berlin"], &at].concat(),
    )
    .await;
    assert_eq!(ran.exit, 0, "{}", ran.err);
    assert_eq!(ran.json()["zone"], "UTC");
}

#[tokio::test]
async fn what_is_no_expression_is_a_mistake_in_the_command_line() {
    let ran = ringkeep("", &["schedule", "preview", "30 25 * * *"]).await;
    assert_eq!(ran.exit, 2);
    assert!(ran.err.contains("is not a cron expression"), "{}", ran.err);
    assert_eq!(ringkeep("", &["schedule", "preview"]).await.exit, 2);
}

#[tokio::test]
async fn a_schedule_is_made_with_what_was_asked_for() {
    let fake = Fake::default().serve().await;
    let create = [
        "schedule",
        "create",
        "prod",
        "nightly",
        "--cron",
        "30 2 * * *",
    ];
    let more = [
        "--full-on",
        "sun",
        "--zone",
        "europe/berlin",
        "--window",
        "22:00-06:00",
    ];
    let last = [
        "--keyspace",
        "shop",
        "--overlap",
        "skip",
        "--deadline-minutes",
        "60",
        "-o",
        "json",
    ];
    let args = [create.as_slice(), &more, &last].concat();
    let ran = ringkeep(&fake.endpoint, &args).await;
    assert_eq!(ran.exit, 0, "{}", ran.err);
    let mut view = ran.json();
    assert!(view["next_due"].is_string(), "{view}");
    view["next_due"] = "TIME".into();
    expect![[r#"
        {
          "catch_up_seconds": 86400,
          "cluster": "prod",
          "completeness": "all",
          "cron": "30 2 * * *",
          "deadline_seconds": 3600,
          "described": "At 02:30",
          "full": "sun",
          "jitter_seconds": 0,
          "last_good_age_seconds": null,
          "next_due": "TIME",
          "objective": null,
          "objective_seconds": null,
          "overlap": "skip",
          "pause_reason": null,
          "pause_until": null,
          "paused": false,
          "schedule": "nightly",
          "selection": {
            "keyspaces": [
              "shop"
            ],
            "tables": []
          },
          "start": null,
          "task_id": null,
          "waiting_due": null,
          "window": "22:00-06:00",
          "zone": "Europe/Berlin"
        }"#]]
    .assert_eq(&format!("{view:#}"));
}

#[tokio::test]
async fn lists_and_pauses_show_what_a_person_looks_for() {
    let fake = Fake::default().serve().await;
    let ran = ringkeep(&fake.endpoint, &["schedule", "list"]).await;
    assert_eq!(ran.exit, 0, "{}", ran.err);
    for word in [
        "CLUSTER",
        "nightly",
        "30 2 * * *",
        "Europe/Berlin",
        "sun",
        "no backup yet",
    ] {
        assert!(ran.out.contains(word), "{word}: {}", ran.out);
    }
    let pause = [
        "schedule",
        "pause",
        "prod",
        "nightly",
        "--reason",
        "the cluster moves",
    ];
    let ran = ringkeep(&fake.endpoint, &pause).await;
    assert!(ran.out.contains("paused: the cluster moves"), "{}", ran.out);
    let ran = ringkeep(&fake.endpoint, &["schedule", "resume", "prod", "nightly"]).await;
    assert!(!ran.out.contains("paused"), "{}", ran.out);
}

#[tokio::test]
async fn show_has_the_runs_to_come_and_those_that_came() {
    let fake = Fake::default().serve().await;
    let ran = ringkeep(
        &fake.endpoint,
        &["schedule", "show", "prod", "nightly", "--runs", "0"],
    )
    .await;
    let next = ran
        .out
        .lines()
        .find(|line| line.starts_with("next due"))
        .expect("a line");
    expect![[r#"
        schedule nightly of cluster prod: 30 2 * * * (At 02:30), Europe/Berlin
        full: the first backup on sun
        next due TIME
        task 0192f000-0000-7000-8000-000000000001 makes a backup now
        OBJECTIVE BROKEN: writes of at most 25h 00m may be lost, but there is no backup yet

        DUE                                KIND          OUTCOME              BACKUP                    DETAIL
        2026-11-21T01:30:00Z               differential  failed               nightly-20261121t013000z  the upload of 127.0.0.2 failed
        3 runs until 2026-11-20T01:30:00Z  -             skipped: superseded  -                         -
    "#]].assert_eq(&ran.out.replace(next, "next due TIME"));
}

#[tokio::test]
async fn a_run_is_made_now_and_a_schedule_deleted() {
    let fake = Fake::default().serve().await;
    let ran = ringkeep(&fake.endpoint, &["schedule", "run-now", "prod", "nightly"]).await;
    expect![[r#"
        exit 0
        --- stdout
        task 0192f000-0000-7000-8000-000000000001 makes backup prod/nightly-20261122t023000z
        --- stderr
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
    let ran = ringkeep(&fake.endpoint, &["schedule", "delete", "prod", "nightly"]).await;
    expect![[r#"
        exit 0
        --- stdout
        schedule nightly of cluster prod is deleted; its backups stay
        --- stderr
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
}
