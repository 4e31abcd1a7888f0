//! Whether the backup has been read back since it was written, and what was found.

use std::collections::BTreeSet;

use model::manifest::{BackupManifest, VerificationResult};
use model::{Damage, Severity, VerifyLevel};

use super::Restored;
use crate::findings::Findings;
use crate::restore::schema::tables;
use crate::{codes, wording};

/// The least deep level that reads every byte.
const DEEP_ENOUGH: VerifyLevel = VerifyLevel::Objects;

pub(crate) fn check(restored: &Restored, findings: &mut Findings) {
    let given = restored.given;
    check_missing(restored, findings);
    check_results(given.backup, &given.request.verifications, findings);
}

/// What belongs to no table is a part of the backup itself. The files of a view that is rebuilt are not taken.
fn check_missing(restored: &Restored, findings: &mut Findings) {
    let given = restored.given;
    let wanted = tables::is_staged(&restored.outcome.decided);
    let is_needed = |it: &&Damage| it.table.is_empty() || wanted(&it.keyspace, &it.table);
    let name = &given.backup.backup;
    let list = format!("`ringkeep backup verify {name} --level manifest`");
    let Some(missing) = &given.request.missing else {
        findings.say_as(
            Severity::Advice,
            codes::OBJECTS_MISSING,
            name,
            "whether the bucket has every object of the backup was not checked: it took too long",
            format!("{list} looks for all of them"),
        );
        return;
    };
    let missing: Vec<&Damage> = missing.iter().filter(is_needed).collect();
    let Some(first) = missing.first() else {
        return;
    };
    let tables = missing.iter().filter(|it| !it.table.is_empty());
    let tables: BTreeSet<String> = tables
        .map(|it| format!("{}.{}", it.keyspace, it.table))
        .collect();
    let tables = if tables.is_empty() {
        String::new()
    } else {
        format!(" of {}", wording::list(&tables))
    };
    findings.say(
        codes::OBJECTS_MISSING,
        name,
        format!(
            "{}{tables} cannot be restored, the first {}: {}",
            wording::counted(missing.len() as u64, "object"),
            first.object,
            first.what
        ),
        format!("restore another backup, or leave these tables out; {list} lists all"),
    );
}

/// `verifications`: the newest of each level.
fn check_results(
    backup: &BackupManifest,
    verifications: &[VerificationResult],
    findings: &mut Findings,
) {
    // A verification from before the end of the backup was one of something else.
    let of_backup = |result: &&VerificationResult| result.verified_at >= backup.finished_at;
    let results: Vec<_> = verifications.iter().filter(of_backup).collect();
    let name = &backup.backup;
    let hint = format!(
        "`ringkeep backup verify {name} --level sstables` reads every byte of it; the restore itself checks all that it takes"
    );
    if let Some(found) = last_damage(&results) {
        let (at, damaged) = (found.verified_at, found.damaged);
        let message =
            format!("the verification of {at} found {damaged} places damaged or missing in it");
        findings.say(codes::BACKUP_UNVERIFIED, name, message, hint);
    } else if !results.iter().any(|result| result.level >= DEEP_ENOUGH) {
        let message = "the backup has not been read back since it was written";
        findings.say(codes::BACKUP_UNVERIFIED, name, message, hint);
    }
}

/// Damage that no later verification at least as deep has found to be gone.
fn last_damage<'a>(results: &[&'a VerificationResult]) -> Option<&'a VerificationResult> {
    let is_refuted = |damage: &VerificationResult| {
        results.iter().any(|later| {
            later.damaged == 0
                && later.level >= damage.level
                && later.verified_at > damage.verified_at
        })
    };
    let damage = results.iter().copied().filter(|result| result.damaged > 0);
    damage
        .filter(|damage| !is_refuted(damage))
        .max_by_key(|damage| damage.verified_at)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::restore::world::{backup, said};
    use VerifyLevel::{Manifest, Objects, Sstables};

    fn result(level: VerifyLevel, second: i64, damaged: u64) -> VerificationResult {
        VerificationResult {
            level,
            verified_at: Timestamp::from_second(second).expect("a time"),
            objects: 1,
            bytes: 1,
            sstables: 1,
            damaged,
            sample: None,
        }
    }

    /// What is said of a backup that was finished at second 1000.
    fn message(results: &[VerificationResult]) -> Option<String> {
        let mut backup = backup("cassandra 4.1.9", &["s1"]);
        backup.finished_at = Timestamp::from_second(1000).expect("a time");
        let found = said(|findings| check_results(&backup, results, findings));
        assert!(found.len() <= 1, "{found:?}");
        let finding = found.into_iter().next()?;
        assert_eq!(finding.code, "BACKUP_UNVERIFIED");
        Some(finding.message)
    }

    #[test]
    fn only_a_verification_since_the_backup_counts() {
        for (results, is_said) in [
            (vec![], true),
            (vec![result(Objects, 999, 0)], true),
            (vec![result(Objects, 1000, 0)], false),
        ] {
            assert_eq!(message(&results).is_some(), is_said, "{results:?}");
        }
    }

    #[test]
    fn only_a_verification_that_reads_every_byte_counts() {
        for (level, is_said) in [(Manifest, true), (Objects, false), (Sstables, false)] {
            let said = message(&[result(level, 2000, 0)]);
            assert_eq!(said.is_some(), is_said, "{level:?}");
        }
    }

    #[test]
    fn damage_is_said_until_a_verification_as_deep_finds_none() {
        let damage = result(Objects, 2000, 3);
        let said = message(std::slice::from_ref(&damage)).expect("damage");
        assert!(said.contains("found 3 places damaged"), "{said}");
        for (other, is_said) in [
            (result(Sstables, 1500, 0), true),
            (result(Manifest, 2500, 0), true),
            (result(Sstables, 2500, 0), false),
        ] {
            let said = message(&[damage.clone(), other.clone()]);
            assert_eq!(said.is_some(), is_said, "{other:?}");
        }
    }
}
