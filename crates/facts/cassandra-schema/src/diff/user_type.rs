//! Compares one user-defined type of the backup with the live one.

use model::cql::quote;

use super::{Changed, Forward, Rename, Why};
use crate::cql_type::CqlType;
use crate::normal::Normal;
use crate::user_type::{Field, UserType};

/// What a restore takes back of one user-defined type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypeDiff {
    /// The type's keyspace.
    pub keyspace: String,
    /// The type's name.
    pub name: String,
    /// Live fields that the backup does not have.
    pub fields_lost: Vec<Field>,
    /// Fields of the backup that are not live. No statement removes a field, so the type was recreated.
    pub fields_reappear: Vec<Field>,
    /// Fields that were renamed since the backup.
    pub renamed: Vec<Rename>,
    /// Fields whose type was changed since the backup.
    pub types_revert: Vec<Changed<CqlType>>,
    /// How the changes are brought forward again.
    pub forward: Forward,
}

impl TypeDiff {
    /// Whether the two are the same.
    pub fn is_empty(&self) -> bool {
        self.fields_lost.is_empty()
            && self.fields_reappear.is_empty()
            && self.renamed.is_empty()
            && self.types_revert.is_empty()
    }
}

/// Compares a type of the backup with the live type of the same name. Values are stored in the order of the fields,
/// so fields are compared by position.
pub fn diff_type(backup: &UserType, live: &UserType) -> TypeDiff {
    let name = live.cql_name();
    let mut diff = TypeDiff {
        keyspace: live.keyspace.clone(),
        name: live.name.clone(),
        ..TypeDiff::default()
    };
    let (was, now) = (backup.normal().fields, live.normal().fields);
    let mut renames = Vec::new();
    for (a, b) in was.iter().zip(&now) {
        if a.name != b.name {
            renames.push(format!("{} TO {}", quote(&a.name), quote(&b.name)));
            diff.renamed.push(Rename {
                backup: a.name.clone(),
                live: b.name.clone(),
            });
        }
        if a.of != b.of {
            let what = format!("{name}.{}", quote(&b.name));
            diff.forward.cannot(what, Why::FieldType);
            diff.types_revert.push(Changed {
                name: b.name.clone(),
                backup: a.of.clone(),
                live: b.of.clone(),
            });
        }
    }
    if !renames.is_empty() {
        let statement = format!("ALTER TYPE {name} RENAME {}", renames.join(" AND "));
        diff.forward.statements.push(statement);
    }
    for field in was.iter().skip(now.len()) {
        let what = format!("{name}.{}", quote(&field.name));
        diff.forward.cannot(what, Why::FieldRemoved);
        diff.fields_reappear.push(field.clone());
    }
    for field in now.iter().skip(was.len()) {
        let (field_name, of) = (quote(&field.name), &field.of);
        let statement = format!("ALTER TYPE {name} ADD {field_name} {of}");
        diff.forward.statements.push(statement);
        diff.fields_lost.push(field.clone());
    }
    diff
}
