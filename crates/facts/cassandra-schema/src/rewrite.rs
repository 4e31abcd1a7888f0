//! Fits a schema to the release that it is made on.
//!
//! Two classes of rewriting: safe ones, which change nothing that anyone would notice and are always done; and those that
//! change how the database behaves, which are offered, and done where they were accepted.

mod compaction;
mod index;
mod kind;
mod options;
mod work;

use std::collections::BTreeMap;

use cassandra_versions::Release;

pub use kind::{Rewrite, rewrites_of};
use work::Work;

use crate::order::ObjectKey;
use crate::schema::Schema;
use crate::table::Table;

/// Where the schema is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub release: Release,
    /// With how many nodes each has.
    pub datacenters: BTreeMap<String, u32>,
}

/// One rewriting of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    pub subject: ObjectKey,
    pub rewrite: Rewrite,
    /// The part that changes, as CQL.
    pub before: String,
    /// Empty where it is left out.
    pub after: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    pub schema: Schema,
    pub applied: Vec<Applied>,
    /// What could be done too, and was not accepted.
    pub offered: Vec<Applied>,
}

/// The safe rewritings of one table.
pub fn rewrite_table(table: &mut Table, release: &Release) -> Vec<Applied> {
    let target = Target {
        release: release.clone(),
        datacenters: BTreeMap::new(),
    };
    let mut work = Work::new(&target, &|_, _| false);
    work.table(table);
    work.applied
}

/// The schema as it can be made on the target: with all safe rewritings, and those of the others that are accepted.
pub fn rewrite(
    schema: &Schema,
    target: &Target,
    accept: &dyn Fn(&ObjectKey, Rewrite) -> bool,
) -> Rewritten {
    let mut schema = schema.clone();
    let mut work = Work::new(target, accept);
    for keyspace in &mut schema.keyspaces {
        work.keyspace(keyspace);
    }
    for function in &mut schema.functions {
        work.function(function);
    }
    for aggregate in &mut schema.aggregates {
        work.aggregate(aggregate);
    }
    for table in &mut schema.tables {
        work.table(table);
    }
    schema.indexes.retain_mut(|index| work.index(index));
    schema.views.retain_mut(|view| work.view(view));
    Rewritten {
        schema,
        applied: work.applied,
        offered: work.offered,
    }
}
