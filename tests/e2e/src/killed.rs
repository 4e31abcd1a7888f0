//! kill -9 of a process in the middle of a backup or a restore.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use lab::digest::Digest;
use lab::{Cluster, Release};

use crate::{CLUSTER, World, assert_same, until_final, until_step};

/// The processes of a deployment with one process for each service.
pub const PROCESSES: &[&str] = &["node-agent-0", "storage-catalog", "planner", "task-runner"];
/// Steps of a backup at which processes are killed.
pub const BACKUP_STEPS: &[&str] = &["snapshot", "upload"];
/// Steps of a restore at which processes are killed.
pub const RESTORE_STEPS: &[&str] = &["stage", "load"];
/// How long a killed process stays away.
const AWAY: Duration = Duration::from_millis(700);

/// A world with one process for each service, a backup named `reference`, and the content of that backup.
pub async fn world() -> Result<(World, Digest)> {
    let world = World::builder(Cluster::builder(Release::C50))
        .separate()
        .start()
        .await?;
    world.fill().await?;
    world.add_cluster().await?;
    let before = world.digest().await?;
    world.backup("reference", "full").await?;
    Ok((world, before))
}

/// Kills a process as soon as the task has come to the step, and starts it again.
async fn strike(world: &mut World, task: &str, process: &str, step: &str) -> Result<()> {
    until_step(world.cli(), task, step).await?;
    let process = world.deployment.process(process)?;
    process.kill()?;
    tokio::time::sleep(AWAY).await;
    process.run().await
}

/// Kills a process in mid-backup: the backup ends well, and verifies.
pub async fn killed_in_backup(world: &mut World, process: &str, step: &str) -> Result<()> {
    let name = format!("{process}-{step}");
    let begun = world
        .cli()
        .ok(&["backup", "create", CLUSTER, "--name", &name])
        .await?;
    let task = begun.json["task_id"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    strike(world, &task, process, step).await?;
    let ended = until_final(world.cli(), &task).await?;
    assert_eq!(
        ended["state"], "succeeded",
        "{process} killed at {step}: {ended}"
    );
    world.cli().ok(&["backup", "verify", &name]).await?;
    assert_eq!(
        world.leftovers()?,
        Vec::<PathBuf>::new(),
        "{process} at {step}"
    );
    Ok(())
}

/// Kills a process in mid-restore: the restore ends well, and the content is that of backup `reference`.
pub async fn killed_in_restore(
    world: &mut World,
    process: &str,
    step: &str,
    before: &Digest,
) -> Result<()> {
    world.change(7).await?;
    let begun = world
        .cli()
        .ok(&[
            "restore",
            "start",
            "reference",
            "--into",
            CLUSTER,
            "--mode",
            "online",
            "--yes",
        ])
        .await?;
    let task = begun.json["task_id"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    strike(world, &task, process, step).await?;
    let ended = until_final(world.cli(), &task).await?;
    assert_eq!(
        ended["state"], "succeeded",
        "{process} killed at {step}: {ended}"
    );
    assert_same(before, &world.digest().await?);
    assert_eq!(
        world.leftovers()?,
        Vec::<PathBuf>::new(),
        "{process} at {step}"
    );
    Ok(())
}
