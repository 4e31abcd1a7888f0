//! Damage in backups that are connected by copies: what had rotted was copied with its rot.

use std::collections::BTreeMap;

use model::BackupName;

use super::Found;
use crate::Backup;

/// For each backup of the list: the damage that was found in others which it is connected with by copies.
pub(super) fn found_in_kin(backups: &[Backup]) -> Vec<Option<Found>> {
    let mut kin = Kin::default();
    for backup in backups {
        for other in backup.copied_from.iter().chain(&backup.base) {
            kin.connect(&backup.name, other);
        }
    }
    let families: Vec<usize> = backups.iter().map(|it| kin.family(&it.name)).collect();
    // A base and its differentials alone are judged by what they refer to.
    let mut found: BTreeMap<usize, Option<Found>> = BTreeMap::new();
    for (backup, family) in backups.iter().zip(&families) {
        if !backup.copied_from.is_empty() {
            found.insert(*family, None);
        }
    }
    for (backup, family) in backups.iter().zip(&families) {
        if let (Some(all), Some(own)) = (found.get_mut(family), Found::in_backup(backup)) {
            *all = Some(own.and(*all));
        }
    }
    let of_family = |family: usize| found.get(&family).copied().flatten();
    families.into_iter().map(of_family).collect()
}

/// Names that are connected, as a forest.
#[derive(Default)]
struct Kin<'a> {
    numbers: BTreeMap<&'a BackupName, usize>,
    parents: Vec<usize>,
}

impl<'a> Kin<'a> {
    fn connect(&mut self, one: &'a BackupName, other: &'a BackupName) {
        let (one, other) = (self.family(one), self.family(other));
        self.parents[one] = other;
    }

    /// The same number for all that are connected.
    fn family(&mut self, name: &'a BackupName) -> usize {
        let next = self.parents.len();
        let mut at = *self.numbers.entry(name).or_insert(next);
        if at == next {
            self.parents.push(next);
        }
        while self.parents[at] != at {
            self.parents[at] = self.parents[self.parents[at]];
            at = self.parents[at];
        }
        at
    }
}
