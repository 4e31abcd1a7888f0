//! One real 5.0 node: filled, digested, changed, and gone without a trace.

use std::collections::BTreeSet;

use lab::digest::diff;
use lab::workload::{self, KEYSPACES, Scale};
use lab::{Cluster, Release};

#[tokio::test]
async fn a_change_shows_in_the_digest_by_table_and_nothing_is_left_behind() {
    let cluster = Cluster::builder(Release::C50)
        .name("single")
        .start()
        .await
        .unwrap();
    workload::fill(&cluster, Scale::Small).await.unwrap();

    let filled = cluster.digest(&KEYSPACES).await.unwrap();
    let again = cluster.digest(&KEYSPACES).await.unwrap();
    assert_eq!(diff(&filled, &again), vec![]);
    assert!(filled.rows() > 1500, "{} rows", filled.rows());

    workload::change(&cluster, 7).await.unwrap();
    let changed = cluster.digest(&KEYSPACES).await.unwrap();
    let tables: BTreeSet<String> = diff(&filled, &changed)
        .iter()
        .map(|difference| difference.table.to_string())
        .collect();
    let all: BTreeSet<String> = filled.tables.keys().map(ToString::to_string).collect();
    assert_eq!(tables, all, "a change touches every table");

    // What was flushed and what was in memory both survive a stop and a start.
    cluster.node(0).stop().await.unwrap();
    assert!(!cluster.node(0).is_running());
    cluster.node(0).start().await.unwrap();
    assert_eq!(
        diff(&changed, &cluster.digest(&KEYSPACES).await.unwrap()),
        vec![]
    );

    let process = cluster.node(0).process().unwrap();
    let dir = cluster.dir().to_owned();
    drop(cluster);
    assert!(!process.is_alive());
    assert!(!dir.exists());
}
