//! What the plan makes on the target, and on which release.

use cassandra_schema::{Applied, ObjectKey, Requirement, Rewrite, rewrites_of};
use cassandra_versions::Release;
use model::SchemaKind;

use super::tables::Decided;
use crate::cluster::Cluster;
use crate::restore::given::schemas::{self, Schemas};
use crate::restore::given::selected::Selected;
use crate::restore::given::target_schema::TargetSchema;

pub(crate) struct Making<'a> {
    pub selected: &'a Selected<'a>,
    pub schemas: &'a Schemas,
    pub live: &'a TargetSchema<'a>,
    pub decided: &'a [Decided<'a>],
    pub cluster: &'a Cluster<'a>,
    pub release: &'a Release,
}

impl Making<'_> {
    /// Whether the plan makes it: what is there already as it was is taken by the target.
    pub fn makes(&self, subject: &ObjectKey) -> bool {
        let (keyspace, name) = (subject.keyspace.as_str(), subject.name.as_str());
        let table_is_made = |table: &str| {
            let mut decided = self.decided.iter();
            decided.any(|it| {
                it.is_made() && it.plan.table.keyspace == keyspace && it.plan.table.table == table
            })
        };
        match subject.kind {
            SchemaKind::Table | SchemaKind::View => table_is_made(name),
            SchemaKind::Index => self.schemas.table_of_index(subject).is_some_and(|table| {
                self.selected.has(keyspace, table)
                    && (table_is_made(table) || !self.has_index(keyspace, name))
            }),
            SchemaKind::Keyspace | SchemaKind::Type => {
                self.selected.keyspaces.contains(&keyspace) && !self.is_live(subject)
            }
            SchemaKind::Function => {
                self.selected.needs_function(keyspace, name) && !self.is_live(subject)
            }
            SchemaKind::Aggregate => {
                self.selected.whole.contains(&keyspace) && !self.is_live(subject)
            }
        }
    }

    /// Whether it is of what is restored, made by the plan or there already.
    pub fn restores(&self, subject: &ObjectKey) -> bool {
        let (keyspace, name) = (subject.keyspace.as_str(), subject.name.as_str());
        match subject.kind {
            SchemaKind::Table | SchemaKind::View => self.selected.has(keyspace, name),
            SchemaKind::Index => {
                let table = self.schemas.table_of_index(subject);
                table.is_some_and(|table| self.selected.has(keyspace, table))
            }
            SchemaKind::Keyspace | SchemaKind::Type => self.selected.keyspaces.contains(&keyspace),
            SchemaKind::Function => self.selected.needs_function(keyspace, name),
            SchemaKind::Aggregate => self.selected.whole.contains(&keyspace),
        }
    }

    /// Whether an index is there as it was in the backup.
    fn has_index(&self, keyspace: &str, name: &str) -> bool {
        let was = self.schemas.fitted.find(SchemaKind::Index, keyspace, name);
        let now = self.live.find(SchemaKind::Index, keyspace, name);
        was.zip(now)
            .is_some_and(|(was, now)| self.schemas.same(was, now))
    }

    fn is_live(&self, subject: &ObjectKey) -> bool {
        let now = self
            .live
            .find(subject.kind, &subject.keyspace, &subject.name);
        now.is_some_and(|now| schemas::key(now) == *subject)
    }

    /// How what needs it could be made in another way, and is not.
    pub fn offered(&self, requirement: &Requirement) -> Option<Rewrite> {
        let closest = rewrites_of(&requirement.feature, self.release)?;
        let mut offered = self.schemas.offered.iter();
        let is_offered = |offered: &Applied| {
            offered.subject == requirement.subject && offered.rewrite == closest
        };
        offered.any(is_offered).then_some(closest)
    }
}

pub(crate) fn name_of(subject: &ObjectKey) -> String {
    match subject.kind {
        SchemaKind::Keyspace => subject.keyspace.clone(),
        _ => format!("{}.{}", subject.keyspace, subject.name),
    }
}
