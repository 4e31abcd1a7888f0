//! Within a row the cells of a collection or user type ascend by what identifies them, and none comes twice.

use std::cmp::Ordering;

use super::findings::Findings;
use crate::DATA;
use crate::big_check::Hex;
use crate::data::{CellPath, damage};
use crate::error::Damage;
use crate::statistics::header::{Column, SerializationHeader};
use crate::types::{TypeClass, ValueOrder};

/// Compares each cell's path with that of the cell before it.
pub(super) struct CellOrder {
    statics: Vec<Option<ValueOrder>>,
    regulars: Vec<Option<ValueOrder>>,
    /// The path of the cell before; `None` if it was too long to be held.
    last: Option<Vec<u8>>,
    not_compared: u64,
    findings: Findings,
}

impl CellOrder {
    pub(super) fn new(header: &SerializationHeader) -> Self {
        Self {
            statics: orders(&header.static_columns),
            regulars: orders(&header.regular_columns),
            last: None,
            not_compared: 0,
            findings: Findings::new(DATA, "cells out of order or twice"),
        }
    }

    /// The next cell, in the partition of `key`.
    pub(super) fn next(&mut self, key: &[u8], cell: &CellPath<'_>) {
        if !cell.is_first {
            self.compare(key, cell);
        }
        let Some(path) = cell.bytes else {
            self.last = None;
            return;
        };
        let last = self.last.get_or_insert_default();
        last.clear();
        last.extend_from_slice(path);
    }

    fn compare(&mut self, key: &[u8], cell: &CellPath<'_>) {
        let columns = match cell.is_static {
            true => &self.statics,
            false => &self.regulars,
        };
        let order = columns.get(cell.column).and_then(Option::as_ref);
        let compared = match (order, &self.last, cell.bytes) {
            (Some(order), Some(last), Some(path)) => order.compare(last, path),
            _ => None,
        };
        match compared {
            Some(Ordering::Less) => {}
            Some(order) => self.findings.add(|| disorder(order, key, cell)),
            None => self.not_compared += 1,
        }
    }

    /// All damage, and what was not checked.
    pub(super) fn finish(self) -> (Vec<Damage>, Option<String>) {
        let count = self.not_compared;
        let what = format!(
            "rows: the order of {count} cells of collections is not checked: it is unknown or not the \
             same in all releases, or they are too long"
        );
        (self.findings.into_damage(), (count > 0).then_some(what))
    }
}

fn orders(columns: &[Column]) -> Vec<Option<ValueOrder>> {
    columns
        .iter()
        .map(|column| ValueOrder::of_paths(&TypeClass::parse(&column.type_class).ok()?))
        .collect()
}

fn disorder(order: Ordering, key: &[u8], cell: &CellPath<'_>) -> Damage {
    let path = Hex(cell.bytes.unwrap_or_default());
    let what = match order {
        Ordering::Equal => "twice",
        _ => "behind one that it belongs before",
    };
    let column = match cell.is_static {
        true => format!("static column {}", cell.column),
        false => format!("column {}", cell.column),
    };
    let key = Hex(key);
    let what =
        format!("a row of the partition with the key {key} has the cell {path} of {column} {what}");
    damage(DATA, cell.position, what)
}
