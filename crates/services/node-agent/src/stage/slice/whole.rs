//! A slice that is made, or an SSTable that is wanted whole, and its way into staging.

use std::path::{Path, PathBuf};

use cassandra_formats::TOC;
use cassandra_node::files::{self, Ownership, blocking};

use super::Sliced;
use crate::journal::Journal;
use crate::restore::RestoreRecord;
use crate::stage::StageError;
use crate::stage::fetch::{Fetcher, by_request};
use crate::stage::layout::{StagedFile, StagedSstable};

/// What slicing came to.
pub(super) enum Made {
    Nothing,
    /// Every partition is wanted: the SSTable comes as it is.
    Everything,
    Slice(Whole),
}

/// A slice that is on disk with all its components, in the order in which they were made: their list comes last.
pub(super) struct Whole {
    pub components: Vec<(String, u64, PathBuf)>,
}

/// Gives them their place in staging, and fetches nothing for it; until the last has come, the SSTable is not listed as one.
pub(super) fn move_in(
    whole: Whole,
    target: &Path,
    ownership: Ownership,
) -> Result<(Sliced, u64), StageError> {
    let mut sliced = Sliced::new();
    ownership.make_folder(target)?;
    for (component, bytes, path) in whole.components {
        files::rename(&path, &target.join(files::name_of(&path)))?;
        sliced.insert(component, bytes);
    }
    Ok((sliced, 0))
}

/// Gives the files of an SSTable their places in staging: moves those that have come to the folder `fetched`, and fetches
/// the others. Returns what the journal records of it, and the bytes of the latter. Until the list of components has come,
/// the SSTable is not listed as one.
pub(super) async fn take_whole(
    fetcher: &Fetcher,
    sstable: &StagedSstable,
    fetched: &Path,
) -> Result<(Sliced, u64), StageError> {
    let files = sstable.files.iter().filter(|file| !fetcher.has(file));
    let (list, others) = files.partition::<Vec<&StagedFile>, _>(|file| file.component() == TOC);
    let mut bytes = 0;
    for files in [others, list] {
        let mut missing = Vec::new();
        for file in files {
            let from = fetched.join(format!("{}-{}", sstable.placement.from, file.component()));
            if !from.is_file() {
                bytes += file.stored.bytes;
                missing.push(file.clone());
                continue;
            }
            let (to, (_, ownership)) = (fetcher.path(file), fetcher.staging(&file.directory));
            blocking(move || {
                ownership.make_folder(to.parent().unwrap_or(&to))?;
                files::rename(&from, &to)
            })
            .await?;
            fetcher.note(std::slice::from_ref(file)).await?;
        }
        for run in by_request(missing) {
            fetcher.fetch(run).await?;
        }
    }
    Ok((all_of(sstable), bytes))
}

/// Takes an SSTable whole that cannot be cut. Its table is journaled first, so that it is never imported with the check of
/// tokens.
pub(super) async fn take_uncut(
    journal: &Journal<RestoreRecord>,
    fetcher: &Fetcher,
    sstable: &StagedSstable,
    fetched: &Path,
) -> Result<(Sliced, u64), StageError> {
    let table = sstable.placement.table;
    journal.append(&RestoreRecord::Uncut { table }).await?;
    take_whole(fetcher, sstable, fetched).await
}

/// What the journal records of an SSTable that was taken whole.
fn all_of(sstable: &StagedSstable) -> Sliced {
    let files = sstable.files.iter();
    files
        .map(|file| (file.component().to_owned(), file.stored.bytes))
        .collect()
}
