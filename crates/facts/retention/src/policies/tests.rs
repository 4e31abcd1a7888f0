//! Several policies over one list, and clocks that are wrong.

use jiff::SignedDuration;
use model::{BackupName, BackupPin, BackupState, BackupSummary};
use proptest::prelude::*;

use super::*;
use crate::{Gone, Pin, Standing};

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn now() -> Timestamp {
    time("2026-11-26T12:00:00Z")
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

fn ago(by: i64) -> Timestamp {
    now().checked_sub(hours(by)).expect("a time")
}

fn backup(name: &str, hours_ago: i64) -> Backup {
    Backup {
        name: name.parse().expect("a name"),
        base: None,
        started_at: ago(hours_ago),
        standing: Standing::Good,
        covers: Some(model::Covers::default()),
        damage_found_at: None,
        damage_level: None,
        read_clean_at: None,
        sstables_clean_at: None,
        copied_from: Default::default(),
        task_created_at: None,
        pin: None,
        in_use: false,
        in_scope: true,
    }
}

fn on(backup: Backup, base: &str) -> Backup {
    Backup {
        base: Some(base.parse().expect("a name")),
        ..backup
    }
}

fn last(last: u32) -> Policy {
    Policy {
        last,
        floor: 1,
        ..Policy::new()
    }
}

fn days(days: u32) -> Policy {
    Policy {
        days,
        floor: 1,
        ..Policy::new()
    }
}

fn of_cluster(policy: Policy) -> Policies {
    Policies {
        cluster: Some(policy),
        schedules: BTreeMap::new(),
    }
}

fn going(policies: &Policies, backups: &[Backup], at: Timestamp) -> Vec<String> {
    let ruled = policies.decide(backups, at).expect("policies");
    let going = Policies::going(&ruled, backups);
    going.iter().map(|ruled| ruled.name.to_string()).collect()
}

#[test]
fn the_policy_of_a_schedule_is_about_its_backups_and_that_of_the_cluster_about_all_others() {
    let backups = [
        backup("monthly-20260901t000000z", 2000),
        backup("monthly-20261001t000000z", 1300),
        backup("monthly-20261101t000000z", 600),
        backup("nightly-20261124t020000z", 58),
        backup("nightly-20261125t020000z", 34),
        backup("by-hand", 20),
    ];
    let policies = Policies {
        schedules: [("monthly".parse().expect("a name"), last(2))].into(),
        ..of_cluster(last(1))
    };
    assert_eq!(
        going(&policies, &backups, now()),
        [
            "monthly-20260901t000000z",
            "nightly-20261124t020000z",
            "nightly-20261125t020000z"
        ]
    );
    let ruled = policies.decide(&backups, now()).expect("policies");
    assert_eq!(ruled[0].schedule.as_ref().expect("one").as_str(), "monthly");
    assert_eq!(ruled[0].verdict, Verdict::Go(Gone::Expired));
    assert_eq!(ruled[0].relied_on[0].as_str(), "monthly-20261101t000000z");
    assert_eq!(ruled[3].relied_on[0].as_str(), "by-hand");
    let alone = Policies {
        cluster: None,
        ..policies
    };
    assert_eq!(going(&alone, &backups, now()), ["monthly-20260901t000000z"]);
}

#[test]
fn a_base_stays_until_the_differentials_of_another_policy_are_gone() {
    let policies = Policies {
        schedules: [("hourly".parse().expect("a name"), last(1))].into(),
        ..of_cluster(last(1))
    };
    let mut backups = vec![
        backup("full", 100),
        on(backup("hourly-20261122t090000z", 99), "full"),
        backup("newer", 50),
        on(backup("hourly-20261124t110000z", 49), "newer"),
    ];
    assert_eq!(
        going(&policies, &backups, now()),
        ["hourly-20261122t090000z"]
    );
    backups.remove(1);
    assert_eq!(going(&policies, &backups, now()), ["full"]);
}

#[test]
fn a_clock_that_is_years_ahead_lets_nothing_more_go() {
    let backups: Vec<Backup> = (0..40)
        .map(|day| backup(&format!("d{day}"), day * 24))
        .collect();
    let policies = of_cluster(days(28));
    let right = going(&policies, &backups, now());
    assert_eq!(right.len(), 11, "{right:?}");
    let years_later = time("2036-01-01T00:00:00Z");
    assert_eq!(going(&policies, &backups, years_later), right);
    let long_ago = time("2000-01-01T00:00:00Z");
    assert_eq!(going(&policies, &backups, long_ago), Vec::<String>::new());
}

#[test]
fn a_backup_of_the_future_stays_and_takes_no_place() {
    let backups = [backup("old", 90), backup("new", 20), backup("future", -5)];
    let policies = of_cluster(last(1));
    assert_eq!(going(&policies, &backups, now()), ["old"]);
    let ruled = policies.decide(&backups, now()).expect("policies");
    assert_eq!(ruled[2].verdict, Verdict::Keep(vec![KeepReason::Future]));
}

#[test]
fn a_pin_ends_once_two_backups_were_made_after_its_end() {
    let pinned = Backup {
        pin: Some(Pin {
            reason: "audit".to_owned(),
            until: Some(ago(30)),
        }),
        ..backup("pinned", 90)
    };
    let policies = of_cluster(last(1));
    let without = [pinned.clone(), backup("before", 40)];
    assert_eq!(going(&policies, &without, now()), Vec::<String>::new());
    let one = [pinned, backup("before", 40), backup("after", 20)];
    assert_eq!(going(&policies, &one, now()), ["before"]);
    let [pinned, before, after] = one;
    let two = [pinned, before, after, backup("again", 10)];
    assert_eq!(going(&policies, &two, now()), ["pinned", "before", "after"]);
}

#[test]
fn nothing_is_old_without_a_good_backup() {
    let failed = Backup {
        standing: Standing::Failed,
        ..backup("failed", 2000)
    };
    assert_eq!(
        going(&of_cluster(last(1)), &[failed], now()),
        Vec::<String>::new()
    );
}

#[test]
fn a_mark_of_a_deletion_judges_neither_the_backup_nor_what_builds_on_it() {
    let marked = Backup {
        standing: Standing::Deleting,
        ..backup("full", 2000)
    };
    let backups = [
        marked,
        on(backup("differential", 1990), "full"),
        backup("older", 700),
        backup("newer", 20),
    ];
    assert_eq!(going(&of_cluster(last(1)), &backups, now()), ["older"]);
}

#[test]
fn what_the_catalog_lists_is_judged_by_what_is_known_of_it() {
    let at = Some(now());
    let complete = BackupSummary {
        backup: model::BackupRef {
            cluster: "shop".parse().expect("a name"),
            name: "b".parse().expect("a name"),
        },
        kind: None,
        base: None,
        state: Some(BackupState::Complete),
        started_at: at,
        finished_at: at,
        release: None,
        nodes: 1,
        ring_nodes: 1,
        bytes: 0,
        uploaded_bytes: 0,
        copied_bytes: 0,
        copied_from: Default::default(),
        sstables: 0,
        damaged_sstables: 0,
        damage_found: 0,
        damage_found_at: None,
        damage_level: None,
        read_clean_at: None,
        sstables_clean_at: None,
        task: None,
        covers: Some(model::Covers::default()),
        detail: String::new(),
        pins: Vec::new(),
    };
    let standing = |change: fn(&mut BackupSummary)| {
        let mut summary = complete.clone();
        change(&mut summary);
        Backup::from(&summary).standing
    };
    assert_eq!(standing(|_| {}), Standing::Good);
    assert_eq!(standing(|it| it.damage_found = 1), Standing::Damaged);
    assert_eq!(standing(|it| it.damaged_sstables = 1), Standing::Damaged);
    let disputed = |it: &mut BackupSummary| {
        it.damage_found = 1;
        it.damage_found_at = Some(time("2026-11-01T00:00:00Z"));
        it.read_clean_at = Some(time("2026-11-02T00:00:00Z"));
    };
    assert_eq!(standing(disputed), Standing::Suspect);
    let [task, other] = [
        "0192f000-0000-7000-8000-000000000001",
        "00000000-0000-0000-0000-000000000000",
    ]
    .map(|id| id.parse::<model::TaskId>().expect("an id"));
    let of_task = |task: model::TaskId| {
        let summary = BackupSummary {
            task: Some(task),
            ..complete.clone()
        };
        Backup::from(&summary).task_created_at
    };
    assert_eq!(of_task(task), Some(time("2024-11-03T03:09:44.832Z")));
    assert_eq!(of_task(other), None);
    assert_eq!(standing(|it| it.started_at = None), Standing::Unreadable);
    assert_eq!(standing(|it| it.state = None), Standing::Unreadable);
    assert_eq!(
        standing(|it| it.state = Some(BackupState::Deleting)),
        Standing::Deleting
    );
    assert_eq!(
        standing(|it| it.state = Some(BackupState::Failed)),
        Standing::Failed
    );
    let pin = |reason: Option<&str>, until: Option<&str>| BackupPin {
        id: "0192f000-0000-7000-8000-000000000001"
            .parse()
            .expect("an id"),
        reason: reason.map(str::to_owned),
        until: until.map(time),
        set_at: at,
    };
    let pinned = BackupSummary {
        pins: vec![
            pin(Some("for ever"), None),
            pin(Some("for a day"), Some("2026-11-27T12:00:00Z")),
            pin(None, None),
        ],
        ..complete
    };
    let backup = Backup::from(&pinned);
    assert!(backup.in_use);
    assert_eq!(backup.pin.expect("a pin").reason, "for ever");
}

fn any_backups() -> impl Strategy<Value = Vec<Backup>> {
    // Within 31 days, so that dates never leap: a leap keeps all by the right clock, and may not be seen by an earlier one.
    let row = (
        1..744i64,
        0..6u8,
        proptest::option::of(0..20usize),
        proptest::option::of(-100..2_000i64),
    );
    proptest::collection::vec(row, 0..20).prop_map(|rows| {
        let each = rows
            .iter()
            .enumerate()
            .map(|(at, (hours_ago, standing, base, pin))| Backup {
                base: base
                    .filter(|base| rows.get(*base).is_some_and(|row| row.2.is_none()))
                    .map(|base| format!("b{base}").parse().expect("a name")),
                pin: pin.map(|until| Pin {
                    reason: "x".to_owned(),
                    until: Some(ago(until)),
                }),
                standing: match standing {
                    0 => Standing::Failed,
                    1 => Standing::Damaged,
                    _ => Standing::Good,
                },
                ..backup(&format!("b{at}"), *hours_ago)
            });
        each.collect()
    })
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let rules = (1..4u32, 0..40u32, 0..5u32, 0..5u32, 0..4u32, 1..4u32);
    rules.prop_map(|(last, days, hourly, daily, weekly, floor)| Policy {
        last,
        days,
        hourly,
        daily,
        weekly,
        floor,
        ..Policy::new()
    })
}

proptest! {
    #[test]
    fn no_clock_lets_more_go_than_the_right_one(
        policy in any_policy(),
        backups in any_backups(),
        skew in -3_000..100_000i64,
    ) {
        let by_the_right_one: Vec<BackupName> = going(&of_cluster(policy.clone()), &backups, now())
            .into_iter()
            .map(|name| name.parse().expect("a name"))
            .collect();
        let skewed = now().checked_add(hours(skew)).expect("a time");
        let by_a_wrong_one = going(&of_cluster(policy), &backups, skewed);
        for name in by_a_wrong_one {
            let name: BackupName = name.parse().expect("a name");
            prop_assert!(by_the_right_one.contains(&name), "{name} went by a clock that is {skew} h ahead");
        }
    }

    #[test]
    fn backups_dated_by_a_wrong_clock_make_no_other_old_and_end_no_pin(
        days in 1..60u32,
        floor in 1..4u32,
        right in 3..120i64,
        wrong in 0..40i64,
        pins in proptest::collection::vec(any::<bool>(), 120),
        skew_days in 200..2_000i64,
    ) {
        let policy = Policy { days, floor, ..Policy::new() };
        // One backup each day, the last of them, and the runner, with a clock that is ahead.
        let ahead = hours(24 * skew_days);
        let backups: Vec<Backup> = (0..right + wrong).map(|at| {
            let days_ago = right + wrong - 1 - at;
            let mut made = backup(&format!("b{at}"), 24 * days_ago);
            if at >= right {
                made.started_at = made.started_at.checked_add(ahead).expect("a time");
            }
            let until = made.started_at.checked_add(hours(24 * 100)).expect("a time");
            let pin = Pin { reason: "x".to_owned(), until: Some(until) };
            made.pin = pins.get(at as usize).is_some_and(|pinned| *pinned).then_some(pin);
            made
        }).collect();
        let runner = now().checked_add(ahead).expect("a time");
        let going = going(&of_cluster(policy), &backups, runner);
        for (at, backup) in backups.iter().enumerate() {
            if going.contains(&backup.name.to_string()) {
                let days_ago = right + wrong - 1 - at as i64;
                prop_assert!(days_ago >= i64::from(days), "{} is {days_ago} days old", backup.name);
            }
        }
    }
}
