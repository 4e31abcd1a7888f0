//! Within a partition rows and markers ascend, and no row comes twice.

use std::cmp::Ordering;

use super::findings::Findings;
use crate::DATA;
use crate::big_check::Hex;
use crate::data::{ClusteringKind, PrefixOrder, damage};
use crate::error::Damage;

/// Compares each row or marker with the one before it in its partition.
pub(super) struct RowOrder {
    order: PrefixOrder,
    /// The row or marker before; empty at a partition's start.
    last: Vec<u8>,
    last_position: u64,
    not_compared: u64,
    findings: Findings,
}

impl RowOrder {
    pub(super) fn new(order: PrefixOrder) -> Self {
        Self {
            order,
            last: Vec::new(),
            last_position: 0,
            not_compared: 0,
            findings: Findings::new(DATA, "rows out of order or twice"),
        }
    }

    pub(super) fn partition(&mut self) {
        self.last.clear();
    }

    /// The next row's clustering or marker's bound, in the partition of `key`.
    pub(super) fn next(&mut self, key: &[u8], position: u64, prefix: &[u8]) {
        if !self.last.is_empty() {
            match self.order.compare(&self.last, prefix) {
                Some(Ordering::Less) => {}
                // Where one range ends another may begin.
                Some(Ordering::Equal) if !is_row(prefix) => {}
                Some(order) => {
                    let (last, at) = (&self.last, self.last_position);
                    self.findings
                        .add(|| disorder(order, key, (position, prefix), (at, last)));
                }
                None => self.not_compared += 1,
            }
        }
        self.last.clear();
        self.last.extend_from_slice(prefix);
        self.last_position = position;
    }

    /// All damage, and what was not checked.
    pub(super) fn finish(self) -> (Vec<Damage>, Option<String>) {
        let count = self.not_compared;
        let what = (count > 0).then(|| match self.order.unknown() {
            [] => format!("rows: the order of {count} is not checked: releases order such values differently"),
            types => {
                let types = types.join(", ");
                format!("rows: the order of {count} is not checked: it is unknown how {types} is ordered")
            }
        });
        (self.findings.into_damage(), what)
    }
}

fn is_row(prefix: &[u8]) -> bool {
    prefix.first() == Some(&(ClusteringKind::Clustering as u8))
}

fn disorder(order: Ordering, key: &[u8], of: (u64, &[u8]), before: (u64, &[u8])) -> Damage {
    let ((position, prefix), (before_position, before)) = (of, before);
    let name = |prefix: &[u8]| {
        let kind = if is_row(prefix) { "row" } else { "marker" };
        format!("{kind} {}", Hex(prefix.get(1..).unwrap_or_default()))
    };
    let what = match order {
        Ordering::Equal => format!("has the {} twice, the first time", name(prefix)),
        _ => format!(
            "has the {} behind the {}, out of order, which is",
            name(prefix),
            name(before)
        ),
    };
    let key = Hex(key);
    let what = format!("the partition with the key {key} {what} at byte {before_position}");
    damage(DATA, position, what)
}
