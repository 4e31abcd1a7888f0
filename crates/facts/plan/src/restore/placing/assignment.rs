//! Which node's data goes where, by the rings and by how each keyspace is replicated.

use model::manifest::BackupManifest;
use model::plan::{KeyspaceCoverage, RestoreRequest};

use super::coverage;
use super::moves::{self, Moves};
use super::replication;
use super::topology;
use crate::findings::Findings;
use crate::restore::given::inputs::Grounds;
use crate::restore::given::selected::Chosen;
use crate::restore::given::target_schema::Live;

pub(crate) struct Placed<'a> {
    pub keyspaces: Vec<replication::KeyspacePlan>,
    pub coverage: Vec<KeyspaceCoverage>,
    pub moves: Moves<'a>,
}

pub(crate) fn place<'a>(
    request: &'a RestoreRequest,
    grounds: &Grounds<'a>,
    backup: &'a BackupManifest,
    chosen: &Chosen,
    live: &Live,
    findings: &mut Findings,
) -> Placed<'a> {
    let (mode, cluster) = (grounds.mode, &grounds.cluster);
    let (rings, datacenters) = (grounds.rings.as_ref(), grounds.datacenters.as_ref());
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
    let keyspaces = replication::plan(&context, chosen, findings);
    if let (Some(rings), Some(datacenters)) = (rings, datacenters) {
        let holding = replication::holding(&keyspaces, rings);
        datacenters.check_fed(&holding, rings, findings);
    }
    let coverage = coverage::check(backup, &keyspaces, rings, request.completeness, findings);
    let given = moves::Given {
        mode,
        backup,
        rings,
        rings_not_understood: &grounds.rings_not_understood,
        asks_for_datacenters: !request.datacenters.is_empty(),
        datacenters,
        keyspaces: &keyspaces,
    };
    let moves = moves::decide(pairs, &given, findings);
    Placed {
        keyspaces,
        coverage,
        moves,
    }
}
