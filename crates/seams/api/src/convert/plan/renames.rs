//! Names that a restore gives, on the wire: a request has its options in another field if it renames, so that a service
//! that does not know renames refuses it.

use model::TableRef;
use model::plan::{Rename, RestoreOptions};

use super::options;
use crate::convert::{ConversionError, all, all_into, required};
use crate::pb::planner as pb;

/// The two fields of a request that have the options; one of them is set.
pub fn options_to_wire(
    mut of: RestoreOptions,
) -> (Option<pb::RestoreOptions>, Option<pb::RenamingRestore>) {
    let renames = std::mem::take(&mut of.renames);
    let options = Some(options::to_wire(of));
    if renames.is_empty() {
        return (options, None);
    }
    let renames = all_into(renames);
    (None, Some(pb::RenamingRestore { options, renames }))
}

/// The options of a request. A request with both fields or with neither is refused, and so is a restore that is said to
/// rename and does not.
pub fn options_of_wire(
    plain: Option<pb::RestoreOptions>,
    renaming: Option<pb::RenamingRestore>,
) -> Result<RestoreOptions, ConversionError> {
    let Some(renaming) = renaming else {
        return options::of_wire(required("options", plain)?);
    };
    if plain.is_some() {
        let why = "is set, and options are given";
        return Err(ConversionError::invalid("renaming", why));
    }
    if renaming.renames.is_empty() {
        return Err(ConversionError::missing("renaming.renames"));
    }
    Ok(RestoreOptions {
        renames: all(renaming.renames)?,
        ..options::of_wire(required("renaming.options", renaming.options)?)?
    })
}

impl From<Rename> for pb::Rename {
    fn from(rename: Rename) -> Self {
        match rename {
            Rename::Keyspace { from, to } => Self {
                keyspace: from,
                new_keyspace: to,
                ..Self::default()
            },
            Rename::Table { from, to } => Self {
                keyspace: from.keyspace,
                table: from.table,
                new_keyspace: to.keyspace,
                new_table: to.table,
            },
        }
    }
}

impl TryFrom<pb::Rename> for Rename {
    type Error = ConversionError;

    fn try_from(rename: pb::Rename) -> Result<Self, ConversionError> {
        let empty = |name: &str| name.is_empty();
        if empty(&rename.keyspace) || empty(&rename.new_keyspace) {
            return Err(ConversionError::missing("renames.keyspace"));
        }
        match (empty(&rename.table), empty(&rename.new_table)) {
            (true, true) => Ok(Self::Keyspace {
                from: rename.keyspace,
                to: rename.new_keyspace,
            }),
            (false, false) => Ok(Self::Table {
                from: TableRef::new(rename.keyspace, rename.table),
                to: TableRef::new(rename.new_keyspace, rename.new_table),
            }),
            _ => Err(ConversionError::missing("renames.table")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renames() -> Vec<Rename> {
        vec![
            Rename::Keyspace {
                from: "crm".into(),
                to: "crm_copy".into(),
            },
            Rename::Table {
                from: TableRef::new("shop", "orders"),
                to: TableRef::new("shop", "orders_copy"),
            },
        ]
    }

    #[test]
    fn renames_survive_the_wire_in_a_field_that_earlier_releases_do_not_read() {
        let options = RestoreOptions {
            renames: renames(),
            rewrite_schema: true,
            ..RestoreOptions::default()
        };
        let (plain, renaming) = options_to_wire(options.clone());
        // What an earlier release reads of it: a request without options, which it refuses.
        assert_eq!(plain, None);
        assert_eq!(options_of_wire(plain, renaming), Ok(options));
        let (plain, renaming) = options_to_wire(RestoreOptions::default());
        assert_eq!(renaming, None);
        assert_eq!(
            options_of_wire(plain, renaming),
            Ok(RestoreOptions::default())
        );
    }

    #[test]
    fn options_that_may_be_taken_in_two_ways_are_refused() {
        let (plain, _) = options_to_wire(RestoreOptions::default());
        let (_, renaming) = options_to_wire(RestoreOptions {
            renames: renames(),
            ..RestoreOptions::default()
        });
        let none = renaming.clone().map(|it| pb::RenamingRestore {
            renames: Vec::new(),
            ..it
        });
        let half = renaming.clone().map(|mut it| {
            it.renames[1].new_table.clear();
            it
        });
        for (plain, renaming, field) in [
            (None, None, "options"),
            (plain, renaming, "renaming"),
            (None, none, "renaming.renames"),
            (None, half, "renames.table"),
        ] {
            let error = options_of_wire(plain, renaming).expect_err(field);
            assert_eq!(error.field, field);
        }
    }
}
