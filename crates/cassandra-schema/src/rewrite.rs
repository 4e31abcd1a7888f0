//! Fits a schema to the release that it is made on.
//!
//! Two classes of rewriting: safe ones, which change nothing that anyone would notice and are always done; and those that
//! change how the database behaves, which are offered, and done where they were accepted.

mod compaction;
mod index;
mod options;

use std::collections::BTreeMap;
use std::fmt;

use cassandra_versions::Release;

use crate::feature::Feature;
use crate::function::{Function, Monotonic};
use crate::keyspace::{Keyspace, replication_text};
use crate::order::{Object, ObjectKey};
use crate::replication::everywhere;
use crate::requirements::features;
use crate::schema::Schema;
use crate::support::{Support, support};
use crate::table::Table;
use crate::view::View;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rewrite {
    DropOption,
    RenameCompression,
    MoveCrcCheckChance,
    NameLegacyIndex,
    NameSaiClass,
    SizeTiered,
    TimeWindow,
    NetworkTopology,
    LeaveIndexOut,
    LeaveViewOut,
    DropGraphLabel,
    DropGraphEngine,
    DropMasks,
    DropTriggers,
    DropCompactStorage,
    DropFunctionProperties,
}

impl Rewrite {
    /// Whether it changes nothing about what is stored or answered.
    pub fn is_safe(self) -> bool {
        matches!(
            self,
            Self::DropOption
                | Self::RenameCompression
                | Self::MoveCrcCheckChance
                | Self::NameLegacyIndex
                | Self::NameSaiClass
        )
    }

    /// What it does, as people would say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::DropOption => "the option is left out",
            Self::RenameCompression => "compression options get their present names",
            Self::MoveCrcCheckChance => "crc_check_chance becomes an option of its own",
            Self::NameLegacyIndex => "the index says what it was by default",
            Self::NameSaiClass => "the index is named by its class",
            Self::SizeTiered => "SizeTieredCompactionStrategy compacts it instead",
            Self::TimeWindow => "TimeWindowCompactionStrategy compacts it instead",
            Self::NetworkTopology => "NetworkTopologyStrategy replicates it to every node instead",
            Self::LeaveIndexOut => "the index is left out",
            Self::LeaveViewOut => "the view is left out",
            Self::DropGraphLabel => "the graph label is left out",
            Self::DropGraphEngine => "the graph engine is left out",
            Self::DropMasks => "columns are no longer masked",
            Self::DropTriggers => "the trigger is left out",
            Self::DropCompactStorage => "the table is made without COMPACT STORAGE",
            Self::DropFunctionProperties => {
                "the function is no longer known as deterministic or monotonic"
            }
        }
    }
}

impl fmt::Display for Rewrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What comes closest to a feature on a release that does not have it as it is, or not without a setting or class.
pub fn rewrites_of(feature: &Feature, release: &Release) -> Option<Rewrite> {
    match (support(feature, release), feature) {
        (Support::Native, _) => None,
        (Support::Rewritable(rewrite), _) => Some(rewrite),
        (_, Feature::Sasi | Feature::CustomIndex(_)) => Some(Rewrite::LeaveIndexOut),
        (_, Feature::MaterializedView) => Some(Rewrite::LeaveViewOut),
        (_, Feature::Mask) => Some(Rewrite::DropMasks),
        (_, Feature::Trigger(_)) => Some(Rewrite::DropTriggers),
        (_, Feature::CustomCompaction(_)) => Some(Rewrite::SizeTiered),
        (_, Feature::CustomReplication(_)) => Some(Rewrite::NetworkTopology),
        _ => None,
    }
}

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
    let mut work = Work {
        target: &target,
        accept: &|_, _| false,
        applied: Vec::new(),
        offered: Vec::new(),
    };
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
    let mut work = Work {
        target,
        accept,
        applied: Vec::new(),
        offered: Vec::new(),
    };
    for keyspace in &mut schema.keyspaces {
        work.keyspace(keyspace);
    }
    for function in &mut schema.functions {
        work.function(function);
    }
    for aggregate in &mut schema.aggregates {
        if aggregate.is_deterministic {
            let key = Object::Aggregate(aggregate).key();
            let rewrite = work.wanted(
                Object::Aggregate(aggregate),
                Rewrite::DropFunctionProperties,
            );
            if rewrite && work.take(key, Rewrite::DropFunctionProperties, "DETERMINISTIC", "") {
                aggregate.is_deterministic = false;
            }
        }
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

struct Work<'a> {
    target: &'a Target,
    accept: &'a dyn Fn(&ObjectKey, Rewrite) -> bool,
    applied: Vec<Applied>,
    offered: Vec<Applied>,
}

impl Work<'_> {
    /// Notes a rewriting. Whether it is to be done.
    fn take(
        &mut self,
        subject: ObjectKey,
        rewrite: Rewrite,
        before: impl Into<String>,
        after: impl Into<String>,
    ) -> bool {
        let is_wanted = rewrite.is_safe() || (self.accept)(&subject, rewrite);
        let noted = Applied {
            subject,
            rewrite,
            before: before.into(),
            after: after.into(),
        };
        match is_wanted {
            true => self.applied.push(noted),
            false => self.offered.push(noted),
        }
        is_wanted
    }

    /// Whether something that the object needs asks for this rewriting.
    fn wanted(&self, object: Object, rewrite: Rewrite) -> bool {
        let mut found = false;
        features(object, &mut |feature, _| {
            found |= rewrites_of(&feature, &self.target.release) == Some(rewrite);
        });
        found
    }

    fn keyspace(&mut self, keyspace: &mut Keyspace) {
        let key = Object::Keyspace(keyspace).key();
        if self.wanted(Object::Keyspace(keyspace), Rewrite::NetworkTopology) {
            let replication = everywhere(&self.target.datacenters);
            let (before, after) = (&keyspace.replication, &replication);
            let (before, after) = (replication_text(before), replication_text(after));
            if self.take(key.clone(), Rewrite::NetworkTopology, before, after) {
                keyspace.replication = replication;
            }
        }
        if self.wanted(Object::Keyspace(keyspace), Rewrite::DropGraphEngine)
            && let Some(value) = keyspace.options.get("graph_engine")
        {
            let before = format!("graph_engine = {value}");
            if self.take(key, Rewrite::DropGraphEngine, before, "") {
                keyspace.options.remove("graph_engine");
            }
        }
    }

    fn function(&mut self, function: &mut Function) {
        let rewrite = Rewrite::DropFunctionProperties;
        if !self.wanted(Object::Function(function), rewrite) {
            return;
        }
        let key = Object::Function(function).key();
        let mut plain = function.clone();
        plain.is_deterministic = false;
        plain.monotonic = Monotonic::No;
        if self.take(key, rewrite, function.to_cql(), plain.to_cql()) {
            *function = plain;
        }
    }

    fn table(&mut self, table: &mut Table) {
        if table.has_no_cql {
            return;
        }
        let key = Object::Table(table).key();
        let release = &self.target.release;
        for (rewrite, before, after) in options::rewrite(&mut table.options, release) {
            self.take(key.clone(), rewrite, before, after);
        }
        for rewrite in [Rewrite::SizeTiered, Rewrite::TimeWindow] {
            if self.wanted(Object::Table(table), rewrite) {
                self.compaction(&key, rewrite, &mut table.options);
            }
        }
        for rewrite in [
            Rewrite::DropGraphLabel,
            Rewrite::DropMasks,
            Rewrite::DropTriggers,
            Rewrite::DropCompactStorage,
        ] {
            if !self.wanted(Object::Table(table), rewrite) {
                continue;
            }
            let mut changed = table.clone();
            match rewrite {
                Rewrite::DropGraphLabel => changed.graph = None,
                Rewrite::DropTriggers => changed.triggers.clear(),
                Rewrite::DropCompactStorage => changed.drop_compact_storage(),
                _ => changed
                    .columns
                    .iter_mut()
                    .for_each(|column| column.mask = None),
            }
            let text = |table: &Table| table.to_cql().join(";\n");
            if self.take(key.clone(), rewrite, text(table), text(&changed)) {
                *table = changed;
            }
        }
    }

    fn view(&mut self, view: &mut View) -> bool {
        let key = Object::View(view).key();
        if self.wanted(Object::View(view), Rewrite::LeaveViewOut)
            && self.take(key.clone(), Rewrite::LeaveViewOut, view.to_cql(), "")
        {
            return false;
        }
        let release = &self.target.release;
        for (rewrite, before, after) in options::rewrite(&mut view.options, release) {
            self.take(key.clone(), rewrite, before, after);
        }
        for rewrite in [Rewrite::SizeTiered, Rewrite::TimeWindow] {
            if self.wanted(Object::View(view), rewrite) {
                self.compaction(&key, rewrite, &mut view.options);
            }
        }
        true
    }
}
