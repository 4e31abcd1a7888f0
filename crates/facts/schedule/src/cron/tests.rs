//! Expressions, and what clocks do to them.

use super::*;

fn at(zone: &str, time: &str) -> Zoned {
    let zone: Zone = zone.parse().expect("a zone");
    zone.at(time.parse().expect("a time"))
}

/// The first runs after a point in time, as clocks of the zone show them.
fn runs(cron: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let cron: Cron = cron.parse().expect("an expression");
    let mut time = at(zone, after);
    let mut runs = Vec::new();
    for _ in 0..count {
        time = cron.next_after(&time).expect("a next run");
        runs.push(time.strftime("%m-%dT%H:%M:%S%:z").to_string());
    }
    runs
}

#[test]
fn five_fields_six_fields_names_and_macros_are_read() {
    for (text, first) in [
        ("30 2 * * *", "01-01T02:30:00+00:00"),
        ("15 30 2 * * *", "01-01T02:30:15+00:00"),
        ("0 2 * * sun", "01-04T02:00:00+00:00"),
        ("0 2 * * 0", "01-04T02:00:00+00:00"),
        ("0 2 * * 7", "01-04T02:00:00+00:00"),
        ("0 0 * feb mon-fri", "02-02T00:00:00+00:00"),
        ("  0   2  2  *  * ", "01-02T02:00:00+00:00"),
        ("0 2 L * *", "01-31T02:00:00+00:00"),
        ("0 2 * * 5#2", "01-09T02:00:00+00:00"),
        ("0 2 3 * mon", "01-03T02:00:00+00:00"),
        ("@hourly", "01-01T02:00:00+00:00"),
        ("@daily", "01-02T00:00:00+00:00"),
        ("@midnight", "01-02T00:00:00+00:00"),
        ("@weekly", "01-04T00:00:00+00:00"),
        ("@monthly", "02-01T00:00:00+00:00"),
    ] {
        assert_eq!(
            runs(text, "UTC", "2026-01-01T01:00:00Z", 1),
            [first],
            "{text}"
        );
    }
}

#[test]
fn what_is_no_expression_is_refused() {
    for text in [
        "",
        "* * * *",
        "60 * * * *",
        "* 24 * * *",
        "0 0 31 2 *",
        "0 0 * * fun",
        "0 0 0 1 1 * 2030",
        "@sometimes",
        "*/0 * * * *",
    ] {
        assert!(text.parse::<Cron>().is_err(), "{text}");
    }
}

#[test]
fn a_time_that_clocks_skip_runs_right_after_the_gap_and_every_other_day_at_its_time() {
    // Berlin skips from 02:00 to 03:00 on 2026-03-29.
    assert_eq!(
        runs("30 2 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z", 3),
        [
            "03-28T02:30:00+01:00",
            "03-29T03:00:00+02:00",
            "03-30T02:30:00+02:00"
        ]
    );
}

#[test]
fn several_times_that_clocks_skip_are_one_run() {
    for cron in ["0 2,14 * * *", "*/20 2,14 * * *", "0,59 2 * * *"] {
        let runs = runs(cron, "Europe/Berlin", "2026-03-28T23:00:00Z", 2);
        assert_eq!(runs[0], "03-29T03:00:00+02:00", "{cron}");
        assert_ne!(runs[1], runs[0], "{cron}");
    }
    // Lord Howe's clocks skip half an hour, from 02:00 on 2026-10-04.
    assert_eq!(
        runs(
            "15,45 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-03T12:00:00Z",
            3
        ),
        [
            "10-04T02:30:00+11:00",
            "10-04T02:45:00+11:00",
            "10-05T02:15:00+11:00"
        ]
    );
}

#[test]
fn several_times_that_clocks_show_twice_run_once_each() {
    assert_eq!(
        runs("*/30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 3),
        [
            "10-25T02:00:00+02:00",
            "10-25T02:30:00+02:00",
            "10-26T02:00:00+01:00"
        ]
    );
}

#[test]
fn a_time_that_clocks_show_twice_runs_once() {
    // Berlin shows 02:00 to 03:00 twice on 2026-10-25.
    assert_eq!(
        runs("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
        ["10-25T02:30:00+02:00", "10-26T02:30:00+01:00"]
    );
}

#[test]
fn every_hour_is_every_hour_whatever_the_clocks_show() {
    assert_eq!(
        runs("0 * * * *", "Europe/Berlin", "2026-10-24T23:30:00Z", 4),
        [
            "10-25T02:00:00+02:00",
            "10-25T02:00:00+01:00",
            "10-25T03:00:00+01:00",
            "10-25T04:00:00+01:00"
        ]
    );
    assert_eq!(
        runs("0 * * * *", "Europe/Berlin", "2026-03-28T23:30:00Z", 3),
        [
            "03-29T01:00:00+01:00",
            "03-29T03:00:00+02:00",
            "03-29T04:00:00+02:00"
        ]
    );
}

#[test]
fn the_last_run_is_found_backwards_over_changes_of_the_clocks() {
    let cron: Cron = "30 2 * * *".parse().expect("an expression");
    for (until, last) in [
        ("2026-01-05T02:30:00Z", "2026-01-05T01:30:00Z"),
        ("2026-01-05T01:30:00Z", "2026-01-05T01:30:00Z"),
        ("2026-01-05T01:29:59Z", "2026-01-04T01:30:00Z"),
        ("2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"),
        ("2026-03-29T00:59:59Z", "2026-03-28T01:30:00Z"),
        ("2026-10-25T01:30:00Z", "2026-10-25T00:30:00Z"),
        ("2026-10-25T01:10:00Z", "2026-10-25T00:30:00Z"),
        ("2026-10-25T00:10:00Z", "2026-10-24T00:30:00Z"),
    ] {
        let found = cron.last_until(&at("Europe/Berlin", until)).expect("one");
        assert_eq!(found.timestamp().to_string(), last, "until {until}");
    }
}
