//! kill -9 of each process at every step of a backup and of a restore.

use anyhow::Result;
use e2e::killed::{
    BACKUP_STEPS, PROCESSES, RESTORE_STEPS, killed_in_backup, killed_in_restore, world,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_at_any_step_changes_nothing_but_the_time_it_takes() -> Result<()> {
    let (mut world, before) = world().await?;
    for process in PROCESSES {
        for step in BACKUP_STEPS {
            killed_in_backup(&mut world, process, step).await?;
        }
        for step in RESTORE_STEPS {
            killed_in_restore(&mut world, process, step, &before).await?;
        }
    }
    Ok(())
}
