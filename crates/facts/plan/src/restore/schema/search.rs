//! The cores of DSE Search, which are no part of a backup and do not follow files that are loaded or swapped.

use cassandra_schema::{Index, IndexKind, Schema};
use model::TableRef;
use model::plan::TableAction;

use super::outcome::Met;
use super::tables::Decided;
use crate::codes;
use crate::cql::table_name;
use crate::findings::Findings;

pub(crate) fn check(met: &Met, findings: &mut Findings) {
    if !met.making.release.has_dse_services() {
        return;
    }
    let schemas = met.making.schemas;
    let decided = met.making.decided.iter();
    for table in decided.filter(|table| table.view_of.is_none()) {
        let base = &table.plan.table;
        if has_core(&schemas.backup, base) || stays(table) && has_core(&schemas.live, base) {
            say(base, findings);
        }
    }
}

/// Whether an index that the table has now is there after the restore, too.
fn stays(table: &Decided) -> bool {
    table.is_live && table.plan.action != TableAction::Recreate
}

fn has_core(schema: &Schema, table: &TableRef) -> bool {
    let is_core = |index: &Index| {
        index.keyspace == table.keyspace
            && index.table == table.table
            && index.kind() == IndexKind::Search
    };
    schema.indexes.iter().any(is_core)
}

fn say(table: &TableRef, findings: &mut Findings) {
    let name = table_name(table);
    findings.say(
        codes::SEARCH_REINDEX,
        table,
        format!(
            "{table} has a DSE Search index, whose core is no part of a backup: it may lack restored rows, and still find rows that were replaced"
        ),
        format!(
            "once the restore is done, on one Search node of each datacenter: `dsetool reload_core {name} reindex=true deleteAll=true`, which `dsetool core_indexing_status {name}` follows; by the documentation of DSE, on which this was not tried"
        ),
    );
}
