//! What becomes of the tables, and of the rest of the schema around them.

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
use crate::restore::given::inputs::Inputs;
use crate::restore::given::selected::Selected;
use crate::restore::given::target_schema::TargetSchema;

pub(crate) struct SchemaOutcome<'a> {
    pub decided: Vec<tables::Decided<'a>>,
    pub schema_changes: Vec<SchemaChange>,
    pub rewrites: Vec<SchemaRewrite>,
}

pub(crate) fn make<'a>(
    inputs: &Inputs,
    backup: &BackupManifest,
    selected: &Selected<'a>,
    live: &TargetSchema<'a>,
    findings: &mut Findings,
) -> SchemaOutcome<'a> {
    let (mode, cluster, schemas) = (inputs.mode, &inputs.cluster, &inputs.schemas);
    objects::check(backup, selected, live, cluster, schemas, findings);
    let decided = tables::decide(mode, schemas, selected, live, findings);
    let schema_changes = changes::find(selected, schemas, &decided, findings);
    let mut rewritten = Vec::new();
    if let Some(node) = cluster.nodes.first() {
        let making = Making {
            selected,
            schemas,
            live,
            decided: &decided,
            cluster,
            release: &node.release,
        };
        let met = features::check(&making, findings);
        features::say_validated(&inputs.versions.validate, &met, findings);
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
    SchemaOutcome {
        decided,
        schema_changes,
        rewrites: rewritten,
    }
}
