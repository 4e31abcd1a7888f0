//! The order in which the objects of a schema are created, so that each finds what it needs.

use std::collections::{BTreeMap, BTreeSet};

use cassandra_versions::Release;
use model::SchemaKind;
use model::cql::{Token, tokens};

use crate::function::{Aggregate, Function};
use crate::index::Index;
use crate::keyspace::Keyspace;
use crate::schema::Schema;
use crate::table::Table;
use crate::user_type::UserType;
use crate::view::View;

/// One object of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object<'a> {
    /// A keyspace.
    Keyspace(&'a Keyspace),
    /// A user-defined type.
    Type(&'a UserType),
    /// A user-defined function.
    Function(&'a Function),
    /// A user-defined aggregate.
    Aggregate(&'a Aggregate),
    /// A table.
    Table(&'a Table),
    /// A secondary index.
    Index(&'a Index),
    /// A materialized view.
    View(&'a View),
}

/// Identifies an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// The kind of object.
    pub kind: SchemaKind,
    /// The keyspace that it is in, or that it is.
    pub keyspace: String,
    /// The name; for functions and aggregates with the types of their arguments.
    pub name: String,
}

impl<'a> Object<'a> {
    /// The key that identifies the object.
    pub fn key(self) -> ObjectKey {
        let (kind, name) = match self {
            Self::Keyspace(keyspace) => (SchemaKind::Keyspace, keyspace.name.clone()),
            Self::Type(user_type) => (SchemaKind::Type, user_type.name.clone()),
            Self::Function(function) => (SchemaKind::Function, function.signature()),
            Self::Aggregate(aggregate) => (SchemaKind::Aggregate, aggregate.signature()),
            Self::Table(table) => (SchemaKind::Table, table.name.clone()),
            Self::Index(index) => (SchemaKind::Index, index.name.clone()),
            Self::View(view) => (SchemaKind::View, view.name.clone()),
        };
        ObjectKey {
            kind,
            keyspace: self.keyspace().to_owned(),
            name,
        }
    }

    /// The keyspace that it is in, or that it is.
    pub fn keyspace(self) -> &'a str {
        match self {
            Self::Keyspace(keyspace) => &keyspace.name,
            Self::Type(user_type) => &user_type.keyspace,
            Self::Function(function) => &function.keyspace,
            Self::Aggregate(aggregate) => &aggregate.keyspace,
            Self::Table(table) => &table.keyspace,
            Self::Index(index) => &index.keyspace,
            Self::View(view) => &view.keyspace,
        }
    }

    /// The statements that create it, in their order: dropped columns and triggers come with their table.
    pub fn to_cql(self) -> Vec<String> {
        match self {
            Self::Keyspace(keyspace) => vec![keyspace.to_cql()],
            Self::Type(user_type) => vec![user_type.to_cql()],
            Self::Function(function) => vec![function.to_cql()],
            Self::Aggregate(aggregate) => vec![aggregate.to_cql()],
            Self::Table(table) => table.to_cql(),
            Self::Index(index) => index.to_cql(),
            Self::View(view) => vec![view.to_cql()],
        }
    }

    /// The same in the dialect of this release.
    pub fn to_cql_for(self, release: &Release) -> Vec<String> {
        match self {
            Self::Table(table) => table.to_cql_for(release),
            _ => self.to_cql(),
        }
    }

    /// Whether it can only be created after the other one.
    pub fn needs(self, other: Object) -> bool {
        if let Object::Keyspace(keyspace) = other {
            return !matches!(self, Self::Keyspace(_)) && self.keyspace() == keyspace.name;
        }
        let same_keyspace = self.keyspace() == other.keyspace();
        match (self, other) {
            (_, Object::Type(needed)) => {
                same_keyspace && self.user_types().contains(needed.name.as_str())
            }
            (Self::Aggregate(aggregate), Object::Function(function)) => {
                let name = Some(&function.name);
                let is_final = aggregate.final_function.as_ref() == name;
                same_keyspace && (Some(&aggregate.state_function) == name || is_final)
            }
            (Self::Table(table), Object::Function(function)) => {
                table.columns.iter().any(|column| {
                    let mask = column.mask.as_deref();
                    mask.and_then(|mask| mask_function(mask, &table.keyspace))
                        .is_some_and(|(keyspace, name)| {
                            keyspace == function.keyspace && name == function.name
                        })
                })
            }
            (Self::Index(index), Object::Table(table)) => {
                same_keyspace && index.table == table.name
            }
            (Self::View(view), Object::Table(table)) => {
                same_keyspace && view.base_table == table.name
            }
            _ => false,
        }
    }

    fn user_types(self) -> BTreeSet<&'a str> {
        let mut names = BTreeSet::new();
        match self {
            Self::Type(user_type) => {
                let fields = user_type.fields.iter();
                names.extend(fields.flat_map(|field| field.of.user_types()));
                // Cassandra does not allow a type that contains itself.
                names.remove(user_type.name.as_str());
            }
            Self::Function(function) => {
                let arguments = function.arguments.iter().map(|(_, of)| of);
                let types = arguments.chain([&function.returns]);
                names.extend(types.flat_map(|of| of.user_types()));
            }
            Self::Aggregate(aggregate) => {
                let types = aggregate.arguments.iter().chain([&aggregate.state_type]);
                names.extend(types.flat_map(|of| of.user_types()));
            }
            Self::Table(table) => names.extend(table.types().flat_map(|of| of.user_types())),
            Self::Keyspace(_) | Self::Index(_) | Self::View(_) => {}
        }
        names
    }
}

/// The function that a mask calls, with its keyspace.
fn mask_function(mask: &str, keyspace: &str) -> Option<(String, String)> {
    let words: Vec<Token> = tokens(mask).take(3).collect();
    match words.as_slice() {
        [first, dot, name] if dot.is_symbol('.') => Some((first.name()?, name.name()?)),
        [name, ..] => Some((keyspace.to_owned(), name.name()?)),
        [] => None,
    }
}

/// All objects, each after those that it needs: by kind, and types after the types in them. Types in a cycle, which
/// Cassandra does not allow, come last among the types.
pub fn replay_order(schema: &Schema) -> Vec<Object<'_>> {
    let mut ordered: Vec<Object> = schema.keyspaces.iter().map(Object::Keyspace).collect();
    ordered.extend(types_in_order(&schema.types));
    ordered.extend(schema.functions.iter().map(Object::Function));
    ordered.extend(schema.aggregates.iter().map(Object::Aggregate));
    ordered.extend(schema.tables.iter().map(Object::Table));
    ordered.extend(schema.indexes.iter().map(Object::Index));
    ordered.extend(schema.views.iter().map(Object::View));
    ordered
}

fn types_in_order(types: &[UserType]) -> Vec<Object<'_>> {
    let at: BTreeMap<(&str, &str), usize> = types
        .iter()
        .enumerate()
        .map(|(at, of)| ((of.keyspace.as_str(), of.name.as_str()), at))
        .collect();
    let mut needs: Vec<usize> = vec![0; types.len()];
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); types.len()];
    for (position, of) in types.iter().enumerate() {
        for name in Object::Type(of).user_types() {
            if let Some(&needed) = at.get(&(of.keyspace.as_str(), name)) {
                needs[position] += 1;
                needed_by[needed].push(position);
            }
        }
    }
    let mut ready: BTreeSet<usize> = (0..types.len()).filter(|&at| needs[at] == 0).collect();
    let mut left: BTreeSet<usize> = (0..types.len()).collect();
    let mut ordered = Vec::with_capacity(types.len());
    while let Some(next) = ready.pop_first() {
        left.remove(&next);
        ordered.push(Object::Type(&types[next]));
        for &waiting in &needed_by[next] {
            needs[waiting] -= 1;
            if needs[waiting] == 0 {
                ready.insert(waiting);
            }
        }
    }
    ordered.extend(left.into_iter().map(|at| Object::Type(&types[at])));
    ordered
}

/// Makes a `CREATE` statement do nothing if the object exists already. `OR REPLACE` can also be run twice, and stays
/// as it is.
pub fn if_not_exists(statement: &str) -> String {
    let head: Vec<Token> = tokens(statement).take(4).collect();
    let is = |at: usize, word: &str| head.get(at).is_some_and(|token: &Token| token.is(word));
    if !is(0, "CREATE") || is(1, "OR") {
        return statement.to_owned();
    }
    let is_pair = ["CUSTOM", "MATERIALIZED", "SEARCH"]
        .iter()
        .any(|word| is(1, word));
    let noun = if is_pair { 2 } else { 1 };
    match head.get(noun) {
        Some(word) if !is(noun + 1, "IF") => {
            let (before, after) = statement.split_at(word.end());
            format!("{before} IF NOT EXISTS{after}")
        }
        _ => statement.to_owned(),
    }
}
