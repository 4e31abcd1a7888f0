//! What must hold once a task has ended: the content, what clients see, and that nothing is left behind.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use lab::digest::{Digest, diff};
use lab::session;

use super::arena::Arena;
use super::writer::{self, Mark, Writer};
use crate::CLUSTER;

/// What a difference or a list shows of itself.
const SHOWN: usize = 10;
/// How long the task-runner may take to clear what ended tasks have left; it looks every few seconds.
const CLEARED_WITHIN: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_secs(1);

/// Every partition is as it was. Tables without rows do not count: a restore makes tables, and its rollback leaves them.
pub fn same(expected: &Digest, found: &Digest) -> Result<()> {
    let with_rows = |digest: &Digest| {
        let mut digest = digest.clone();
        digest.tables.retain(|_, it| !it.partitions.is_empty());
        digest
    };
    let (expected, found) = (with_rows(expected), with_rows(found));
    ensure!(
        expected.partitions() > 0,
        "a digest of nothing proves nothing"
    );
    let differences = diff(&expected, &found);
    let shown: Vec<String> = differences
        .iter()
        .take(SHOWN)
        .map(ToString::to_string)
        .collect();
    ensure!(
        differences.is_empty(),
        "{} partitions differ, among them:\n{}",
        differences.len(),
        shown.join("\n")
    );
    Ok(())
}

/// Moments of the writer around a restore.
pub struct Moments {
    /// Before the backup began: all until then is in it.
    pub backing_up: Mark,
    /// After it had ended: nothing from then on is in it.
    pub backed_up: Mark,
    /// Before the restore began.
    pub restoring: Mark,
    /// After it had ended: all from then on is there.
    pub restored: Mark,
}

/// What was acknowledged is there or gone, as the restore has it.
pub async fn writes_after_restore(arena: &Arena, writer: &Writer, at: &Moments) -> Result<()> {
    let now = writer.until_served().await?;
    let present = present(arena).await?;
    let backed_up = writer.between(Mark::BEGIN, at.backing_up);
    let since = writer.between(at.restored, now);
    let from_after = writer.between(at.backed_up, at.restoring);
    none(
        "writes of before the backup are lost",
        &backed_up - &present,
    )?;
    none("writes since the restore are lost", &since - &present)?;
    none(
        "writes from after the restore point are back",
        &from_after & &present,
    )
}

/// All that was acknowledged before a restore is there again once it is rolled back.
pub async fn writes_after_rollback(arena: &Arena, writer: &Writer, at: &Moments) -> Result<()> {
    writer.until_served().await?;
    let present = present(arena).await?;
    let before = writer.between(Mark::BEGIN, at.restoring);
    none("writes of before the restore are lost", &before - &present)
}

/// The ids that all replicas have. Nodes that have just started take a moment to see each other.
async fn present(arena: &Arena) -> Result<BTreeSet<i32>> {
    arena.world.cluster.wait_ready().await?;
    writer::present(&arena.world.cluster).await
}

fn none(what: &str, ids: BTreeSet<i32>) -> Result<()> {
    let shown: Vec<&i32> = ids.iter().take(SHOWN).collect();
    ensure!(ids.is_empty(), "{} {what}, among them {shown:?}", ids.len());
    Ok(())
}

/// Nothing is left on the nodes, compaction is on, and every node serves clients and sees the others.
pub async fn clean(arena: &Arena) -> Result<()> {
    arena.world.cluster.wait_ready().await?;
    let cleared = tokio::time::timeout(CLEARED_WITHIN, cleared(arena)).await;
    let listed = arena
        .world
        .cli()
        .run(&["leftovers", "list", CLUSTER])
        .await?;
    ensure!(
        cleared.is_ok(),
        "leftovers stay: {}{}",
        listed.stdout,
        listed.stderr
    );
    cleared??;
    let found = [arena.world.leftovers()?, arena.staged()?].concat();
    ensure!(found.is_empty(), "left on the nodes: {found:?}");
    let unfinished = arena.unfinished_uploads()?;
    ensure!(
        unfinished.is_empty(),
        "uploads are not finished: {unfinished:?}"
    );
    no_scratch_keyspaces(arena).await?;
    compaction_is_on(arena).await
}

async fn cleared(arena: &Arena) -> Result<()> {
    loop {
        let listed = arena
            .world
            .cli()
            .ok(&["leftovers", "list", CLUSTER])
            .await?;
        let is_empty = |field: &str| listed.json[field].as_array().is_some_and(Vec::is_empty);
        if is_empty("leftovers") && is_empty("unreachable") {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn no_scratch_keyspaces(arena: &Arena) -> Result<()> {
    const SCRATCH: &str = "ringkeep_trial";
    let session = arena.world.cluster.session().await?;
    let query = "SELECT keyspace_name FROM system_schema.keyspaces";
    for row in session::rows(&session, query).await? {
        let name = row.into_iter().flatten().next();
        let name = name.and_then(|name| name.into_string()).unwrap_or_default();
        ensure!(!name.starts_with(SCRATCH), "the keyspace {name} is left");
    }
    let nodes = arena.world.cluster.nodes().iter();
    for folder in nodes.flat_map(|node| &node.data_dirs) {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = entry.path();
            ensure!(!name.starts_with(SCRATCH), "{} is left", path.display());
        }
    }
    Ok(())
}

async fn compaction_is_on(arena: &Arena) -> Result<()> {
    let cluster = &arena.world.cluster;
    for (node, status) in cluster.nodes().iter().zip(
        cluster
            .nodetool_all(&["statusautocompaction", "-a"])
            .await?,
    ) {
        if status.contains("not running") {
            bail!("compaction is off on node {}:\n{status}", node.name);
        }
    }
    Ok(())
}
