//! A backup whose snapshots are far apart.

use model::Severity;

use crate::findings::Findings;
use crate::restore::sstables::Restored;
use crate::{codes, snapshots_apart};

pub(crate) fn check(restored: &Restored, findings: &mut Findings) {
    let backup = restored.given.backup;
    let Some(message) = snapshots_apart(backup.snapshot_spread_ms) else {
        return;
    };
    findings.say_as(
        Severity::Advice,
        codes::SNAPSHOTS_APART,
        &backup.backup,
        message,
        "restore another backup if programs rely on such rows; else repair after the restore",
    );
}
