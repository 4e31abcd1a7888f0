//! An upgrade is done if no older file is left, whatever the command reports.

use std::fs;

use api::ServiceError;
use cassandra_node::testing::Upgrades;
use cassandra_versions::Product;

use super::*;
use crate::testing::{FakeNode, Misbehaviour};

const CASSANDRA_4: Upgrades = Upgrades {
    writes: "big-nb",
    skips: &[],
};
/// `nb` is the latest version of its own format there, too.
const HCD_1: Upgrades = Upgrades {
    writes: "bti-cc",
    skips: &["big-nb"],
};

/// A node of this release with the tables `a` and `b`, which has these SSTables of `a` in its data directories.
fn node(
    release: &str,
    product: Option<Product>,
    upgrades: Upgrades,
    sstables: &[&str],
) -> FakeNode {
    let mut node = FakeNode::new(2, release);
    node.agent.node.settings.product = product;
    node.tables(&["a", "b"]);
    *node.control.upgrades.lock().unwrap() = Some(upgrades);
    for (name, data) in sstables.iter().zip([0, 1].into_iter().cycle()) {
        write(&node, name, data);
    }
    node
}

fn write(node: &FakeNode, sstable: &str, data: usize) {
    let folder = node.table("a", 1, data).0;
    for component in ["Data.db", "Statistics.db"] {
        fs::write(folder.join(format!("{sstable}-{component}")), "x").unwrap();
    }
}

/// The formats of the SSTables of `a` that are live now.
fn formats(node: &FakeNode) -> Vec<String> {
    let live = node
        .agent
        .folders
        .data
        .live_files(&TableRef::new("ks", "a"), &FakeNode::table_id(1));
    let data = live.unwrap().into_iter().filter(|file| file.is_data());
    data.map(|file| file.descriptor.format.to_string())
        .collect()
}

async fn upgrade(node: &FakeNode) -> Result<u64, UpgradeError> {
    let (work, progress, _stop) = Work::new();
    let tables = ["a", "b"].map(|table| TableRef::new("ks", table));
    upgrade_sstables(&node.agent, &tables, &work).await?;
    Ok(progress.borrow().items_done)
}

fn calls(node: &FakeNode) -> Vec<String> {
    std::mem::take(&mut *node.control.calls.lock().unwrap())
}

#[tokio::test]
async fn only_tables_with_older_sstables_are_upgraded_and_once() {
    let node = node(
        "4.1.9",
        None,
        CASSANDRA_4,
        &["me-1-big", "nb-2-big", "md-3-big"],
    );
    assert_eq!(upgrade(&node).await.unwrap(), 2);
    assert_eq!(calls(&node), ["upgradesstables ks.a"]);
    assert_eq!(formats(&node), ["big-nb"; 3]);
    assert_eq!(upgrade(&node).await.unwrap(), 2);
    assert!(calls(&node).is_empty());
}

#[tokio::test]
async fn hcd_rewrites_all_where_it_would_skip_the_files_of_cassandra() {
    for (release, product) in [
        ("4.0.11-2a99ee441fb7", Product::Hcd),
        ("5.0.7.0-ea50e91ba01f", Product::Hcd),
    ] {
        let sstables = ["nb-1-big", "cc-2-bti", "nb-3-big"];
        let node = node(release, Some(product), HCD_1, &sstables);
        assert_eq!(upgrade(&node).await.unwrap(), 2, "{release}");
        assert_eq!(calls(&node), ["upgradesstables -a ks.a"], "{release}");
        assert_eq!(formats(&node), ["bti-cc"; 3], "{release}");
    }
}

#[tokio::test]
async fn older_versions_of_the_format_that_is_written_need_no_rewrite_of_all() {
    let hcd = Some(Product::Hcd);
    let node = node("4.0.11-2a99ee441fb7", hcd, HCD_1, &["bb-1-bti", "cc-2-bti"]);
    upgrade(&node).await.unwrap();
    assert_eq!(calls(&node), ["upgradesstables ks.a"]);
    assert_eq!(formats(&node), ["bti-cc"; 2]);
}

#[tokio::test]
async fn a_success_that_leaves_older_sstables_is_a_failure_with_their_number() {
    let hcd = Some(Product::Hcd);
    for (release, product, upgrades, sstables, left, option) in [
        (
            "4.1.9",
            None,
            CASSANDRA_4,
            ["me-1-big", "me-2-big"],
            "left 1 of them in the format big-me",
            "",
        ),
        (
            "4.0.11-2a99ee441fb7",
            hcd,
            HCD_1,
            ["nb-1-big", "nb-2-big"],
            "left 1 of them in the format big-nb",
            " -a",
        ),
    ] {
        let node = node(release, product, upgrades, &sstables);
        node.control.misbehave(Misbehaviour::UpgradesAllButOne);
        let error = upgrade(&node).await.unwrap_err();
        assert_eq!(error.reason(), "UPGRADE_INCOMPLETE", "{error}");
        let text = error.to_string();
        assert!(
            text.contains("rewrite 2 SSTables of table `ks.a`"),
            "{text}"
        );
        assert!(text.contains(left), "{text}");
        let hint = error.hint().unwrap();
        assert!(
            hint.contains(&format!("`nodetool upgradesstables{option} -- ks a`")),
            "{hint}"
        );
        node.control.behave();
        upgrade(&node).await.unwrap();
        assert!(
            !formats(&node)
                .iter()
                .any(|format| format == "big-me" || option == " -a" && format == "big-nb")
        );
    }
}

#[tokio::test]
async fn what_a_finished_transaction_has_replaced_is_not_counted() {
    let node = node("4.1.9", None, CASSANDRA_4, &["me-1-big"]);
    node.control.misbehave(Misbehaviour::UpgradesAllButOne);
    let folder = node.table("a", 1, 0).0;
    let log = folder.join("nb_txn_upgrade_sstables_1.log");
    fs::write(
        &log,
        "ADD:[/d/nb-2-big-,0,8][1]\nREMOVE:[/d/me-1-big-,5,8][2]\n",
    )
    .unwrap();
    assert_eq!(
        upgrade(&node).await.unwrap_err().reason(),
        "UPGRADE_INCOMPLETE"
    );
    fs::write(
        &log,
        "ADD:[/d/nb-2-big-,0,8][1]\nREMOVE:[/d/me-1-big-,5,8][2]\nCOMMIT:[,0,0][3]\n",
    )
    .unwrap();
    assert_eq!(upgrade(&node).await.unwrap(), 2);
}

#[tokio::test]
async fn a_table_that_the_node_does_not_have_is_named() {
    let node = node("4.1.9", None, CASSANDRA_4, &[]);
    let (work, ..) = Work::new();
    let error = upgrade_sstables(&node.agent, &[TableRef::new("ks", "gone")], &work).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "the node has no table `ks.gone`"
    );
}

#[tokio::test]
async fn a_table_without_a_folder_is_upgraded_uncounted_and_not_taken_for_done() {
    let node = node("4.1.9", None, CASSANDRA_4, &[]);
    for data in 0..node.agent.folders.data.len() {
        fs::remove_dir_all(node.table("a", 1, data).0).unwrap();
    }
    assert_eq!(upgrade(&node).await.unwrap(), 2);
    assert_eq!(calls(&node), ["upgradesstables ks.a"]);
}
