//! Damage in one of two backups that share files.

use super::*;

fn at(hour: i64) -> Timestamp {
    Timestamp::from_second(hour * 3600).expect("a time")
}

fn backup(name: &str, base: Option<&str>) -> Backup {
    Backup {
        name: name.parse().expect("a name"),
        base: base.map(|base| base.parse().expect("a name")),
        started_at: at(1),
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

fn damaged(backup: Backup, hour: i64) -> Backup {
    Backup {
        standing: Standing::Damaged,
        damage_found_at: Some(at(hour)),
        damage_level: Some(VerifyLevel::Objects),
        ..backup
    }
}

fn read(backup: Backup, hour: i64) -> Backup {
    Backup {
        read_clean_at: Some(at(hour)),
        ..backup
    }
}

/// Found by a verification that decodes rows, and perhaps by no other.
fn damaged_in_rows(backup: Backup, hour: i64) -> Backup {
    Backup {
        damage_level: Some(VerifyLevel::Sstables),
        ..damaged(backup, hour)
    }
}

fn decoded(backup: Backup, hour: i64) -> Backup {
    Backup {
        sstables_clean_at: Some(at(hour)),
        ..read(backup, hour)
    }
}

fn check(full: Backup, differential: Backup, expected: [Standing; 2]) {
    assert_eq!(standings(&[full, differential]), expected);
}

#[test]
fn damage_found_by_a_differential_makes_its_base_suspect_until_that_is_read() {
    let full = backup("full", None);
    let differential = damaged(backup("d", Some("full")), 10);
    let both = [Standing::Suspect, Standing::Suspect];
    check(full.clone(), differential.clone(), both);
    check(read(full.clone(), 9), differential.clone(), both);
    // Then the damage is in the files of the differential itself, or in the base, which is known to be damaged then.
    let own = [Standing::Good, Standing::Damaged];
    check(read(full.clone(), 11), differential.clone(), own);
    let base = [Standing::Damaged, Standing::Damaged];
    check(damaged(full, 11), differential, base);
}

#[test]
fn a_damaged_base_makes_a_differential_suspect_until_that_is_read() {
    let full = damaged(backup("full", None), 10);
    let differential = backup("d", Some("full"));
    let suspect = [Standing::Damaged, Standing::Suspect];
    check(full.clone(), differential.clone(), suspect);
    check(full.clone(), read(differential.clone(), 9), suspect);
    let whole = [Standing::Damaged, Standing::Good];
    check(full, read(differential, 11), whole);
}

#[test]
fn damage_found_by_one_differential_makes_its_siblings_suspect() {
    let full = backup("full", None);
    let first = damaged(backup("d1", Some("full")), 10);
    let second = backup("d2", Some("full"));
    let suspect = [Standing::Suspect; 3];
    assert_eq!(
        standings(&[full.clone(), first.clone(), second.clone()]),
        suspect
    );
    let third = [Standing::Suspect, Standing::Suspect, Standing::Good];
    assert_eq!(standings(&[full, first, read(second, 11)]), third);
}

#[test]
fn damage_in_rows_is_ruled_out_only_by_reading_rows() {
    let full = backup("full", None);
    let differential = backup("d", Some("full"));
    let both = [Standing::Suspect, Standing::Suspect];
    let own = [Standing::Good, Standing::Damaged];
    let found = damaged_in_rows(differential.clone(), 10);
    check(read(full.clone(), 11), found.clone(), both);
    check(decoded(full.clone(), 11), found.clone(), own);
    check(decoded(full.clone(), 9), found, both);
    // An older catalog does not say at which level.
    let unknown = Backup {
        damage_level: None,
        ..damaged(differential.clone(), 10)
    };
    check(read(full.clone(), 11), unknown, both);
    let base = damaged_in_rows(full.clone(), 10);
    let suspect = [Standing::Damaged, Standing::Suspect];
    check(base.clone(), read(differential.clone(), 11), suspect);
    let whole = [Standing::Damaged, Standing::Good];
    check(base, decoded(differential.clone(), 11), whole);
    // What was kept damaged on its node has the bytes that it was written with.
    let kept = with_standing(Standing::Damaged, full);
    check(kept.clone(), read(differential.clone(), 11), suspect);
    check(kept, decoded(differential, 11), whole);
}

#[test]
fn damage_in_rows_of_one_differential_makes_its_siblings_suspect_until_their_rows_are_read() {
    let full = backup("full", None);
    let first = damaged_in_rows(backup("d1", Some("full")), 10);
    // What another one has found later in bytes does not make less of it.
    let second = damaged(backup("d2", Some("full")), 11);
    let third = backup("d3", Some("full"));
    let standing = |third: Backup| {
        let all = [full.clone(), first.clone(), second.clone(), third];
        standings(&all)[3]
    };
    assert_eq!(standing(read(third.clone(), 12)), Standing::Suspect);
    assert_eq!(standing(decoded(third, 12)), Standing::Good);
}

fn with_standing(standing: Standing, backup: Backup) -> Backup {
    Backup { standing, ..backup }
}

#[test]
fn a_differential_without_its_base_is_not_whole() {
    assert_eq!(
        standings(&[read(backup("d", Some("gone")), 9)]),
        [Standing::Damaged]
    );
}

fn copied(backup: Backup, from: &str) -> Backup {
    Backup {
        copied_from: [from.parse().expect("a name")].into(),
        ..backup
    }
}

#[test]
fn damage_found_in_one_of_several_copies_makes_the_others_suspect_until_they_are_read() {
    use Standing::{Damaged, Good, Suspect};
    let other = backup("other", None);
    let first = backup("a", None);
    let second = copied(backup("b", None), "a");
    let third = damaged(copied(backup("c", None), "a"), 10);
    let all = [other.clone(), first.clone(), second.clone(), third.clone()];
    assert_eq!(standings(&all), [Good, Suspect, Suspect, Damaged]);
    // The one that they descend from may be gone.
    let left = [second.clone(), third.clone()];
    assert_eq!(standings(&left), [Suspect, Damaged]);
    let read_before = [read(second.clone(), 9), third.clone()];
    assert_eq!(standings(&read_before), [Suspect, Damaged]);
    let read_since = [read(first, 11), second, third.clone()];
    assert_eq!(standings(&read_since), [Good, Suspect, Damaged]);
    let above = copied(backup("d", Some("other")), "a");
    let clean = [other, above, third];
    assert_eq!(standings(&clean), [Suspect, Suspect, Damaged]);
}

#[test]
fn damage_found_in_a_differential_makes_copies_of_its_base_suspect() {
    use Standing::{Damaged, Good, Suspect};
    let base = backup("a", None);
    let differential = damaged(backup("d", Some("a")), 10);
    let copy = copied(backup("b", None), "a");
    let on_copy = backup("e", Some("b"));
    let all = [base, differential, copy, on_copy.clone()];
    assert_eq!(standings(&all), [Suspect; 4]);
    let mut read_all = all.map(|backup| read(backup, 11));
    read_all[1] = damaged(backup("d", Some("a")), 10);
    assert_eq!(standings(&read_all), [Good, Damaged, Good, Good]);
}
