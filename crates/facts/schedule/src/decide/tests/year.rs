//! Simulated years: changes of clocks, leap days, downtimes, runs that take long.

use std::collections::BTreeSet;

use jiff::civil;

use super::*;

const ONE_YEAR: &str = "2028-07-01T00:00:00Z";
const TWO_YEARS: &str = "2029-07-01T00:00:00Z";

/// From July 2027 over a leap day, decided only when the last decision asks for it, when a run has ended, and after a
/// downtime; a run ends after `run_seconds`. Returns when the runs that started were due.
fn simulate(
    schedule: &Schedule,
    end: &str,
    run_seconds: u64,
    down: &[(&str, &str)],
) -> Vec<Timestamp> {
    let down: Vec<_> = down
        .iter()
        .map(|(from, to)| (time(from), time(to)))
        .collect();
    let mut now = time("2027-07-01T00:00:00Z");
    let end = time(end);
    let mut progress = progress("2027-07-01T00:00:00Z");
    let mut started = Vec::new();
    while now < end {
        let ends_at = |active: &Active| after(active.started_at, run_seconds);
        progress.active.take_if(|active| ends_at(active) <= now);
        let decided = decide(schedule, &progress, now, false);
        progress = decided.progress;
        for decision in decided.decisions {
            if let Decision::Start(run) = decision {
                assert_eq!(run.backup, schedule.name.backup(run.due));
                started.push(run.due);
            }
        }
        let again_at = decided.again_at.expect("a schedule always has a next run");
        assert!(again_at > now, "no progress at {now}");
        let ended_at = progress.active.as_ref().map(ends_at);
        now = ended_at
            .into_iter()
            .chain([again_at])
            .min()
            .expect("again_at");
        if let Some((_, up)) = down.iter().find(|(from, to)| (*from..*to).contains(&now)) {
            now = *up;
        }
    }
    started
}

/// The days from July 2027 to June 2029 with a run at a time that clocks show; what they skip runs right after the gap.
fn expected(zone: &Zone, at: civil::Time) -> Vec<Timestamp> {
    let mut day = civil::date(2027, 7, 1);
    let mut days = Vec::new();
    while day < civil::date(2029, 7, 1) {
        let shown = day
            .to_datetime(at)
            .to_zoned(zone.at(Timestamp::UNIX_EPOCH).time_zone().clone());
        let shown = shown.expect("a time");
        // Clocks that skip it show one that is later by the length of the gap, which begins with the hour.
        let due = if shown.time() == at {
            shown
        } else {
            shown.with().minute(0).second(0).build().expect("a time")
        };
        days.push(due.timestamp());
        day = day.tomorrow().expect("a day");
    }
    days
}

#[test]
fn every_day_has_its_run_over_changes_of_clocks_and_a_leap_day() {
    for zone in ["UTC", "Europe/Berlin", "America/New_York"] {
        let mut schedule = schedule("30 2 * * *");
        schedule.zone = zone.parse().expect("a zone");
        let started = simulate(&schedule, TWO_YEARS, 600, &[]);
        let start = time("2027-07-01T00:00:00Z");
        let end = time("2029-07-01T00:00:00Z");
        let mut expected = expected(&schedule.zone, civil::time(2, 30, 0, 0));
        expected.retain(|due| (start..end).contains(due));
        assert_eq!(started, expected, "{zone}");
    }
}

#[test]
fn every_hour_has_its_run_over_changes_of_clocks() {
    for zone in ["UTC", "Europe/Berlin", "Australia/Lord_Howe"] {
        let mut schedule = schedule("0 * * * *");
        schedule.zone = zone.parse().expect("a zone");
        let started = simulate(&schedule, ONE_YEAR, 300, &[]);
        let gaps: BTreeSet<i64> = started
            .windows(2)
            .map(|pair| pair[1].duration_since(pair[0]).as_secs() / 60)
            .collect();
        // Lord Howe's clocks change by half an hour.
        let allowed = if zone.starts_with("Australia") {
            vec![30, 60, 90]
        } else {
            vec![60]
        };
        assert!(
            gaps.iter().all(|gap| allowed.contains(gap)),
            "{zone}: {gaps:?}"
        );
    }
}

#[test]
fn after_each_downtime_one_run_makes_up_for_what_was_missed() {
    let mut schedule = schedule("0 2 * * *");
    schedule.catch_up_seconds = 24 * 3_600;
    let started = simulate(
        &schedule,
        TWO_YEARS,
        600,
        &[
            ("2027-08-01T00:00:00Z", "2027-08-11T12:00:00Z"),
            ("2028-02-28T01:00:00Z", "2028-03-01T01:00:00Z"),
        ],
    );
    let days: BTreeSet<_> = started
        .iter()
        .map(|due| due.to_string()[..10].to_owned())
        .collect();
    assert_eq!(days.len(), started.len(), "no day has two runs");
    assert_eq!(started.len(), 731 - 10 - 1);
    for day in ["2027-08-11", "2028-02-29", "2028-03-01"] {
        assert!(days.contains(day), "{day}");
    }
    assert!(!days.contains("2027-08-10"));
}

#[test]
fn runs_that_take_longer_than_a_day_never_overlap() {
    let mut schedule = schedule("0 2 * * *");
    schedule.catch_up_seconds = 24 * 3_600;
    let started = simulate(&schedule, TWO_YEARS, 30 * 3_600, &[]);
    assert!(started.len() > 400, "{}", started.len());
    let distinct: BTreeSet<_> = started.iter().collect();
    assert_eq!(distinct.len(), started.len());
}
