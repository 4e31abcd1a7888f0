//! A target of a build that is not known takes only what its trial load proves.
//!
//! What such a node reads is not known, and it may load nothing of what it is given without saying so. So nothing live makes
//! way for data of a format, or for a definition, that the trial has not shown it to take.

use std::collections::{BTreeMap, BTreeSet};

use model::plan::{RestoreMode, TableAction};
use model::{HostId, NodeDescription, Severity, TableRef};

use crate::findings::Findings;
use crate::restore::given::Given;
use crate::restore::given::versions::is_unknown;
use crate::restore::schema::tables::Decided;
use crate::restore::schema::trial::{self, Trial};
use crate::{codes, wording};

pub(super) fn check(given: &Given, decided: &[Decided], trial: &Trial, findings: &mut Findings) {
    let nodes = &given.inputs.cluster.nodes;
    let unknown: Vec<&NodeDescription> =
        nodes.iter().copied().filter(|it| is_unknown(it)).collect();
    let Some(first) = unknown.first() else {
        return;
    };
    let mut unproven = Vec::new();
    if nodes.iter().any(|node| node.release != first.release) {
        unproven.push(
            "the nodes are of different builds, and a trial on one shows nothing of another"
                .to_owned(),
        );
    }
    if given.inputs.mode == RestoreMode::InPlace {
        unproven.push("a restore in place restarts the nodes on the restored files, which no trial load tries".to_owned());
    }
    unproven.extend(untried(given, decided, trial));
    say(&unknown, &unproven, findings);
}

/// What live data would make way for although the trial does not try it.
fn untried(given: &Given, decided: &[Decided], trial: &Trial) -> Vec<String> {
    let replaced: Vec<&Decided> = decided
        .iter()
        .filter(|table| trial::replaces(table))
        .collect();
    if replaced.is_empty() {
        return Vec::new();
    }
    if trial.tables.is_empty() {
        return vec!["live data is replaced without a trial load".to_owned()];
    }
    let is_tried = |table: &TableRef| trial.tables.iter().any(|tried| tried.table == *table);
    let proven: BTreeSet<(HostId, String)> = trial
        .tables
        .iter()
        .flat_map(|tried| trial::formats_of(given, &tried.table))
        .collect();
    let is_proven = |table: &TableRef| trial::formats_of(given, table).is_subset(&proven);
    let mut names = Vec::new();
    for table in replaced.iter().filter(|table| table.view_of.is_none()) {
        let name = &table.plan.table;
        let is_made_untried = table.plan.action == TableAction::Recreate && !is_tried(name);
        if is_made_untried || !is_proven(name) {
            names.push(name.to_string());
        }
    }
    if names.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "no trial load can show that the nodes take {}",
        wording::list(names)
    )]
}

fn say(unknown: &[&NodeDescription], unproven: &[String], findings: &mut Findings) {
    let mut builds: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for node in unknown {
        let version = &node.release.version;
        let why = match node.recognition.contradictions.as_slice() {
            [] => format!("the version {version} is that of no release of Apache Cassandra"),
            contradictions => contradictions.join(", and "),
        };
        builds.entry(why).or_default().push(&node.member.address);
    }
    let (severity, then) = match unproven {
        [] => (
            Severity::Warning,
            "only what the trial load proves is restored".to_owned(),
        ),
        why => (Severity::Refusal, wording::list(why)),
    };
    for (why, nodes) in builds {
        let nodes = wording::list(nodes);
        findings.say_as(
            severity,
            codes::PRODUCT_UNKNOWN,
            &nodes,
            format!("which product {nodes} run is not known: {why}; {then}"),
            "set `product`, and `product_version` if it is known, in [cassandra] of each node's agent, restart the agents, and plan again",
        );
    }
}
