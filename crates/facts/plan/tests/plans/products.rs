//! Targets whose product is not known, or is not what their agents' settings state.

use cassandra_versions::{Confidence, Recognition};
use model::plan::{RequestedMode, RestorePlan, RestoreRequest, StepKind};
use model::{AgentRole, Grant, Severity};
use plan::plan_restore;

use crate::world::*;

const CC5: &str = "cassandra 5.0.7.0-ea50e91ba01f";
const NODES: &str = "10.1.0.1, 10.1.0.2, 10.1.0.3";

/// The same shop on both sides, on a target of a build that is not known.
fn unknown() -> RestoreRequest {
    let (source, target) = shop("cassandra 5.0.5", CC5);
    request(&source, &target)
}

fn said(plan: &RestorePlan, code: &str) -> Option<(Severity, String, String)> {
    let found = plan.findings.iter().find(|finding| finding.code == code)?;
    Some((found.severity, found.subject.clone(), found.message.clone()))
}

/// A plan that changes nothing, because it has no step.
#[track_caller]
fn check_refused(request: &RestoreRequest, code: &str, part: &str) {
    let plan = plan_restore(request);
    let (severity, _, message) = said(&plan, code).expect("a finding");
    assert_eq!(severity, Severity::Refusal, "{message}");
    assert!(message.contains(part), "{message}");
    assert!(!plan.supported && plan.steps.is_empty());
}

fn place(plan: &RestorePlan, kind: StepKind) -> Option<usize> {
    plan.steps.iter().position(|step| step.kind == kind)
}

#[test]
fn an_unknown_build_takes_what_the_trial_load_has_proven() {
    let plan = plan_restore(&unknown());
    let (severity, subject, message) = said(&plan, "PRODUCT_UNKNOWN").expect("a finding");
    assert_eq!((severity, subject.as_str()), (Severity::Warning, NODES));
    assert!(
        message.contains("only what the trial load proves"),
        "{message}"
    );
    assert!(plan.supported, "{:?}", plan.findings);
    let trial = place(&plan, StepKind::Trial).expect("a trial");
    let replace = place(&plan, StepKind::Replace).expect("a replacement");
    assert!(trial < replace, "the trial comes first");
}

#[test]
fn without_a_trial_nothing_of_an_unknown_build_is_replaced() {
    let mut request = unknown();
    request.options.skip_trial = true;
    check_refused(&request, "PRODUCT_UNKNOWN", "without a trial load");
}

#[test]
fn a_trial_that_the_nodes_refuse_proves_nothing() {
    let mut request = unknown();
    // Enough for the restore, and not for scratch keyspaces.
    let grant = Grant {
        resource: "<keyspace shop>".into(),
        permissions: ["SELECT", "MODIFY"].map(String::from).to_vec(),
    };
    for node in &mut request.nodes {
        node.setup.role = Some(AgentRole {
            name: "rk".into(),
            superuser: Some(false),
            grants: Some(vec![grant.clone()]),
            unreadable: Vec::new(),
        });
    }
    let plan = plan_restore(&request);
    assert!(
        said(&plan, "TRIAL_SKIPPED").is_some(),
        "{:?}",
        plan.findings
    );
    check_refused(&request, "PRODUCT_UNKNOWN", "without a trial load");
}

#[test]
fn a_table_that_cannot_be_tried_is_not_replaced_on_an_unknown_build() {
    let (mut source, mut target) = shop("cassandra 5.0.5", CC5);
    let masked = "id int PRIMARY KEY, c text MASKED WITH DEFAULT";
    source.table("shop.masked", 3, masked);
    target.table("shop.masked", 3, "id int PRIMARY KEY, c text, d int");
    check_refused(&request(&source, &target), "PRODUCT_UNKNOWN", "shop.masked");
}

#[test]
fn a_format_that_no_trial_covers_is_not_put_in_the_place_of_live_data() {
    let (mut source, mut target) = shop("cassandra 5.0.5", CC5);
    let masked = "id int PRIMARY KEY, c text MASKED WITH DEFAULT";
    for side in [&mut source, &mut target] {
        side.table("shop.masked", 3, masked);
    }
    let masked = source.tables.last_mut().expect("a table");
    masked.formats = vec!["bti-da".into()];
    check_refused(&request(&source, &target), "PRODUCT_UNKNOWN", "shop.masked");
}

#[test]
fn an_unknown_build_is_not_restored_in_place() {
    let mut request = unknown();
    request.options.mode = RequestedMode::InPlace;
    check_refused(&request, "PRODUCT_UNKNOWN", "in place");
}

#[test]
fn unknown_builds_that_differ_are_refused() {
    for other in ["cassandra 5.0.7.0-2a99ee441fb7", "cassandra 5.0.6"] {
        let mut request = unknown();
        request.nodes[1].release = release(other);
        check_refused(&request, "PRODUCT_UNKNOWN", "different builds");
    }
}

#[test]
fn where_nothing_is_live_an_unknown_build_needs_no_trial() {
    let (source, _) = shop("cassandra 5.0.5", CC5);
    let mut request = request(&source, &empty(CC5));
    request.options.skip_trial = true;
    let plan = plan_restore(&request);
    let (severity, ..) = said(&plan, "PRODUCT_UNKNOWN").expect("a finding");
    assert_eq!(severity, Severity::Warning);
    assert!(plan.supported, "{:?}", plan.findings);
}

#[test]
fn an_unknown_build_takes_no_downgrade() {
    let (source, target) = shop("cassandra 5.0.5", "cassandra 4.0.11-2a99ee441fb7");
    check_refused(&request(&source, &target), "VERSION_DOWNGRADE", "older");
    // Nor does a known one of a backup whose product is not known, whatever is lifted.
    let (source, target) = shop(CC5, "hcd 1.2.3");
    let mut request = request(&source, &target);
    request.options.allow_unlisted_version = true;
    check_refused(&request, "VERSION_DOWNGRADE", "older");
}

#[test]
fn a_node_that_an_agent_of_before_describes_is_judged_by_its_version() {
    for apache in ["cassandra 5.0-beta1", "cassandra 5.0.8-SNAPSHOT"] {
        let (source, target) = shop("cassandra 5.0.5", apache);
        let plan = plan_restore(&request(&source, &target));
        assert_eq!(said(&plan, "PRODUCT_UNKNOWN"), None, "{apache}");
    }
}

#[test]
fn signs_that_contradict_each_other_make_an_unknown_build_whatever_the_version() {
    let (source, target) = shop("cassandra 4.0.17", "cassandra 4.0.11");
    let mut request = request(&source, &target);
    for node in &mut request.nodes {
        node.recognition = Recognition {
            confidence: Confidence::Unknown,
            seen: vec!["view local_node".into()],
            contradictions: vec!["view local_node is of HCD".into()],
        };
    }
    let plan = plan_restore(&request);
    let (severity, _, message) = said(&plan, "PRODUCT_UNKNOWN").expect("a finding");
    assert_eq!(severity, Severity::Warning);
    assert!(message.contains("view local_node is of HCD"), "{message}");
    request.options.skip_trial = true;
    check_refused(&request, "PRODUCT_UNKNOWN", "without a trial load");
}

#[test]
fn a_contradiction_with_the_settings_refuses_a_restore_and_warns_of_a_backup() {
    let (source, target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let mut request = request(&source, &target);
    request.nodes[1].recognition = Recognition {
        confidence: Confidence::Contradicted,
        seen: Vec::new(),
        contradictions: vec!["the setting `product` says hcd".into()],
    };
    check_refused(
        &request,
        "PRODUCT_CONTRADICTED",
        "the setting `product` says hcd",
    );
    let backup = plan::plan_backup(&plan::BackupRequest {
        backup: backup_ref(),
        kind: model::manifest::BackupKind::Full,
        nodes: request.nodes,
        unreachable: Vec::new(),
        selection: model::Selection::default(),
        completeness: Default::default(),
        schema: Default::default(),
    });
    assert!(backup.supported, "{:?}", backup.findings);
    let warned = backup
        .findings
        .iter()
        .find(|it| it.code == "PRODUCT_CONTRADICTED");
    assert_eq!(warned.expect("a warning").severity, Severity::Warning);
}

#[test]
fn a_backup_of_a_node_that_was_not_recognised_as_hcd_is_known_by_its_files() {
    let (mut source, target) = shop("cassandra 4.0.11-2a99ee441fb7", "hcd 1.2.3");
    for table in &mut source.tables {
        table.formats = vec!["bti-cc".into()];
    }
    assert_eq!(codes(&request(&source, &target)), [] as [&str; 0]);
}

#[test]
fn only_what_is_older_is_upgraded_from_hcd_1_to_2() {
    for (format, is_said) in [("bti-cc", false), ("bti-bb", true), ("big-nb", true)] {
        let (mut source, target) = shop("hcd 1.2.3", "hcd 2.0.6");
        for table in &mut source.tables {
            table.formats = vec![format.into()];
        }
        let plan = plan_restore(&request(&source, &target));
        assert!(plan.supported, "{:?}", plan.findings);
        let said = said(&plan, "UPGRADE_SSTABLES_REQUIRED").is_some();
        assert_eq!(said, is_said, "{format}");
        assert_eq!(place(&plan, StepKind::UpgradeSstables).is_some(), is_said);
    }
}

#[test]
fn members_that_are_not_of_one_product_are_named_and_refused() {
    for other in [
        "cassandra 4.0.11",
        "cassandra 4.0.11-2a99ee441fb7",
        "hcd 2.x-5.0.7.0",
    ] {
        let (source, target) = shop("cassandra 4.0.18", "hcd 1.x-4.0.11-2a99ee441fb7");
        let mut request = request(&source, &target);
        request.nodes[1].release = release(other);
        check_refused(&request, "MIXED_VERSIONS", &format!("{other} on 10.1.0.2"));
    }
}

#[test]
fn the_command_by_hand_is_the_one_that_rewrites_the_format() {
    let hint = |source: &str, format: &str| {
        let (mut source, target) = shop(source, "hcd 1.2.3");
        for table in &mut source.tables {
            table.formats = vec![format.into()];
        }
        let plan = plan_restore(&request(&source, &target));
        let mut findings = plan.findings.into_iter();
        let found = findings
            .find(|it| it.code == "UPGRADE_SSTABLES_REQUIRED" && it.subject.contains(format));
        found.expect("a finding").hint
    };
    let skipped = hint("cassandra 4.1.9", "big-nb");
    assert!(
        skipped.ends_with("nodetool upgradesstables -a"),
        "{skipped}"
    );
    let found = hint("dse 6.8.50", "bti-bb");
    assert!(found.ends_with("nodetool upgradesstables"), "{found}");
}
