//! Cassandra schemas: parsed from the CQL of any release line, compared by meaning, ordered for replay, and rewritten
//! for another release.
//!
//! Pure facts and functions: no I/O. CQL that is not understood is a typed error, never a panic.
//!
//! ```
//! use std::collections::BTreeMap;
//! use cassandra_schema::{Schema, Target, diff_schema, rewrite};
//!
//! let (backup, problems) = Schema::parse_text("CREATE TABLE shop.t (k int PRIMARY KEY) WITH read_repair_chance = 0.1");
//! assert!(problems.is_empty());
//! let (live, _) = Schema::parse_text("CREATE TABLE shop.t (k int PRIMARY KEY, v text)");
//!
//! // Rewrite the backup's schema for the target's release, then compare it with the live one.
//! let release = "cassandra 4.1.9".parse()?;
//! let target = Target { release, datacenters: BTreeMap::new() };
//! let wanted = rewrite(&backup, &target, &|_, _| false);
//! let diff = diff_schema(&wanted.schema, &live);
//! assert_eq!(diff.forward.statements, ["ALTER TABLE shop.t ADD v text"]);
//! # Ok::<(), cassandra_versions::ReleaseError>(())
//! ```

#![warn(missing_docs)]

mod change;
mod class;
mod compare;
mod copy;
mod cql_type;
mod diff;
mod feature;
mod function;
mod index;
mod keyspace;
mod normal;
mod option;
mod order;
mod parse;
mod rename;
mod requirements;
mod rewrite;
mod schema;
mod support;
mod table;
mod user_type;
mod view;

pub use change::{TableChange, TypeChange};
pub use compare::{SameMeaning, fits_as_is, same_storage, same_user_types};
pub use cql_type::{CqlType, Native};
pub use diff::{
    Changed, Forward, Rename, SchemaDiff, TableDiff, TypeDiff, Unforwardable, Why, diff,
    diff_schema, diff_type,
};
pub use feature::Feature;
pub use function::{Aggregate, Function, Monotonic};
pub use index::{Index, IndexKind, IndexTarget, TargetKind};
pub use keyspace::Keyspace;
pub use normal::Normal;
pub use option::{Literal, OptionValue, Options};
pub use order::{Object, ObjectKey, if_not_exists, replay_order};
pub use parse::{
    Alters, Made, OnExisting, ParseError, ParseErrorKind, ParseProblem, Statement, parse_statement,
    parse_type,
};
pub use rename::{NotRenamed, RenamedIndex, Renaming};
pub use requirements::{Requirement, requirements};
pub use rewrite::{Applied, Rewrite, Rewritten, Target, rewrite, rewrite_table, rewrites_of};
pub use schema::Schema;
pub use support::{Support, is_ignored, support};
pub use table::{Column, ColumnKind, DroppedColumn, EdgeEnd, GraphLabel, Order, Table, Trigger};
pub use user_type::{Field, UserType};
pub use view::{Selection, View};
