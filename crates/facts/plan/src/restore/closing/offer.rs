//! Offers a restore in place, if no mode was asked for and nothing rules it out.

use model::plan::{RequestedMode, RestoreMode, RestoreRequest};

use crate::codes;
use crate::findings::Findings;
use crate::restore::given::in_place;
use crate::restore::given::inputs::Inputs;
use crate::restore::given::selected::Selected;
use crate::restore::given::target_schema::TargetSchema;
use crate::restore::placing::moves::Moves;
use crate::restore::schema::tables;

pub(crate) fn check(
    request: &RestoreRequest,
    inputs: &Inputs,
    moves: &Moves,
    selected: &Selected,
    live: &TargetSchema,
    findings: &mut Findings,
) {
    let is_picked = request.mode == RequestedMode::Auto && matches!(moves, Moves::OneToOne(_));
    if !is_picked || findings.refuse() {
        return;
    }
    let mut scratch = Findings::default();
    in_place::check(&inputs.cluster, &inputs.versions, &mut scratch);
    let (mode, schemas) = (RestoreMode::InPlace, &inputs.schemas);
    tables::decide(mode, schemas, selected, live, &mut scratch);
    if !scratch.refuse() {
        findings.say(
            codes::IN_PLACE_POSSIBLE,
            &request.target,
            "the ring is that of the backup: its files can be swapped while Cassandra is stopped",
            "--mode in-place is faster for much data; the cluster is down meanwhile",
        );
    }
}
