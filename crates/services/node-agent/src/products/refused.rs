//! What must be refused with nothing touched: plans without a step.

use cassandra_versions::Product;
use model::plan::{RestorePlan, RestoreRequest};
use plan::plan_restore;
use serde_json::json;

use super::{Replayed, request, verdict};

/// Without a step nothing is touched.
#[track_caller]
fn refused(request: &RestoreRequest, code: &str) -> RestorePlan {
    let plan = plan_restore(request);
    let verdict = verdict(&plan);
    assert!(verdict.starts_with("REFUSED"), "{verdict}");
    assert!(verdict.contains(code), "{verdict}");
    assert!(plan.steps.is_empty());
    plan
}

/// An import of such files loads nothing and logs nothing.
#[tokio::test]
async fn tries_of_cassandra_5_0_are_refused_by_hcd_whatever_is_lifted() {
    let source = Replayed::of("cassandra-5.0").await;
    for target in ["hcd-1", "hcd-2"] {
        let target = Replayed::of(target).await;
        let mut request = request(source.backup(Some("bti-da")), &target);
        for lifted in [false, true] {
            request.options.allow_unlisted_version = lifted;
            let plan = refused(&request, "FORMAT_UNREADABLE");
            let named = plan.findings.iter().any(|it| it.message.contains("bti-da"));
            assert!(named, "{:?}", plan.findings);
        }
    }
}

#[tokio::test]
async fn hcd_goes_onto_no_cassandra() {
    for source in ["hcd-1", "hcd-2"] {
        let source = Replayed::of(source).await;
        for target in ["cassandra-4.0", "cassandra-4.1", "cassandra-5.0"] {
            let target = Replayed::of(target).await;
            let mut request = request(source.backup(None), &target);
            refused(&request, "VERSION_PAIR_UNSUPPORTED");
            request.options.allow_unlisted_version = true;
            refused(&request, "FORMAT_UNREADABLE");
        }
        // It is the default there, printed with its whole name and without options.
        let mut request = request(source.backup(None), &Replayed::of("cassandra-4.1").await);
        request.options.rewrite_schema = false;
        let plan = refused(&request, "CUSTOM_COMPACTION_MISSING");
        let mut said = plan.findings.iter();
        assert!(said.any(|finding| finding.message.contains("UnifiedCompactionStrategy")));
    }
}

#[tokio::test]
async fn hcd_2_onto_1_is_a_downgrade_although_1_reads_the_format() {
    let (source, target) = (Replayed::of("hcd-2").await, Replayed::of("hcd-1").await);
    assert!(
        target
            .node
            .readable_formats
            .contains(&source.node.written_format)
    );
    let mut request = request(source.backup(None), &target);
    request.options.allow_unlisted_version = true;
    refused(&request, "VERSION_DOWNGRADE");
}

#[tokio::test]
async fn a_contradicted_setting_refuses_the_restore() {
    let target = Replayed::changed("hcd-1", |fake, _| {
        fake.agent.node.settings.product = Some(Product::Cassandra);
    });
    let target = target.await;
    let source = Replayed::of("cassandra-4.0").await;
    refused(
        &request(source.backup(None), &target),
        "PRODUCT_CONTRADICTED",
    );
}

/// The mistake that emptied a live table: a node of HCD that is taken for Cassandra 5.0.
#[tokio::test]
async fn a_node_that_shows_too_little_is_tried_before_anything_is_emptied() {
    let lonely = Replayed::changed("cassandra-5.0", |_, cql| {
        cql.change("SELECT * FROM system.local", |row| {
            row.insert("release_version".into(), json!("5.0.7.0-ea50e91ba01f"));
        });
    });
    let lonely = lonely.await;
    let source = Replayed::of("cassandra-5.0").await;
    let mut request = request(source.backup(Some("bti-da")), &lonely);
    let plan = plan_restore(&request);
    assert_eq!(verdict(&plan), "yes PRODUCT_UNKNOWN", "{:?}", plan.findings);
    assert!(!plan.trials.is_empty());
    request.options.skip_trial = true;
    refused(&request, "PRODUCT_UNKNOWN");
}
