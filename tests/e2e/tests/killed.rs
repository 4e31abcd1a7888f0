//! kill -9 of each process in mid-backup and in mid-restore: after a restart the task ends well and the content is right.

use std::time::Duration;

use anyhow::Result;
use e2e::{CLUSTER, World, assert_same, until_final, until_step};
use lab::digest::Digest;
use lab::{Cluster, Release};

const PROCESSES: &[&str] = &["node-agent-0", "storage-catalog", "planner", "task-runner"];
/// At which step of a backup, and of a restore, the process is killed.
const BACKUP_STEPS: &[&str] = &["snapshot", "upload"];
const RESTORE_STEPS: &[&str] = &["stage", "load"];
/// How long a killed process stays away.
const AWAY: Duration = Duration::from_millis(700);

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_changes_nothing_but_the_time_it_takes() -> Result<()> {
    let mut world = World::builder(Cluster::builder(Release::C50))
        .separate()
        .start()
        .await?;
    world.fill().await?;
    world.add_cluster().await?;
    let before = world.digest().await?;
    world.backup("reference", "full").await?;
    for process in PROCESSES {
        for step in BACKUP_STEPS {
            killed_in_backup(&mut world, process, step).await?;
        }
    }
    for process in PROCESSES {
        for step in RESTORE_STEPS {
            killed_in_restore(&mut world, process, step, &before).await?;
        }
    }
    Ok(())
}

/// Kills a process as soon as the task has come to the step, and starts it again.
async fn strike(world: &mut World, task: &str, process: &str, step: &str) -> Result<()> {
    until_step(world.cli(), task, step).await?;
    let process = world.deployment.process(process)?;
    process.kill()?;
    tokio::time::sleep(AWAY).await;
    process.run().await
}

async fn killed_in_backup(world: &mut World, process: &str, step: &str) -> Result<()> {
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
        Vec::<std::path::PathBuf>::new(),
        "{process} at {step}"
    );
    Ok(())
}

async fn killed_in_restore(
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
        Vec::<std::path::PathBuf>::new(),
        "{process} at {step}"
    );
    Ok(())
}
