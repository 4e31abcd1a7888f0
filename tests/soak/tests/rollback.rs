//! A restore in place is rolled back on a real node: when it has succeeded, when its swap failed half-way, and when Cassandra
//! did not start on the restored files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use e2e::{CLUSTER, World, assert_differ, assert_same, until_final, until_step};
use lab::digest::Digest;
use lab::{Cluster, Release};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn the_old_data_comes_back_however_far_the_restore_came() -> Result<()> {
    let world = World::builder(Cluster::builder(Release::C41))
        .start()
        .await?;
    world.fill().await?;
    world.add_cluster().await?;
    let backed_up = world.digest().await?;
    world.backup("good", "full").await?;
    world.change(1).await?;
    let live = world.digest().await?;
    assert_differ(&backed_up, &live);

    let restored = world.restore("good", "in-place").await?;
    assert_same(&backed_up, &world.digest().await?);
    let task = restored.json["task_id"].as_str().context("a task")?;
    comes_back(&world, task, &live).await?;

    let task = begin_restore(&world).await?;
    let stuck = live_file(&world)?;
    chattr("+i", &stuck)?;
    let failed = until_final(world.cli(), &task).await;
    chattr("-i", &stuck)?;
    fails_with_cassandra_down(&world, &failed?, "swap")?;
    comes_back(&world, &task, &live).await?;

    let task = begin_restore(&world).await?;
    damage_staged(&world)?;
    let failed = until_final(world.cli(), &task).await?;
    fails_with_cassandra_down(&world, &failed, "start")?;
    comes_back(&world, &task, &live).await
}

/// Starts a restore; returns its task once all is staged and nothing has stopped yet.
async fn begin_restore(world: &World) -> Result<String> {
    let begun = [
        "restore", "start", "good", "--into", CLUSTER, "--mode", "in-place", "--yes",
    ];
    let begun = world.cli().ok(&begun).await?;
    let task = begun.json["task_id"].as_str().context("a task")?;
    until_step(world.cli(), task, "quiesce").await?;
    Ok(task.to_owned())
}

#[track_caller]
fn fails_with_cassandra_down(world: &World, task: &Value, step: &str) -> Result<()> {
    ensure!(task["state"] == "failed", "{task:#}");
    let error = task["error"].as_str().unwrap_or_default();
    ensure!(error.contains(step), "not in its step `{step}`: {error}");
    ensure!(
        !world.cluster.node(0).is_running(),
        "it must be down: {error}"
    );
    Ok(())
}

/// Rolls the restore back: the content is what it was before, and nothing is left behind.
async fn comes_back(world: &World, task: &str, live: &Digest) -> Result<()> {
    let rollback = ["restore", "rollback", task, "--yes", "--wait"];
    world.cli().ok(&rollback).await?;
    assert_same(live, &world.digest().await?);
    assert_eq!(world.leftovers()?, Vec::<PathBuf>::new());
    Ok(())
}

/// The Data of an SSTable that is live, the last by its name, so that others are moved before it.
fn live_file(world: &World) -> Result<PathBuf> {
    let node = world.cluster.node(0);
    let mut found = Vec::new();
    for data in &node.data_dirs {
        found.extend(files(&data.join("shop"), "-Data.db")?);
    }
    found.retain(|path| {
        !path
            .components()
            .any(|part| part.as_os_str() == "snapshots")
    });
    found.sort();
    found.pop().context("a live SSTable")
}

/// Overwrites the statistics of all staged SSTables of a keyspace, without which Cassandra opens none.
fn damage_staged(world: &World) -> Result<()> {
    let mut damaged = 0;
    for root in world.leftovers()? {
        for path in files(&root, "-Statistics.db")? {
            let bytes = fs::metadata(&path)?.len();
            fs::write(&path, vec![0xff; usize::try_from(bytes)?])?;
            damaged += 1;
        }
    }
    ensure!(damaged > 0, "nothing is staged");
    Ok(())
}

/// Files below a folder whose names end so.
fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, ending)?);
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    Ok(found)
}

/// Makes a file immovable, or movable again: not even root renames one that is immutable.
fn chattr(flag: &str, path: &Path) -> Result<()> {
    let status = Command::new("chattr").arg(flag).arg(path).status();
    let status = status.context("run chattr")?;
    ensure!(status.success(), "chattr {flag} {}", path.display());
    Ok(())
}
