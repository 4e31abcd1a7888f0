//! The assignment of the backup's data to the target's nodes, by the rings and by how each keyspace is replicated.

use model::plan::KeyspaceCoverage;

use super::coverage;
use super::moves::{self, Moves};
use super::replication;
use super::topology;
use crate::findings::Findings;
use crate::restore::given::Given;

pub(crate) struct Assignment<'a> {
    pub keyspaces: Vec<replication::KeyspacePlan>,
    pub coverage: Vec<KeyspaceCoverage>,
    pub moves: Moves<'a>,
}

pub(crate) fn place<'a>(given: &Given<'a>, findings: &mut Findings) -> Assignment<'a> {
    let (request, inputs, backup) = (given.request, given.inputs, given.backup);
    let (selected, live) = (&given.selected, &given.live);
    let (mode, cluster) = (inputs.mode, &inputs.cluster);
    let (rings, datacenters) = (inputs.rings.as_ref(), inputs.datacenters.as_ref());
    let name = request.target.as_str();
    let pairs = topology::pair(name, mode, &backup.ring, cluster, findings);
    let context = replication::Context {
        mode,
        backup,
        live,
        cluster,
        rings,
        datacenters,
    };
    let keyspaces = replication::plan(&context, selected, findings);
    if let (Some(rings), Some(datacenters)) = (rings, datacenters) {
        let holding = replication::holding(&keyspaces, rings);
        datacenters.check_fed(&holding, rings, findings);
    }
    let coverage = coverage::check(
        backup,
        &keyspaces,
        rings,
        request.options.completeness,
        findings,
    );
    let known = moves::Given {
        mode,
        backup,
        rings,
        rings_not_understood: &inputs.rings_not_understood,
        asks_for_datacenters: !request.options.datacenters.is_empty(),
        datacenters,
        keyspaces: &keyspaces,
    };
    let moves = moves::decide(pairs, &known, findings);
    Assignment {
        keyspaces,
        coverage,
        moves,
    }
}
