//! Tables of one keyspace under other names, with all that refers to them.

use std::collections::{BTreeMap, BTreeSet};

use model::cql::{quote, tokens};

use crate::cql_type::CqlType;
use crate::index::{Index, IndexKind};
use crate::schema::Schema;
use crate::table::Table;

/// Which tables of which keyspace get which names.
#[derive(Debug, Clone, Default)]
pub struct Renaming {
    /// The keyspace as it is.
    pub from: String,
    /// Its name afterwards, which may be the same.
    pub to: String,
    /// The tables that are taken, each with its name afterwards. Others are left out, with their indexes.
    pub tables: BTreeMap<String, String>,
    /// The views that are taken. They keep their names; their tables must be taken.
    pub views: BTreeSet<String>,
}

/// An index whose name is derived from that of its table, because an index of the same name may be there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenamedIndex {
    /// The keyspace afterwards.
    pub keyspace: String,
    /// The table afterwards.
    pub table: String,
    /// The name of the index as it was.
    pub from: String,
    /// Its name afterwards.
    pub to: String,
}

/// A table that cannot be made under another name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotRenamed {
    /// Its name as it was.
    pub table: String,
    /// Why not.
    pub why: &'static str,
}

impl Schema {
    /// The taken objects of a keyspace under their names afterwards, without ids, and what is to be known of them. Types,
    /// functions and aggregates of the keyspace all come.
    pub fn renamed(&self, renaming: &Renaming) -> (Schema, Vec<RenamedIndex>, Vec<NotRenamed>) {
        let problems = renaming.tables.keys();
        let problems = problems.filter_map(|name| self.check(&renaming.from, name));
        let problems = problems.collect();
        let mut schema = self.copy_keyspace(&renaming.from, &renaming.to);
        let taken = |name: &String| renaming.tables.get(name).cloned();
        schema.views.retain(|view| {
            renaming.views.contains(&view.name) && renaming.tables.contains_key(&view.base_table)
        });
        for view in &mut schema.views {
            view.filter = requalified(&view.filter, renaming);
            view.base_table = taken(&view.base_table).unwrap_or_default();
        }
        schema.indexes.retain(|index| taken(&index.table).is_some());
        let mut indexes = Vec::new();
        for index in &mut schema.indexes {
            let table = taken(&index.table).unwrap_or_default();
            indexes.extend(rename_index(index, table));
        }
        schema.tables.retain(|table| taken(&table.name).is_some());
        for table in &mut schema.tables {
            table.name = taken(&table.name).unwrap_or_default();
            rename_within(table, renaming);
        }
        let of_types = schema.types.iter_mut().flat_map(|it| &mut it.fields);
        of_types.for_each(|field| rename_type(&mut field.of, renaming));
        for function in &mut schema.functions {
            let arguments = function.arguments.iter_mut().map(|(_, of)| of);
            let types = arguments.chain([&mut function.returns]);
            types.for_each(|of| rename_type(of, renaming));
        }
        for aggregate in &mut schema.aggregates {
            let types = aggregate.arguments.iter_mut();
            let types = types.chain([&mut aggregate.state_type]);
            types.for_each(|of| rename_type(of, renaming));
        }
        (schema, indexes, problems)
    }

    fn check(&self, keyspace: &str, name: &str) -> Option<NotRenamed> {
        let table = self.table(keyspace, name)?;
        let mut indexes = self.indexes.iter();
        let has_search = indexes.any(|index| {
            let is_of_table = index.keyspace == keyspace && index.table == name;
            is_of_table && index.kind() == IndexKind::Search
        });
        let why = if table.has_no_cql {
            "there is no CQL that makes it"
        } else if table.graph.is_some() {
            "it is a part of a DSE graph, whose labels name it"
        } else if has_search {
            "its index of DSE Search is named after it"
        } else if table.types().any(names_a_keyspace) {
            "it has a column of a class that names its keyspace"
        } else {
            return None;
        };
        Some(NotRenamed {
            table: name.to_owned(),
            why,
        })
    }
}

/// A class in quotes, such as `'…UserType(shop,…)'`.
fn names_a_keyspace(of: &CqlType) -> bool {
    let is_user = |part: &&CqlType| match part {
        CqlType::Custom(class) => class.contains("UserType("),
        _ => false,
    };
    of.parts().iter().any(is_user)
}

/// The table's own name in front is replaced, so that Cassandra's usual names stay usual.
fn rename_index(index: &mut Index, table: String) -> Option<RenamedIndex> {
    let was = std::mem::replace(&mut index.table, table);
    if was == index.table {
        return None;
    }
    let prefix = format!("{was}_");
    let rest = index.name.strip_prefix(&prefix).unwrap_or(&index.name);
    let to = format!("{}_{rest}", index.table);
    let from = std::mem::replace(&mut index.name, to.clone());
    Some(RenamedIndex {
        keyspace: index.keyspace.clone(),
        table: index.table.clone(),
        from,
        to,
    })
}

fn rename_within(table: &mut Table, renaming: &Renaming) {
    for column in &mut table.columns {
        rename_type(&mut column.of, renaming);
        if let Some(mask) = &mut column.mask {
            *mask = requalified(mask, renaming);
        }
    }
    let dropped = table.dropped.iter_mut();
    dropped.for_each(|column| rename_type(&mut column.of, renaming));
}

fn rename_type(of: &mut CqlType, renaming: &Renaming) {
    match of {
        CqlType::Native(_) | CqlType::Custom(_) => {}
        CqlType::Frozen(of) | CqlType::List(of) | CqlType::Set(of) | CqlType::Vector(of, _) => {
            rename_type(of, renaming);
        }
        CqlType::Map(key, value) => {
            rename_type(key, renaming);
            rename_type(value, renaming);
        }
        CqlType::Tuple(parts) => parts.iter_mut().for_each(|of| rename_type(of, renaming)),
        CqlType::User { keyspace, .. } => {
            if keyspace.as_ref() == Some(&renaming.from) {
                *keyspace = Some(renaming.to.clone());
            }
        }
    }
}

/// A text in which what is qualified by the keyspace is qualified by its name afterwards.
fn requalified(text: &str, renaming: &Renaming) -> String {
    let all: Vec<_> = tokens(text).collect();
    let mut made = String::with_capacity(text.len());
    let mut copied = 0;
    for pair in all.windows(2) {
        let is_keyspace = pair[0].name().as_ref() == Some(&renaming.from);
        if is_keyspace && pair[1].is_symbol('.') {
            made.push_str(&text[copied..pair[0].at]);
            made.push_str(&quote(&renaming.to));
            copied = pair[0].end();
        }
    }
    made.push_str(&text[copied..]);
    made
}
