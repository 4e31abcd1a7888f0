//! What a restore does to the schema beyond its tables: which parts of the live one are undone, and which of the backup's are made in
//! another way.

use std::fmt::Write;

use super::statements::{self, Statements};
use crate::restore::SchemaRewrite;
use crate::text_table::TextTable;
use crate::wording;
use model::plan::ShownPlan;

/// How many changes and rewrites are shown.
const SHOWN_MAX: usize = 10;

pub(super) fn changes(plan: &ShownPlan, statements: Statements) -> String {
    if plan.schema_changes.is_empty() {
        return String::new();
    }
    let undone = if plan.supported {
        "UNDONE IN THE SCHEMA"
    } else {
        "WOULD BE UNDONE IN THE SCHEMA"
    };
    let shown_max = match statements {
        Statements::Counted => SHOWN_MAX,
        Statements::All => usize::MAX,
    };
    let mut out = format!("{undone} (the CQL does it again after the restore)\n");
    for change in plan.schema_changes.iter().take(shown_max) {
        let _ = writeln!(out, "{}: {}", change.subject, change.what);
        statements::of_step(&mut out, &change.forward_cql, statements);
    }
    let more: Vec<&str> = plan
        .schema_changes
        .iter()
        .skip(shown_max)
        .map(|change| change.subject.as_str())
        .collect();
    if !more.is_empty() {
        let count = wording::count(more.len() as u64);
        let names = wording::list(more);
        let _ = writeln!(out, "and {count} more: {names}; --output json has all");
    }
    out
}

pub(super) fn rewrites(rewrites: &[SchemaRewrite]) -> String {
    if rewrites.is_empty() {
        return String::new();
    }
    let mut rows = TextTable::new(&["MADE IN ANOTHER WAY", "HOW", "DONE"]);
    for rewrite in rewrites.iter().take(SHOWN_MAX) {
        let done = if rewrite.applied {
            "yes"
        } else {
            "with --rewrite-schema"
        };
        rows.row([
            rewrite.subject.clone(),
            rewrite.what.clone(),
            done.to_owned(),
        ]);
    }
    let mut out = rows.render();
    let more = rewrites.iter().skip(SHOWN_MAX);
    let more: Vec<&String> = more.map(|rewrite| &rewrite.subject).collect();
    if !more.is_empty() {
        let count = wording::count(more.len() as u64);
        let _ = writeln!(out, "and {count} more: {}", wording::list(more));
    }
    out
}
