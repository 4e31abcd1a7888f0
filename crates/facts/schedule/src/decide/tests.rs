//! Decisions, one by one, and over simulated years.

use super::*;
use crate::Pause;
use crate::policy::tests::schedule;
use model::Zone;

mod year;

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn progress(considered: &str) -> Progress {
    Progress {
        considered: time(considered),
        waiting: None,
        active: None,
        last_full: None,
    }
}

fn lines(decisions: &[Decision]) -> Vec<String> {
    let line = |decision: &Decision| match decision {
        Decision::Start(run) => format!("start {}", run.backup),
        Decision::Skip {
            first_due,
            last_due,
            runs,
            reason,
        } => format!("skip {runs} from {first_due} to {last_due}: {reason:?}"),
        Decision::Cancel { due } => format!("cancel {due}"),
    };
    decisions.iter().map(line).collect()
}

/// One decision after another: at each time, with or without another task, and with the run before ended or not.
struct Story {
    schedule: Schedule,
    progress: Progress,
}

impl Story {
    fn at(&mut self, now: &str) -> Vec<String> {
        self.decide(now, false)
    }

    fn decide(&mut self, now: &str, busy: bool) -> Vec<String> {
        let decided = decide(&self.schedule, &self.progress, time(now), busy);
        let again = decide(&self.schedule, &self.progress, time(now), busy);
        assert_eq!(decided, again, "the same input gives the same decision");
        self.progress = decided.progress;
        lines(&decided.decisions)
    }

    fn run_ends(&mut self) {
        self.progress.active = None;
    }
}

/// A schedule that runs at 02:00, seen at midnight.
fn nightly() -> Story {
    Story {
        schedule: schedule("0 2 * * *"),
        progress: progress("2026-01-01T00:00:00Z"),
    }
}

const NOTHING: [String; 0] = [];

#[test]
fn a_run_starts_once_it_is_due_and_only_once() {
    let mut story = nightly();
    assert_eq!(story.at("2026-01-01T01:59:59Z"), NOTHING);
    assert_eq!(
        story.at("2026-01-01T02:00:00Z"),
        ["start nightly-20260101t020000z"]
    );
    assert_eq!(story.at("2026-01-01T02:00:00Z"), NOTHING);
    story.run_ends();
    assert_eq!(story.at("2026-01-01T02:10:00Z"), NOTHING);
}

#[test]
fn it_is_decided_again_when_the_next_run_is_due() {
    let story = nightly();
    let decided = decide(
        &story.schedule,
        &story.progress,
        time("2026-01-01T00:10:00Z"),
        false,
    );
    assert_eq!(decided.again_at, Some(time("2026-01-01T02:00:00Z")));
}

#[test]
fn a_new_schedule_does_not_make_up_for_the_time_before_it() {
    let mut story = nightly();
    story.progress.considered = time("2026-01-01T02:00:00Z");
    assert_eq!(story.at("2026-01-01T02:00:01Z"), NOTHING);
}

#[test]
fn after_downtime_only_the_last_missed_run_starts() {
    let mut story = nightly();
    assert_eq!(
        story.at("2026-01-04T02:30:00Z"),
        [
            "skip 3 from 2026-01-01T02:00:00Z to 2026-01-03T02:00:00Z: Superseded",
            "start nightly-20260104t020000z"
        ]
    );
}

#[test]
fn a_run_that_could_not_start_in_time_is_left_out() {
    let mut story = nightly();
    assert_eq!(
        story.at("2026-01-01T03:00:01Z"),
        ["skip 1 from 2026-01-01T02:00:00Z to 2026-01-01T02:00:00Z: TooLate"]
    );
    assert_eq!(
        story.at("2026-01-02T03:00:00Z"),
        ["start nightly-20260102t020000z"]
    );
}

#[test]
fn without_catching_up_a_run_still_has_a_minute_to_start() {
    let mut story = nightly();
    story.schedule.catch_up_seconds = 0;
    assert_eq!(
        story.at("2026-01-01T02:01:00Z"),
        ["start nightly-20260101t020000z"]
    );
    story.run_ends();
    assert_eq!(
        story.at("2026-01-02T02:01:01Z"),
        ["skip 1 from 2026-01-02T02:00:00Z to 2026-01-02T02:00:00Z: TooLate"]
    );
}

#[test]
fn a_run_waits_for_another_task_or_the_run_before_until_the_next_one_is_due() {
    let mut story = nightly();
    story.schedule.catch_up_seconds = 48 * 3_600;
    assert_eq!(story.decide("2026-01-01T02:00:00Z", true), NOTHING);
    assert_eq!(
        story.decide("2026-01-01T09:00:00Z", false),
        ["start nightly-20260101t020000z"]
    );
    // It takes until the night after the next.
    assert_eq!(story.at("2026-01-02T02:00:00Z"), NOTHING);
    assert_eq!(
        story.at("2026-01-03T02:00:00Z"),
        ["skip 1 from 2026-01-02T02:00:00Z to 2026-01-02T02:00:00Z: Superseded"]
    );
    story.run_ends();
    assert_eq!(
        story.at("2026-01-03T05:00:00Z"),
        ["start nightly-20260103t020000z"]
    );
}

#[test]
fn a_run_that_overlaps_is_left_out_if_the_schedule_wants_it_so() {
    let mut story = nightly();
    story.schedule.overlap = Overlap::Skip;
    assert_eq!(
        story.decide("2026-01-01T02:00:00Z", true),
        ["skip 1 from 2026-01-01T02:00:00Z to 2026-01-01T02:00:00Z: Overlap"]
    );
    assert_eq!(story.decide("2026-01-01T02:01:00Z", false), NOTHING);
}

#[test]
fn a_run_past_its_deadline_is_cancelled_until_it_has_ended() {
    let mut story = nightly();
    story.schedule.deadline_seconds = Some(3_600);
    assert_eq!(
        story.at("2026-01-01T02:00:00Z"),
        ["start nightly-20260101t020000z"]
    );
    assert_eq!(story.at("2026-01-01T02:59:59Z"), NOTHING);
    // A caller that died after the first time cancels it a second time.
    for now in ["2026-01-01T03:00:00Z", "2026-01-01T03:01:00Z"] {
        assert_eq!(story.at(now), ["cancel 2026-01-01T02:00:00Z"]);
    }
    story.run_ends();
    assert_eq!(
        story.at("2026-01-02T02:00:00Z"),
        ["start nightly-20260102t020000z"]
    );
}

#[test]
fn a_pause_leaves_runs_out_until_it_ends() {
    let mut story = nightly();
    story.schedule.pause = Some(Pause {
        reason: "the cluster moves".to_owned(),
        until: Some(time("2026-01-02T12:00:00Z")),
    });
    assert_eq!(
        story.at("2026-01-01T02:00:00Z"),
        ["skip 1 from 2026-01-01T02:00:00Z to 2026-01-01T02:00:00Z: Paused"]
    );
    assert_eq!(
        story.at("2026-01-02T02:00:00Z"),
        ["skip 1 from 2026-01-02T02:00:00Z to 2026-01-02T02:00:00Z: Paused"]
    );
    assert_eq!(
        story.at("2026-01-03T02:00:00Z"),
        ["start nightly-20260103t020000z"]
    );
}

#[test]
fn a_clock_that_is_set_back_repeats_nothing_and_stops_nothing() {
    let mut story = nightly();
    assert_eq!(
        story.at("2026-01-05T02:00:00Z").last().map(String::as_str),
        Some("start nightly-20260105t020000z")
    );
    story.run_ends();
    assert_eq!(story.at("2026-01-05T01:00:00Z"), NOTHING);
    assert_eq!(story.at("2026-01-05T02:00:00Z"), NOTHING);
    // By years: the schedule must not wait for them to pass again.
    assert_eq!(story.at("2024-05-01T01:00:00Z"), NOTHING);
    assert_eq!(
        story.at("2024-05-01T02:00:00Z"),
        ["start nightly-20240501t020000z"]
    );
}

#[test]
fn the_runs_of_a_long_downtime_are_counted_up_to_a_limit() {
    let mut story = nightly();
    story.schedule = schedule("* * * * * *");
    let decisions = story.at("2026-12-01T00:00:00Z");
    assert_eq!(decisions.len(), 2, "{decisions:?}");
    assert!(
        decisions[0].starts_with(&format!("skip {SKIPPED_MAX} ")),
        "{decisions:?}"
    );
    assert_eq!(decisions[1], "start nightly-20261201t000000z");
}

#[test]
fn a_run_that_waits_for_its_window_is_decided_again_when_it_opens() {
    let mut story = nightly();
    story.schedule = schedule("0 12 * * *");
    story.schedule.window = Some("22:00-06:00".parse().expect("a window"));
    let decided = decide(
        &story.schedule,
        &story.progress,
        time("2026-01-01T12:00:00Z"),
        false,
    );
    assert_eq!(lines(&decided.decisions), NOTHING);
    assert_eq!(decided.again_at, Some(time("2026-01-01T22:00:00Z")));
    story.progress = decided.progress;
    assert_eq!(
        story.at("2026-01-01T22:00:00Z"),
        ["start nightly-20260101t120000z"]
    );
}
