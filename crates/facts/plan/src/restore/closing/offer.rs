//! Offers a restore in place, if no mode was asked for and nothing rules it out.

use model::plan::{RequestedMode, RestoreMode, RestoreRequest};

use crate::codes;
use crate::findings::Findings;
use crate::restore::given::in_place;
use crate::restore::given::inputs::Grounds;
use crate::restore::given::selected::Chosen;
use crate::restore::given::target_schema::Live;
use crate::restore::placing::moves::Moves;
use crate::restore::schema::tables;

pub(crate) fn check(
    request: &RestoreRequest,
    grounds: &Grounds,
    moves: &Moves,
    chosen: &Chosen,
    live: &Live,
    findings: &mut Findings,
) {
    let is_picked = request.mode == RequestedMode::Auto && matches!(moves, Moves::OneToOne(_));
    if !is_picked || findings.refuse() {
        return;
    }
    let mut scratch = Findings::default();
    in_place::check(&grounds.cluster, &grounds.versions, &mut scratch);
    let (mode, schemas) = (RestoreMode::InPlace, &grounds.schemas);
    tables::decide(mode, schemas, chosen, live, &mut scratch);
    if !scratch.refuse() {
        findings.say(
            codes::IN_PLACE_POSSIBLE,
            &request.target,
            "the ring is that of the backup: its files can be swapped while Cassandra is stopped",
            "--mode in-place is faster for much data; the cluster is down meanwhile",
        );
    }
}
