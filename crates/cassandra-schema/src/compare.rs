//! Whether two definitions are the same.

use crate::function::{Aggregate, Function};
use crate::index::Index;
use crate::keyspace::Keyspace;
use crate::normal::Normal;
use crate::table::{Column, Table};
use crate::user_type::UserType;
use crate::view::View;

pub trait SameMeaning {
    /// Whether both mean the same, whichever release lines printed them.
    ///
    /// An option that only the older release has, away from its default, is a difference: rewrite the one for the
    /// release of the other first, to compare what is left.
    fn same_definition(&self, other: &Self) -> bool;
}

macro_rules! by_normal_form {
    ($($of:ty),*) => {
        $(impl SameMeaning for $of {
            fn same_definition(&self, other: &Self) -> bool {
                self.normal() == other.normal()
            }
        })*
    };
}

by_normal_form!(Keyspace, UserType, Function, Aggregate, Index, View);

impl SameMeaning for Table {
    fn same_definition(&self, other: &Self) -> bool {
        // Of a table without CQL nothing is known.
        !self.has_no_cql && !other.has_no_cql && self.normal() == other.normal()
    }
}

/// Whether SSTables of the one fit the other as they are: columns, types, keys, their order, what is static, what was
/// dropped. Options and masks do not count.
pub fn same_storage(a: &Table, b: &Table) -> bool {
    let stored = |table: &Table| {
        let table = table.normal();
        let unmasked = |column: Column| Column {
            mask: None,
            ..column
        };
        let columns: Vec<Column> = table.columns.into_iter().map(unmasked).collect();
        (columns, table.dropped, table.compact_storage)
    };
    !a.has_no_cql && !b.has_no_cql && stored(a) == stored(b)
}
