//! What a restore does to the schema beyond its tables: what of the live one is undone, and what of the backup's is made in
//! another way.

use std::fmt::Write;

use crate::restore::SchemaRewrite;
use crate::shown::ShownPlan;
use crate::text_table::TextTable;

pub(super) fn changes(plan: &ShownPlan) -> String {
    if plan.schema_changes.is_empty() {
        return String::new();
    }
    let undone = match plan.supported {
        true => "UNDONE IN THE SCHEMA",
        false => "WOULD BE UNDONE IN THE SCHEMA",
    };
    let mut out = format!("{undone} (the CQL does it again after the restore)\n");
    for change in &plan.schema_changes {
        let _ = writeln!(out, "{}: {}", change.subject, change.what);
        for statement in &change.forward_cql {
            for line in format!("{statement};").lines() {
                let _ = writeln!(out, "    {line}");
            }
        }
    }
    out
}

pub(super) fn rewrites(rewrites: &[SchemaRewrite]) -> String {
    if rewrites.is_empty() {
        return String::new();
    }
    let mut rows = TextTable::new(&["MADE IN ANOTHER WAY", "HOW", "DONE"]);
    for rewrite in rewrites {
        let done = match rewrite.applied {
            true => "yes",
            false => "with --rewrite-schema",
        };
        rows.row([
            rewrite.subject.clone(),
            rewrite.what.clone(),
            done.to_owned(),
        ]);
    }
    rows.render()
}
