//! Parts of CQL that the backup's schema uses, and that a target node has switched off.

use std::collections::BTreeMap;

use cassandra_versions::Setting;
use model::{NodeDescription, NodeFeatures};

use super::outcome::Met;
use crate::findings::Findings;
use crate::{codes, wording};

/// What the statements of a restore make, by full name: `keyspace.name`. What is there already and stays need not be here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Needed {
    pub materialized_views: Vec<String>,
    /// Aggregates too.
    pub user_defined_functions: Vec<String>,
    pub sasi_indexes: Vec<String>,
}

/// Any node may be the one that is asked to run a statement, so that all must allow it. A node that does not tell is taken to.
pub(crate) fn check(met: &Met, findings: &mut Findings) {
    let targets = &met.given.inputs.cluster.nodes;
    check_nodes(&met.found.needed, targets, findings);
}

fn check_nodes(needed: &Needed, targets: &[&NodeDescription], findings: &mut Findings) {
    type Told = fn(&NodeFeatures) -> Option<bool>;
    let parts: [(Setting, &str, &[String], Told); 3] = [
        (
            Setting::MaterializedViews,
            "materialized views",
            &needed.materialized_views,
            |features| features.materialized_views,
        ),
        (
            Setting::UserDefinedFunctions,
            "user-defined functions",
            &needed.user_defined_functions,
            |features| features.user_defined_functions,
        ),
        (
            Setting::SasiIndexes,
            "SASI indexes",
            &needed.sasi_indexes,
            |features| features.sasi_indexes,
        ),
    ];
    for (setting, what, names, told) in parts {
        if names.is_empty() {
            continue;
        }
        // By the name of the setting, which is another on nodes of another release.
        let mut off: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for node in targets {
            if told(&node.features) == Some(false) {
                let name = node.release.setting_name(setting);
                off.entry(name).or_default().push(&node.member.address);
            }
        }
        for (name, nodes) in off {
            let nodes = wording::list(nodes);
            findings.say(
                codes::SETTING_DISABLED,
                name,
                format!(
                    "the restore makes {}, and {what} are switched off on {nodes}",
                    wording::list(names)
                ),
                format!("set `{name}: true` in cassandra.yaml of {nodes}, and restart one node after the other"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::restore::world::{brief, said, target};

    fn needed() -> Needed {
        Needed {
            materialized_views: vec!["shop.by_day".into()],
            user_defined_functions: vec!["shop.sum_of".into()],
            sasi_indexes: vec!["shop.by_name".into()],
        }
    }

    fn node(address: &str, text: &str, on: [Option<bool>; 3]) -> NodeDescription {
        let mut node = target(address, text, "");
        node.features.materialized_views = on[0];
        node.features.user_defined_functions = on[1];
        node.features.sasi_indexes = on[2];
        node
    }

    #[test]
    fn what_is_switched_off_is_named_as_the_release_names_it() {
        let off = [Some(false); 3];
        for (text, names) in [
            (
                "cassandra 3.11.19",
                [
                    "enable_materialized_views",
                    "enable_user_defined_functions",
                    "enable_sasi_indexes",
                ],
            ),
            (
                "cassandra 4.1.9",
                [
                    "materialized_views_enabled",
                    "user_defined_functions_enabled",
                    "sasi_indexes_enabled",
                ],
            ),
        ] {
            let (one, two) = (node("t1", text, off), node("t2", text, off));
            let found = said(|findings| check_nodes(&needed(), &[&one, &two], findings));
            let expected = names.map(|name| format!("Refusal SETTING_DISABLED {name}"));
            assert_eq!(brief(&found), expected, "{text}");
            assert_eq!(
                found[0].message,
                "the restore makes shop.by_day, and materialized views are switched off on t1, t2"
            );
            assert!(found[0].hint.contains(&format!("`{}: true`", names[0])));
        }
    }

    #[test]
    fn only_what_is_needed_and_off_is_said() {
        let (yes, no) = (Some(true), Some(false));
        for (on, said_of) in [
            ([yes, yes, yes], &[][..]),
            ([None, None, None], &[]),
            ([no, yes, yes], &["materialized_views_enabled"]),
            ([yes, no, None], &["user_defined_functions_enabled"]),
            ([None, yes, no], &["sasi_indexes_enabled"]),
        ] {
            // One node that allows everything does not help the other.
            let (one, two) = (
                node("t1", "cassandra 5.0.5", on),
                node("t2", "cassandra 5.0.5", [yes; 3]),
            );
            let found = said(|findings| check_nodes(&needed(), &[&two, &one], findings));
            let subjects: Vec<&str> = found.iter().map(|f| f.subject.as_str()).collect();
            assert_eq!(subjects, said_of, "{on:?}");
            let nothing = said(|findings| check_nodes(&Needed::default(), &[&one], findings));
            assert_eq!(nothing, []);
        }
    }

    #[test]
    fn nodes_of_two_releases_have_two_names_for_it() {
        let one = node("t1", "cassandra 4.0.17", [Some(false), None, None]);
        let two = node("t2", "cassandra 4.1.9", [Some(false), None, None]);
        let found = said(|findings| check_nodes(&needed(), &[&one, &two], findings));
        let hints: Vec<&str> = found.iter().map(|f| f.hint.as_str()).collect();
        assert!(hints[0].contains("`enable_materialized_views: true` in cassandra.yaml of t1,"));
        assert!(hints[1].contains("`materialized_views_enabled: true` in cassandra.yaml of t2,"));
    }
}
