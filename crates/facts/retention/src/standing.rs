//! What each backup of a list is worth, with regard to what it shares files with.
//!
//! A differential refers to files of its base, and a full backup may have copies of files of others. Damage that was found
//! in one of two may be in the files that both need, or not.
//! Until a later verification has read all files of the other one and found nothing, that is kept, and does not count. Damage
//! in the rows of files whose bytes are as they were written is seen only by one that decodes rows.

mod copies;

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::{BackupName, VerifyLevel};

use crate::{Backup, Standing};

/// Damage that verifications have found.
#[derive(Debug, Clone, Copy)]
struct Found {
    at: Timestamp,
    /// It may be in what bytes mean, and not in the bytes.
    in_rows: bool,
}

impl Found {
    fn in_backup(backup: &Backup) -> Option<Self> {
        let at = backup.damage_found_at?;
        let in_bytes = [VerifyLevel::Manifest, VerifyLevel::Objects].map(Some);
        let in_rows = !in_bytes.contains(&backup.damage_level);
        Some(Self { at, in_rows })
    }

    /// Both: only what rules out each of them rules out this.
    fn and(self, other: Option<Self>) -> Self {
        let Some(other) = other else {
            return self;
        };
        Self {
            at: self.at.max(other.at),
            in_rows: self.in_rows || other.in_rows,
        }
    }

    /// Whether a backup was read since then in a way that would have found it, and nothing was found.
    fn is_ruled_out_by(self, backup: &Backup) -> bool {
        let in_bytes = backup.read_clean_at.filter(|_| !self.in_rows);
        in_bytes.max(backup.sstables_clean_at) > Some(self.at)
    }
}

/// What each backup is worth, in the order of the list, which has all backups of one cluster.
pub fn standings(backups: &[Backup]) -> Vec<Standing> {
    let by_name: BTreeMap<&BackupName, &Backup> = backups
        .iter()
        .map(|backup| (&backup.name, backup))
        .collect();
    // What was found in differentials, by their bases.
    let mut found_above: BTreeMap<&BackupName, Found> = BTreeMap::new();
    for backup in backups {
        if let (Some(base), Some(found)) = (&backup.base, Found::in_backup(backup)) {
            let all = found.and(found_above.get(base).copied());
            found_above.insert(base, all);
        }
    }
    let found_in_kin = copies::found_in_kin(backups);
    let each = backups.iter().zip(found_in_kin);
    let each = each.map(|(backup, found_in_kin)| {
        let by_base = match &backup.base {
            None => of_full(backup, found_above.get(&backup.name).copied()),
            Some(name) => {
                let base = by_name.get(name).copied();
                of_differential(backup, base, found_above.get(name).copied())
            }
        };
        let is_clear = found_in_kin.is_none_or(|found| found.is_ruled_out_by(backup));
        match by_base {
            Standing::Good if !is_clear => Standing::Suspect,
            other => other,
        }
    });
    each.collect()
}

fn of_full(backup: &Backup, found_above: Option<Found>) -> Standing {
    let is_clear = found_above.is_none_or(|found| found.is_ruled_out_by(backup));
    match backup.standing {
        Standing::Good if !is_clear => Standing::Suspect,
        own => own,
    }
}

/// Without a base, a complete differential is not whole.
fn of_differential(backup: &Backup, base: Option<&Backup>, found_above: Option<Found>) -> Standing {
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
            Some(found) if !found.is_ruled_out_by(base) && !found.is_ruled_out_by(backup) => {
                Standing::Suspect
            }
            _ => Standing::Good,
        },
        (Standing::Good, Standing::Damaged | Standing::Suspect) => {
            // What was kept damaged on its node is damaged without a date, and its bytes are as they were.
            let found = Found::in_backup(base).unwrap_or(Found {
                at: Timestamp::MIN,
                in_rows: true,
            });
            if found.and(found_above).is_ruled_out_by(backup) {
                Standing::Good
            } else {
                Standing::Suspect
            }
        }
        (Standing::Good, Standing::Running | Standing::Failed) => Standing::Damaged,
        // It is the only sign that the base is damaged, until the base itself has been read.
        (Standing::Damaged, Standing::Good) => match Found::in_backup(backup) {
            Some(found) if !found.is_ruled_out_by(base) => Standing::Suspect,
            _ => Standing::Damaged,
        },
        (own, _) => own,
    }
}

#[cfg(test)]
mod tests;
