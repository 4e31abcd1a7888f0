//! How much each target node takes of each table, in bytes and SSTables.

use std::collections::HashMap;

use cassandra_tokens::Partitioner;
use model::manifest::{BackupManifest, NodeSstables, SstableFacts, TableSummary};
use model::plan::TableAction;
use model::{HostId, TableId};
use placement::{Load, Spread, Sstable};

use crate::restore::given::rings::Rings;
use crate::restore::placing::moves::{Moves, Taker};
use crate::restore::placing::own::{Lies, OneToOne, can_be_cut};
use crate::restore::schema::tables::Decided;

/// What one target node takes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Figures {
    pub load: Load,
    /// Of the largest table, which an upgrade may rewrite at once.
    pub largest_table_bytes: u64,
    /// What rebuilt views take.
    pub view_bytes: u64,
    /// From which anything is taken.
    pub tables: u64,
}

/// One for each taker.
pub(crate) fn figures(
    backup: &BackupManifest,
    sstables: &[NodeSstables],
    moves: &Moves,
    takers: &[Taker],
    rings: Option<&Rings>,
    decided: &[Decided],
) -> Vec<Figures> {
    match (moves, rings) {
        (Moves::OneToOne(moves), _) => {
            let known = Known::of(sstables);
            takers
                .iter()
                .map(|taker| one_to_one(backup, &known, moves, taker, decided))
                .collect()
        }
        (Moves::ByRange(_), Some(rings)) => {
            by_range(backup, sstables, moves, takers, rings, decided)
        }
        _ => vec![Figures::default(); takers.len()],
    }
}

/// What becomes of the tables of a node: staged, or rebuilt as a view.
struct Fates<'a> {
    staged: HashMap<TableId, &'a Decided<'a>>,
    rebuilt: Vec<&'a Decided<'a>>,
}

impl<'a> Fates<'a> {
    fn of(decided: &'a [Decided<'a>]) -> Self {
        let (rebuilt, staged): (Vec<_>, Vec<_>) = decided
            .iter()
            .partition(|table| table.plan.action == TableAction::RebuildView);
        Self {
            staged: staged
                .into_iter()
                .map(|table| (table.plan.source_id, table))
                .collect(),
            rebuilt,
        }
    }

    fn is_staged(&self, table: &TableSummary) -> bool {
        self.staged
            .get(&table.id)
            .is_some_and(|decided| decided.plan.table == table.table_ref())
    }

    fn is_rebuilt(&self, table: &TableSummary) -> bool {
        let name = table.table_ref();
        self.rebuilt
            .iter()
            .any(|decided| decided.plan.table == name)
    }
}

fn one_to_one(
    backup: &BackupManifest,
    known: &Known,
    moves: &OneToOne,
    taker: &Taker,
    decided: &[Decided],
) -> Figures {
    let fates = Fates::of(decided);
    let mut figures = Figures::default();
    let nodes = backup
        .nodes
        .iter()
        .filter(|node| taker.sources.contains(&node.host_id));
    let tables = nodes.flat_map(|node| node.tables.iter().map(|table| (node.host_id, table)));
    for (source, table) in tables {
        if fates.is_staged(table) {
            let load = own_load(known, moves, (taker.target.member.host_id, source), table);
            figures.load.download_bytes += load.download_bytes;
            figures.load.sstables += load.sstables;
            figures.load.sliced_sstables += load.sliced_sstables;
            figures.largest_table_bytes = figures.largest_table_bytes.max(load.download_bytes);
            figures.tables += u64::from(load.sstables > 0);
        } else if fates.is_rebuilt(table) {
            figures.view_bytes += table.bytes;
        }
    }
    figures
}

/// Of a table that a node takes for itself: all of it but SSTables that lie outside of its ranges. How much is cut off of
/// others is known when they are read; the figures count them whole.
fn own_load(
    known: &Known,
    moves: &OneToOne,
    (target, source): (HostId, HostId),
    table: &TableSummary,
) -> Load {
    let mut load = Load {
        download_bytes: table.bytes,
        sstables: table.sstables,
        sliced_sstables: 0,
    };
    for facts in known.of_table(source, table).unwrap_or_default() {
        match moves.lies(target, &table.keyspace, facts) {
            Some(Lies::Outside) => {
                load.download_bytes = load.download_bytes.saturating_sub(facts.bytes);
                load.sstables = load.sstables.saturating_sub(1);
            }
            Some(Lies::Astray) => load.sliced_sstables += u64::from(can_be_cut(facts)),
            Some(Lies::Inside | Lies::Unknown) | None => {}
        }
    }
    load
}

/// By SSTables where they are known, by the figures of tables where not.
fn by_range(
    backup: &BackupManifest,
    sstables: &[NodeSstables],
    moves: &Moves,
    takers: &[Taker],
    rings: &Rings,
    decided: &[Decided],
) -> Vec<Figures> {
    let Moves::ByRange(groups) = moves else {
        return Vec::new();
    };
    let facts = Known::of(sstables);
    let fates = Fates::of(decided);
    let partitioner = rings.source.partitioner();
    let mut figures = vec![Figures::default(); rings.target.len()];
    for group in groups {
        let mut spread = Spread::new(&group.mapping);
        let mut before: Vec<Load> = spread.loads().to_vec();
        for (table, summaries) in tables(backup, &group.keyspaces) {
            let staged = fates.is_staged(table);
            if !staged && !fates.is_rebuilt(table) {
                continue;
            }
            for (host_id, summary) in summaries {
                let Some(source) = rings.source.index_of(host_id) else {
                    continue;
                };
                match facts.of_table(host_id, summary) {
                    Some(known) => known
                        .iter()
                        .for_each(|facts| spread.add(source, &span(&partitioner, facts))),
                    None => spread.add(source, &unknown(summary)),
                }
            }
            for ((figures, load), before) in figures.iter_mut().zip(spread.loads()).zip(&mut before)
            {
                let bytes = load.download_bytes - before.download_bytes;
                if staged {
                    figures.load.download_bytes += bytes;
                    figures.load.sstables += load.sstables - before.sstables;
                    figures.load.sliced_sstables += load.sliced_sstables - before.sliced_sstables;
                    figures.largest_table_bytes = figures.largest_table_bytes.max(bytes);
                    figures.tables += u64::from(load.sstables > before.sstables);
                } else {
                    figures.view_bytes += bytes;
                }
                *before = *load;
            }
        }
    }
    takers
        .iter()
        .map(|taker| {
            let at = rings.target.index_of(taker.target.member.host_id);
            at.map_or(Figures::default(), |at| figures[at])
        })
        .collect()
}

type Summaries<'a> = (&'a TableSummary, Vec<(HostId, &'a TableSummary)>);

/// The tables of some keyspaces, each with what every node holds of it, in the order of their names.
fn tables<'a>(backup: &'a BackupManifest, keyspaces: &[String]) -> Vec<Summaries<'a>> {
    let mut places: HashMap<TableId, usize> = HashMap::new();
    let mut tables: Vec<Summaries<'a>> = Vec::new();
    for node in &backup.nodes {
        for table in &node.tables {
            if !keyspaces.contains(&table.keyspace) {
                continue;
            }
            let at = *places.entry(table.id).or_insert_with(|| {
                tables.push((table, Vec::new()));
                tables.len() - 1
            });
            tables[at].1.push((node.host_id, table));
        }
    }
    tables
}

/// What is known of SSTables, by node and table.
struct Known<'a>(HashMap<(HostId, TableId), &'a [SstableFacts]>);

impl<'a> Known<'a> {
    fn of(sstables: &'a [NodeSstables]) -> Self {
        let entries = sstables.iter().flat_map(|node| {
            node.tables
                .iter()
                .map(|table| ((node.host_id, table.id), table.sstables.as_slice()))
        });
        Self(entries.collect())
    }

    /// None where nothing was noted of SSTables that are there.
    fn of_table(&self, host_id: HostId, summary: &TableSummary) -> Option<&'a [SstableFacts]> {
        let known = self.0.get(&(host_id, summary.id)).copied();
        known.filter(|facts| !facts.is_empty() || summary.sstables == 0)
    }
}

fn span(partitioner: &Partitioner, facts: &SstableFacts) -> Sstable {
    let token = |text: &Option<String>| partitioner.parse_token(text.as_deref()?).ok();
    Sstable {
        span: token(&facts.first_token).zip(token(&facts.last_token)),
        bytes: facts.bytes,
    }
}

/// Where nothing is known, each node that takes a part is taken to need the whole.
fn unknown(summary: &TableSummary) -> Sstable {
    Sstable {
        span: None,
        bytes: summary.bytes,
    }
}
