//! Offers a restore in place, if no mode was asked for and nothing rules it out.

use model::plan::{RequestedMode, RestoreMode};

use crate::codes;
use crate::findings::Findings;
use crate::restore::given::in_place;
use crate::restore::placing::moves::Moves;
use crate::restore::schema::tables;
use crate::restore::sstables::Restored;

pub(crate) fn check(restored: &Restored, findings: &mut Findings) {
    let given = restored.given;
    let is_one_to_one = matches!(restored.assignment.moves, Moves::OneToOne(_));
    let options = &given.request.options;
    let keeps_names = options.renames.is_empty();
    let is_picked = options.mode == RequestedMode::Auto && is_one_to_one && keeps_names;
    // Types and functions alone have no files to swap.
    let has_files = !given.selected.tables.is_empty();
    if !is_picked || !has_files || findings.refuse() {
        return;
    }
    let mut scratch = Findings::default();
    in_place::check_any(given, &mut scratch);
    let schemas = &given.inputs.schemas;
    tables::decide(
        RestoreMode::InPlace,
        schemas,
        &given.selected,
        &given.live,
        &mut scratch,
    );
    if !scratch.refuse() {
        findings.say(
            codes::IN_PLACE_POSSIBLE,
            &given.request.target,
            "the ring is that of the backup: its files can be swapped while Cassandra is stopped",
            "--mode in-place is faster for much data; the cluster is down meanwhile",
        );
    }
}
