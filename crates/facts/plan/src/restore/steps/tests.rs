//! The order of a restore's steps is the same for any number of nodes.

use model::plan::TrialTable;
use model::{TableId, TableRef};
use uuid::Uuid;

use super::*;
use crate::steps::order;

fn statements(words: &str, word: &str) -> Vec<String> {
    let has = words.split_whitespace().any(|it| it == word);
    if has {
        vec!["CQL".to_owned()]
    } else {
        Vec::new()
    }
}

/// `words` say which optional steps there are.
fn steps(mode: RestoreMode, count: usize, words: &str) -> Vec<PlanStep> {
    let addresses = order::addresses(count);
    let nodes: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let cql = Cql {
        schema: statements(words, "schema"),
        replace: statements(words, "replace"),
        views: statements(words, "views"),
    };
    let trial = match words.contains("trial") {
        true => Trial {
            tables: vec![TrialTable {
                table: TableRef::new("ks", "t"),
                target_id: TableId(Uuid::nil()),
                trial: TableRef::new("ringkeep_trial_1", "t"),
            }],
            make: vec!["CQL".to_owned()],
            drop: vec!["CQL".to_owned()],
        },
        false => Trial::default(),
    };
    make(mode, &nodes, words.contains("upgradesstables"), trial, cql)
}

#[track_caller]
fn check(mode: RestoreMode, words: &str, table: &[&str]) {
    for count in 1..=3 {
        order::check(&steps(mode, count, words), table);
    }
}

#[test]
fn online_all_is_staged_checked_and_made_before_anything_is_replaced() {
    check(
        RestoreMode::Online,
        "schema replace upgradesstables views",
        &[
            "pin <",
            "stage < pin",
            "check < pin stage",
            "schema < pin stage check",
            "replace < pin stage check schema",
            "load < pin stage check schema replace",
            "upgradesstables < pin stage check schema replace own-load",
            "views < pin stage check schema replace load upgradesstables",
            "finish < pin stage check schema replace load upgradesstables views",
            "unpin < pin stage check schema replace load upgradesstables views finish",
        ],
    );
    check(
        RestoreMode::Online,
        "",
        &[
            "pin <",
            "stage < pin",
            "check < pin stage",
            "load < pin stage check",
            "finish < pin stage check load",
            "unpin < pin stage check load finish",
        ],
    );
    check(
        RestoreMode::Online,
        "upgradesstables",
        &[
            "pin <",
            "stage < pin",
            "check < pin stage",
            "load < pin stage check",
            "upgradesstables < pin stage check own-load",
            "finish < pin stage check load upgradesstables",
            "unpin < pin stage check load upgradesstables finish",
        ],
    );
}

#[test]
fn a_trial_is_over_on_every_node_before_the_cluster_is_compared_and_anything_is_replaced() {
    check(
        RestoreMode::Online,
        "trial replace",
        &[
            "pin <",
            "stage < pin",
            "trialschema < pin stage",
            "trial < pin stage trialschema",
            "trialdrop < pin stage trialschema trial",
            "check < pin stage trialschema trial trialdrop",
            "replace < pin stage trialschema trial trialdrop check",
            "load < pin stage trialschema trial trialdrop check replace",
            "finish < pin stage trialschema trial trialdrop check replace load",
            "unpin < pin stage trialschema trial trialdrop check replace load finish",
        ],
    );
}

#[test]
fn in_place_no_node_swaps_or_starts_before_all_others_are_quiet_stopped_and_swapped() {
    check(
        RestoreMode::InPlace,
        "schema",
        &[
            "pin <",
            "stage < pin",
            "check < pin stage",
            "schema < pin stage check",
            "quiesce < pin stage check schema",
            "stop < pin stage check schema quiesce",
            "swap < pin stage check schema quiesce stop",
            "start < pin stage check schema quiesce stop swap",
            "unpin < pin stage check schema quiesce stop swap start",
        ],
    );
}

#[test]
fn the_way_back_stops_all_nodes_before_any_file_moves_and_starts_none_before_all_have() {
    for count in 1..=3 {
        let addresses = order::addresses(count);
        let nodes: Vec<&str> = addresses.iter().map(String::as_str).collect();
        order::check(
            &rollback_steps(&nodes, false),
            &[
                "quiesce <",
                "stop < quiesce",
                "swapback < quiesce stop",
                "start < quiesce stop swapback",
                "finish < quiesce stop swapback start",
            ],
        );
        order::check(
            &rollback_steps(&nodes, true),
            &["swapback <", "start < swapback", "finish < swapback start"],
        );
        order::check(&accept_steps(&nodes), &["finish <"]);
    }
}

#[test]
fn the_steps_of_a_restore_grow_with_its_nodes() {
    let words = "schema replace upgradesstables views";
    order::check_length(&steps(RestoreMode::Online, 1_500, words));
    order::check_length(&steps(RestoreMode::Online, 1_500, ""));
    order::check_length(&steps(RestoreMode::InPlace, 1_500, "schema"));
}
