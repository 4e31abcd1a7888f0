//! A slice that is made, or an SSTable that is wanted whole, and its way into staging.

use std::path::{Path, PathBuf};

use cassandra_formats::TOC;
use cassandra_node::files::{self, Ownership, blocking};

use super::Sliced;
use crate::journal::Journal;
use crate::restore::RestoreRecord;
use crate::stage::StageError;
use crate::stage::fetch::Fetcher;
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
/// the others. Returns what the journal records of it, and the bytes of the latter. Until the list of components has come, the SSTable is not listed as one.
pub(super) async fn take_whole(
    fetcher: &Fetcher,
    sstable: &StagedSstable,
    fetched: &Path,
) -> Result<(Sliced, u64), StageError> {
    let mut files: Vec<&StagedFile> = sstable.files.iter().collect();
    files.sort_by_key(|file| file.component() == TOC);
    let mut bytes = 0;
    for file in files {
        if fetcher.has(file) {
            continue;
        }
        let from = fetched.join(format!("{}-{}", sstable.placement.from, file.component()));
        if from.is_file() {
            let (to, (_, ownership)) = (fetcher.path(file), fetcher.staging(&file.directory));
            blocking(move || {
                ownership.make_folder(to.parent().unwrap_or(&to))?;
                files::rename(&from, &to)
            })
            .await?;
            fetcher.note(file.clone()).await?;
        } else {
            fetcher.fetch(file.clone()).await?;
            bytes += file.stored.bytes;
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
