//! What becomes of the tables, and of what of the schema is around them.

use model::manifest::BackupManifest;
use model::plan::{SchemaChange, SchemaRewrite};

use super::changes;
use super::features;
use super::indexes;
use super::making::Making;
use super::objects;
use super::rewrites;
use super::settings;
use super::tables;
use crate::findings::Findings;
use crate::restore::given::inputs::Grounds;
use crate::restore::given::selected::Chosen;
use crate::restore::given::target_schema::Live;

pub(crate) struct Made<'a> {
    pub decided: Vec<tables::Decided<'a>>,
    pub schema_changes: Vec<SchemaChange>,
    pub rewrites: Vec<SchemaRewrite>,
}

pub(crate) fn make<'a>(
    grounds: &Grounds,
    backup: &BackupManifest,
    chosen: &Chosen<'a>,
    live: &Live<'a>,
    findings: &mut Findings,
) -> Made<'a> {
    let (mode, cluster, schemas) = (grounds.mode, &grounds.cluster, &grounds.schemas);
    objects::check(backup, chosen, live, cluster, schemas, findings);
    let decided = tables::decide(mode, schemas, chosen, live, findings);
    let schema_changes = changes::find(chosen, schemas, &decided, findings);
    let mut rewritten = Vec::new();
    if let Some(node) = cluster.nodes.first() {
        let making = Making {
            chosen,
            schemas,
            live,
            decided: &decided,
            cluster,
            release: &node.release,
        };
        let met = features::check(&making, findings);
        features::say_validated(&grounds.versions.validate, &met, findings);
        settings::check(&met.needed, &cluster.nodes, findings);
        rewritten = rewrites::rewrites(&making, &met.in_the_way, findings);
        indexes::say(
            mode,
            &decided,
            backup,
            live,
            schemas,
            &met.in_the_way,
            findings,
        );
    }
    Made {
        decided,
        schema_changes,
        rewrites: rewritten,
    }
}
