//! Slices live on real nodes: they load, verify, scrub, compact and upgrade there, and hold what the whole held.

mod content;
mod cut;
mod load;
mod log;
mod owned;
mod proof;

use anyhow::Result;
use lab::Release;
use proof::Rounds;
use tokio::sync::Mutex;

/// A node keeps more than one core busy, and several at once only wait for each other.
static TURN: Mutex<()> = Mutex::const_new(());

async fn check(
    release: Release,
    settings: &[(&str, &str)],
    version: &str,
    rounds: Rounds,
) -> Result<()> {
    let _turn = TURN.lock().await;
    proof::prove(release, settings, version, rounds).await
}

#[tokio::test(flavor = "multi_thread")]
async fn slices_live_on_3_11() -> Result<()> {
    check(
        Release::C311,
        &[("column_index_size_in_kb", "4")],
        "big-me",
        Rounds::All,
    )
    .await
}

/// 4.1 has the same version of SSTables, and goes through all rounds with it.
#[tokio::test(flavor = "multi_thread")]
async fn slices_live_on_4_0() -> Result<()> {
    check(
        Release::C40,
        &[("column_index_size_in_kb", "4")],
        "big-nb",
        Rounds::First,
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn slices_live_on_4_1() -> Result<()> {
    check(
        Release::C41,
        &[("column_index_size", "4KiB")],
        "big-nb",
        Rounds::All,
    )
    .await
}

/// 4.1 goes through all rounds with this version of SSTables, and 5.0 with its own.
#[tokio::test(flavor = "multi_thread")]
async fn slices_live_on_5_0_as_it_comes() -> Result<()> {
    let settings = [
        ("column_index_size", "4KiB"),
        ("storage_compatibility_mode", "CASSANDRA_4"),
    ];
    check(Release::C50, &settings, "big-nb", Rounds::First).await
}

#[tokio::test(flavor = "multi_thread")]
async fn slices_live_on_5_0_with_its_own_sstables() -> Result<()> {
    check(
        Release::C50,
        &[("column_index_size", "4KiB")],
        "big-oa",
        Rounds::All,
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn slices_live_on_5_0_with_trie_indexes() -> Result<()> {
    let settings = [
        ("column_index_size", "4KiB"),
        ("sstable", "{selected_format: bti}"),
    ];
    check(Release::C50, &settings, "bti-da", Rounds::All).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_takes_the_slice_of_its_own_ranges_and_refuses_the_whole() -> Result<()> {
    let _turn = TURN.lock().await;
    owned::prove().await
}
