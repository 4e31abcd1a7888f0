//! Rewrites a schema for the release that it will be created on.
//!
//! There are two classes of rewriting. Safe ones change nothing that can be noticed, and are always done. Those that
//! change how the database behaves are offered, and done only if they are accepted.

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

/// The cluster on which the schema will be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The release that the target runs.
    pub release: Release,
    /// Its datacenters, each with its number of nodes.
    pub datacenters: BTreeMap<String, u32>,
}

/// One rewriting of one object, done or offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The object.
    pub subject: ObjectKey,
    /// How it is rewritten.
    pub rewrite: Rewrite,
    /// The part that changes, as CQL.
    pub before: String,
    /// The same part afterwards; empty if it is left out.
    pub after: String,
}

/// A rewritten schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// The schema, which can be created on the target as far as rewriting helps.
    pub schema: Schema,
    /// What was done.
    pub applied: Vec<Applied>,
    /// What could be done too, but was not accepted.
    pub offered: Vec<Applied>,
}

/// Applies the safe rewritings to one table, and returns them.
pub fn rewrite_table(table: &mut Table, release: &Release) -> Vec<Applied> {
    let target = Target {
        release: release.clone(),
        datacenters: BTreeMap::new(),
    };
    let mut work = Work::new(&target, &|_, _| false);
    work.table(table);
    work.applied
}

/// Rewrites a schema for the target, with all safe rewritings and those others that `accept` returns true for.
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
