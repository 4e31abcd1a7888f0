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
        read_clean_at: None,
        pin: None,
        in_use: false,
        in_scope: true,
    }
}

fn damaged(backup: Backup, hour: i64) -> Backup {
    Backup {
        standing: Standing::Damaged,
        damage_found_at: Some(at(hour)),
        ..backup
    }
}

fn read(backup: Backup, hour: i64) -> Backup {
    Backup {
        read_clean_at: Some(at(hour)),
        ..backup
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
fn a_differential_without_its_base_is_not_whole() {
    assert_eq!(
        standings(&[read(backup("d", Some("gone")), 9)]),
        [Standing::Damaged]
    );
}
