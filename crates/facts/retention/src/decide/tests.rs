//! Policies over lists of backups.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::Pin;

const NOW: &str = "2026-11-26T12:00:00Z";

fn now() -> Timestamp {
    NOW.parse().expect("a time")
}

fn backup(name: &str, started_at: Timestamp) -> Backup {
    Backup {
        name: name.parse().expect("a name"),
        base: None,
        started_at,
        standing: Standing::Good,
        covers: Some(Covers::default()),
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

/// Ages are measured against now.
fn decide(policy: &Policy, backups: &[Backup], now: Timestamp) -> Result<Decided, PolicyError> {
    decide_by(policy, backups, now, &|_| now)
}

/// A backup of so many days ago, named after them.
fn days_ago(days: i64) -> Backup {
    let at = now()
        .checked_sub(SignedDuration::from_hours(24 * days))
        .expect("a time");
    backup(&format!("d{days}"), at)
}

fn on(backup: Backup, base: &str) -> Backup {
    Backup {
        base: Some(base.parse().expect("a name")),
        ..backup
    }
}

fn with(standing: Standing, backup: Backup) -> Backup {
    Backup { standing, ..backup }
}

fn check(policy: &Policy, backups: &[Backup], expected: Expect) {
    let decided = decide(policy, backups, now()).expect("a policy");
    let mut text = String::new();
    for (backup, verdict) in backups.iter().zip(&decided.verdicts) {
        text.push_str(&format!("{}: {verdict:?}\n", backup.name));
    }
    let go: Vec<&str> = decided.go.iter().map(BackupName::as_str).collect();
    text.push_str(&format!("go: {}\n", go.join(" ")));
    expected.assert_eq(&text);
}

fn last(last: u32) -> Policy {
    Policy {
        last,
        ..Policy::new()
    }
}

#[test]
fn a_base_lives_as_long_as_its_differentials_and_goes_after_them() {
    check(
        &last(2),
        &[
            days_ago(30),
            on(days_ago(29), "d30"),
            days_ago(20),
            on(days_ago(19), "d20"),
            on(days_ago(18), "d20"),
        ],
        expect![[r#"
            d30: Go(Expired)
            d29: Go(Expired)
            d20: Keep([BaseOf(BackupName("d18")), BaseOf(BackupName("d19"))])
            d19: Keep([Last])
            d18: Keep([Last])
            go: d29 d30
        "#]],
    );
}

#[test]
fn what_failed_runs_or_is_damaged_is_never_counted() {
    check(
        &last(1),
        &[
            days_ago(40),
            days_ago(30),
            with(Standing::Failed, days_ago(20)),
            with(Standing::Damaged, days_ago(19)),
            on(days_ago(18), "d19"),
            on(days_ago(17), "gone"),
            with(Standing::Failed, days_ago(2)),
            with(Standing::Unreadable, days_ago(21)),
            with(Standing::Running, days_ago(0)),
        ],
        expect![[r#"
            d40: Keep([PerhapsBase])
            d30: Keep([Last, PerhapsBase])
            d20: Go(Failed)
            d19: Keep([BaseOf(BackupName("d18"))])
            d18: Keep([Suspect])
            d17: Go(Damaged)
            d2: Keep([FailedLately])
            d21: Keep([Unreadable])
            d0: Keep([Running])
            go: d17 d20
        "#]],
    );
}

#[test]
fn a_damaged_backup_is_a_last_resort_while_there_are_fewer_good_ones_than_the_floor() {
    check(
        &last(1),
        &[with(Standing::Damaged, days_ago(90)), days_ago(60)],
        expect![[r#"
            d90: Keep([LastResort])
            d60: Keep([Last])
            go: 
        "#]],
    );
}

#[test]
fn days_of_grace_are_counted_from_when_damage_was_found() {
    let found = |days: i64, backup: Backup| Backup {
        damage_found_at: Some(days_ago(days).started_at),
        ..with(Standing::Damaged, backup)
    };
    let older_catalog = Backup {
        damage_found_at: Some(Timestamp::MAX),
        ..with(Standing::Damaged, days_ago(93))
    };
    check(
        &last(2),
        &[
            older_catalog,
            found(8, days_ago(92)),
            found(6, days_ago(91)),
            with(Standing::Damaged, days_ago(90)),
            days_ago(2),
            days_ago(1),
        ],
        expect![[r#"
            d93: Keep([FailedLately])
            d92: Go(Damaged)
            d91: Keep([FailedLately])
            d90: Go(Damaged)
            d2: Keep([Last])
            d1: Keep([Last])
            go: d92 d90
        "#]],
    );
}

#[test]
fn the_only_backup_of_a_period_stays_though_it_is_damaged() {
    let damaged = |days| with(Standing::Damaged, days_ago(days));
    // Two in October, the newer of which is good, two in September, and one in each of three months before.
    let backups = [
        damaged(180),
        damaged(150),
        damaged(120),
        damaged(70),
        damaged(60),
        damaged(35),
        days_ago(33),
        days_ago(2),
        days_ago(1),
    ];
    let monthly = Policy {
        monthly: 4,
        ..Policy::new()
    };
    check(
        &monthly,
        &backups,
        expect![[r#"
            d180: Go(Damaged)
            d150: Go(Damaged)
            d120: Keep([NoGoodInstead])
            d70: Go(Damaged)
            d60: Keep([NoGoodInstead])
            d35: Go(Damaged)
            d33: Keep([NewestOf(Month)])
            d2: Keep([Floor])
            d1: Keep([NewestOf(Month)])
            go: d180 d150 d70 d35
        "#]],
    );
    let young = Policy {
        days: 65,
        ..Policy::new()
    };
    check(
        &young,
        &[
            damaged(70),
            damaged(60),
            damaged(30),
            days_ago(30),
            days_ago(1),
        ],
        expect![[r#"
            d70: Go(Damaged)
            d60: Keep([NoGoodInstead])
            d30: Go(Damaged)
            d30: Keep([Young])
            d1: Keep([Young])
            go: d70 d30
        "#]],
    );
    check(
        &last(4),
        &[
            damaged(70),
            damaged(60),
            days_ago(3),
            days_ago(2),
            days_ago(1),
        ],
        expect![[r#"
            d70: Go(Damaged)
            d60: Keep([NoGoodInstead])
            d3: Keep([Last])
            d2: Keep([Last])
            d1: Keep([Last])
            go: d70
        "#]],
    );
}

#[test]
fn a_backup_that_is_dated_before_its_task_stays() {
    let of_task = |days: i64, minutes: i64, backup: Backup| Backup {
        task_created_at: Some(days_ago(days).started_at + SignedDuration::from_mins(minutes)),
        ..backup
    };
    check(
        &last(2),
        &[
            of_task(9, 15, days_ago(9)),
            of_task(8, 16, days_ago(8)),
            of_task(7, -60, days_ago(7)),
            of_task(1, 0, days_ago(6)),
            of_task(1, 0, with(Standing::Failed, days_ago(30))),
            days_ago(2),
            days_ago(1),
        ],
        expect![[r#"
            d9: Go(Expired)
            d8: Keep([ClockBehind])
            d7: Go(Expired)
            d6: Keep([ClockBehind])
            d30: Go(Failed)
            d2: Keep([Last])
            d1: Keep([Last])
            go: d30 d9 d7
        "#]],
    );
}

#[test]
fn pins_and_tasks_keep_what_would_go_until_they_end() {
    let pinned = |until: Option<&str>, backup: Backup| Backup {
        pin: Some(Pin {
            reason: "audit".to_owned(),
            until: until.map(|until| until.parse().expect("a time")),
        }),
        ..backup
    };
    check(
        &last(2),
        &[
            pinned(None, days_ago(40)),
            pinned(Some("2026-11-26T12:00:00Z"), days_ago(30)),
            pinned(Some("2026-11-26T12:00:01Z"), days_ago(20)),
            Backup {
                in_use: true,
                ..days_ago(10)
            },
            days_ago(2),
            days_ago(1),
        ],
        expect![[r#"
            d40: Keep([Pinned("audit")])
            d30: Go(Expired)
            d20: Keep([Pinned("audit")])
            d10: Keep([InUse])
            d2: Keep([Last])
            d1: Keep([Last])
            go: d30
        "#]],
    );
}

#[test]
fn one_backup_of_each_day_week_and_month_is_kept() {
    let policy = Policy {
        daily: 3,
        weekly: 2,
        monthly: 3,
        ..Policy::new()
    };
    let backups: Vec<Backup> = (0..100).rev().map(days_ago).collect();
    let decided = decide(&policy, &backups, now()).expect("a policy");
    let kept: Vec<String> = backups
        .iter()
        .zip(&decided.verdicts)
        .filter_map(|(backup, verdict)| match verdict {
            Verdict::Keep(reasons) => Some(format!(
                "{} {reasons:?}",
                backup.started_at.strftime("%a %m-%d")
            )),
            Verdict::Go(_) => None,
        })
        .collect();
    expect![[r#"
        Wed 09-30 [NewestOf(Month)]
        Sat 10-31 [NewestOf(Month)]
        Sun 11-22 [NewestOf(Week)]
        Tue 11-24 [NewestOf(Day)]
        Wed 11-25 [NewestOf(Day)]
        Thu 11-26 [NewestOf(Day), NewestOf(Week), NewestOf(Month)]"#]]
    .assert_eq(&kept.join("\n"));
}

#[test]
fn a_full_backup_that_something_unreadable_may_build_on_stays() {
    check(
        &last(1),
        &[
            days_ago(30),
            on(days_ago(29), "d30"),
            with(Standing::Unreadable, days_ago(28)),
            days_ago(2),
            days_ago(1),
        ],
        expect![[r#"
            d30: Keep([PerhapsBase])
            d29: Go(Expired)
            d28: Keep([Unreadable])
            d2: Keep([PerhapsBase])
            d1: Keep([Last, PerhapsBase])
            go: d29
        "#]],
    );
}

#[test]
fn what_another_schedule_made_is_left_alone_and_keeps_its_base() {
    check(
        &last(1),
        &[
            days_ago(50),
            Backup {
                in_scope: false,
                ..on(days_ago(40), "d50")
            },
            days_ago(30),
            days_ago(20),
            days_ago(10),
        ],
        expect![[r#"
            d50: Keep([BaseOf(BackupName("d40"))])
            d40: Keep([OutOfScope])
            d30: Go(Expired)
            d20: Keep([Floor])
            d10: Keep([Last])
            go: d30
        "#]],
    );
}

fn of_keyspace(keyspace: &str) -> Covers {
    let selection = model::Selection {
        keyspaces: vec![keyspace.to_owned()],
        tables: Vec::new(),
    };
    Covers::new(&selection, Vec::new())
}

#[test]
fn backups_that_cover_something_else_stand_in_for_none() {
    let of = |covers: Option<Covers>, backup: Backup| Backup { covers, ..backup };
    let one_keyspace = || Some(of_keyspace("shop"));
    let host = "00000000-0000-0000-0000-000000000001";
    let host = host.parse().expect("a host id");
    let without_a_node = Covers::new(&model::Selection::default(), vec![host]);
    check(
        &last(2),
        &[
            days_ago(9),
            days_ago(8),
            days_ago(7),
            of(one_keyspace(), days_ago(6)),
            of(one_keyspace(), days_ago(5)),
            of(one_keyspace(), days_ago(4)),
            of(Some(without_a_node), days_ago(3)),
            of(None, days_ago(2)),
            of(None, days_ago(1)),
            of(None, days_ago(0)),
        ],
        expect![[r#"
            d9: Go(Expired)
            d8: Keep([Last])
            d7: Keep([Last])
            d6: Go(Expired)
            d5: Keep([Last])
            d4: Keep([Last])
            d3: Keep([Last])
            d2: Keep([CoverageUnknown])
            d1: Keep([CoverageUnknown])
            d0: Keep([CoverageUnknown])
            go: d9 d6
        "#]],
    );
    let backups = [days_ago(3), days_ago(2), of(one_keyspace(), days_ago(1))];
    let decided = decide(&last(1), &backups, now()).expect("a policy");
    let relied_on: Vec<usize> = decided.relied_on.iter().map(Vec::len).collect();
    assert_eq!(relied_on, [2, 2, 1], "only on those that cover the same");
}

#[test]
fn a_policy_that_would_keep_nothing_is_refused() {
    assert_eq!(decide(&Policy::new(), &[], now()), Err(PolicyError::NoRule));
    let no_floor = Policy {
        floor: 0,
        ..last(1)
    };
    assert_eq!(decide(&no_floor, &[], now()), Err(PolicyError::NoFloor));
}

fn any_standing() -> impl Strategy<Value = Standing> {
    prop_oneof![
        6 => Just(Standing::Good),
        1 => Just(Standing::Damaged),
        1 => Just(Standing::Running),
        1 => Just(Standing::Failed),
        1 => Just(Standing::Unreadable),
    ]
}

/// Everything, one keyspace, and not known.
fn any_covered() -> [Option<Covers>; 3] {
    [Some(Covers::default()), Some(of_keyspace("shop")), None]
}

/// Lists in which differentials build on any earlier full backup, also on one that is not in the list.
fn any_backups() -> impl Strategy<Value = Vec<Backup>> {
    let one = (
        0..2_000i64,
        any_standing(),
        proptest::option::of(0..20usize),
        any::<bool>(),
        any::<bool>(),
        0..3usize,
    );
    proptest::collection::vec(one, 0..25).prop_map(|rows| {
        let made = rows.iter().enumerate().map(
            |(at, (hours, standing, base, pinned, in_scope, covers))| {
                let started_at = now()
                    .checked_sub(SignedDuration::from_hours(*hours))
                    .expect("a time");
                Backup {
                    base: base
                        .filter(|base| rows.get(*base).is_none_or(|row| row.2.is_none()))
                        .map(|base| format!("b{base}").parse().expect("a name")),
                    pin: pinned.then(|| Pin {
                        reason: "x".to_owned(),
                        until: None,
                    }),
                    in_scope: *in_scope,
                    covers: any_covered()[*covers].clone(),
                    ..with(*standing, backup(&format!("b{at}"), started_at))
                }
            },
        );
        made.collect()
    })
}

fn any_policy() -> impl Strategy<Value = Policy> {
    (0..4u32, 0..40u32, 0..5u32, 0..5u32, 0..5u32, 1..4u32).prop_map(
        |(last, days, daily, weekly, monthly, floor)| Policy {
            last,
            days: days + 1,
            daily,
            weekly,
            monthly,
            floor,
            ..Policy::new()
        },
    )
}

proptest! {
    #[test]
    fn the_floor_holds_bases_stay_and_what_is_left_stays(policy in any_policy(), backups in any_backups()) {
        let decided = decide(&policy, &backups, now()).expect("a policy");
        let left: Vec<Backup> = backups.iter().filter(|backup| !decided.go.contains(&backup.name)).cloned().collect();
        for covers in any_covered() {
            let good = |list: &[Backup]| {
                let each = list.iter().zip(standings(list));
                each.filter(|(backup, standing)| {
                    backup.in_scope && *standing == Standing::Good && backup.covers == covers
                })
                .count()
            };
            // What it is not known of stays as it is.
            let least = if covers.is_some() { policy.floor as usize } else { usize::MAX };
            prop_assert!(good(&left) >= good(&backups).min(least));
        }
        for backup in &left {
            let base = backup.base.as_ref();
            let had_base = base.is_some_and(|base| backups.iter().any(|other| other.name == *base));
            prop_assert!(!had_base || left.iter().any(|other| Some(&other.name) == base));
        }
        for backup in &backups {
            let must_stay = backup.pin.is_some() || !backup.in_scope || matches!(backup.standing, Standing::Running | Standing::Unreadable);
            prop_assert!(!must_stay || left.contains(backup));
        }
        // Applying a policy twice does no more than once.
        let again = decide(&policy, &left, now()).expect("a policy");
        prop_assert_eq!(again.go, Vec::<BackupName>::new());
    }
}
