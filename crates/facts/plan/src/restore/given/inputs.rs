//! The target as its agents describe it, and the releases, rings and schemas of both sides.

use model::Severity;
use model::manifest::BackupManifest;
use model::plan::{RestoreMode, RestoreRequest};

use super::agreement;
use super::datacenters::Datacenters;
use super::rings::{NotUnderstood, Rings};
use super::schemas::Schemas;
use super::versions::{self, Versions};
use crate::cluster::{self, Absence, Cluster};
use crate::findings::Findings;

pub(crate) struct Inputs<'a> {
    pub request: &'a RestoreRequest,
    pub mode: RestoreMode,
    pub cluster: Cluster<'a>,
    pub versions: Versions,
    /// None where they are not understood.
    pub rings: Option<Rings>,
    pub rings_not_understood: Vec<NotUnderstood>,
    pub datacenters: Option<Datacenters>,
    pub schemas: Schemas,
}

/// Each reads the inputs and reports what it finds.
const RULES: &[fn(&Inputs, &mut Findings)] = &[
    agreement::check_schema_version,
    agreement::check_partitioner,
];

impl<'a> Inputs<'a> {
    /// Reports what is wrong with any of them.
    pub fn of(
        request: &'a RestoreRequest,
        backup: &BackupManifest,
        findings: &mut Findings,
    ) -> Self {
        let name = request.target.as_str();
        let cluster = cluster::examine(
            name,
            &request.nodes,
            &request.unreachable,
            Absence::Refused,
            findings,
        );
        cluster::check_releases(name, &cluster, Severity::Refusal, findings);
        cluster::check_products(&cluster, Severity::Refusal, findings);
        let versions = versions::check(
            backup,
            &cluster,
            request.options.allow_unlisted_version,
            findings,
        );
        let (rings, rings_not_understood) = match Rings::of(backup, &cluster) {
            Ok(rings) => (Some(rings), Vec::new()),
            Err(why) => (None, why),
        };
        let datacenters = rings
            .as_ref()
            .map(|rings| Datacenters::of(&request.options.datacenters, rings, findings));
        let schemas = Schemas::of(
            &backup.schema,
            &request.schema,
            &backup.release,
            &cluster,
            request.options.rewrite_schema,
            findings,
        );
        let inputs = Self {
            request,
            mode: request.options.mode.decided(),
            cluster,
            versions,
            rings,
            rings_not_understood,
            datacenters,
            schemas,
        };
        for rule in RULES {
            rule(&inputs, findings);
        }
        inputs
    }
}
