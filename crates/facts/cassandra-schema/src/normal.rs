//! The normal form of a definition: two definitions that mean the same have the same.
//!
//! It removes what differs only because release lines print it differently: packages of known classes, options at
//! their defaults, old names of options, the order of options and columns, and `frozen` if it is implied. Everything
//! else is kept.

mod class;
mod index;
mod options;
mod types;
mod view;

pub(crate) use class::{COMPACTION, COMPRESSION, TYPES, simple_class};
pub(crate) use options::{default_of, is_default, normal_options, normal_table_options};
pub(crate) use types::{normal_argument, normal_type};

use types::normal_dropped;

use crate::function::{Aggregate, Function};
use crate::keyspace::Keyspace;
use crate::table::{Column, DroppedColumn, Table};
use crate::user_type::{Field, UserType};

/// Definitions that have a normal form.
pub trait Normal {
    /// The same definition as every release line would print it.
    fn normal(&self) -> Self;
}

impl Normal for Keyspace {
    fn normal(&self) -> Self {
        let mut keyspace = self.clone();
        let class = self.replication_class().to_owned();
        keyspace.replication.insert("class".to_owned(), class);
        keyspace.options = normal_options(&self.options);
        keyspace
    }
}

impl Normal for UserType {
    fn normal(&self) -> Self {
        let fields = self.fields.iter().map(|field| Field {
            name: field.name.clone(),
            of: normal_type(&field.of),
        });
        Self {
            fields: fields.collect(),
            ..self.clone()
        }
    }
}

impl Normal for Function {
    fn normal(&self) -> Self {
        let arguments = self.arguments.iter();
        Self {
            arguments: arguments
                .map(|(name, of)| (name.clone(), normal_argument(of)))
                .collect(),
            returns: normal_argument(&self.returns),
            language: self.language.to_lowercase(),
            ..self.clone()
        }
    }
}

impl Normal for Aggregate {
    fn normal(&self) -> Self {
        Self {
            arguments: self.arguments.iter().map(normal_argument).collect(),
            state_type: normal_argument(&self.state_type),
            initial_condition: self.initial_condition.as_deref().map(view::without_blanks),
            ..self.clone()
        }
    }
}

impl Normal for Table {
    fn normal(&self) -> Self {
        let mut table = self.clone();
        table.id = None;
        table.options = normal_table_options(&self.options);
        table.columns = self.columns.iter().map(normal_column).collect();
        table.arrange();
        table.dropped = self
            .dropped
            .iter()
            .map(|column| DroppedColumn {
                of: normal_dropped(&column.of),
                ..column.clone()
            })
            .collect();
        table.dropped.sort();
        table.triggers.sort_by(|a, b| a.name.cmp(&b.name));
        table
    }
}

fn normal_column(column: &Column) -> Column {
    Column {
        of: normal_type(&column.of),
        mask: column.mask.as_deref().map(normal_mask),
        ..column.clone()
    }
}

/// `DEFAULT` is short for a function of the system keyspace, like all masks that users have not written.
fn normal_mask(mask: &str) -> String {
    let mask = view::without_blanks(mask);
    match mask.as_str() {
        "default" => "mask_default()".to_owned(),
        _ => mask.strip_prefix("system.").unwrap_or(&mask).to_owned(),
    }
}
