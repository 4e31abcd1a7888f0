//! Whether a plan that is started by its number is of the restore that the caller asks for.

use model::ClusterName;
use model::plan::{RequestedMode, RestoreMode, RestoreOptions};

use super::start::NewRestore;
use crate::error::RunnerError;

/// Everything that decides what is restored, where and how. A number alone would start a plan that its caller has not read.
pub(super) fn check(number: u64, kept: &NewRestore, asked: &NewRestore) -> Result<(), RunnerError> {
    let (of, options) = (in_order(&kept.options), in_order(&asked.options));
    let why = if kept.backup != asked.backup {
        "the backup is another one"
    } else if kept.target != asked.target {
        "it goes into another cluster"
    } else if of.renames != options.renames {
        "the renames are others"
    } else if of.selection != options.selection {
        "the selection is another one"
    } else if of != options {
        "the options are others"
    } else {
        return Ok(());
    };
    Err(RunnerError::PlanDiffers(number, why))
}

/// Callers may leave out whose backup it is, so that this is compared once the backup is found.
pub(super) fn check_cluster(
    number: u64,
    planned: &ClusterName,
    asked: Option<&ClusterName>,
) -> Result<(), RunnerError> {
    if asked.is_none_or(|asked| asked == planned) {
        return Ok(());
    }
    Err(RunnerError::PlanDiffers(
        number,
        "the backup is that of another cluster",
    ))
}

/// Neither the order in which things are named nor the default's name makes another restore.
fn in_order(options: &RestoreOptions) -> RestoreOptions {
    let mut options = options.clone();
    options.selection.keyspaces.sort();
    options.selection.tables.sort();
    options.renames.sort_by_key(ToString::to_string);
    options.mode = match options.mode.decided() {
        RestoreMode::Online => RequestedMode::Online,
        RestoreMode::InPlace => RequestedMode::InPlace,
    };
    options
}
