//! Kinds, names and starts of runs.

use model::plan::Completeness;

use super::*;

/// A schedule in UTC with only full backups.
pub(crate) fn schedule(cron: &str) -> Schedule {
    Schedule {
        cluster: "shop".parse().expect("a name"),
        name: "nightly".parse().expect("a name"),
        cron: cron.parse().expect("an expression"),
        zone: Zone::default(),
        start: None,
        window: None,
        jitter_seconds: 0,
        kinds: Kinds::Full,
        selection: Selection::default(),
        completeness: Completeness::All,
        overlap: Overlap::Wait,
        catch_up_seconds: 3_600,
        deadline_seconds: None,
        objective: None,
        pause: None,
    }
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// The next runs as lines: kind, name, start.
fn preview(schedule: &Schedule, after: &str, last_full: Option<&str>, count: usize) -> String {
    let runs = schedule
        .preview(time(after), last_full.map(time))
        .take(count);
    let lines = runs.map(|run| {
        let start = schedule.zone.at(run.starts_at);
        let start = start.strftime("%a %m-%dT%H:%M:%S%:z");
        format!("{:<12} {} {start}\n", run.kind.as_str(), run.backup)
    });
    lines.collect()
}

#[test]
fn a_full_backup_on_sundays_and_differentials_otherwise() {
    let mut schedule = schedule("0 2,14 * * *");
    schedule.kinds = Kinds::FullOn("sun".parse().expect("days"));
    schedule.zone = "Europe/Berlin".parse().expect("a zone");
    let saturday = "2026-03-28T02:00:00Z";
    expect_test::expect![[r#"
        differential nightly-20260328t130000z Sat 03-28T14:00:00+01:00
        full         nightly-20260329t010000z Sun 03-29T03:00:00+02:00
        differential nightly-20260329t120000z Sun 03-29T14:00:00+02:00
        differential nightly-20260330t000000z Mon 03-30T02:00:00+02:00
    "#]]
    .assert_eq(&preview(
        &schedule,
        saturday,
        Some("2026-03-22T01:00:00Z"),
        4,
    ));
}

#[test]
fn a_full_backup_that_did_not_succeed_is_owed_by_the_next_run() {
    let mut schedule = schedule("0 2 * * *");
    schedule.kinds = Kinds::FullOn("sun".parse().expect("days"));
    let monday = time("2026-01-12T02:00:00Z");
    for (last_full, kind) in [
        // The one of the Sunday before.
        (Some("2026-01-11T02:00:00Z"), BackupKind::Differential),
        // Only the one of a week earlier.
        (Some("2026-01-04T02:00:00Z"), BackupKind::Full),
        (None, BackupKind::Full),
    ] {
        assert_eq!(
            schedule.run(monday, last_full.map(time)).kind,
            kind,
            "{last_full:?}"
        );
    }
}

#[test]
fn jitter_is_fixed_for_a_run_and_differs_between_runs_and_clusters() {
    let mut schedule = schedule("0 2 * * *");
    schedule.jitter_seconds = 600;
    let starts = |schedule: &Schedule| -> Vec<i64> {
        let runs = schedule
            .preview(time("2026-01-01T00:00:00Z"), None)
            .take(50);
        runs.map(|run| run.starts_at.duration_since(run.due).as_secs())
            .collect()
    };
    let here = starts(&schedule);
    assert_eq!(here, starts(&schedule));
    assert!(here.iter().all(|late| (0..=600).contains(late)), "{here:?}");
    assert!(here.iter().any(|late| *late != here[0]), "{here:?}");
    schedule.cluster = "bank".parse().expect("a name");
    assert_ne!(here, starts(&schedule));
}

#[test]
fn a_run_outside_the_window_starts_when_it_opens() {
    let mut schedule = schedule("0 12 * * *");
    schedule.window = Some("22:00-06:00".parse().expect("a window"));
    expect_test::expect![[r#"
        full         nightly-20260101t120000z Thu 01-01T22:00:00+00:00
    "#]]
    .assert_eq(&preview(&schedule, "2026-01-01T00:00:00Z", None, 1));
}

#[test]
fn nothing_is_due_before_the_start() {
    let mut schedule = schedule("0 2 * * *");
    schedule.start = Some(time("2026-02-01T02:00:00Z"));
    expect_test::expect![[r#"
        full         nightly-20260201t020000z Sun 02-01T02:00:00+00:00
    "#]]
    .assert_eq(&preview(&schedule, "2026-01-01T00:00:00Z", None, 1));
    assert_eq!(schedule.last_due(time("2026-02-01T01:59:59Z")), None);
}

#[test]
fn a_schedule_survives_being_stored() {
    let mut schedule = schedule("@daily");
    schedule.zone = "Europe/Berlin".parse().expect("a zone");
    schedule.window = Some("22:00-06:00".parse().expect("a window"));
    schedule.kinds = Kinds::FullOn("mon,thu".parse().expect("days"));
    let text = serde_json::to_string(&schedule).expect("JSON");
    let read: Schedule = serde_json::from_str(&text).expect("a schedule");
    assert_eq!(read, schedule);
    let broken = text.replace("@daily", "0 0 31 2 *");
    assert!(serde_json::from_str::<Schedule>(&broken).is_err());
}
