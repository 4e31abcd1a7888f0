//! Changes that `ALTER` statements make to tables and types.

use crate::cql_type::{CqlType, Native};
use crate::normal::TYPES;
use crate::option::Options;
use crate::table::{Column, ColumnKind, DroppedColumn, Table};
use crate::user_type::{Field, UserType};

/// A change of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableChange {
    /// `ADD`: new columns.
    Add(Vec<Column>),
    /// `DROP`.
    Drop {
        /// The columns to drop.
        columns: Vec<String>,
        /// `USING TIMESTAMP`, in microseconds since 1970: data written later is kept.
        dropped_us: Option<i64>,
    },
    /// `RENAME`: pairs of the old and the new name.
    Rename(Vec<(String, String)>),
    /// `ALTER … TYPE`, which early releases had.
    Type {
        /// The column.
        column: String,
        /// Its new type.
        of: CqlType,
    },
    /// `ALTER … MASKED WITH` or `DROP MASKED`.
    Mask {
        /// The column.
        column: String,
        /// The new mask; `None` removes it.
        mask: Option<String>,
    },
    /// `WITH`: options to set.
    With(Options),
    /// `DROP COMPACT STORAGE`.
    DropCompactStorage,
}

/// A change of a user-defined type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeChange {
    /// `ADD`: a new field, which becomes the last one.
    Add(Field),
    /// `RENAME`: pairs of the old and the new name.
    Rename(Vec<(String, String)>),
    /// `ALTER … TYPE`, which early releases had.
    Type {
        /// The field.
        field: String,
        /// Its new type.
        of: CqlType,
    },
}

/// Why a change cannot be applied; the name is that of a column or field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Misfit {
    Unknown(String),
    Duplicate(String),
}

impl Table {
    pub(crate) fn change(&mut self, change: TableChange) -> Result<(), Misfit> {
        match change {
            TableChange::Add(columns) => {
                for column in columns {
                    if self.column(&column.name).is_some() {
                        return Err(Misfit::Duplicate(column.name));
                    }
                    self.columns.push(column);
                }
                self.arrange();
            }
            TableChange::Drop {
                columns,
                dropped_us,
            } => {
                for name in columns {
                    self.drop_column(name, dropped_us)?;
                }
            }
            TableChange::Rename(names) => {
                for (from, to) in names {
                    if self.column(&to).is_some() {
                        return Err(Misfit::Duplicate(to));
                    }
                    self.column_mut(from)?.name = to;
                }
            }
            TableChange::Type { column, of } => self.column_mut(column)?.of = of,
            TableChange::Mask { column, mask } => self.column_mut(column)?.mask = mask,
            TableChange::With(options) => self.options.extend(options),
            TableChange::DropCompactStorage => self.drop_compact_storage(),
        }
        Ok(())
    }

    fn column_mut(&mut self, name: String) -> Result<&mut Column, Misfit> {
        let found = self.columns.iter_mut().find(|column| column.name == name);
        found.ok_or(Misfit::Unknown(name))
    }

    fn drop_column(&mut self, name: String, dropped_us: Option<i64>) -> Result<(), Misfit> {
        let is_this = |column: &Column| column.name == name && !column.kind.is_key();
        let Some(at) = self.columns.iter().position(is_this) else {
            return Err(Misfit::Unknown(name));
        };
        let column = self.columns.remove(at);
        self.dropped.retain(|dropped| dropped.name != column.name);
        self.dropped.push(DroppedColumn {
            name: column.name,
            of: column.of,
            is_static: column.kind == ColumnKind::Static,
            dropped_us,
        });
        Ok(())
    }

    /// Shows the columns that the storage engine has: a table without clustering columns gets a clustering column and
    /// a value, and its other columns become static. One with clustering columns alone gets a value that is always empty.
    pub(crate) fn drop_compact_storage(&mut self) {
        if !std::mem::replace(&mut self.compact_storage, false) {
            return;
        }
        if self.clustering().count() > 0 {
            if self.others().count() == 0 {
                let empty = format!("{TYPES}EmptyType");
                self.add_value(CqlType::Custom(empty));
            }
            return;
        }
        let is_counter = |column: &Column| column.of == CqlType::Native(Native::Counter);
        let counts = self.others().any(is_counter);
        for column in &mut self.columns {
            if column.kind == ColumnKind::Regular {
                column.kind = ColumnKind::Static;
            }
        }
        let clustering = Column {
            name: self.free_name("column", 1),
            of: CqlType::Native(Native::Text),
            kind: ColumnKind::Clustering(crate::Order::Ascending),
            mask: None,
        };
        let keys = self.partition_key().count();
        self.columns.insert(keys, clustering);
        let of = if counts {
            Native::Counter
        } else {
            Native::Blob
        };
        self.add_value(CqlType::Native(of));
    }

    fn add_value(&mut self, of: CqlType) {
        self.columns.push(Column {
            name: self.free_name("value", 0),
            of,
            kind: ColumnKind::Regular,
            mask: None,
        });
        self.arrange();
    }

    /// As Cassandra names columns that no statement has named; 0 is left out.
    fn free_name(&self, wanted: &str, first: u32) -> String {
        let name = |number: u32| match number {
            0 => wanted.to_owned(),
            _ => format!("{wanted}{number}"),
        };
        let mut number = first;
        while self.column(&name(number)).is_some() {
            number += 1;
        }
        name(number)
    }
}

impl UserType {
    pub(crate) fn change(&mut self, change: TypeChange) -> Result<(), Misfit> {
        match change {
            TypeChange::Add(field) => {
                if self.fields.iter().any(|known| known.name == field.name) {
                    return Err(Misfit::Duplicate(field.name));
                }
                self.fields.push(field);
            }
            TypeChange::Rename(names) => {
                for (from, to) in names {
                    self.field_mut(from)?.name = to;
                }
            }
            TypeChange::Type { field, of } => self.field_mut(field)?.of = of,
        }
        Ok(())
    }

    fn field_mut(&mut self, name: String) -> Result<&mut Field, Misfit> {
        let found = self.fields.iter_mut().find(|field| field.name == name);
        found.ok_or(Misfit::Unknown(name))
    }
}
