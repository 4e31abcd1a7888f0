//! Whether anybody has read the backup back since it was written.

use jiff::Timestamp;
use model::manifest::BackupManifest;

use super::Restored;
use crate::codes;
use crate::findings::Findings;

/// Verifications are not recorded anywhere yet, so that none is known.
pub(crate) fn check(restored: &Restored, findings: &mut Findings) {
    check_since(restored.given.backup, None, findings);
}

/// `verified_at`: when the last verification of the backup that found nothing was done, where one is known.
fn check_since(backup: &BackupManifest, verified_at: Option<Timestamp>, findings: &mut Findings) {
    // A verification of before the end of the backup was one of something else.
    if verified_at.is_some_and(|at| at >= backup.finished_at) {
        return;
    }
    let name = &backup.backup;
    findings.say(
        codes::BACKUP_UNVERIFIED,
        &backup.backup,
        "the backup has not been read back since it was written",
        format!("`ringkeep backup verify {name} --level sstables` reads every byte of it; the restore itself checks all that it takes"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::restore::world::{backup, brief, said};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn only_a_verification_since_the_backup_counts() {
        let mut backup = backup("cassandra 4.1.9", &["s1"]);
        backup.finished_at = at(1000);
        for (verified_at, told) in [(None, true), (Some(999), true), (Some(1000), false)] {
            let found = said(|findings| check_since(&backup, verified_at.map(at), findings));
            let expected = if told {
                vec!["Advice BACKUP_UNVERIFIED prod/nightly-1".to_owned()]
            } else {
                Vec::new()
            };
            assert_eq!(brief(&found), expected, "{verified_at:?}");
        }
    }
}
