//! What real nodes write of clustering columns of every type, of range deletions and of collections is sound to `verify`
//! at its deepest, flushed and compacted.

mod tables;
mod values;

use std::fs;

use anyhow::{Result, ensure};
use cassandra_formats::verify::{Depth, verify};
use lab::{Cluster, Node, Release, session};
use tables::KEYSPACE;
use tokio::sync::Mutex;
use values::Random;

/// A node keeps more than one core busy, and several at once only wait for each other.
static TURN: Mutex<()> = Mutex::const_new(());
/// Each becomes an SSTable, so that compaction has something to merge.
const FLUSHES: u64 = 2;

async fn check(release: Release, settings: &[(&str, &str)], format: &str) -> Result<()> {
    let _turn = TURN.lock().await;
    let mut builder = Cluster::builder(release).name("ordered");
    for (key, yaml) in settings {
        builder = builder.setting(key, yaml);
    }
    let cluster = builder.start().await?;
    let session = cluster.session().await?;
    let node = cluster.node(0);
    let tables = tables::all(release);
    for statement in tables::schema(&tables) {
        session::run(&session, &statement).await?;
    }
    let mut random = Random(20_260_101);
    for _ in 0..FLUSHES {
        for table in &tables {
            for statement in table.changes(&mut random) {
                session::run(&session, &statement).await?;
            }
        }
        node.nodetool(&["flush", KEYSPACE]).await?;
    }
    let flushed = verify_all(node, "flushed", format).await?;
    ensure!(flushed >= tables.len(), "{flushed} SSTables were flushed");
    node.nodetool(&["compact", KEYSPACE]).await?;
    let compacted = verify_all(node, "compacted", format).await?;
    ensure!(compacted >= tables.len(), "{compacted} were compacted");
    println!("{format}: {flushed} flushed and {compacted} compacted SSTables are sound");
    Ok(())
}

/// Verifies a snapshot of all tables, because in a live folder files come and go; returns how many SSTables it has.
async fn verify_all(node: &Node, tag: &str, format: &str) -> Result<usize> {
    node.nodetool(&["snapshot", "-t", tag, "--", KEYSPACE])
        .await?;
    let mut verified = 0;
    for table in fs::read_dir(node.data_dirs[0].join(KEYSPACE))? {
        let folder = table?.path().join("snapshots").join(tag);
        if !folder.is_dir() {
            continue;
        }
        for sstable in sstable_files::find(std::slice::from_ref(&folder))? {
            let descriptor = sstable.descriptor();
            ensure!(descriptor.format.to_string() == format, "{descriptor}");
            let report = verify(&sstable, descriptor, Depth::Extended, &mut |_| ())?;
            let path = sstable.path("").display().to_string();
            ensure!(report.damage.is_empty(), "{path}: {:?}", report.damage);
            // Empty values of descending columns and nulls in tuples are not compared.
            let is_known = |what: &String| what.contains("releases");
            ensure!(
                report.warnings.iter().all(is_known),
                "{path}: {:?}",
                report.warnings
            );
            verified += 1;
        }
    }
    Ok(verified)
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_3_11_are_in_order() -> Result<()> {
    let settings = [("column_index_size_in_kb", "1")];
    check(Release::C311, &settings, "big-me").await
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_4_0_are_in_order() -> Result<()> {
    let settings = [("column_index_size_in_kb", "1")];
    check(Release::C40, &settings, "big-nb").await
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_4_1_are_in_order() -> Result<()> {
    check(Release::C41, &[("column_index_size", "1KiB")], "big-nb").await
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_5_0_are_in_order() -> Result<()> {
    check(Release::C50, &[("column_index_size", "1KiB")], "big-oa").await
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_5_0_with_trie_indexes_are_in_order() -> Result<()> {
    let settings = [
        ("column_index_size", "1KiB"),
        ("sstable", "{selected_format: bti}"),
    ];
    check(Release::C50, &settings, "bti-da").await
}
