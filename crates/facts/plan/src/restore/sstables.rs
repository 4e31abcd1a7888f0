//! Whether the target's nodes can take the backup's SSTables, and which of their rows are lost or left over.

mod encryption;
mod strays;
mod ttl;
mod unsliceable;
pub(super) mod verdicts;
mod verified;

use crate::findings::Findings;
use crate::restore::given::Given;
use crate::restore::placing::assignment::Assignment;
use crate::restore::schema::outcome::SchemaOutcome;
use crate::restore::schema::tombstones::Tombstones;

/// What is restored and where it goes, with the time that it takes.
pub(crate) struct Restored<'a> {
    pub given: &'a Given<'a>,
    pub assignment: &'a Assignment<'a>,
    pub outcome: &'a SchemaOutcome<'a>,
    pub tombstones: &'a Tombstones,
    pub seconds: u64,
}

/// Applied once it is known how long the restore takes.
pub(super) const RULES: &[fn(&Restored, &mut Findings)] = &[
    encryption::check,
    unsliceable::check,
    strays::check,
    ttl::check,
    verified::check,
];
