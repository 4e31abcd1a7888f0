//! Whose turn it is, case by case.

use uuid::Uuid;

use super::*;
use crate::engine::need::Keyspaces;

const FROM: Timestamp = Timestamp::UNIX_EPOCH;

fn id(number: u128) -> TaskId {
    TaskId(Uuid::from_u128(number))
}

fn cluster(name: &str) -> ClusterName {
    name.parse().expect("a name")
}

/// A task of cluster `shop` that waits since so many minutes.
fn waiting(kind: TaskKind, minute: i64) -> Unfinished {
    let need = match kind {
        TaskKind::Backup => Some(Need::Backup(Keyspaces::ALL)),
        TaskKind::Restore => Some(Need::Restore(Keyspaces::ALL)),
        TaskKind::Maintenance | TaskKind::Rollback => Some(Need::Whole),
        _ => None,
    };
    Unfinished {
        cluster: cluster("shop"),
        kind,
        priority: Priority::of(kind),
        need,
        phase: Phase::Waiting {
            since: FROM + SignedDuration::from_mins(minute),
            blocked: false,
        },
    }
}

fn running(kind: TaskKind) -> Unfinished {
    Unfinished {
        phase: Phase::Running,
        ..waiting(kind, 0)
    }
}

/// Numbers each, in the order in which they were asked for.
fn numbered(entries: &[Unfinished]) -> Vec<(TaskId, Unfinished)> {
    let each = entries.iter().cloned().enumerate();
    each.map(|(at, entry)| (id(at as u128 + 1), entry))
        .collect()
}

fn order(entries: &[Unfinished]) -> Vec<u128> {
    let all = numbered(entries);
    let order = in_order(&all);
    order.iter().map(|(id, _)| id.0.as_u128()).collect()
}

#[test]
fn who_waits_longer_comes_first_and_a_priority_counts_as_an_hour() {
    use TaskKind as K;
    for (what, entries, expected) in [
        (
            "the same kind: first come, first served",
            vec![waiting(K::Backup, 0), waiting(K::Backup, 1)],
            vec![1, 2],
        ),
        (
            "a restore overtakes a backup",
            vec![waiting(K::Backup, 0), waiting(K::Restore, 1)],
            vec![2, 1],
        ),
        (
            "but not one that has waited for more than an hour",
            vec![waiting(K::Backup, 0), waiting(K::Restore, 61)],
            vec![1, 2],
        ),
        (
            "a collection waits three hours longer than a restore, and no longer",
            vec![
                waiting(K::Collection, 0),
                waiting(K::Restore, 179),
                waiting(K::Restore, 181),
            ],
            vec![2, 1, 3],
        ),
    ] {
        assert_eq!(order(&entries), expected, "{what}");
    }
}

#[test]
fn restores_keep_their_order_and_the_first_takes_the_place_of_the_most_urgent() {
    let low = Unfinished {
        priority: Priority::Lowest,
        ..waiting(TaskKind::Restore, 0)
    };
    let backup = waiting(TaskKind::Backup, 1);
    let urgent = Unfinished {
        priority: Priority::Highest,
        ..waiting(TaskKind::Restore, 2)
    };
    assert_eq!(order(&[low.clone(), backup.clone()]), [2, 1]);
    assert_eq!(
        order(&[low.clone(), backup.clone(), urgent.clone()]),
        [1, 3, 2]
    );
    let elsewhere = Unfinished {
        cluster: cluster("other"),
        ..urgent
    };
    assert_eq!(order(&[low, backup, elsewhere]), [3, 2, 1]);
}

fn turn_of(number: u128, entries: &[Unfinished], limits: RunningLimits) -> Turn {
    let all = numbered(entries);
    let holders: Vec<HolderNow> = all
        .iter()
        .filter(|(_, entry)| entry.phase == Phase::Running)
        .filter_map(|(task, entry)| {
            Some(HolderNow {
                task: *task,
                kind: entry.kind,
                need: entry.need.clone()?,
            })
        })
        .collect();
    let mine = &entries[number as usize - 1];
    turn(id(number), mine, &all, &holders, limits)
}

fn after(number: u128, kind: TaskKind) -> Turn {
    Turn::After {
        task: id(number),
        kind,
    }
}

#[test]
fn a_task_waits_for_what_runs_and_for_what_is_before_it() {
    use TaskKind as K;
    let none = RunningLimits::default();
    let entries = [
        running(K::Backup),
        waiting(K::Backup, 1),
        waiting(K::Restore, 2),
        waiting(K::Verify, 3),
    ];
    assert_eq!(turn_of(2, &entries, none), after(1, K::Backup));
    assert_eq!(turn_of(3, &entries, none), after(1, K::Backup));
    assert_eq!(turn_of(4, &entries, none), Turn::Now);
    let free = &entries[1..];
    assert_eq!(turn_of(2, free, none), Turn::Now, "the restore is first");
    assert_eq!(turn_of(1, free, none), after(2, K::Restore));
}

#[test]
fn a_backup_does_not_overtake_a_restore_that_it_would_keep_waiting() {
    let b = Keyspaces::new(&["b".to_owned()]);
    let beside = Unfinished {
        need: Some(Need::Backup(Keyspaces::new(&["a".to_owned()]))),
        ..waiting(TaskKind::Backup, 0)
    };
    let restore = Unfinished {
        need: Some(Need::Restore(b)),
        ..waiting(TaskKind::Restore, 1)
    };
    let none = RunningLimits::default();
    let entries = [beside.clone(), restore.clone()];
    assert_eq!(turn_of(2, &entries, none), Turn::Now);
    assert_eq!(turn_of(1, &entries, none), after(2, TaskKind::Restore));
    // Once it runs the backup goes beside it.
    let runs = Unfinished {
        phase: Phase::Running,
        ..restore
    };
    assert_eq!(turn_of(1, &[beside, runs], none), Turn::Now);
}

#[test]
fn limits_hold_back_what_is_not_urgent_in_order() {
    use TaskKind as K;
    let one = RunningLimits {
        per_cluster: 1,
        per_store: 0,
    };
    let entries = [
        running(K::Verify),
        waiting(K::Verify, 1),
        waiting(K::Verify, 2),
        waiting(K::Restore, 3),
    ];
    assert!(matches!(turn_of(2, &entries, one), Turn::Full { .. }));
    assert_eq!(
        turn_of(4, &entries, one),
        Turn::Now,
        "a restore never waits"
    );
    let freed = &entries[1..];
    assert_eq!(turn_of(1, freed, one), Turn::Now);
    assert!(matches!(turn_of(2, freed, one), Turn::Full { .. }));
}

#[test]
fn a_task_at_the_limit_of_its_cluster_leaves_the_object_store_to_those_of_others() {
    use TaskKind as K;
    let limits = RunningLimits {
        per_cluster: 1,
        per_store: 2,
    };
    let elsewhere = Unfinished {
        cluster: cluster("other"),
        ..waiting(K::Verify, 3)
    };
    let entries = [
        running(K::Verify),
        waiting(K::Verify, 1),
        waiting(K::Verify, 2),
        elsewhere.clone(),
        elsewhere,
    ];
    assert_eq!(turn_of(4, &entries, limits), Turn::Now);
    assert!(matches!(turn_of(5, &entries, limits), Turn::Full { .. }));
    // Once its cluster has a place, it is first.
    let freed = &entries[1..];
    let one = RunningLimits {
        per_store: 1,
        ..limits
    };
    assert_eq!(turn_of(1, freed, one), Turn::Now);
    assert!(matches!(turn_of(3, freed, one), Turn::Full { .. }));
}

#[test]
fn a_task_that_could_not_use_a_place_leaves_it_to_the_next() {
    use TaskKind as K;
    let one = RunningLimits {
        per_cluster: 0,
        per_store: 1,
    };
    let mut blocked = waiting(K::Backup, 0);
    let first = [blocked.clone(), waiting(K::Verify, 1)];
    assert!(matches!(turn_of(2, &first, one), Turn::Full { .. }));
    blocked.phase = Phase::Waiting {
        since: FROM,
        blocked: true,
    };
    assert_eq!(
        turn_of(2, &[blocked, waiting(K::Verify, 1)], one),
        Turn::Now
    );
    let elsewhere = Unfinished {
        cluster: cluster("other"),
        ..running(K::Verify)
    };
    let full = [elsewhere, waiting(K::Verify, 1), waiting(K::Maintenance, 2)];
    assert!(matches!(turn_of(2, &full, one), Turn::Full { .. }));
    assert_eq!(turn_of(3, &full, one), Turn::Now, "it uses no store");
}
