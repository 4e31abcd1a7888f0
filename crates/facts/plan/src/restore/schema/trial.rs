//! The trial load: before anything live is emptied, dropped or swapped, the restore is tried in scratch keyspaces.
//!
//! A node may refuse a definition or an SSTable for reasons that no plan can see. So the tables that would be dropped and
//! made again, and of each format of each source node one table, are made in a scratch keyspace that is replicated as
//! theirs; each node loads one SSTable of each format that it has staged, and the scratch keyspaces are dropped. If
//! nothing live is replaced, nothing can be lost, and nothing is tried.

use std::collections::{BTreeMap, BTreeSet};

use cassandra_schema::{Schema, Table, replay_order};
use model::plan::{TableAction, TrialTable};
use model::{HostId, TRIAL_KEYSPACE_PREFIX, TableRef};

use super::tables::Decided;
use crate::restore::given::Given;
use crate::restore::placing::replication::KeyspacePlan;
use crate::verdict::Traits;

/// What is tried, and the CQL around it; all empty if nothing is.
#[derive(Default)]
pub(crate) struct Trial {
    pub tables: Vec<TrialTable>,
    /// Makes the scratch keyspaces; what an earlier try left of them is dropped first.
    pub make: Vec<String>,
    /// Drops them.
    pub drop: Vec<String>,
}

pub(crate) fn write(given: &Given, decided: &[Decided], keyspaces: &[KeyspacePlan]) -> Trial {
    if given.request.options.skip_trial || !decided.iter().any(replaces) {
        return Trial::default();
    }
    let schema = &given.inputs.schemas.backup;
    let tried = tried(given, decided, schema);
    let mut trial = Trial::default();
    for (at, (keyspace, tables)) in tried.iter().enumerate() {
        let scratch = format!("{TRIAL_KEYSPACE_PREFIX}{}", at + 1);
        let drop = format!("DROP KEYSPACE IF EXISTS {scratch}");
        trial.make.push(drop.clone());
        trial.drop.push(drop);
        let plan = keyspaces.iter().find(|plan| plan.name == *keyspace);
        let copy = scratch_schema(schema, keyspace, &scratch, tables, plan);
        let release = given.inputs.cluster.nodes.first().map(|node| &node.release);
        for object in replay_order(&copy) {
            let made = match release {
                Some(release) => object.to_cql_for(release),
                None => object.to_cql(),
            };
            trial.make.extend(made);
        }
        let tables = tables.iter().map(|table| TrialTable {
            table: table.plan.table.clone(),
            target_id: table.plan.target_id,
            trial: TableRef::new(&scratch, &table.plan.table.table),
        });
        trial.tables.extend(tables);
    }
    trial
}

/// Whether live data makes way for it.
pub(crate) fn replaces(table: &Decided) -> bool {
    match table.plan.action {
        TableAction::Truncate | TableAction::Recreate => true,
        TableAction::Swap => table.is_live,
        TableAction::Create | TableAction::RebuildView => false,
    }
}

/// The tables to be tried, by keyspace.
fn tried<'a>(
    given: &Given,
    decided: &'a [Decided<'a>],
    schema: &Schema,
) -> BTreeMap<&'a str, Vec<&'a Decided<'a>>> {
    let candidates: Vec<&Decided> = decided
        .iter()
        .filter(|table| table.is_staged() && table.view_of.is_none())
        .filter(|table| can_be_copied(schema, &table.plan.table))
        .collect();
    let examples = examples(given, &candidates);
    let mut tried: BTreeMap<&str, Vec<&Decided>> = BTreeMap::new();
    for table in candidates {
        let is_made_again = table.plan.action == TableAction::Recreate;
        if is_made_again || examples.contains(&table.plan.table) {
            let keyspace = table.plan.table.keyspace.as_str();
            tried.entry(keyspace).or_default().push(table);
        }
    }
    tried
}

/// Some definitions cannot be made under another name: masks may call functions of the keyspace by its name, Search has
/// statements of its own, and some tables have no CQL at all.
fn can_be_copied(schema: &Schema, table: &TableRef) -> bool {
    let Some(found) = schema.table(&table.keyspace, &table.table) else {
        return false;
    };
    let has_mask = found.columns.iter().any(|column| column.mask.is_some());
    let mut indexes = schema.indexes.iter();
    let has_search = indexes.any(|index| {
        index.keyspace == table.keyspace
            && index.table == table.table
            && !index.search_statements.is_empty()
    });
    !has_mask && !has_search && !found.has_no_cql && found.graph.is_none()
}

/// Few tables that have between them SSTables of each format of each source node.
fn examples(given: &Given, candidates: &[&Decided]) -> BTreeSet<TableRef> {
    let mut open: BTreeMap<&TableRef, BTreeSet<(HostId, String)>> = BTreeMap::new();
    for table in candidates {
        open.insert(&table.plan.table, formats_of(given, &table.plan.table));
    }
    let mut chosen = BTreeSet::new();
    loop {
        // The table with the most that is not covered yet; among equals the first by name.
        let best = open
            .iter()
            .max_by(|(a, left), (b, right)| left.len().cmp(&right.len()).then(b.cmp(a)))
            .filter(|(_, formats)| !formats.is_empty())
            .map(|(table, formats)| ((*table).clone(), formats.clone()));
        let Some((table, covered)) = best else {
            return chosen;
        };
        for formats in open.values_mut() {
            formats.retain(|format| !covered.contains(format));
        }
        chosen.insert(table);
    }
}

/// The formats that each source node has of a table; by the backup manifest's figures if its SSTables are not known.
pub(crate) fn formats_of(given: &Given, table: &TableRef) -> BTreeSet<(HostId, String)> {
    let mut formats = BTreeSet::new();
    let mut known = BTreeSet::new();
    for node in &given.request.sstables {
        for of in node.tables.iter().filter(|of| of.table == *table) {
            known.insert(node.host_id);
            let each = of.sstables.iter().map(|facts| Traits::of(facts).format());
            formats.extend(each.map(|format| (node.host_id, format)));
        }
    }
    for node in &given.backup.nodes {
        if known.contains(&node.host_id) {
            continue;
        }
        let tables = node.tables.iter();
        for of in tables.filter(|of| of.keyspace == table.keyspace && of.table == table.table) {
            let each = of.formats.iter().cloned();
            formats.extend(each.map(|format| (node.host_id, format)));
        }
    }
    formats
}

/// The scratch keyspace with what its tables need, replicated as the keyspace will be.
fn scratch_schema(
    schema: &Schema,
    keyspace: &str,
    scratch: &str,
    tables: &[&Decided],
    plan: Option<&KeyspacePlan>,
) -> Schema {
    let mut copy = schema.copy_keyspace(keyspace, scratch);
    let is_tried = |name: &str| {
        let mut tables = tables.iter();
        tables.any(|table| table.plan.table.table == name)
    };
    copy.tables.retain(|table| is_tried(&table.name));
    copy.indexes.retain(|index| is_tried(&index.table));
    copy.views.clear();
    copy.functions.clear();
    copy.aggregates.clear();
    copy.keep_needed_types();
    copy.tables.iter_mut().for_each(without_side_effects);
    if let (Some(keyspace), Some(plan)) = (copy.keyspaces.first_mut(), plan) {
        keyspace.replication = plan.will_be.clone();
    }
    copy
}

/// A trigger's class may act on other tables, and change data capture would keep what is written.
fn without_side_effects(table: &mut Table) {
    table.triggers.clear();
    table.options.remove("cdc");
}
