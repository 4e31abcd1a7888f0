//! Rewrites objects one by one, and records what is done and what is offered.

use super::{Applied, Rewrite, Target, options, rewrites_of};
use crate::function::{Aggregate, Function, Monotonic};
use crate::keyspace::{Keyspace, everywhere, replication_text};
use crate::order::{Object, ObjectKey};
use crate::requirements::{features, is_search_column};
use crate::table::Table;
use crate::view::View;

pub(super) struct Work<'a> {
    pub target: &'a Target,
    accept: &'a dyn Fn(&ObjectKey, Rewrite) -> bool,
    pub applied: Vec<Applied>,
    pub offered: Vec<Applied>,
}

impl<'a> Work<'a> {
    pub fn new(target: &'a Target, accept: &'a dyn Fn(&ObjectKey, Rewrite) -> bool) -> Self {
        Self {
            target,
            accept,
            applied: Vec::new(),
            offered: Vec::new(),
        }
    }

    /// Records a rewriting; returns whether to do it.
    pub fn take(
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
        if is_wanted {
            self.applied.push(noted)
        } else {
            self.offered.push(noted)
        }
        is_wanted
    }

    /// Whether a feature that the object needs calls for this rewriting.
    pub fn wanted(&self, object: Object, rewrite: Rewrite) -> bool {
        let mut found = false;
        features(object, &mut |feature, _| {
            found |= rewrites_of(&feature, &self.target.release) == Some(rewrite);
        });
        found
    }

    pub fn keyspace(&mut self, keyspace: &mut Keyspace) {
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

    pub fn function(&mut self, function: &mut Function) {
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

    pub fn aggregate(&mut self, aggregate: &mut Aggregate) {
        let rewrite = Rewrite::DropFunctionProperties;
        if !self.wanted(Object::Aggregate(aggregate), rewrite) {
            return;
        }
        let key = Object::Aggregate(aggregate).key();
        let mut plain = aggregate.clone();
        plain.is_deterministic = false;
        if self.take(key, rewrite, aggregate.to_cql(), plain.to_cql()) {
            *aggregate = plain;
        }
    }

    pub fn table(&mut self, table: &mut Table) {
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
            Rewrite::DropSearchColumn,
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
                Rewrite::DropSearchColumn => {
                    changed.columns.retain(|column| !is_search_column(column));
                }
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

    pub fn view(&mut self, view: &mut View) -> bool {
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
