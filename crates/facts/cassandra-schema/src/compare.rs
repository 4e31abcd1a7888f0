//! Whether two definitions mean the same, and whether SSTables fit.

use crate::function::{Aggregate, Function};
use crate::index::Index;
use crate::keyspace::Keyspace;
use crate::normal::Normal;
use crate::schema::Schema;
use crate::table::{Column, DroppedColumn, Table};
use crate::user_type::UserType;
use crate::view::View;

/// Comparison by meaning.
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
        // Nothing is known about a table without CQL.
        !self.has_no_cql && !other.has_no_cql && self.normal() == other.normal()
    }
}

/// Whether SSTables of the one fit the other as they are, both ways: columns, types, keys, their order, static and
/// dropped columns. Options and masks do not count. User types are compared by name only; see [`same_user_types`].
pub fn same_storage(a: &Table, b: &Table) -> bool {
    let (stored_a, stored_b) = (stored(a), stored(b));
    is_known(a, b) && stored_a == stored_b && dropped(a) == dropped(b)
}

/// Whether SSTables of the backup fit the live table as they are. A column that the backup does not have may have
/// been added and dropped since.
pub fn fits_as_is(backup: &Table, live: &Table) -> bool {
    let (was, now) = (dropped(backup), dropped(live));
    let no_data_is_lost = now.iter().all(|now| {
        let known = was.iter().find(|was| was.name == now.name);
        match known {
            Some(was) if was == now => true,
            // Dropped again later: its data in the backup was deleted already.
            Some(was) => {
                let is_gone = backup.column(&now.name).is_none();
                is_gone && was.of == now.of && was.is_static == now.is_static && was < now
            }
            None => backup.column(&now.name).is_none(),
        }
    });
    let knows = |was: &DroppedColumn| now.iter().any(|now| now.name == was.name);
    is_known(backup, live)
        && stored(backup) == stored(live)
        && was.iter().all(knows)
        && no_data_is_lost
}

/// Whether the user-defined types in a table, including those in their fields, are the same in both schemas. A type
/// that one schema does not have is never the same.
pub fn same_user_types(table: &Table, a: &Schema, b: &Schema) -> bool {
    let (a, b) = (a.types_of(table), b.types_of(table));
    let is_there = |name: &str| a.iter().any(|of| of.name == name);
    let of_fields = a
        .iter()
        .flat_map(|of| of.fields.iter().map(|field| &field.of));
    let mut named = table
        .types()
        .chain(of_fields)
        .flat_map(|of| of.user_types());
    named.all(is_there) && a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a.same_definition(b))
}

fn is_known(a: &Table, b: &Table) -> bool {
    !a.has_no_cql && !b.has_no_cql
}

fn stored(table: &Table) -> (Vec<Column>, bool) {
    let unmasked = |column: Column| Column {
        mask: None,
        ..column
    };
    let columns = table.normal().columns.into_iter().map(unmasked).collect();
    (columns, table.compact_storage)
}

fn dropped(table: &Table) -> Vec<DroppedColumn> {
    table.normal().dropped
}
