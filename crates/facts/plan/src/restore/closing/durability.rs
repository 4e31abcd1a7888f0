//! Live keyspaces whose `durable_writes` is not as it was: that is no matter of the rows, so that a restore leaves it alone.

use model::Severity;
use model::cql::quote;

use crate::codes;
use crate::findings::Findings;
use crate::restore::sstables::Restored;

pub(crate) fn check(restored: &Restored, findings: &mut Findings) {
    let schemas = &restored.given.inputs.schemas;
    for name in &restored.given.selected.keyspaces {
        let both = schemas
            .backup
            .keyspace(name)
            .zip(schemas.live.keyspace(name));
        let Some((was, now)) = both.filter(|(was, now)| was.durable_writes != now.durable_writes)
        else {
            continue;
        };
        let (severity, effect) = if now.durable_writes {
            (Severity::Advice, "its writes go through the commit log")
        } else {
            (
                Severity::Warning,
                "a node that crashes loses writes to it that are not flushed",
            )
        };
        findings.say_as(
            severity,
            codes::DURABLE_WRITES_DIFFER,
            name,
            format!(
                "{name} has durable_writes = {} on the target and had {} in the backup; it stays as it is: {effect}",
                now.durable_writes, was.durable_writes
            ),
            format!(
                "to have it as it was: ALTER KEYSPACE {} WITH durable_writes = {}",
                quote(name),
                was.durable_writes
            ),
        );
    }
}
