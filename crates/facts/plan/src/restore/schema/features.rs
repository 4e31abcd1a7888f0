//! What the backup's schema needs of the target's release: found one by one, each with what becomes of it.

use std::collections::{BTreeSet, HashSet};

use cassandra_schema::{
    Feature, ObjectKey, Requirement, Support, is_ignored, requirements, rewrites_of, support,
};
use model::{NodeFeatures, Severity};

use super::making::{Making, name_of};
use super::outcome::Met;
use super::settings::Needed;
use crate::findings::Findings;
use crate::{codes, wording};

/// What was met in the schema.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// What the settings of every target node must allow.
    pub needed: Needed,
    /// Objects that cannot be made as they are.
    pub in_the_way: HashSet<ObjectKey>,
    /// How often something was met that only DSE has.
    pub of_dse: usize,
}

/// What is weighed where it belongs: encryption with its keys, compaction with the classes that a release brings, and
/// replication by the rings.
fn is_weighed_apart(feature: &Feature) -> bool {
    matches!(
        feature,
        Feature::Encryption(_)
            | Feature::EverywhereStrategy
            | Feature::NoCql
            | Feature::DateTieredCompaction
            | Feature::UnifiedCompaction
            | Feature::CustomCompaction(_)
    )
}

/// Says what the target's release does not take, or takes under conditions.
pub(crate) fn find(made: &Making, findings: &mut Findings) -> Found {
    let mut met = Found::default();
    let switched_off = |told: fn(&NodeFeatures) -> Option<bool>| {
        let mut nodes = made.cluster.nodes.iter();
        nodes.any(|node| told(&node.features) == Some(false))
    };
    let views_off = switched_off(|features| features.materialized_views);
    let sasi_off = switched_off(|features| features.sasi_indexes);
    let live = requirements(&made.schemas.live).into_iter();
    let live: BTreeSet<Feature> = live.map(|requirement| requirement.feature).collect();
    let stand = requirements(&made.schemas.backup);
    say_left_out(made, &stand, &mut met, findings);
    for requirement in stand {
        if !made.makes(&requirement.subject) {
            continue;
        }
        let name = name_of(&requirement.subject);
        let needed = &mut met.needed;
        let stands = match support(&requirement.feature, made.release) {
            Support::Native => true,
            Support::Rewritable(_) | Support::Unsupported => {
                if !is_weighed_apart(&requirement.feature) {
                    met.of_dse += usize::from(requirement.feature.is_of_dse());
                    refuse(&requirement, &name, made, findings);
                }
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
                ref feature => check_setting(feature, &name, setting, made, findings),
            },
            Support::NeedsClass(class) => {
                let is_there = live.contains(&requirement.feature);
                if !is_there && !is_weighed_apart(&requirement.feature) {
                    say_class(&requirement, &name, &class, made, findings);
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

/// Says what only DSE has and is left out: whether the target's release leaves out what means nothing to it, or that was
/// asked for.
fn say_left_out(made: &Making, stand: &[Requirement], met: &mut Found, findings: &mut Findings) {
    let gone = made.schemas.needed.iter().filter(|requirement| {
        requirement.feature.is_of_dse()
            && !is_weighed_apart(&requirement.feature)
            && !stand.contains(requirement)
            && made.restores(&requirement.subject)
    });
    for requirement in gone {
        met.of_dse += 1;
        let (name, feature) = (name_of(&requirement.subject), &requirement.feature);
        let instead = rewrites_of(feature, made.release);
        let instead = instead.map_or(String::new(), |rewrite| format!(": {rewrite}"));
        findings.say(
            codes::DSE_FEATURE_UNSUPPORTED,
            &name,
            format!(
                "{name} has {feature}, which {} does not have{instead}",
                made.release
            ),
            "",
        );
    }
}

/// Says of a backup of DSE for a release that lacks its services what came of looking for them.
pub(crate) fn check_validated(met: &Met, findings: &mut Findings) {
    for subject in &met.given.inputs.versions.validate {
        let (severity, message) = match met.found.of_dse {
            0 => (
                Severity::Advice,
                "HCD lacks some of DSE's features: none of these was found in the schema of what is restored".to_owned(),
            ),
            found => (
                Severity::Warning,
                format!(
                    "HCD lacks some of DSE's features: {} in the schema of what is restored, each named by DSE_FEATURE_UNSUPPORTED",
                    match found {
                        1 => "1 was found".to_owned(),
                        _ => format!("{found} were found"),
                    }
                ),
            ),
        };
        findings.say_as(
            severity,
            codes::SCHEMA_VALIDATION_REQUIRED,
            subject,
            message,
            "programs may use others without a trace in the schema, such as DSE Analytics: try them before users do",
        );
    }
}

/// Whether a feature is switched on on every node. Not every node reports the setting.
fn check_setting(
    feature: &Feature,
    name: &str,
    setting: &str,
    made: &Making,
    findings: &mut Findings,
) -> bool {
    let nodes_with = |wanted: Option<bool>| -> Vec<&str> {
        let nodes = made.cluster.nodes.iter().filter(|node| {
            let value = node.setup.settings.get(setting);
            value.map(|value| value.eq_ignore_ascii_case("true")) == wanted
        });
        nodes.map(|node| node.member.address.as_str()).collect()
    };
    let (off, unknown) = (nodes_with(Some(false)), nodes_with(None));
    if !off.is_empty() {
        let off = wording::list(off);
        findings.say(
            codes::SETTING_DISABLED,
            name,
            format!("{name} needs {feature}, which is switched off on {off}"),
            format!("set `{setting}: true` in cassandra.yaml of {off}, and restart one node after the other"),
        );
        return false;
    }
    if unknown.is_empty() {
        return true;
    }
    let release = made.release;
    findings.say_as(
        Severity::Advice,
        codes::SETTING_DISABLED,
        name,
        format!(
            "{name} needs {feature}, which {release} has only if it is switched on, and {} does not report whether it is",
            wording::list(unknown)
        ),
        format!("make sure that {setting} is true in cassandra.yaml of every node"),
    );
    false
}

/// What the target's release does not have, and what is left of it.
fn refuse(requirement: &Requirement, name: &str, made: &Making, findings: &mut Findings) {
    let (feature, release) = (&requirement.feature, made.release);
    let offered = made.offered(requirement);
    let part = match requirement.part.as_str() {
        "" => String::new(),
        part => format!(" in {part}"),
    };
    let (severity, message) = if offered.is_some() && is_ignored(feature, release) {
        (
            Severity::Warning,
            format!(
                "{name} has {feature}{part}, which {release} does not have, and goes on without"
            ),
        )
    } else {
        (
            Severity::Refusal,
            format!("{name} needs {feature}{part}, which {release} does not have"),
        )
    };
    let code = if feature.is_of_dse() {
        codes::DSE_FEATURE_UNSUPPORTED
    } else {
        codes::FEATURE_UNSUPPORTED
    };
    findings.say_as(
        severity,
        code,
        name,
        message,
        match offered {
            Some(rewrite) => format!("--rewrite-schema: {rewrite}"),
            None => "restore into a release that has it, or leave its table out".to_owned(),
        },
    );
}

fn say_class(
    requirement: &Requirement,
    name: &str,
    class: &str,
    made: &Making,
    findings: &mut Findings,
) {
    let feature = &requirement.feature;
    let code = match feature {
        Feature::CustomIndex(_) => codes::CUSTOM_INDEX_MISSING,
        _ => codes::FEATURE_UNSUPPORTED,
    };
    let install = format!("install {class} on every node, make something with it, and plan again");
    findings.say(
        code,
        name,
        format!("{name} needs {feature}, and nothing on the target uses that class, so that it may not be there"),
        match made.offered(requirement) {
            Some(rewrite) => format!("--rewrite-schema: {rewrite}; or {install}"),
            None => install,
        },
    );
}
