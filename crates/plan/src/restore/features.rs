//! What the backup's schema needs of the target's release: found one by one, each with what becomes of it.

use std::collections::{BTreeSet, HashSet};

use cassandra_schema::{Applied, Feature, ObjectKey, Requirement, Support, requirements, support};
use cassandra_versions::{Product, Release};
use model::{NodeFeatures, SchemaKind, Severity};

use super::SchemaRewrite;
use super::chosen::Chosen;
use super::schemas::Schemas;
use super::settings::Needed;
use crate::cluster::Cluster;
use crate::codes;
use crate::findings::Findings;

/// What was met in the schema.
#[derive(Debug, Default)]
pub(super) struct Met {
    /// What the settings of every target node must allow.
    pub needed: Needed,
    /// Objects that cannot be made as they are.
    pub in_the_way: HashSet<ObjectKey>,
}

/// Says what the target's release does not take, or takes under conditions.
pub(super) fn check(
    chosen: &Chosen,
    schemas: &Schemas,
    release: &Release,
    cluster: &Cluster,
    findings: &mut Findings,
) -> Met {
    let mut met = Met::default();
    let switched_off = |told: fn(&NodeFeatures) -> Option<bool>| {
        let mut nodes = cluster.nodes.iter();
        nodes.any(|node| told(&node.features) == Some(false))
    };
    let views_off = switched_off(|features| features.materialized_views);
    let sasi_off = switched_off(|features| features.sasi_indexes);
    let live: BTreeSet<Feature> = requirements(&schemas.live)
        .into_iter()
        .map(|requirement| requirement.feature)
        .collect();
    for requirement in requirements(&schemas.backup) {
        if !is_chosen(&requirement.subject, chosen, schemas) {
            continue;
        }
        let name = name_of(&requirement.subject);
        let needed = &mut met.needed;
        let stands = match support(&requirement.feature, release) {
            Support::Native => true,
            Support::Rewritable(_) | Support::Unsupported => {
                refuse(&requirement, &name, schemas, release, findings);
                false
            }
            Support::NeedsSetting(setting) => match requirement.feature {
                Feature::MaterializedView => {
                    needed.materialized_views.push(name);
                    !views_off
                }
                Feature::Sasi => {
                    needed.sasi_indexes.push(name);
                    !sasi_off
                }
                Feature::JavaFunction => {
                    needed.user_defined_functions.push(name);
                    true
                }
                ref feature => {
                    say_setting(feature, &name, setting, release, findings);
                    false
                }
            },
            Support::NeedsClass(class) => {
                let is_there = live.contains(&requirement.feature);
                if !is_there {
                    say_class(&requirement, &name, &class, findings);
                }
                is_there
            }
        };
        if !stands {
            met.in_the_way.insert(requirement.subject);
        }
    }
    met
}

/// A node does not tell of this setting.
fn say_setting(
    feature: &Feature,
    name: &str,
    setting: &str,
    release: &Release,
    findings: &mut Findings,
) {
    findings.say_as(
        Severity::Advice,
        codes::SETTING_DISABLED,
        name,
        format!("{name} needs {feature}, which {release} has only where it is switched on"),
        format!("make sure that {setting} is true in cassandra.yaml of every node"),
    );
}

/// What the target's release does not have, and what is left of it.
fn refuse(
    requirement: &Requirement,
    name: &str,
    schemas: &Schemas,
    release: &Release,
    findings: &mut Findings,
) {
    let feature = &requirement.feature;
    // Encryption, compaction classes, replication and tables without CQL are weighed where they belong.
    if matches!(
        feature,
        Feature::Encryption(_)
            | Feature::EverywhereStrategy
            | Feature::NoCql
            | Feature::TieredCompaction
            | Feature::MemoryOnlyCompaction
            | Feature::DateTieredCompaction
            | Feature::UnifiedCompaction
    ) && !schemas
        .offered
        .iter()
        .any(|o| o.subject == requirement.subject)
    {
        return;
    }
    let offered = schemas
        .offered
        .iter()
        .find(|offered| offered.subject == requirement.subject);
    let part = match requirement.part.as_str() {
        "" => String::new(),
        part => format!(" in {part}"),
    };
    // HCD reads what DSE wrote down of its own, warns, and goes on without.
    let is_read = release.product == Product::Hcd && offered.is_some();
    let severity = if is_read {
        Severity::Warning
    } else {
        Severity::Refusal
    };
    let code = match feature.is_of_dse() {
        true => codes::DSE_FEATURE_UNSUPPORTED,
        false => codes::FEATURE_UNSUPPORTED,
    };
    findings.say_as(
        severity,
        code,
        name,
        format!("{name} needs {feature}{part}, which {release} does not have"),
        match offered {
            Some(offered) => format!("--rewrite-schema: {}", offered.rewrite),
            None => "restore into a release that has it, or leave its table out".to_owned(),
        },
    );
}

fn say_class(requirement: &Requirement, name: &str, class: &str, findings: &mut Findings) {
    let code = match requirement.feature {
        // Said with the compaction strategies that a release brings itself.
        Feature::CustomCompaction(_) => return,
        Feature::CustomIndex(_) => codes::CUSTOM_INDEX_MISSING,
        _ => codes::FEATURE_UNSUPPORTED,
    };
    let feature = &requirement.feature;
    findings.say(
        code,
        name,
        format!("{name} needs {feature}, and nothing on the target uses that class, so that it may not be there"),
        format!(
            "install {class} on every node and make something with it, then plan again; or --rewrite-schema, where that is offered"
        ),
    );
}

/// What was and what could be made in another way, of what is restored.
pub(super) fn rewrites(
    chosen: &Chosen,
    schemas: &Schemas,
    in_the_way: &HashSet<ObjectKey>,
    findings: &mut Findings,
) -> Vec<SchemaRewrite> {
    let mut rewrites = Vec::new();
    let all = schemas.applied.iter().map(|applied| (applied, true));
    for (rewrite, applied) in all.chain(schemas.offered.iter().map(|offered| (offered, false))) {
        // How a keyspace is replicated is decided apart, by the rings.
        let is_replication = rewrite.rewrite == cassandra_schema::Rewrite::NetworkTopology;
        // What stands as it is need not be made in another way.
        let is_idle = !applied && !in_the_way.contains(&rewrite.subject);
        if is_replication || is_idle || !is_chosen(&rewrite.subject, chosen, schemas) {
            continue;
        }
        let name = name_of(&rewrite.subject);
        if applied && !rewrite.rewrite.is_safe() {
            findings.say(
                codes::SCHEMA_REWRITTEN,
                &name,
                format!("{name} is made in another way: {}", rewrite.rewrite),
                "",
            );
        }
        if !applied {
            findings.say(
                codes::SCHEMA_REWRITE_OFFERED,
                &name,
                format!("{name} could be made in another way: {}", rewrite.rewrite),
                "--rewrite-schema makes it so",
            );
        }
        rewrites.push(SchemaRewrite {
            subject: name,
            what: what(rewrite),
            applied,
        });
    }
    rewrites
}

fn what(rewrite: &Applied) -> String {
    // A statement is too long for a line; an option is not.
    match (rewrite.before.as_str(), rewrite.after.as_str()) {
        ("", _) => rewrite.rewrite.to_string(),
        (before, _) if before.len() > 80 => rewrite.rewrite.to_string(),
        (before, "") => format!("{}: {before}", rewrite.rewrite),
        (before, after) if after.len() <= 80 => format!("{before} becomes {after}"),
        _ => rewrite.rewrite.to_string(),
    }
}

fn name_of(subject: &ObjectKey) -> String {
    match subject.kind {
        SchemaKind::Keyspace => subject.keyspace.clone(),
        _ => format!("{}.{}", subject.keyspace, subject.name),
    }
}

fn is_chosen(subject: &ObjectKey, chosen: &Chosen, schemas: &Schemas) -> bool {
    let (keyspace, name) = (subject.keyspace.as_str(), subject.name.as_str());
    match subject.kind {
        SchemaKind::Table | SchemaKind::View => chosen.has(keyspace, name),
        SchemaKind::Index => {
            // One that was left out is no longer in the schema; its name is enough to know that it was of a chosen keyspace.
            match schemas.backup.index(keyspace, name) {
                Some(index) => chosen.has(keyspace, &index.table),
                None => chosen.keyspaces.contains(&keyspace),
            }
        }
        SchemaKind::Keyspace | SchemaKind::Type => chosen.keyspaces.contains(&keyspace),
        SchemaKind::Function | SchemaKind::Aggregate => chosen.whole.contains(&keyspace),
    }
}
