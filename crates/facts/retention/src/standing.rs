//! What each backup of a list is worth, with regard to what it shares files with.
//!
//! A differential refers to files of its base. Damage that was found in one of two may be in the files that both need, or not.
//! Until a later verification has read all files of the other one and found nothing, that is kept, and does not count.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::BackupName;

use crate::{Backup, Standing};

/// What each backup is worth, in the order of the list.
pub(crate) fn standings(backups: &[Backup]) -> Vec<Standing> {
    let by_name: BTreeMap<&BackupName, &Backup> = backups
        .iter()
        .map(|backup| (&backup.name, backup))
        .collect();
    // When damage was found in differentials, by their bases.
    let mut found_above: BTreeMap<&BackupName, Timestamp> = BTreeMap::new();
    for backup in backups {
        if let (Some(base), Some(found_at)) = (&backup.base, backup.damage_found_at) {
            let newest = found_above.entry(base).or_insert(found_at);
            *newest = found_at.max(*newest);
        }
    }
    let each = backups.iter().map(|backup| match &backup.base {
        None => of_full(backup, found_above.get(&backup.name).copied()),
        Some(name) => {
            let base = by_name.get(name).copied();
            of_differential(backup, base, found_above.get(name).copied())
        }
    });
    each.collect()
}

fn of_full(backup: &Backup, found_above: Option<Timestamp>) -> Standing {
    match found_above {
        Some(found_at) if backup.standing == Standing::Good && !is_read_after(backup, found_at) => {
            Standing::Suspect
        }
        _ => backup.standing,
    }
}

/// Without a base, a complete differential is not whole.
fn of_differential(
    backup: &Backup,
    base: Option<&Backup>,
    found_above: Option<Timestamp>,
) -> Standing {
    let Some(base) = base else {
        return match backup.standing {
            Standing::Good | Standing::Suspect => Standing::Damaged,
            own => own,
        };
    };
    match (backup.standing, base.standing) {
        // The deletion of a base that something builds on is refused, and its mark taken back.
        (Standing::Good, Standing::Unreadable | Standing::Deleting) => Standing::Unreadable,
        (Standing::Good, Standing::Good) => match found_above {
            Some(found_at)
                if !is_read_after(base, found_at) && !is_read_after(backup, found_at) =>
            {
                Standing::Suspect
            }
            _ => Standing::Good,
        },
        (Standing::Good, Standing::Damaged | Standing::Suspect) => {
            // What was kept damaged on its node is damaged without a date.
            let found_at = base.damage_found_at.max(found_above);
            let found_at = found_at.unwrap_or(Timestamp::MIN);
            if is_read_after(backup, found_at) {
                Standing::Good
            } else {
                Standing::Suspect
            }
        }
        (Standing::Good, Standing::Running | Standing::Failed) => Standing::Damaged,
        // It is the only sign that the base is damaged, until the base itself has been read.
        (Standing::Damaged, Standing::Good) => match backup.damage_found_at {
            Some(found_at) if !is_read_after(base, found_at) => Standing::Suspect,
            _ => Standing::Damaged,
        },
        (own, _) => own,
    }
}

fn is_read_after(backup: &Backup, found_at: Timestamp) -> bool {
    backup
        .read_clean_at
        .is_some_and(|read_at| read_at > found_at)
}

#[cfg(test)]
mod tests;
