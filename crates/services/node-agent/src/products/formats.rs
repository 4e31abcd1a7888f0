//! How an agent describes a node of each product line.

use std::fmt::Write;

use cassandra_node::testing::ReplayedCql;
use cassandra_versions::{Confidence, Product};
use expect_test::expect;
use serde_json::json;

use super::Replayed;

#[tokio::test]
async fn each_product_is_recognised_with_what_it_writes_and_reads() {
    let mut text = String::new();
    for line in ReplayedCql::lines() {
        let node = Replayed::of(line).await.node;
        let features = node.features;
        let flag = |set: Option<bool>| set.map_or("?", |set| if set { "yes" } else { "no" });
        let _ = writeln!(
            text,
            "{line}: {} {}\n  writes {}, reads {}\n  views {}, functions {}, SASI {}, time ids {}, mode `{}`{}",
            node.recognition.confidence,
            node.release,
            node.written_format,
            node.readable_formats.join(" "),
            flag(features.materialized_views),
            flag(features.user_defined_functions),
            flag(features.sasi_indexes),
            flag(features.time_sstable_ids),
            node.storage_compatibility_mode,
            node.unhealthy
        );
    }
    expect![[r#"
        cassandra-3.11: reported cassandra 3.11.19
          writes big-me, reads big-jb big-ka big-la big-lb big-ma big-mb big-mc big-md big-me
          views yes, functions no, SASI yes, time ids no, mode ``
        cassandra-4.0: reported cassandra 4.0.18
          writes big-nb, reads big-ma big-mb big-mc big-md big-me big-na big-nb
          views no, functions no, SASI no, time ids no, mode ``
        cassandra-4.1: reported cassandra 4.1.10
          writes big-nb, reads big-ma big-mb big-mc big-md big-me big-na big-nb
          views no, functions no, SASI no, time ids no, mode ``
        cassandra-5.0: reported cassandra 5.0.6
          writes big-nb, reads big-ma big-mb big-mc big-md big-me big-na big-nb bti-da
          views no, functions no, SASI no, time ids no, mode `CASSANDRA_4`
        dse-6.8: reported dse 6.8.50
          writes bti-bb, reads big-ma big-mb big-mc big-md bti-aa bti-ac bti-ba bti-bb
          views ?, functions ?, SASI ?, time ids no, mode ``
        dse-6.9: reported dse 6.9.2
          writes bti-bb, reads big-ma big-mb big-mc big-md bti-aa bti-ac bti-ba bti-bb
          views ?, functions ?, SASI ?, time ids no, mode ``
        hcd-1: inferred hcd 1.x-4.0.11-2a99ee441fb7
          writes bti-cc, reads big-ma big-mb big-mc big-md big-me big-na big-nb bti-aa bti-ac bti-ad bti-ba bti-bb bti-ca bti-cb bti-cc
          views yes, functions yes, SASI yes, time ids yes, mode ``
        hcd-2: inferred hcd 2.x-5.0.7.0-ea50e91ba01f
          writes bti-cc, reads big-ma big-mb big-mc big-md big-me big-na big-nb big-oa bti-aa bti-ac bti-ad bti-ba bti-bb bti-ca bti-cb bti-cc
          views yes, functions no, SASI no, time ids yes, mode ``
    "#]].assert_eq(&text);
}

#[tokio::test]
async fn what_was_seen_of_hcd_is_reported() {
    let mut text = String::new();
    for line in ["hcd-1", "hcd-2", "cassandra-5.0", "dse-6.9"] {
        let seen = Replayed::of(line).await.node.recognition.seen;
        let _ = writeln!(text, "{line}\n  {}", seen.join("\n  "));
    }
    expect![[r#"
        hcd-1
          release_version 4.0.11-2a99ee441fb7
          view indexes
          view sstable_indexes
          view sstable_index_segments
          setting emulate_dbaas_defaults
          setting metadata_directory
          setting storage_flags
          format bti-cc
          memtable is a map
          view local_node
          view peer_nodes
          view peer_v2_nodes
          setting enable_uuid_sstable_identifiers
        hcd-2
          release_version 5.0.7.0-ea50e91ba01f
          view indexes
          view sstable_indexes
          view sstable_index_segments
          setting emulate_dbaas_defaults
          setting metadata_directory
          setting storage_flags.supports_blacklisting_directory
          format bti-cc
          memtable is a text
        cassandra-5.0
          release_version 5.0.6
          memtable is a text
          format big-nb
          no view of HCD
          no setting of HCD
        dse-6.9
          release_version 4.0.0.692
          dse_version 6.9.2
          format bti-bb
    "#]]
    .assert_eq(&text);
}

#[tokio::test]
async fn hcd_without_a_role_that_may_read_settings_is_recognised_by_the_rest() {
    for (line, release) in [("hcd-1", "hcd 1.x"), ("hcd-2", "hcd 2.x")] {
        let replayed = Replayed::changed(line, |_, cql| {
            cql.change("SELECT name, value FROM system_views.settings", |row| {
                row.insert("name".into(), json!("auto_snapshot"));
            });
        });
        let node = replayed.await.node;
        assert_eq!(node.recognition.confidence, Confidence::Inferred);
        assert!(node.release.to_string().starts_with(release), "{line}");
    }
}

#[tokio::test]
async fn a_stated_version_is_the_release_and_a_wrong_one_is_named() {
    let stated = |version: &'static str| {
        Replayed::changed("hcd-1", move |fake, _| {
            fake.agent.node.settings.product = Some(Product::Hcd);
            fake.agent.node.settings.product_version = Some(version.to_owned());
        })
    };
    let right = stated("1.2.3").await.node;
    assert_eq!(right.recognition.confidence, Confidence::Stated);
    assert_eq!(right.release.to_string(), "hcd 1.2.3");
    let wrong = stated("2.0.6").await.node;
    assert_eq!(wrong.recognition.confidence, Confidence::Contradicted);
    assert_eq!(wrong.release.to_string(), "hcd 1.x-4.0.11-2a99ee441fb7");
    let why = wrong.recognition.contradictions.join("; ");
    assert!(why.contains("`product_version` says 2.0.6"), "{why}");
}

#[tokio::test]
async fn a_version_of_apaches_form_on_a_node_of_hcd_is_an_unknown_build() {
    for line in ["hcd-1", "hcd-2"] {
        let plain = Replayed::changed(line, |_, cql| {
            cql.change("SELECT * FROM system.local", |row| {
                let version = row["release_version"].as_str().unwrap();
                let base = version.split('-').next().unwrap();
                let three: Vec<&str> = base.split('.').take(3).collect();
                row.insert("release_version".into(), json!(three.join(".")));
            });
        });
        let recognition = plain.await.node.recognition;
        assert_eq!(recognition.confidence, Confidence::Unknown);
        assert!(recognition.contradictions.len() > 2, "{recognition:?}");
    }
}
