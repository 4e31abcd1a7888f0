//! Which parts of the backup's schema are made in another way, or could be.

use std::collections::{BTreeSet, HashSet};

use cassandra_schema::{Applied, ObjectKey, Rewrite, rewrites_of};
use model::plan::SchemaRewrite;

use super::making::{Making, name_of};
use crate::findings::Findings;
use crate::{codes, wording};

/// A longer statement is not for a line of a table; an option is.
const CQL_LEN_MAX: usize = 80;

pub(crate) fn rewrites(
    made: &Making,
    in_the_way: &HashSet<ObjectKey>,
    findings: &mut Findings,
) -> Vec<SchemaRewrite> {
    let mut rewrites = Vec::new();
    let mut offered_for: BTreeSet<String> = BTreeSet::new();
    let applied = made.schemas.applied.iter().map(|applied| (applied, true));
    let offered = made.schemas.offered.iter().map(|offered| (offered, false));
    for (rewrite, is_applied) in applied.chain(offered) {
        // How a keyspace is replicated is decided apart, by the rings.
        let is_replication = rewrite.rewrite == Rewrite::NetworkTopology;
        // What stands as it is need not be made in another way.
        let is_idle = !is_applied && !in_the_way.contains(&rewrite.subject);
        if is_replication || is_idle || !made.makes(&rewrite.subject) {
            continue;
        }
        let name = name_of(&rewrite.subject);
        if is_applied {
            say_applied(rewrite, &name, made, findings)
        } else {
            offered_for.insert(name.clone());
        }
        rewrites.push(SchemaRewrite {
            subject: name,
            what: what(rewrite),
            applied: is_applied,
        });
    }
    if !offered_for.is_empty() {
        let names = wording::list(&offered_for);
        findings.say(
            codes::SCHEMA_REWRITE_OFFERED,
            &names,
            format!("{names} could be made in another way, which the plan lists"),
            "plan again with --rewrite-schema",
        );
    }
    rewrites
}

/// What changes nothing that anyone would notice is shown without a finding, and what only DSE has is reported with its
/// feature.
fn say_applied(applied: &Applied, name: &str, made: &Making, findings: &mut Findings) {
    let mut needed = made.schemas.needed.iter();
    let is_of_dse = needed.any(|requirement| {
        requirement.subject == applied.subject
            && requirement.feature.is_of_dse()
            && rewrites_of(&requirement.feature, made.release) == Some(applied.rewrite)
    });
    let is_silent = applied.rewrite.is_safe() && !applied.rewrite.loses_a_choice();
    if is_silent || is_of_dse {
        return;
    }
    findings.say(
        codes::SCHEMA_REWRITTEN,
        name,
        format!("{name} is made in another way: {}", applied.rewrite),
        "",
    );
}

fn what(rewrite: &Applied) -> String {
    match (rewrite.before.as_str(), rewrite.after.as_str()) {
        ("", _) => rewrite.rewrite.to_string(),
        (before, _) if before.len() > CQL_LEN_MAX => rewrite.rewrite.to_string(),
        (before, "") => format!("{}: {before}", rewrite.rewrite),
        (before, after) if after.len() <= CQL_LEN_MAX => format!("{before} becomes {after}"),
        _ => rewrite.rewrite.to_string(),
    }
}
