//! What users do meanwhile. Most of it may be refused, and some of them do not wait for the reply.

use std::time::Duration;

use api::pb::task_runner::{Priority, Task, TaskKind, TaskState};
use tokio::time::timeout;

use super::course::Scene;
use crate::world::{Life, is_final};

/// A name that is taken again once its backup was deleted, so that a deletion that goes on late would hit another backup.
pub const TAKEN_AGAIN: &str = "again";

/// How long a user waits for a reply.
const PATIENCE: Duration = Duration::from_secs(120);

/// Something that one user does at one runner.
pub async fn act(scene: &mut Scene) {
    let chance = &scene.chance;
    let at = chance.below(scene.runners.len() as u64) as usize;
    let (what, which) = (chance.below(19), chance.below(8) as usize);
    let name = format!("b{}", chance.below(1 << 40));
    let priority = *chance.pick(&[Priority::Unspecified, Priority::Highest, Priority::Lowest]);
    let patience = match chance.one_in(8) {
        true => chance.millis(200),
        false => PATIENCE,
    };
    let life = &mut scene.runners[at].life;
    // Whatever comes of it: what it has left is what is checked.
    let _ = timeout(patience, one(life, what, which, &name, priority)).await;
}

async fn one(life: &mut Life, what: u64, which: usize, name: &str, priority: Priority) {
    match what {
        0 => drop(life.create_backup(name).await),
        1 => drop(life.try_backup_of(name, "elsewhere").await),
        2 | 3 => drop(life.try_queue_backup(name, priority).await),
        4 => drop(life.start_restore("old").await),
        5 | 6 => drop(life.try_queue_restore("old", priority).await),
        7 => drop(life.verify("old").await),
        8 => drop(life.try_queue_backup(TAKEN_AGAIN, priority).await),
        9 => drop(life.delete(TAKEN_AGAIN).await),
        10 => {
            if let Some(task) = failed_deletion(life).await {
                drop(life.resume(&task.id).await);
            }
        }
        11 => {
            if let Some(task) = ended_restore(life, which).await {
                drop(life.resume_in_turn(&task.id).await);
            }
        }
        12 => {
            if let Some(task) = ended_restore(life, which).await {
                drop(life.resume(&task.id).await);
            }
        }
        _ => {
            if let Some(task) = open_task(life, which).await {
                match what {
                    13 => drop(life.cancel(&task.id).await),
                    14 | 15 => drop(life.pause(&task.id, "for a while").await),
                    16 => drop(life.resume_in_turn(&task.id).await),
                    17 => {
                        let bandwidth = (which as u64) << 20;
                        drop(life.set_limits(&task.id, Some(bandwidth), None).await);
                    }
                    _ => drop(life.resume(&task.id).await),
                }
            }
        }
    }
}

async fn failed_deletion(life: &mut Life) -> Option<Task> {
    let mut tasks = life.try_tasks().await.ok()?;
    tasks.retain(|task| task.kind() == TaskKind::Delete && task.state() == TaskState::Failed);
    tasks.pop()
}

/// A restore that has failed or was cancelled.
async fn ended_restore(life: &mut Life, which: usize) -> Option<Task> {
    let tasks = life.try_tasks().await.ok()?;
    let mut tasks = resumable_restores(tasks);
    let at = which.checked_rem(tasks.len())?;
    Some(tasks.swap_remove(at))
}

/// Those that a user may try to resume.
pub fn resumable_restores(mut tasks: Vec<Task>) -> Vec<Task> {
    tasks.retain(|task| {
        let has_ended = matches!(task.state(), TaskState::Failed | TaskState::Cancelled);
        task.kind() == TaskKind::Restore && has_ended
    });
    tasks
}

async fn open_task(life: &mut Life, which: usize) -> Option<Task> {
    let mut tasks = life.try_tasks().await.ok()?;
    tasks.retain(|task| !is_final(task.state()));
    let at = which.checked_rem(tasks.len())?;
    Some(tasks.swap_remove(at))
}
