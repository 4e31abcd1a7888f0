//! A restore under other names is planned as one of a backup whose tables had these names: what is restored is taken out of
//! the backup and renamed once, here, and every chapter after this one reads names of the target only.
//!
//! Each table gets an id of its own, because the one of the backup may be that of the live table.

mod names;
mod schema;

use std::collections::BTreeMap;

use model::manifest::{BackupManifest, KeptDamage, NodeSstables, TableSstables, TableSummary};
use model::plan::{RestorePlan, RestoreRequest};
use model::{Damage, SchemaKind, TableId, TableRef};

use crate::findings::Findings;
use crate::{codes, wording};
use names::Names;

pub(super) use names::check_selected;

/// A request of which everything has its name on the target.
pub(super) struct Renamed {
    pub request: RestoreRequest,
    /// By the id that it gets: each table's name and id in the backup.
    sources: BTreeMap<TableId, (TableRef, TableId)>,
}

impl Renamed {
    /// None if nothing is renamed. Reports what is wrong with the names, and what is left out.
    pub fn of(request: &RestoreRequest, findings: &mut Findings) -> Option<Self> {
        if request.options.renames.is_empty() {
            return None;
        }
        let names = Names::of(request, findings);
        let mut renaming = Renaming {
            request,
            names: &names,
            sources: BTreeMap::new(),
        };
        let backup = renaming.backup(findings);
        let mut options = request.options.clone();
        options.selection = names.selection();
        let sstables = request.sstables.iter().map(|it| renaming.sstables(it));
        let renamed = RestoreRequest {
            sstables: sstables.collect(),
            missing: request.missing.as_ref().map(|it| renaming.missing(it)),
            backup,
            options,
            target: request.target.clone(),
            nodes: request.nodes.clone(),
            unreachable: request.unreachable.clone(),
            schema: request.schema.clone(),
            target_keys: request.target_keys.clone(),
            verifications: request.verifications.clone(),
            now: request.now,
            rates: request.rates,
        };
        say_not_stored(&names, request, findings);
        say_replaced(&names, request, findings);
        Some(Self {
            sources: renaming.sources,
            request: renamed,
        })
    }

    /// Gives each table of the plan its name and its id in the backup.
    pub fn note_sources(&self, plan: &mut RestorePlan) {
        for table in &mut plan.tables {
            if let Some((name, id)) = self.sources.get(&table.source_id) {
                table.source = Some(name.clone());
                table.source_id = *id;
            }
        }
    }
}

struct Renaming<'a> {
    request: &'a RestoreRequest,
    names: &'a Names,
    sources: BTreeMap<TableId, (TableRef, TableId)>,
}

impl Renaming<'_> {
    /// The backup with what is restored of it and nothing else.
    fn backup(&mut self, findings: &mut Findings) -> BackupManifest {
        let mut backup = self.request.backup.clone();
        backup.schema = schema::renamed(&self.request.backup, self.names, findings);
        backup.selection = self.names.backed_up(&self.request.backup.selection);
        for node in &mut backup.nodes {
            let tables = std::mem::take(&mut node.tables).into_iter();
            node.tables = tables.filter_map(|table| self.summary(table)).collect();
            node.damaged.iter_mut().for_each(|it| self.damaged(it));
        }
        backup
    }

    fn summary(&mut self, mut table: TableSummary) -> Option<TableSummary> {
        let source = table.table_ref();
        let target = self.names.target(&source)?.clone();
        let id = self.id(table.id, &target);
        self.sources.insert(id, (source.clone(), table.id));
        if let Some(base) = &mut table.view_of {
            let of = TableRef::new(&source.keyspace, base.as_str());
            *base = self.names.target(&of)?.table.clone();
        }
        Some(TableSummary {
            keyspace: target.keyspace,
            table: target.table,
            id,
            ..table
        })
    }

    /// The same each time that the same is planned, so that a plan can be made again and compared with the one shown.
    fn id(&self, source: TableId, target: &TableRef) -> TableId {
        TableId::made_of(&[
            &self.request.backup.backup.to_string(),
            &source.to_string(),
            &target.keyspace,
            &target.table,
            &self.request.schema.version,
        ])
    }

    fn sstables(&self, node: &NodeSstables) -> NodeSstables {
        let renamed = |of: &TableSstables| {
            let table = self.names.target(&of.table)?.clone();
            Some(TableSstables {
                id: self.id(of.id, &table),
                table,
                sstables: of.sstables.clone(),
            })
        };
        NodeSstables {
            host_id: node.host_id,
            tables: node.tables.iter().filter_map(renamed).collect(),
            keys: node.keys.clone(),
        }
    }

    /// What is not restored stays counted, under a name that no table has.
    fn damaged(&self, damage: &mut KeptDamage) {
        let source = TableRef::new(&damage.keyspace, &damage.table);
        let target = self.names.target(&source).cloned();
        let target = target.unwrap_or_else(|| TableRef::new("", source.to_string()));
        (damage.keyspace, damage.table) = (target.keyspace, target.table);
    }

    /// What is of no table is of the backup as a whole.
    fn missing(&self, missing: &[Damage]) -> Vec<Damage> {
        let renamed = |damage: &Damage| {
            let mut damage = damage.clone();
            if !damage.table.is_empty() {
                let source = TableRef::new(&damage.keyspace, &damage.table);
                let target = self.names.target(&source)?.clone();
                (damage.keyspace, damage.table) = (target.keyspace, target.table);
            }
            Some(damage)
        };
        missing.iter().filter_map(renamed).collect()
    }
}

/// A backup of a few tables has the definitions of all.
fn say_not_stored(names: &Names, request: &RestoreRequest, findings: &mut Findings) {
    let stored = request.backup.tables();
    for pair in names.pairs.iter().filter(|pair| pair.is_whole) {
        let entries = request.backup.schema.entries.iter();
        let tables = entries.filter(|it| it.kind == SchemaKind::Table && it.keyspace == pair.from);
        let is_stored = |name: &str| {
            let mut stored = stored.iter();
            stored.any(|table| table.keyspace == pair.from && table.table == name)
        };
        let lacking = tables.map(|it| it.name.as_str());
        let lacking: Vec<&str> = lacking.filter(|name| !is_stored(name)).collect();
        if !lacking.is_empty() {
            findings.say(
                codes::RENAME_LEAVES_OUT,
                &pair.from,
                format!(
                    "tables of {} are not in the backup, and {} comes without them: {}",
                    pair.from,
                    pair.to,
                    wording::list(lacking)
                ),
                "pick a backup of the whole keyspace if they are needed",
            );
        }
    }
}

fn say_replaced(names: &Names, request: &RestoreRequest, findings: &mut Findings) {
    let tables = names.tables().map(|it| (SchemaKind::Table, it));
    let views = names.views().map(|it| (SchemaKind::View, it));
    for (kind, (source, target)) in tables.chain(views) {
        let (keyspace, name) = (&target.keyspace, &target.table);
        if request.schema.find(kind, keyspace, name).is_some() {
            findings.say(
                codes::RENAME_REPLACES,
                &target,
                format!("{target} is there: what it holds makes way for the backup's {source}"),
                "give it a name that is free, unless it is an earlier copy that may go",
            );
        }
    }
}
