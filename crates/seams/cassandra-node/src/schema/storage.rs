//! How a table is stored: as CQL makes it, or in one of the ways of the older API, which CQL calls `COMPACT STORAGE`.

use std::collections::BTreeSet;

use super::table::kind;
use crate::cql::{Row, RowError};

/// A table of CQL, or one that the older API made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Storage {
    Rows,
    /// `COMPACT STORAGE` with columns of fixed names: these are static columns to the storage engine, and the clustering
    /// column and value beside them are of no meaning.
    CompactStatic,
    /// `COMPACT STORAGE` with one value for each clustering.
    CompactDense,
}

impl Storage {
    /// None for a table that only the older API could make.
    pub fn of(row: &Row, columns: &[Row]) -> Result<Option<Self>, RowError> {
        let flags: BTreeSet<String> = row.texts("flags")?.into_iter().collect();
        let has = |flag: &str| flags.contains(flag);
        if has("super") {
            return Ok(None);
        }
        Ok(match (has("dense"), has("compound")) {
            (true, _) => can_make_dense(columns).then_some(Self::CompactDense),
            (false, true) => Some(Self::Rows),
            (false, false) if row.value("flags").is_none() => Some(Self::Rows),
            (false, false) => can_make_static(columns).then_some(Self::CompactStatic),
        })
    }
}

fn types<'a>(columns: &'a [Row], of_kind: &str) -> Vec<&'a str> {
    let of_kind = columns.iter().filter(|column| kind(column) == of_kind);
    of_kind
        .filter_map(|column| column.optional_text("type"))
        .collect()
}

/// Each row has a clustering and at most one value, and nothing is static.
fn can_make_dense(columns: &[Row]) -> bool {
    let clustering = types(columns, "clustering");
    !clustering.is_empty()
        && types(columns, "regular").len() <= 1
        && types(columns, "static").is_empty()
}

/// CQL orders the names of columns as texts, so that a table whose names are numbers, say, is stored in another order than
/// any statement could ask for. The value is a counter if the columns are; else any bytes will do.
fn can_make_static(columns: &[Row]) -> bool {
    let names = types(columns, "clustering");
    let fixed = types(columns, "static");
    let values = types(columns, "regular");
    let counts = |types: &[&str]| types.contains(&"counter");
    let is_text = |of: &&str| matches!(*of, "text" | "varchar" | "ascii");
    names.iter().all(is_text) && !fixed.is_empty() && counts(&fixed) == counts(&values)
}
