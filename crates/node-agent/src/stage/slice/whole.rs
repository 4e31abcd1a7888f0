//! A slice that is made, and its way into staging.

use std::path::{Path, PathBuf};

use super::Sliced;
use crate::files::{self, Ownership};
use crate::stage::StageError;

/// A slice that is on disk with all its components, in the order in which they were made: their list comes last.
pub(super) struct Whole {
    pub components: Vec<(String, u64, PathBuf)>,
}

/// Gives them their place in staging; until the last has come, the SSTable is not listed as one.
pub(super) fn move_in(
    whole: Option<Whole>,
    target: &Path,
    ownership: Ownership,
) -> Result<Sliced, StageError> {
    let mut sliced = Sliced::new();
    let Some(whole) = whole else {
        return Ok(sliced);
    };
    ownership.make_folder(target)?;
    for (component, bytes, path) in whole.components {
        files::rename(&path, &target.join(files::name_of(&path)))?;
        sliced.insert(component, bytes);
    }
    Ok(sliced)
}
