//! Every row of the version matrix, as a plan that is made of replayed nodes.

use std::fmt::Write;

use cassandra_node::testing::ReplayedCql;
use expect_test::expect;
use model::plan::StepKind;
use plan::plan_restore;

use super::{Replayed, request, verdict};

/// The steps that change what is live. Without steps a plan changes nothing.
const CHANGES: [StepKind; 4] = [
    StepKind::Schema,
    StepKind::Replace,
    StepKind::Load,
    StepKind::Swap,
];

#[tokio::test]
async fn every_pair_of_product_lines_is_planned_as_the_matrix_says() {
    let mut nodes = Vec::new();
    for line in ReplayedCql::lines() {
        nodes.push((line, Replayed::of(line).await));
    }
    let mut text = String::new();
    for (source, from) in &nodes {
        for (target, into) in &nodes {
            let plan = plan_restore(&request(from.backup(None), into));
            let _ = writeln!(text, "{source} onto {target}: {}", verdict(&plan));
            if !plan.supported {
                assert!(plan.steps.is_empty(), "{source} onto {target} is refused");
                continue;
            }
            let at = |kind| plan.steps.iter().position(|step| step.kind == kind);
            let tried = at(StepKind::Trial).expect("live data is replaced after a trial");
            let check = at(StepKind::Check).expect("a check");
            assert!(tried < check, "{source} onto {target}");
            for change in CHANGES.into_iter().filter_map(at) {
                assert!(check < change, "{source} onto {target}");
            }
        }
    }
    expect![[r#"
        cassandra-3.11 onto cassandra-3.11: yes
        cassandra-3.11 onto cassandra-4.0: yes UPGRADE_SSTABLES_REQUIRED
        cassandra-3.11 onto cassandra-4.1: yes UPGRADE_SSTABLES_REQUIRED
        cassandra-3.11 onto cassandra-5.0: REFUSED VERSION_PAIR_UNSUPPORTED
        cassandra-3.11 onto dse-6.8: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        cassandra-3.11 onto dse-6.9: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        cassandra-3.11 onto hcd-1: REFUSED VERSION_PAIR_UNSUPPORTED
        cassandra-3.11 onto hcd-2: REFUSED VERSION_PAIR_UNSUPPORTED
        cassandra-4.0 onto cassandra-3.11: REFUSED VERSION_DOWNGRADE FORMAT_UNREADABLE
        cassandra-4.0 onto cassandra-4.0: yes
        cassandra-4.0 onto cassandra-4.1: yes LATER_MINOR_VERSION
        cassandra-4.0 onto cassandra-5.0: yes UPGRADE_SSTABLES_REQUIRED
        cassandra-4.0 onto dse-6.8: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        cassandra-4.0 onto dse-6.9: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        cassandra-4.0 onto hcd-1: yes CASSANDRA_ONTO_HCD UPGRADE_SSTABLES_REQUIRED
        cassandra-4.0 onto hcd-2: REFUSED VERSION_PAIR_UNSUPPORTED
        cassandra-4.1 onto cassandra-3.11: REFUSED VERSION_DOWNGRADE FORMAT_UNREADABLE
        cassandra-4.1 onto cassandra-4.0: REFUSED VERSION_DOWNGRADE
        cassandra-4.1 onto cassandra-4.1: yes
        cassandra-4.1 onto cassandra-5.0: yes UPGRADE_SSTABLES_REQUIRED
        cassandra-4.1 onto dse-6.8: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        cassandra-4.1 onto dse-6.9: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        cassandra-4.1 onto hcd-1: yes CASSANDRA_ONTO_HCD UPGRADE_SSTABLES_REQUIRED
        cassandra-4.1 onto hcd-2: REFUSED VERSION_PAIR_UNSUPPORTED
        cassandra-5.0 onto cassandra-3.11: REFUSED VERSION_DOWNGRADE FORMAT_UNREADABLE
        cassandra-5.0 onto cassandra-4.0: REFUSED VERSION_DOWNGRADE
        cassandra-5.0 onto cassandra-4.1: REFUSED VERSION_DOWNGRADE
        cassandra-5.0 onto cassandra-5.0: yes
        cassandra-5.0 onto dse-6.8: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        cassandra-5.0 onto dse-6.9: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        cassandra-5.0 onto hcd-1: REFUSED VERSION_PAIR_UNSUPPORTED
        cassandra-5.0 onto hcd-2: REFUSED VERSION_PAIR_UNSUPPORTED
        dse-6.8 onto cassandra-3.11: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        dse-6.8 onto cassandra-4.0: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        dse-6.8 onto cassandra-4.1: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        dse-6.8 onto cassandra-5.0: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        dse-6.8 onto dse-6.8: yes
        dse-6.8 onto dse-6.9: yes UPGRADE_SSTABLES_REQUIRED
        dse-6.8 onto hcd-1: yes SCHEMA_VALIDATION_REQUIRED UPGRADE_SSTABLES_REQUIRED
        dse-6.8 onto hcd-2: REFUSED VERSION_PAIR_UNSUPPORTED
        dse-6.9 onto cassandra-3.11: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        dse-6.9 onto cassandra-4.0: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        dse-6.9 onto cassandra-4.1: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        dse-6.9 onto cassandra-5.0: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        dse-6.9 onto dse-6.8: REFUSED VERSION_DOWNGRADE
        dse-6.9 onto dse-6.9: yes
        dse-6.9 onto hcd-1: yes SCHEMA_VALIDATION_REQUIRED UPGRADE_SSTABLES_REQUIRED
        dse-6.9 onto hcd-2: REFUSED VERSION_PAIR_UNSUPPORTED
        hcd-1 onto cassandra-3.11: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        hcd-1 onto cassandra-4.0: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        hcd-1 onto cassandra-4.1: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        hcd-1 onto cassandra-5.0: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        hcd-1 onto dse-6.8: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        hcd-1 onto dse-6.9: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        hcd-1 onto hcd-1: yes
        hcd-1 onto hcd-2: yes
        hcd-2 onto cassandra-3.11: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        hcd-2 onto cassandra-4.0: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        hcd-2 onto cassandra-4.1: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        hcd-2 onto cassandra-5.0: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        hcd-2 onto dse-6.8: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        hcd-2 onto dse-6.9: REFUSED VERSION_PAIR_UNSUPPORTED FORMAT_UNREADABLE
        hcd-2 onto hcd-1: REFUSED VERSION_DOWNGRADE
        hcd-2 onto hcd-2: yes
    "#]]
    .assert_eq(&text);
}

/// SSTables of 4.0.18 and 4.1.10, whole and sliced, were loaded into nodes of the base of HCD 1.x.
#[tokio::test]
async fn cassandra_4_goes_onto_hcd_1_and_is_upgraded_there() {
    let hcd = Replayed::of("hcd-1").await;
    for source in ["cassandra-4.0", "cassandra-4.1"] {
        let plan = plan_restore(&request(Replayed::of(source).await.backup(None), &hcd));
        assert_eq!(
            verdict(&plan),
            "yes CASSANDRA_ONTO_HCD UPGRADE_SSTABLES_REQUIRED"
        );
        let mut steps = plan.steps.iter();
        assert!(steps.any(|step| step.kind == StepKind::UpgradeSstables));
    }
}

#[tokio::test]
async fn hcd_takes_its_own_backup() {
    for line in ["hcd-1", "hcd-2"] {
        let node = Replayed::of(line).await;
        let plan = plan_restore(&request(node.backup(None), &node));
        assert_eq!(verdict(&plan), "yes", "{line}: {:?}", plan.findings);
        let mut steps = plan.steps.iter();
        assert!(!steps.any(|step| step.kind == StepKind::UpgradeSstables));
    }
}
