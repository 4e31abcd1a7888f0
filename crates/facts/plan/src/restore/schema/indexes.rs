//! What becomes of the secondary indexes of a restored table.
//!
//! Online, indexes are built while files are loaded. In place their files are swapped too, so that both sides must have
//! the same indexes: one without files would return nothing.

use cassandra_schema::IndexKind;
use model::manifest::BackupManifest;
use model::plan::{RestoreMode, TableAction};
use model::{SchemaEntry, SchemaKind};

use super::outcome::Met;
use super::tables::Decided;
use crate::codes;
use crate::findings::Findings;
use crate::restore::given::schemas::{self, Schemas};
use crate::restore::given::target_schema::TargetSchema;

pub(crate) fn check(met: &Met, findings: &mut Findings) {
    let (backup, live) = (met.given.backup, &met.given.live);
    let (mode, schemas) = (met.given.inputs.mode, met.making.schemas);
    let (decided, in_the_way) = (met.making.decided, &met.found.in_the_way);
    for table in decided.iter().filter(|table| table.view_of.is_none()) {
        // Those of DSE Search are reported apart: nothing builds them while files are loaded.
        let stands = |index: &SchemaEntry| {
            let found = schemas.backup.index(&index.keyspace, &index.name);
            let is_search = found.is_some_and(|found| found.kind() == IndexKind::Search);
            !is_search && !in_the_way.contains(&schemas::key(index))
        };
        say_of_table(mode, table, backup, live, schemas, stands, findings);
    }
}

fn say_of_table(
    mode: RestoreMode,
    table: &Decided,
    backup: &BackupManifest,
    live: &TargetSchema,
    schemas: &Schemas,
    stands: impl Fn(&SchemaEntry) -> bool,
    findings: &mut Findings,
) {
    let base = &table.plan.table;
    let stored = || {
        backup
            .schema
            .dependents(SchemaKind::Index, &base.keyspace, &base.table)
    };
    let now = live.over(SchemaKind::Index, base);
    for index in &now {
        let was = stored().find(|was| was.name == index.name);
        let differs = was.is_none_or(|was| !schemas.same(was, index));
        if mode == RestoreMode::InPlace && differs {
            findings.say(
                codes::MODE_UNAVAILABLE,
                base,
                format!(
                    "{base} cannot be restored in place: its index {} is not that of the backup",
                    index.name
                ),
                "restore online",
            );
        }
    }
    if mode == RestoreMode::InPlace {
        return;
    }
    let keeps = table.plan.action == TableAction::Truncate;
    let later = now
        .iter()
        .copied()
        .filter(|now| keeps && !stored().any(|was| was.name == now.name));
    // Of one that cannot be made, it is said why.
    for index in stored().chain(later).filter(|index| stands(index)) {
        findings.say(
            codes::INDEX_REBUILD,
            format!("{}.{}", index.keyspace, index.name),
            format!(
                "the index {} of {base} is rebuilt while rows are loaded",
                index.name
            ),
            "",
        );
    }
    for index in stored().filter(|_| keeps) {
        let changed = now
            .iter()
            .find(|now| now.name == index.name)
            .is_some_and(|now| !schemas.same(index, now));
        if changed {
            findings.say(
                codes::SCHEMA_REVERTS,
                format!("{}.{}", index.keyspace, index.name),
                format!(
                    "the live index {} of {base} is dropped and made as it was in the backup",
                    index.name
                ),
                "",
            );
        }
    }
}
