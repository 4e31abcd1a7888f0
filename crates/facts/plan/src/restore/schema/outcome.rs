//! What becomes of the tables, and of the rest of the schema around them.

use model::plan::{SchemaChange, SchemaRewrite};

use super::changes;
use super::features::{self, Found};
use super::indexes;
use super::making::Making;
use super::objects;
use super::rewrites;
use super::search;
use super::settings;
use super::tables;
use crate::findings::Findings;
use crate::restore::given::Given;

/// What is made, and the parts of it that the target takes only under conditions.
pub(crate) struct Met<'a> {
    pub given: &'a Given<'a>,
    pub making: &'a Making<'a>,
    pub found: &'a Found,
}

pub(crate) struct SchemaOutcome<'a> {
    pub decided: Vec<tables::Decided<'a>>,
    pub schema_changes: Vec<SchemaChange>,
    pub rewrites: Vec<SchemaRewrite>,
}

/// About what must be there before tables can be made.
const RULES_OF_OBJECTS: &[fn(&Given, &mut Findings)] = &[
    objects::check_definitions,
    objects::check_free_names,
    objects::check_compaction,
];

/// About what is made.
const RULES_OF_MAKING: &[fn(&Met, &mut Findings)] = &[
    features::check_validated,
    settings::check,
    indexes::check,
    search::check,
];

pub(crate) fn make<'a>(given: &Given<'a>, findings: &mut Findings) -> SchemaOutcome<'a> {
    let (selected, live) = (&given.selected, &given.live);
    let (mode, cluster) = (given.inputs.mode, &given.inputs.cluster);
    let schemas = &given.inputs.schemas;
    for rule in RULES_OF_OBJECTS {
        rule(given, findings);
    }
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
        let found = features::find(&making, findings);
        let met = Met {
            given,
            making: &making,
            found: &found,
        };
        for rule in RULES_OF_MAKING {
            rule(&met, findings);
        }
        rewritten = rewrites::rewrites(&making, &found.in_the_way, findings);
    }
    SchemaOutcome {
        decided,
        schema_changes,
        rewrites: rewritten,
    }
}
