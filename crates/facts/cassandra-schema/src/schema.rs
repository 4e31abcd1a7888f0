//! All objects of a schema, and the statements that build it up.

use std::collections::{BTreeMap, BTreeSet};

use model::SchemaKind;

use crate::change::Misfit;
use crate::function::{Aggregate, Function};
use crate::index::Index;
use crate::keyspace::Keyspace;
use crate::parse::{Alters, Made, OnExisting, ParseErrorKind, Statement};
use crate::table::Table;
use crate::user_type::UserType;
use crate::view::View;

/// A whole schema. The order within each list means nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    /// Cassandra's schema version; empty if unknown.
    pub version: String,
    /// The keyspaces.
    pub keyspaces: Vec<Keyspace>,
    /// The user-defined types.
    pub types: Vec<UserType>,
    /// The user-defined functions.
    pub functions: Vec<Function>,
    /// The user-defined aggregates.
    pub aggregates: Vec<Aggregate>,
    /// The tables.
    pub tables: Vec<Table>,
    /// The secondary indexes.
    pub indexes: Vec<Index>,
    /// The materialized views.
    pub views: Vec<View>,
}

impl Schema {
    /// The keyspace of this name.
    pub fn keyspace(&self, name: &str) -> Option<&Keyspace> {
        self.keyspaces.iter().find(|keyspace| keyspace.name == name)
    }

    /// The user-defined type of this name.
    pub fn user_type(&self, keyspace: &str, name: &str) -> Option<&UserType> {
        let is_this = |found: &&UserType| found.keyspace == keyspace && found.name == name;
        self.types.iter().find(is_this)
    }

    /// The table of this name.
    pub fn table(&self, keyspace: &str, name: &str) -> Option<&Table> {
        let is_this = |found: &&Table| found.keyspace == keyspace && found.name == name;
        self.tables.iter().find(is_this)
    }

    /// The index of this name.
    pub fn index(&self, keyspace: &str, name: &str) -> Option<&Index> {
        let is_this = |found: &&Index| found.keyspace == keyspace && found.name == name;
        self.indexes.iter().find(is_this)
    }

    /// The materialized view of this name.
    pub fn view(&self, keyspace: &str, name: &str) -> Option<&View> {
        let is_this = |found: &&View| found.keyspace == keyspace && found.name == name;
        self.views.iter().find(is_this)
    }

    /// The user-defined types in a table, including those in their fields, sorted by name.
    pub fn types_of(&self, table: &Table) -> Vec<&UserType> {
        let mut open: Vec<&str> = table.types().flat_map(|of| of.user_types()).collect();
        let mut found: BTreeMap<&str, &UserType> = BTreeMap::new();
        while let Some(name) = open.pop() {
            if found.contains_key(name) {
                continue;
            }
            if let Some(of) = self.user_type(&table.keyspace, name) {
                found.insert(name, of);
                open.extend(of.fields.iter().flat_map(|field| field.of.user_types()));
            }
        }
        found.into_values().collect()
    }

    /// Leaves out the user-defined types that no table needs.
    pub fn keep_needed_types(&mut self) {
        let types = self.tables.iter().flat_map(|table| self.types_of(table));
        let needed: BTreeSet<String> = types.map(|it| it.name.clone()).collect();
        self.types.retain(|it| needed.contains(&it.name));
    }

    /// Applies a statement.
    pub(crate) fn apply(&mut self, statement: Statement) -> Result<(), ParseErrorKind> {
        match statement {
            Statement::Use(_) => Ok(()),
            Statement::Create(made, on_existing) => self.create(made, on_existing),
            Statement::Alter(alters) => self.alter(alters),
        }
    }

    /// Adds all objects of another schema.
    pub(crate) fn absorb(&mut self, other: Self) -> Result<(), ParseErrorKind> {
        let made = (other.keyspaces.into_iter().map(Made::Keyspace))
            .chain(other.types.into_iter().map(Made::Type))
            .chain(other.functions.into_iter().map(Made::Function))
            .chain(other.aggregates.into_iter().map(Made::Aggregate))
            .chain(
                other
                    .tables
                    .into_iter()
                    .map(|table| Made::Table(Box::new(table))),
            )
            .chain(other.indexes.into_iter().map(Made::Index))
            .chain(other.views.into_iter().map(Made::View));
        for made in made {
            self.create(made, OnExisting::Fail)?;
        }
        Ok(())
    }

    fn create(&mut self, made: Made, how: OnExisting) -> Result<(), ParseErrorKind> {
        match made {
            Made::Keyspace(made) => {
                let is_same = |a: &Keyspace, b: &Keyspace| a.name == b.name;
                put(&mut self.keyspaces, made, how, "keyspace", is_same, |one| {
                    &one.name
                })
            }
            Made::Type(made) => {
                let is_same = |a: &UserType, b: &UserType| same(a, b, |a| (&a.keyspace, &a.name));
                put(&mut self.types, made, how, "type", is_same, |one| &one.name)
            }
            Made::Function(made) => {
                let is_same = |a: &Function, b: &Function| {
                    same(a, b, |a| &a.keyspace) && a.signature() == b.signature()
                };
                put(&mut self.functions, made, how, "function", is_same, |one| {
                    &one.name
                })
            }
            Made::Aggregate(made) => {
                let is_same = |a: &Aggregate, b: &Aggregate| {
                    same(a, b, |a| &a.keyspace) && a.signature() == b.signature()
                };
                put(
                    &mut self.aggregates,
                    made,
                    how,
                    "aggregate",
                    is_same,
                    |one| &one.name,
                )
            }
            Made::Table(made) => {
                let is_same = |a: &Table, b: &Table| same(a, b, |a| (&a.keyspace, &a.name));
                put(&mut self.tables, *made, how, "table", is_same, |one| {
                    &one.name
                })
            }
            Made::Index(made) => {
                let is_same = |a: &Index, b: &Index| same(a, b, |a| (&a.keyspace, &a.name));
                put(&mut self.indexes, made, how, "index", is_same, |one| {
                    &one.name
                })
            }
            Made::View(made) => {
                let is_same = |a: &View, b: &View| same(a, b, |a| (&a.keyspace, &a.name));
                put(&mut self.views, made, how, "view", is_same, |one| &one.name)
            }
            Made::Trigger {
                keyspace,
                table,
                trigger,
            } => {
                let table = self.table_mut(&keyspace, &table)?;
                let is_same = |a: &crate::Trigger, b: &crate::Trigger| a.name == b.name;
                put(
                    &mut table.triggers,
                    trigger,
                    how,
                    "trigger",
                    is_same,
                    |one| &one.name,
                )
            }
        }
    }

    fn table_mut(&mut self, keyspace: &str, name: &str) -> Result<&mut Table, ParseErrorKind> {
        self.tables
            .iter_mut()
            .find(|table| table.keyspace == keyspace && table.name == name)
            .ok_or_else(|| unknown("table", keyspace, name))
    }

    fn alter(&mut self, alters: Alters) -> Result<(), ParseErrorKind> {
        match alters {
            Alters::Keyspace(name, options) => {
                let found = self.keyspaces.iter_mut().find(|found| found.name == name);
                found
                    .ok_or_else(|| unknown("keyspace", "", &name))?
                    .set(options);
            }
            Alters::Type(keyspace, name, change) => {
                let mut types = self.types.iter_mut();
                types
                    .find(|found| found.keyspace == keyspace && found.name == name)
                    .ok_or_else(|| unknown("type", &keyspace, &name))?
                    .change(change)
                    .map_err(|misfit| misfit.kind("field"))?;
            }
            Alters::Table(keyspace, name, change) => self
                .table_mut(&keyspace, &name)?
                .change(change)
                .map_err(|misfit| misfit.kind("column"))?,
            Alters::View(keyspace, name, options) => {
                let mut views = self.views.iter_mut();
                views
                    .find(|found| found.keyspace == keyspace && found.name == name)
                    .ok_or_else(|| unknown("view", &keyspace, &name))?
                    .options
                    .extend(options);
            }
            Alters::SearchIndex {
                keyspace,
                table,
                statement,
            } => {
                let mut indexes = self.indexes.iter_mut();
                indexes
                    .find(|index| {
                        index.keyspace == keyspace
                            && index.table == table
                            && index.kind() == crate::IndexKind::Search
                    })
                    .ok_or_else(|| unknown("search index on", &keyspace, &table))?
                    .search_statements
                    .push(statement);
            }
        }
        Ok(())
    }

    /// The number of objects of a kind.
    pub fn count(&self, kind: SchemaKind) -> usize {
        match kind {
            SchemaKind::Keyspace => self.keyspaces.len(),
            SchemaKind::Type => self.types.len(),
            SchemaKind::Function => self.functions.len(),
            SchemaKind::Aggregate => self.aggregates.len(),
            SchemaKind::Table => self.tables.len(),
            SchemaKind::Index => self.indexes.len(),
            SchemaKind::View => self.views.len(),
        }
    }
}

impl Misfit {
    fn kind(self, what: &'static str) -> ParseErrorKind {
        match self {
            Self::Unknown(name) => ParseErrorKind::Unknown { what, name },
            Self::Duplicate(name) => ParseErrorKind::Duplicate { what, name },
        }
    }
}

fn unknown(what: &'static str, keyspace: &str, name: &str) -> ParseErrorKind {
    let name = match keyspace {
        "" => name.to_owned(),
        _ => format!("{keyspace}.{name}"),
    };
    ParseErrorKind::Unknown { what, name }
}

fn same<'a, T, K: PartialEq>(a: &'a T, b: &'a T, key: impl Fn(&'a T) -> K) -> bool {
    key(a) == key(b)
}

/// Adds an object. The same definition may be added twice.
fn put<T: PartialEq>(
    things: &mut Vec<T>,
    made: T,
    how: OnExisting,
    what: &'static str,
    is_same: impl Fn(&T, &T) -> bool,
    name: impl Fn(&T) -> &String,
) -> Result<(), ParseErrorKind> {
    match things.iter_mut().find(|thing| is_same(thing, &made)) {
        None => things.push(made),
        Some(_) if how == OnExisting::Keep => {}
        Some(known) if how == OnExisting::Replace => *known = made,
        Some(known) if *known == made => {}
        Some(_) => {
            let name = name(&made).clone();
            return Err(ParseErrorKind::Duplicate { what, name });
        }
    }
    Ok(())
}
