//! A table and what became of it.

use cassandra_schema::{Column, ColumnKind, DroppedColumn, Normal, OptionValue, Table};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{mask, options, order, sort_others, table, type_of};

/// A table, the same with one thing changed, and whether that is one by which data is stored.
pub fn mutated() -> impl Strategy<Value = (Table, Table, bool)> {
    (
        table(),
        0..10_u8,
        any::<prop::sample::Index>(),
        type_of(),
        order(),
    )
        .prop_filter_map(
            "the change must be one",
            |(table, what, which, of, order)| {
                let mut changed = table.clone();
                let at = which.index(changed.columns.len());
                let mut storage = true;
                match what {
                    0 => {
                        let column = &mut changed.columns[at];
                        column.of = of;
                        if column.normal_type() == table.columns[at].normal_type() {
                            return None;
                        }
                    }
                    1 => changed.columns[at].name.push('x'),
                    2 => {
                        let column = &mut changed.columns[at];
                        column.kind = match column.kind {
                            ColumnKind::Static => ColumnKind::Regular,
                            ColumnKind::Regular => ColumnKind::Static,
                            ColumnKind::Clustering(was) if was != order => {
                                ColumnKind::Clustering(order)
                            }
                            _ => return None,
                        };
                    }
                    3 => {
                        changed.columns.remove(at);
                    }
                    4 => changed.dropped.push(DroppedColumn {
                        name: "another one".to_owned(),
                        of,
                        is_static: false,
                        dropped_us: Some(1),
                    }),
                    5 => {
                        let dropped = changed.dropped.first_mut()?;
                        dropped.dropped_us = dropped.dropped_us.map(|us| us ^ 1);
                    }
                    6 => changed.compact_storage = !changed.compact_storage,
                    7 => {
                        storage = false;
                        let value = OptionValue::text("something else");
                        changed.options.insert("comment".to_owned(), value);
                        if table.options.get("comment") == changed.options.get("comment") {
                            return None;
                        }
                    }
                    8 => {
                        storage = false;
                        let option = changed.options.keys().next().cloned()?;
                        changed.options.remove(&option);
                        if table.normal().options == changed.normal().options {
                            return None;
                        }
                    }
                    _ => {
                        let keys = table.partition_key().count();
                        if keys < 2 {
                            return None;
                        }
                        changed.columns.swap(0, 1);
                    }
                }
                Some((table, changed, storage))
            },
        )
}

/// What may happen to a table that statements can do again.
pub fn evolved() -> impl Strategy<Value = (Table, Table)> {
    let plain = table().prop_map(|mut table| {
        table.triggers.clear();
        table.graph = None;
        table
    });
    let added = (type_of(), any::<bool>(), mask(), any::<bool>());
    (
        plain,
        vec(any::<(bool, bool)>(), 9),
        options(),
        added,
        any::<bool>(),
    )
        .prop_map(
            |(table, fates, options, (of, is_static, mask, adds), renames)| {
                let mut live = table.clone();
                let now = i64::MAX;
                for (column, (drops, again)) in table.others().zip(fates) {
                    if !drops {
                        continue;
                    }
                    live.dropped.retain(|dropped| dropped.name != column.name);
                    live.dropped.push(DroppedColumn {
                        name: column.name.clone(),
                        of: column.of.clone(),
                        is_static: column.kind == ColumnKind::Static,
                        dropped_us: Some(now),
                    });
                    if !again {
                        live.columns.retain(|kept| kept.name != column.name);
                    }
                }
                if adds {
                    live.columns.push(Column {
                        name: "added since".to_owned(),
                        of,
                        kind: if is_static {
                            ColumnKind::Static
                        } else {
                            ColumnKind::Regular
                        },
                        mask,
                    });
                }
                if renames {
                    live.columns[0].name = "renamed since".to_owned();
                }
                sort_others(&mut live);
                live.options = options;
                (table, live)
            },
        )
}

trait NormalType {
    fn normal_type(&self) -> String;
}

impl NormalType for Column {
    /// By the normal form of a table that has nothing else.
    fn normal_type(&self) -> String {
        let mut alone = Table::new("k", "t");
        alone.columns.push(self.clone());
        alone.normal().columns[0].of.to_string()
    }
}
