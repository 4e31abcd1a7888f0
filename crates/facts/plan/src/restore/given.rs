//! What a plan is made from: both sides of the restore as they are, and what was asked for.

mod agreement;
mod damaged;
pub(super) mod datacenters;
pub(super) mod in_place;
pub(super) mod inputs;
pub(super) mod rings;
pub(super) mod schemas;
pub(super) mod selected;
pub(super) mod target_schema;
mod unheld;
pub(super) mod versions;

use model::manifest::BackupManifest;
use model::plan::RestoreRequest;

use self::inputs::Inputs;
use self::selected::Selected;
use self::target_schema::TargetSchema;
use crate::findings::Findings;

/// All that is known before anything is decided.
pub(crate) struct Given<'a> {
    pub request: &'a RestoreRequest,
    /// With the schema as it is made on the target.
    pub backup: &'a BackupManifest,
    pub inputs: &'a Inputs<'a>,
    pub selected: Selected<'a>,
    pub live: TargetSchema<'a>,
}

/// Each reads what is given and reports what it finds. It decides nothing, and stops for no other rule.
const RULES: &[fn(&Given, &mut Findings)] = &[damaged::check, in_place::check];

impl<'a> Given<'a> {
    /// Reports what is wrong with it.
    pub fn of(
        request: &'a RestoreRequest,
        backup: &'a BackupManifest,
        inputs: &'a Inputs<'a>,
        findings: &mut Findings,
    ) -> Self {
        let live = TargetSchema::new(&request.schema, &inputs.cluster);
        let given = Self {
            request,
            backup,
            inputs,
            selected: Selected::of(backup, &request.options.selection, &live, findings),
            live,
        };
        for rule in RULES {
            rule(&given, findings);
        }
        given
    }
}
