//! The schemas of backup and target as they are meant: the backup's made to fit the target's release, and the two compared.
//!
//! An entry that is not understood is carried as it was written, and is the same as another only where both are one text.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use cassandra_schema::{
    Applied, Index, Object, ObjectKey, Requirement, Rewrite, SameMeaning, Schema as Parsed, Table,
    Target, View, replay_order, requirements, rewrite,
};
use cassandra_versions::Release;
use model::{Schema, SchemaEntry, SchemaKind, TableRef};

use crate::cluster::Cluster;
use crate::cql;
use crate::findings::Findings;
use crate::{codes, wording};

pub(crate) struct Schemas {
    /// The backup's, as it is made on the target.
    pub backup: Parsed,
    pub live: Parsed,
    /// What the backup's needs as it was, before anything was made in another way.
    pub needed: Vec<Requirement>,
    /// The table of each index of the backup, also of those that are left out.
    index_tables: BTreeMap<ObjectKey, String>,
    /// `backup` as stored entries.
    pub fitted: Schema,
    pub applied: Vec<Applied>,
    /// What would make more of it fit, and was not asked for.
    pub offered: Vec<Applied>,
    not_understood: HashSet<ObjectKey>,
}

impl Schemas {
    pub fn of(
        backup: &Schema,
        live: &Schema,
        release: &Release,
        cluster: &Cluster,
        rewrite_schema: bool,
        findings: &mut Findings,
    ) -> Self {
        let (parsed, problems) = Parsed::parse(backup);
        let (live_parsed, live_problems) = Parsed::parse(live);
        let mut not_understood = HashSet::new();
        for (whose, problems) in [("backup", &problems), ("target", &live_problems)] {
            if problems.is_empty() {
                continue;
            }
            let names = problems
                .iter()
                .map(|p| format!("{}.{}", p.keyspace, p.name));
            findings.say(
                codes::SCHEMA_NOT_UNDERSTOOD,
                whose,
                format!(
                    "definitions of the {whose} that are not understood are taken as they are written: {}",
                    wording::list(names)
                ),
                format!("the first: {}", problems[0].error),
            );
            not_understood.extend(problems.iter().filter_map(|p| {
                Some(ObjectKey {
                    kind: p.kind?,
                    keyspace: p.keyspace.clone(),
                    name: p.name.clone(),
                })
            }));
        }
        let needed = requirements(&parsed);
        let index_tables = index_tables(&parsed);
        let Some(first) = cluster.nodes.first() else {
            return Self {
                fitted: backup.clone(),
                backup: parsed,
                live: live_parsed,
                needed,
                index_tables,
                applied: Vec::new(),
                offered: Vec::new(),
                not_understood,
            };
        };
        let target = Target {
            release: first.release.clone(),
            datacenters: datacenters(cluster),
        };
        let rewritten = rewrite(&parsed, &target, &|_, _| rewrite_schema);
        // What one product prints another may not read, however little of it was changed.
        let reprint = release.product != first.release.product;
        let fitted = fit(
            backup,
            &rewritten.schema,
            &rewritten.applied,
            &first.release,
            reprint,
        );
        Self {
            backup: rewritten.schema,
            live: live_parsed,
            needed,
            index_tables,
            fitted,
            applied: rewritten.applied,
            offered: rewritten.offered,
            not_understood,
        }
    }

    /// Whether what has this name on both sides means the same on both. `before` and `now` are their entries. How long
    /// tombstones are kept does not count: a restore raises that until a repair, and sets it on what is there.
    pub fn same(&self, before: &SchemaEntry, now: &SchemaEntry) -> bool {
        // What is written alike is alike, understood or not.
        if before.cql == now.cql {
            return before.kind == now.kind;
        }
        let (keyspace, name) = (before.keyspace.as_str(), before.name.as_str());
        if before.kind != now.kind || self.is_unknown(before) || self.is_unknown(now) {
            return cql::same_definition(&before.cql, &now.cql);
        }
        let (was, is) = (&self.backup, &self.live);
        let understood = match before.kind {
            SchemaKind::Table => same(
                was.table(keyspace, name).map(without_grace).as_ref(),
                is.table(keyspace, name).map(without_grace).as_ref(),
            ),
            SchemaKind::View => same(
                was.view(keyspace, name).map(view_without_grace).as_ref(),
                is.view(keyspace, name).map(view_without_grace).as_ref(),
            ),
            SchemaKind::Index => same(was.index(keyspace, name), is.index(keyspace, name)),
            SchemaKind::Type => same(was.user_type(keyspace, name), is.user_type(keyspace, name)),
            SchemaKind::Keyspace => same(was.keyspace(keyspace), is.keyspace(keyspace)),
            SchemaKind::Function | SchemaKind::Aggregate => {
                self.same_code(before.kind, keyspace, name)
            }
        };
        understood.unwrap_or_else(|| cql::same_definition(&before.cql, &now.cql))
    }

    /// The compression options of each table, names and values as they are written.
    pub fn compression(&self) -> impl Iterator<Item = (TableRef, BTreeMap<String, String>)> {
        self.backup.tables.iter().filter_map(|table| {
            let options = table.options.get("compression")?.as_map()?;
            let options = options
                .iter()
                .map(|(name, value)| (name.clone(), value.content().to_owned()));
            let name = TableRef::new(&table.keyspace, &table.name);
            Some((name, options.collect()))
        })
    }

    pub fn table_of_index(&self, index: &ObjectKey) -> Option<&str> {
        self.index_tables.get(index).map(String::as_str)
    }

    /// How a table could be compacted instead.
    pub fn offered_compaction(&self, keyspace: &str, table: &str) -> Option<Rewrite> {
        let of_table = self.offered.iter().filter(|offered| {
            offered.subject.kind == SchemaKind::Table
                && offered.subject.keyspace == keyspace
                && offered.subject.name == table
        });
        let mut rewrites = of_table.map(|offered| offered.rewrite);
        rewrites.find(|rewrite| matches!(rewrite, Rewrite::SizeTiered | Rewrite::TimeWindow))
    }

    fn same_code(&self, kind: SchemaKind, keyspace: &str, signature: &str) -> Option<bool> {
        let is_this = |object: &Object| {
            let key = object.key();
            key.kind == kind && key.keyspace == keyspace && key.name == signature
        };
        let was = replay_order(&self.backup).into_iter().find(is_this)?;
        let is = replay_order(&self.live).into_iter().find(is_this)?;
        match (was, is) {
            (Object::Function(was), Object::Function(is)) => Some(was.same_definition(is)),
            (Object::Aggregate(was), Object::Aggregate(is)) => Some(was.same_definition(is)),
            _ => None,
        }
    }

    fn is_unknown(&self, entry: &SchemaEntry) -> bool {
        self.not_understood.contains(&key(entry))
    }
}

fn without_grace(table: &Table) -> Table {
    let mut table = table.clone();
    table.options.remove(cql::GRACE);
    table
}

fn view_without_grace(view: &View) -> View {
    let mut view = view.clone();
    view.options.remove(cql::GRACE);
    view
}

pub(crate) fn key(entry: &SchemaEntry) -> ObjectKey {
    ObjectKey {
        kind: entry.kind,
        keyspace: entry.keyspace.clone(),
        name: entry.name.clone(),
    }
}

fn index_tables(schema: &Parsed) -> BTreeMap<ObjectKey, String> {
    let of_index = |index: &Index| {
        let key = ObjectKey {
            kind: SchemaKind::Index,
            keyspace: index.keyspace.clone(),
            name: index.name.clone(),
        };
        (key, index.table.clone())
    };
    schema.indexes.iter().map(of_index).collect()
}

fn same<T: SameMeaning>(was: Option<&T>, is: Option<&T>) -> Option<bool> {
    Some(was?.same_definition(is?))
}

fn datacenters(cluster: &Cluster) -> BTreeMap<String, u32> {
    let mut nodes = BTreeMap::new();
    for member in &cluster.ring {
        *nodes.entry(member.datacenter.clone()).or_default() += 1;
    }
    nodes
}

/// The stored entries with what was rewritten in them. What was left out is gone, and what is not understood stays.
fn fit(
    backup: &Schema,
    rewritten: &Parsed,
    applied: &[Applied],
    release: &Release,
    reprint: bool,
) -> Schema {
    let changed: BTreeSet<&ObjectKey> = applied.iter().map(|applied| &applied.subject).collect();
    let objects: BTreeMap<ObjectKey, Object> = replay_order(rewritten)
        .into_iter()
        .map(|object| (object.key(), object))
        .collect();
    let fit_entry = |entry: &SchemaEntry| {
        let key = key(entry);
        let is_changed = changed.contains(&key);
        match objects.get(&key) {
            Some(object) if (is_changed || reprint) && !entry.cql.is_empty() => Some(SchemaEntry {
                cql: object.to_cql_for(release),
                ..entry.clone()
            }),
            None if is_changed => None,
            _ => Some(entry.clone()),
        }
    };
    Schema {
        version: backup.version.clone(),
        entries: backup.entries.iter().filter_map(fit_entry).collect(),
    }
}
