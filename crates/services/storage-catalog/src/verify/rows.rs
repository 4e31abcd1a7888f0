//! All rows of an SSTable are checked while its Data.db is downloaded, a few SSTables at a time.

use std::collections::HashSet;
use std::sync::Arc;
use std::thread::available_parallelism;

use super::damage;
use blob_store::StoreError;
use bucket::{RowsCheck, StoredSstable};
use cassandra_formats::source::Components;
use cassandra_formats::{DATA, INDEX, PARTITIONS, ROWS, STATISTICS};
use model::Damage;
use model::manifest::NodeManifest;
use tokio::sync::{Semaphore, SemaphorePermit};

/// SSTables whose rows are checked at once, however many cores there are: each holds its filter in memory.
const ROWS_PARALLEL_MAX: usize = 4;

/// One permit for each SSTable whose rows may be checked at once.
pub fn permits() -> Semaphore {
    let cores = available_parallelism().map_or(1, usize::from);
    Semaphore::new(cores.min(ROWS_PARALLEL_MAX))
}

/// A check that has begun.
pub struct Begun<'a> {
    pub check: RowsCheck,
    _permit: SemaphorePermit<'a>,
}

/// Begins the check if the component is Data.db and those that are needed beside it can be there.
pub async fn begin<'a>(
    sstable: &Arc<StoredSstable>,
    component: &str,
    permits: &'a Semaphore,
) -> Option<Begun<'a>> {
    if component != DATA || !is_complete(sstable) {
        return None;
    }
    let permit = permits.acquire().await.ok()?;
    Some(Begun {
        check: RowsCheck::begin(sstable.clone()),
        _permit: permit,
    })
}

/// Whether nothing that the rows are read with is missing; that a component is missing is reported as such.
fn is_complete(sstable: &StoredSstable) -> bool {
    has_all_that_rows_need(sstable) && sstable.is_whole()
}

/// Whether the backup has named every component that the rows are read with.
pub fn has_all_that_rows_need(sstable: &StoredSstable) -> bool {
    let names = sstable.names();
    let is_named = |name: &str| names.iter().any(|named| named == name);
    is_named(STATISTICS) && (is_named(INDEX) || (is_named(PARTITIONS) && is_named(ROWS)))
}

/// The damage of rows of those SSTables whose components are sound by themselves, now and on the node: the rows of
/// others only show the same damage again.
pub fn of_sound_sstables(
    manifest: &NodeManifest,
    mut of_rows: Vec<Damage>,
    own: &[Damage],
) -> Vec<Damage> {
    if of_rows.is_empty() {
        return of_rows;
    }
    let place = |of: &Damage| (of.keyspace.clone(), of.table.clone(), of.sstable.clone());
    let kept = damage::kept(manifest).map(|kept| place(&kept));
    let damaged: HashSet<_> = own.iter().map(place).chain(kept).collect();
    of_rows.retain(|found| !damaged.contains(&place(found)));
    of_rows
}

impl Begun<'_> {
    /// All damage, and what was not checked, after the last byte.
    pub async fn finish(self) -> Result<(Vec<cassandra_formats::Damage>, Vec<String>), StoreError> {
        let report = self.check.finish().await?;
        Ok((report.damage, report.warnings))
    }
}
