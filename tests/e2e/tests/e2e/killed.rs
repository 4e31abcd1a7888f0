//! kill -9 of each process in mid-backup and in mid-restore: after a restart the task ends well and the content is right.

use anyhow::Result;
use e2e::killed::{
    BACKUP_STEPS, PROCESSES, RESTORE_STEPS, killed_in_backup, killed_in_restore, world,
};

/// Each process once in a backup and once in a restore; the soak suite kills each of them at every step.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_changes_nothing_but_the_time_it_takes() -> Result<()> {
    let (mut world, before) = world().await?;
    let steps = BACKUP_STEPS.iter().zip(RESTORE_STEPS).cycle();
    for (process, (in_backup, in_restore)) in PROCESSES.iter().zip(steps) {
        killed_in_backup(&mut world, process, in_backup).await?;
        killed_in_restore(&mut world, process, in_restore, &before).await?;
    }
    Ok(())
}
