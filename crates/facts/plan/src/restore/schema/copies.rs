//! What a restore under other names may replace: earlier copies, and nothing else.

use model::plan::TableAction;

use super::tables::Decided;
use crate::codes;
use crate::findings::Findings;
use crate::restore::given::Given;

/// An earlier copy has an id that Ringkeep has made, and the form that the backup's table has. Any other live table may be
/// one that programs use, and is given as a name by mistake.
pub(crate) fn check(given: &Given, decided: &[Decided], findings: &mut Findings) {
    if given.request.options.renames.is_empty() {
        return;
    }
    for table in decided {
        let (name, id) = (&table.plan.table, table.plan.target_id);
        let why = match table.plan.action {
            TableAction::Recreate => "of a live table of another form, which would be dropped",
            TableAction::Truncate if !id.is_made() => {
                "of a live table that is no copy made by Ringkeep"
            }
            _ => continue,
        };
        findings.say(
            codes::NAME_TAKEN,
            name,
            format!("the new name {name} is that {why}"),
            "choose another name; or, if nobody needs that table, drop it by hand and plan again",
        );
    }
}
