//! `ringkeep retention`

use expect_test::expect;

use api::pb::storage_catalog as catalog_pb;
use api::pb::types as types_pb;

use crate::fake::Fake;
use crate::run::{Person, ringkeep, ringkeep_with};
use crate::samples;

const AT: [&str; 2] = ["--at", "2026-12-24T12:00:00Z"];

/// Three good backups, and a failed one from a month before the second newest.
fn fake() -> Fake {
    let mut fake = Fake::default();
    for (name, started_at) in [
        ("newer", "2026-12-22T10:00:00.000Z"),
        ("newest", "2026-12-23T10:00:00.000Z"),
    ] {
        let summary = catalog_pb::BackupSummary {
            backup: Some(types_pb::BackupRef {
                cluster: "prod".into(),
                name: name.into(),
            }),
            started_at: started_at.into(),
            ..samples::summary()
        };
        fake.backups.insert(0, summary);
    }
    fake
}

#[tokio::test]
async fn a_preview_names_what_would_go_and_why_the_rest_is_kept() {
    let fake = fake().serve().await;
    let args = [&["retention", "preview", "prod", "--daily", "7"][..], &AT].concat();
    let ran = ringkeep(&fake.endpoint, &args).await;
    expect![[r#"
        exit 0
        --- stdout
        NAME     KIND          STATE     STARTED               UPLOADED  VERDICT  WHY
        newest   full          complete  2026-12-23T10:00:00Z   1.0 GiB  keep     the newest of its day
        newer    full          complete  2026-12-22T10:00:00Z   1.0 GiB  keep     the newest of its day
        hourly   differential  failed    2026-11-22T11:00:00Z       0 B  go       it failed
        nightly  full          complete  2026-11-22T10:00:00Z   1.0 GiB  keep     the newest of its day

        1 of 4 would go, 0 B freed; nothing was deleted
        --- stderr
    "#]].assert_eq(&ran.transcript(&fake.endpoint));
    let ran = ringkeep(&fake.endpoint, &[args.as_slice(), &["-o", "json"]].concat()).await;
    let view = ran.json();
    assert_eq!(view["go"], serde_json::json!(["hourly"]));
    assert_eq!(view["policy"]["daily"], 7);
    assert_eq!(view["backups"][2]["verdict"], "go");
}

#[tokio::test]
async fn a_policy_is_set_shown_and_cleared() {
    let fake = Fake::default().serve().await;
    let set = [
        "retention",
        "set",
        "prod",
        "--keep-last",
        "4",
        "--keep-days",
        "28",
        "--weekly",
        "8",
    ];
    let ran = ringkeep(&fake.endpoint, &set).await;
    expect![[r#"
        exit 0
        --- stdout
        cluster prod: keeps the last 4, 28 days, one of each of 8 weeks, never less than 2 good backups; what failed or is damaged for 7 days; UTC
        --- stderr
    "#]].assert_eq(&ran.transcript(&fake.endpoint));
    let asked = fake.asked().pop().expect("a request");
    assert!(
        asked.contains("last: 4, days: 28") && asked.contains("floor: 2"),
        "{asked}"
    );
    let ran = ringkeep(&fake.endpoint, &["retention", "show", "prod"]).await;
    expect![[r#"
        exit 0
        --- stdout
        cluster prod: keeps the last 4, 28 days, one of each of 8 weeks, never less than 2 good backups; what failed or is damaged for 7 days; UTC
        schedule monthly: keeps the last 12, never less than 1 good backup; what failed or is damaged for 3 days; Europe/Berlin

        STARTED               AFTER    STATE      DELETED  REFUSED    FREED  TASK
        2026-11-22T10:06:00Z  nightly  succeeded        2        1  3.0 GiB  0192f000-0000-7000-8000-000000000001
        --- stderr
    "#]].assert_eq(&ran.transcript(&fake.endpoint));
    let clear = ["retention", "clear", "prod", "--schedule", "monthly"];
    let ran = ringkeep(&fake.endpoint, &clear).await;
    expect![[r#"
        exit 0
        --- stdout
        all backups of schedule monthly of cluster prod are kept
        --- stderr
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
}

#[tokio::test]
async fn a_run_asks_first_and_a_dry_run_does_not() {
    let fake = Fake::default().serve().await;
    let ran = ringkeep(&fake.endpoint, &["retention", "run", "prod"]).await;
    assert_eq!(ran.exit, 2, "{}", ran.err);
    assert!(fake.asked().is_empty());
    let ran = ringkeep(&fake.endpoint, &["retention", "run", "prod", "--dry-run"]).await;
    expect![[r#"
        exit 0
        --- stdout
        NAME                      POLICY OF         UPLOADED  VERDICT  WHY
        nightly                   the cluster        1.0 GiB  keep     one of the newest
        monthly-20251101t000000z  schedule monthly   1.0 GiB  go       no rule keeps it

        1 of 2 would go, 1.0 GiB freed; nothing was deleted
        --- stderr
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
    let ran = ringkeep(&fake.endpoint, &["retention", "run", "prod", "--yes"]).await;
    expect![[r#"
        exit 0
        --- stdout
        task 0192f000-0000-7000-8000-000000000001 applies the retention of cluster prod
        --- stderr
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
}

/// Ten backups of one schedule, one a month.
fn fake_of_a_schedule() -> Fake {
    let by_month = (1..=10).rev().map(|month| catalog_pb::BackupSummary {
        backup: Some(types_pb::BackupRef {
            cluster: "prod".into(),
            name: format!("monthly-2025{month:02}01t000000z"),
        }),
        started_at: format!("2025-{month:02}-01T00:00:00.000Z"),
        ..samples::summary()
    });
    Fake {
        backups: by_month.collect(),
        ..Fake::default()
    }
}

#[tokio::test]
async fn backups_of_a_schedule_are_put_under_the_policy_of_the_cluster_only_by_consent() {
    let fake = fake_of_a_schedule().serve().await;
    let clear = [
        "retention",
        "clear",
        "prod",
        "--schedule",
        "monthly",
        "--use-cluster-policy",
    ];
    let cleared = || {
        let asked = fake.asked();
        asked
            .iter()
            .any(|asked| asked.contains("use_cluster_policy"))
    };
    let ran = ringkeep(&fake.endpoint, &clear).await;
    assert_eq!(ran.exit, 2, "{}", ran.err);
    assert!(fake.asked().is_empty());
    let ran = ringkeep(&fake.endpoint, &[&clear[..], &["--dry-run"]].concat()).await;
    expect![[r#"
        exit 0
        --- stdout
        NAME                      POLICY OF    UPLOADED  VERDICT  WHY
        monthly-20251001t000000z  the cluster   1.0 GiB  keep     one of the newest; young enough; the newest of its week
        monthly-20250901t000000z  the cluster   1.0 GiB  keep     one of the newest; young enough; the newest of its week
        monthly-20250801t000000z  the cluster   1.0 GiB  keep     one of the newest; the newest of its week
        monthly-20250701t000000z  the cluster   1.0 GiB  keep     one of the newest; the newest of its week
        monthly-20250601t000000z  the cluster   1.0 GiB  keep     the newest of its week
        monthly-20250501t000000z  the cluster   1.0 GiB  keep     the newest of its week
        monthly-20250401t000000z  the cluster   1.0 GiB  keep     the newest of its week
        monthly-20250301t000000z  the cluster   1.0 GiB  keep     the newest of its week
        monthly-20250201t000000z  the cluster   1.0 GiB  go       no rule keeps it
        monthly-20250101t000000z  the cluster   1.0 GiB  go       no rule keeps it

        2 of 10 would go, 2.0 GiB freed; nothing was deleted
        --- stderr
    "#]]
    .assert_eq(&ran.transcript(&fake.endpoint));
    assert!(!cleared());
    let ran = ringkeep_with(&fake.endpoint, Person::Types("n\n"), &clear).await;
    assert_eq!(ran.exit, 1, "{}", ran.err);
    let question = "Put the backups of schedule monthly under the policy of cluster prod? The next run of retention deletes 2 of them. [y/N]";
    assert!(ran.err.contains(question), "{}", ran.err);
    assert!(!cleared());
    let ran = ringkeep(&fake.endpoint, &[&clear[..], &["--yes"]].concat()).await;
    assert_eq!(ran.exit, 0, "{}", ran.err);
    assert!(cleared());
}

#[tokio::test]
async fn a_cluster_without_backups_is_named() {
    let fake = Fake {
        backups: Vec::new(),
        ..Fake::default()
    };
    let fake = fake.serve().await;
    let preview = ["retention", "preview", "pord", "--keep-last", "1"];
    let ran = ringkeep(&fake.endpoint, &preview).await;
    assert_eq!(ran.out, "cluster pord has no backups in the bucket\n");
}

#[tokio::test]
async fn a_policy_without_rules_is_refused_before_any_call() {
    let ran = ringkeep("", &["retention", "preview", "prod"]).await;
    expect![[r#"
        exit 2
        --- stdout
        --- stderr
        error: the policy has no rule; set at least one of last, days, hourly, daily, weekly, monthly and yearly
        hint: for example --keep-last 7, or --daily 7 --weekly 4
    "#]].assert_eq(&ran.transcript(""));
}
