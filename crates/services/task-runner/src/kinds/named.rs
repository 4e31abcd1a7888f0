//! A backup as a request names it, and tasks on a backup that exists.

use std::sync::Arc;

use api::clients::FoundBackup;
use jiff::Timestamp;
use model::plan::PlanStep;
use model::task::{Priority, TaskKind};
use model::{BackupName, BackupRef, ClusterName, TaskId};
use serde::Serialize;
use uuid::Uuid;

use crate::context::Context;
use crate::engine::{Engine, NewTask, TaskRecord};
use crate::error::RunnerError;

/// A backup as a request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedBackup {
    /// None if the backup's name is unique in the bucket.
    pub cluster: Option<ClusterName>,
    pub name: BackupName,
}

impl NamedBackup {
    /// Which backup of the bucket it is, in whatever state.
    pub async fn find(&self, context: &Context) -> Result<FoundBackup, RunnerError> {
        let catalog = &context.catalog;
        let found = catalog.find_backup(self.cluster.as_ref(), &self.name).await;
        found.map_err(RunnerError::remote("storage-catalog"))
    }

    /// Keeps this backup from being deleted, until a time or without end.
    pub async fn pin(
        &self,
        context: &Context,
        reason: &str,
        until: Option<Timestamp>,
    ) -> Result<BackupRef, RunnerError> {
        let FoundBackup { backup, .. } = self.find(context).await?;
        let pinned = context.catalog.pin_by_people(&backup, reason, until).await;
        pinned.map_err(RunnerError::remote("storage-catalog"))?;
        Ok(backup)
    }

    /// Releases all pins of people on this backup. Returns how many there were.
    pub async fn unpin(&self, context: &Context) -> Result<(BackupRef, u32), RunnerError> {
        let FoundBackup { backup, .. } = self.find(context).await?;
        let released = context.catalog.unpin_by_people(&backup).await;
        let released = released.map_err(RunnerError::remote("storage-catalog"))?;
        Ok((backup, released))
    }

    /// Starts a task on this backup with one document, if there is such a backup.
    pub async fn start_task<D: Serialize>(
        &self,
        engine: &Arc<Engine>,
        kind: TaskKind,
        steps: &[PlanStep],
        document: (&str, &D),
        priority: Option<Priority>,
    ) -> Result<(TaskId, BackupRef), RunnerError> {
        let FoundBackup { backup, .. } = self.find(&engine.context).await?;
        start_task_on(engine, backup, kind, steps, document, priority).await
    }
}

/// Starts a task on a backup that was found, with one document.
pub(super) async fn start_task_on<D: Serialize>(
    engine: &Arc<Engine>,
    backup: BackupRef,
    kind: TaskKind,
    steps: &[PlanStep],
    document: (&str, &D),
    priority: Option<Priority>,
) -> Result<(TaskId, BackupRef), RunnerError> {
    let id = TaskId(Uuid::now_v7());
    let now = (engine.context.clock)();
    let record = TaskRecord {
        backup: Some(backup.clone()),
        priority,
        ..TaskRecord::new(id, kind, backup.cluster.clone(), now)
    };
    let (stored, fence) = engine
        .create(NewTask { record, steps }, &[document])
        .await?;
    engine.drive_new(stored, fence).await;
    Ok((id, backup))
}
