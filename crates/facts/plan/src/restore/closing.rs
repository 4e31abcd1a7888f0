//! What else could be done, and what is left to people when the restore is done.

mod afterwards;
mod apart;
mod commit_logs;
mod deleted;
mod durability;
mod forward;
mod kept;
mod offer;
mod untried;

use crate::findings::Findings;
use crate::restore::sstables::Restored;

pub(super) const RULES: &[fn(&Restored, &mut Findings)] = &[
    offer::check,
    deleted::check,
    forward::check,
    durability::check,
    untried::check,
    kept::check,
    commit_logs::check,
    apart::check,
    afterwards::check,
];
