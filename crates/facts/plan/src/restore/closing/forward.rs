//! The CQL that brings forward again what the restore undoes in the schema, kept with the task: afterwards the live schema no
//! longer shows it.

use crate::findings::Findings;
use crate::restore::sstables::Restored;
use crate::{codes, wording};

/// A task keeps its findings in one document, so that their number has an end.
const CHANGES_MAX: usize = 100;

pub(crate) fn check(restored: &Restored, findings: &mut Findings) {
    let changes = restored.outcome.schema_changes.iter();
    let with_cql: Vec<_> = changes
        .filter(|change| !change.forward_cql.is_empty())
        .collect();
    for change in with_cql.iter().take(CHANGES_MAX) {
        findings.say(
            codes::SCHEMA_FORWARD,
            &change.subject,
            format!(
                "the restore undoes what was done to {} {}",
                change.subject, change.what
            ),
            format!("to have it again: {}", change.forward_cql.join("; ")),
        );
    }
    if let Some(more) = with_cql.get(CHANGES_MAX..).filter(|more| !more.is_empty()) {
        let subjects = more.iter().map(|change| &change.subject);
        findings.say(
            codes::SCHEMA_FORWARD,
            &restored.given.request.target,
            format!("the restore also undoes changes of {}", wording::list(subjects)),
            "`ringkeep restore plan --output json` has the CQL of all changes; keep it before you start",
        );
    }
}
