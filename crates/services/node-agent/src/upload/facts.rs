//! What a plan needs to know of each SSTable, read from its small components, or known from the base.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use cassandra_formats::{Error, PlanFacts, plan_facts};
use cassandra_node::files::{FileError, blocking};
use cassandra_node::sstables;
use chassis::work::{self, Work};
use jiff::Timestamp;
use model::TableId;
use model::manifest::{Encryption, Expiring, Hazard, NodeManifest, SstableFacts, StoredFile};
use sstable_files::SstableFiles;

use super::{Stored, UploadError};
use crate::agent::Agent;
use crate::snapshot::SnapshotTable;

/// Facts of the base's SSTables, and of what content they are facts.
#[derive(Default)]
pub(super) struct BaseFacts {
    sstables: HashMap<(TableId, String), (SstableFacts, Contents)>,
}

/// Name and BLAKE3 of the components that facts are read from.
type Contents = BTreeSet<(String, String)>;

impl BaseFacts {
    pub fn of(manifest: &NodeManifest) -> Self {
        let mut sstables = HashMap::new();
        for table in &manifest.tables {
            for facts in &table.sstables {
                let contents = contents(&table.files, &facts.name);
                let key = (table.id, facts.name.clone());
                sstables.insert(key, (facts.clone(), contents));
            }
        }
        Self { sstables }
    }

    /// What the base says of the very same content. It knew of more that would expire.
    fn get(&self, table: TableId, name: &str, now: &Contents, after: u64) -> Option<SstableFacts> {
        let (facts, contents) = self.sstables.get(&(table, name.to_owned()))?;
        (contents == now).then(|| {
            let mut facts = facts.clone();
            facts.expiring.retain(|point| point.at_seconds > after);
            facts
        })
    }
}

/// Attached indexes may come and go, and the filter shows nothing.
fn contents(files: &[StoredFile], sstable: &str) -> Contents {
    let own = files.iter().filter(|file| file.index.is_none());
    own.filter_map(|file| {
        let component = file.name.strip_prefix(sstable)?.strip_prefix('-')?;
        let tells = matches!(
            component,
            cassandra_formats::DATA
                | cassandra_formats::STATISTICS
                | cassandra_formats::COMPRESSION_INFO
                | cassandra_formats::INDEX
                | cassandra_formats::SUMMARY
                | cassandra_formats::PARTITIONS
        );
        tells.then(|| (component.to_owned(), file.blake3.clone()))
    })
    .collect()
}

/// Facts of every SSTable of every table, by table, in the order of their names.
pub(super) async fn facts(
    agent: &Agent,
    tables: &[SnapshotTable],
    stored: &Stored,
    base: &BaseFacts,
    partitioner: &str,
    taken_at: Timestamp,
    work: &Work,
) -> Result<HashMap<TableId, Vec<SstableFacts>>, UploadError> {
    let after = u64::try_from(taken_at.as_second()).unwrap_or(0);
    let mut found: HashMap<TableId, Vec<SstableFacts>> = HashMap::new();
    let mut unknown: Vec<(TableId, Arc<SstableFiles>)> = Vec::new();
    for table in tables {
        let id = table.table.id;
        let files = stored.files.get(&id).map(Vec::as_slice).unwrap_or_default();
        let own = sstables::with_sstables(table.files.clone());
        for (_, sstable) in own.into_iter().filter(|(file, _)| file.is_own_data()) {
            let name = sstable.descriptor().to_string();
            match base.get(id, &name, &contents(files, &name), after) {
                Some(mut facts) => {
                    facts.bytes = sstable.bytes();
                    found.entry(id).or_default().push(facts);
                }
                None => unknown.push((id, sstable)),
            }
        }
    }
    let children = work.child();
    let partitioner: Arc<str> = cassandra_formats::simple_name(partitioner).into();
    let read = |(id, sstable): (TableId, Arc<SstableFiles>)| {
        let (children, partitioner) = (children.clone(), partitioner.clone());
        async move {
            children.check()?;
            let facts = blocking(move || read(&sstable, &partitioner, after));
            Ok::<_, UploadError>((id, facts.await?))
        }
    };
    work::for_each(
        &children,
        agent.config.parallel_files,
        unknown,
        read,
        |(id, facts)| found.entry(id).or_default().push(facts),
    )
    .await?;
    for facts in found.values_mut() {
        facts.sort_by(|a, b| a.name.cmp(&b.name));
    }
    Ok(found)
}

fn read(
    sstable: &SstableFiles,
    partitioner: &str,
    after_seconds: u64,
) -> Result<SstableFacts, FileError> {
    let facts = match plan_facts(sstable, sstable.descriptor(), after_seconds) {
        Ok(facts) => facts,
        Err(Error::Read { component, source } | Error::Write { component, source }) => {
            return Err(FileError::at("read", sstable.path(&component))(source));
        }
        Err(Error::Damaged(_) | Error::Unsupported { .. }) => PlanFacts::default(),
    };
    let hazards = [
        (facts.is_zero_copy_slice, Hazard::ZeroCopySlice),
        (facts.has_tuples, Hazard::Tuples),
        (facts.has_legacy_counter_shards, Hazard::LegacyCounterShards),
        (facts.has_unfrozen_type, Hazard::UnfrozenType),
    ];
    Ok(SstableFacts {
        name: sstable.descriptor().to_string(),
        bytes: sstable.bytes(),
        first_token: facts.first_token,
        last_token: facts.last_token,
        partitioner: facts.partitioner.filter(|name| name != partitioner),
        expiring: facts
            .expiring
            .iter()
            .map(|point| Expiring {
                at_seconds: point.at_seconds,
                cells: point.cells,
            })
            .collect(),
        cells: facts.cells,
        encryption: facts.encryption.map(|by| Encryption {
            compressor: by.compressor,
            key: by.key,
        }),
        hazards: hazards
            .into_iter()
            .filter_map(|(is, hazard)| is.then_some(hazard))
            .collect(),
    })
}

/// The system keys that these SSTables need.
pub(super) fn key_names(facts: &HashMap<TableId, Vec<SstableFacts>>) -> BTreeSet<String> {
    let encrypted = facts
        .values()
        .flatten()
        .filter_map(|facts| facts.encryption.as_ref());
    encrypted.map(|by| by.key.clone()).collect()
}
