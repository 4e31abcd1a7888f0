//! Whether the target's nodes can take the backup's SSTables, said once for each reason and format.
//!
//! A backup may have a million SSTables, and they are of few kinds: each is counted to its kind, and only kinds are judged.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use cassandra_versions::{Line, Product, Reading, Release, compatibility, lines_that_read};
use model::manifest::{BackupManifest, NodeSstables};
use model::plan::RestoreMode;
use model::{HostId, NodeDescription, TableId};

use crate::findings::Findings;
use crate::verdict::{Obstacle, Reader, Traits, verdict};
use crate::{codes, wording};

/// What the verdicts mean for the steps of a restore.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdicts {
    /// Formats that a target node reads, and that upgradesstables would rewrite there.
    pub older: BTreeSet<String>,
    /// SSTables that must be renamed, because a target node does not parse their ids.
    pub renamed: u64,
}

/// Says what stands against loading the tables that are `wanted`, by keyspace and name, into any of the target's nodes.
/// Where nothing is known of a table's SSTables, the formats in the backup manifest stand for them.
pub(crate) fn check(
    backup: &BackupManifest,
    sstables: &[NodeSstables],
    wanted: impl Fn(&str, &str) -> bool,
    targets: &[&NodeDescription],
    mode: RestoreMode,
    findings: &mut Findings,
) -> Verdicts {
    let kinds = kinds(backup, sstables, wanted);
    let readers = readers(targets, mode);
    let mut verdicts = Verdicts::default();
    let mut obstacles: BTreeMap<(Obstacle, String), Met> = BTreeMap::new();
    for (kind, met) in &kinds {
        let mut rename = false;
        let mut against: BTreeMap<Obstacle, BTreeSet<&str>> = BTreeMap::new();
        for (reader, nodes) in &readers {
            let verdict = verdict(&kind.traits, kind.source, reader);
            rename |= verdict.rename;
            if verdict.older {
                verdicts.older.insert(kind.traits.format());
            }
            for obstacle in verdict.obstacles {
                against.entry(obstacle).or_default().extend(nodes);
            }
        }
        if rename {
            verdicts.renamed += met.sstables;
        }
        for (obstacle, nodes) in against {
            let what = match (obstacle, kind.traits.partitioner) {
                (Obstacle::Partitioner, Some(partitioner)) => partitioner.to_owned(),
                _ => kind.traits.format(),
            };
            let all = obstacles.entry((obstacle, what)).or_default();
            all.sstables += met.sstables;
            all.tables.extend(&met.tables);
            all.nodes.extend(nodes);
        }
    }
    for ((obstacle, what), met) in &obstacles {
        say(*obstacle, what, met, &readers, &backup.release, findings);
    }
    verdicts
}

/// What SSTables that are alike have in common.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Kind<'a> {
    /// The release of the node that held them.
    source: &'a Release,
    traits: Traits<'a>,
}

/// Where something was met, and how often.
#[derive(Debug, Default)]
struct Met<'a> {
    sstables: u64,
    tables: BTreeSet<(&'a str, &'a str)>,
    nodes: BTreeSet<&'a str>,
}

fn kinds<'a>(
    backup: &'a BackupManifest,
    sstables: &'a [NodeSstables],
    wanted: impl Fn(&str, &str) -> bool,
) -> HashMap<Kind<'a>, Met<'a>> {
    let releases: HashMap<HostId, &Release> = backup
        .nodes
        .iter()
        .map(|node| (node.host_id, &node.release))
        .collect();
    let mut kinds: HashMap<Kind, Met> = HashMap::new();
    let mut known: HashSet<(HostId, TableId)> = HashSet::new();
    for node in sstables {
        let source = *releases.get(&node.host_id).unwrap_or(&&backup.release);
        for table in &node.tables {
            if table.sstables.is_empty() || !wanted(&table.table.keyspace, &table.table.table) {
                continue;
            }
            known.insert((node.host_id, table.id));
            let name = (table.table.keyspace.as_str(), table.table.table.as_str());
            for facts in &table.sstables {
                let traits = Traits::of(facts);
                let met = kinds.entry(Kind { source, traits }).or_default();
                met.sstables += 1;
                if !met.tables.contains(&name) {
                    met.tables.insert(name);
                }
            }
        }
    }
    for node in &backup.nodes {
        for table in &node.tables {
            let is_known = known.contains(&(node.host_id, table.id));
            if is_known || table.bytes == 0 || !wanted(&table.keyspace, &table.table) {
                continue;
            }
            for format in &table.formats {
                let kind = Kind {
                    source: &node.release,
                    traits: Traits::of_format(format),
                };
                let met = kinds.entry(kind).or_default();
                met.tables.insert((&table.keyspace, &table.table));
            }
        }
    }
    kinds
}

/// The target's nodes, those that are alike together.
fn readers<'a>(
    targets: &[&'a NodeDescription],
    mode: RestoreMode,
) -> Vec<(Reader<'a>, Vec<&'a str>)> {
    let mut readers: Vec<(Reader, Vec<&str>)> = Vec::new();
    for node in targets {
        let reader = Reader::of(node, mode == RestoreMode::InPlace);
        let address = node.member.address.as_str();
        match readers.iter_mut().find(|(seen, _)| seen.is_like(&reader)) {
            Some((_, nodes)) => nodes.push(address),
            None => readers.push((reader, vec![address])),
        }
    }
    readers
}

fn say(
    obstacle: Obstacle,
    what: &str,
    met: &Met,
    readers: &[(Reader, Vec<&str>)],
    source: &Release,
    findings: &mut Findings,
) {
    let tables = wording::list(
        met.tables
            .iter()
            .map(|(keyspace, table)| format!("{keyspace}.{table}")),
    );
    let nodes = wording::list(&met.nodes);
    let counted = wording::counted(met.sstables, &format!("{what} SSTable"));
    let of = readers
        .iter()
        .find(|(_, all)| all.iter().any(|node| met.nodes.contains(node)));
    let partitioner = of.map_or("another partitioner", |(reader, _)| reader.partitioner());
    let release = of.map(|(reader, _)| reader.release());
    let target = release.map_or_else(String::new, ToString::to_string);
    let (code, message, hint) = match obstacle {
        Obstacle::Partitioner => (
            codes::PARTITIONER_DIFFERS,
            format!(
                "the backup holds {} of {tables} that {what} placed, and {nodes} places by {partitioner}",
                wording::counted(met.sstables, "SSTable")
            ),
            format!("restore these tables into a cluster with {what}"),
        ),
        Obstacle::Unreadable(reading) => (
            codes::FORMAT_UNREADABLE,
            format!("the backup holds {what} SSTables of {tables}, which {nodes} cannot read"),
            way_to_read(reading, what, source, release),
        ),
        Obstacle::ZeroCopySlice => (
            codes::SSTABLE_NEEDS_REWRITE,
            format!("the backup holds {counted} of {tables} that DSE streamed in part without copying, which {target} on {nodes} does not know of"),
            "on the source set `zerocopy_streaming_enabled: false`, run `nodetool upgradesstables -a` for these tables, and back up again".to_owned(),
        ),
        Obstacle::BrokenSlice => (
            codes::SSTABLE_NEEDS_REWRITE,
            format!("the backup holds {counted} of {tables} that DSE 6.8.7 or 6.8.8 streamed in part without copying, which broke some of them"),
            "bring the source to DSE 6.8.9 or later, set `zerocopy_streaming_enabled: false`, run `nodetool upgradesstables -a` for these tables, and back up again".to_owned(),
        ),
        Obstacle::Tuples => (
            codes::SSTABLE_NEEDS_REWRITE,
            format!("the backup holds {counted} of {tables} with tuples as DSE before 6.8.36 wrote them, which {target} on {nodes} loses"),
            "on exactly DSE 6.8.35 run `nodetool upgradesstables -a` for these tables, on the source or on a cluster that this backup is restored into; bring that cluster to 6.8.36 or later, and back up again".to_owned(),
        ),
        Obstacle::LegacyCounterShards => (
            codes::SSTABLE_NEEDS_REWRITE,
            format!("the backup holds {counted} of {tables} with counters that have shards of before 2.1, which {target} on {nodes} does not read"),
            "on Cassandra 3.11 run `nodetool scrub` for these tables, on the source or on a cluster that this backup is restored into, and back up again".to_owned(),
        ),
        Obstacle::UnfrozenType { mended_by_scrub } => (
            codes::SSTABLE_NEEDS_REWRITE,
            format!("the backup holds {counted} of {tables} with a user-defined type that Cassandra 3.0 did not mark as frozen, which {target} on {nodes} takes for another type"),
            if mended_by_scrub { "after the restore restart each node, which mends such SSTables when it starts, or run `sstablescrub -e fix` for these tables while it is down" } else { "restore into Cassandra 4.1, run `sstablescrub -e fix` for these tables there while each node is down, and back up again" }.to_owned(),
        ),
    };
    findings.say_as(obstacle.severity(), code, what, message, hint);
}

fn way_to_read(
    reading: Reading,
    format: &str,
    source: &Release,
    target: Option<&Release>,
) -> String {
    let takes = |line: &Line| {
        let verdict = compatibility(source, &line.first_release());
        matches!(verdict, cassandra_versions::Verdict::Supported { .. })
    };
    match reading {
        Reading::InAnotherMode if target.is_some_and(|it| it.product == Product::Hcd) => {
            "leave `storage_compatibility_mode` out of cassandra.yaml of every target node, with a rolling restart: HCD 2.x reads it then".to_owned()
        }
        Reading::InAnotherMode => {
            "set `storage_compatibility_mode` to UPGRADING on every target node, then to NONE, with a rolling restart for each: Cassandra 5.0 reads it then".to_owned()
        }
        Reading::AfterRewriteOn(line) => {
            let command = line.first_release().upgrade_command();
            format!("restore into {line}, run `{command}` there, and back up again")
        }
        Reading::Reads | Reading::Never => {
            let lines: Vec<Line> = lines_that_read(format).into_iter().filter(takes).collect();
            if lines.is_empty() { format!("no release that takes a backup of {source} reads this format") } else { format!("restore into a release that reads it: {}", wording::list(lines)) }
        }
    }
}

#[cfg(test)]
mod tests;
