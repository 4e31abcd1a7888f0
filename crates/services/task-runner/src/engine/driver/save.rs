//! Writes and shows a task.

use std::sync::Arc;

use state_store::{Expected, StateError};
use tokio::time::Instant;

use super::{Driver, Exit};
use crate::engine::active::View;
use crate::engine::eta::bytes_done;
use crate::error::RunnerError;

impl Driver {
    /// Writes what has changed since it was last written: kilobytes, however large the task is. Waits for a store that cannot
    /// be reached.
    pub(super) async fn save(&mut self) -> Result<(), Exit> {
        while let Err(error) = self.try_save().await {
            self.wait_for_store(error).await?;
        }
        self.note_reached();
        self.saved_at = Instant::now();
        self.show();
        Ok(())
    }

    async fn try_save(&mut self) -> Result<(), RunnerError> {
        if !self.record_is_dirty && self.dirty.is_empty() {
            return Ok(());
        }
        let mut has_ended = false;
        if self.unsure {
            // Whatever is there was written by this driver, because it has the lease.
            let loaded = self.engine.load(self.record().id).await?;
            self.version = loaded.version;
            has_ended = loaded.record.state.is_final();
        }
        let tasks = self.engine.context.tasks.clone();
        let steps = self.dirty.iter().copied();
        let mut batches = tasks.batches(&self.task.read(), steps)?;
        let (record, expected) = (self.record(), Expected::Version(self.version));
        // With the first batch, because that is the one that ends the task: after it, no runner takes the task again. If it was
        // written before, another task may have ended since.
        if record.state.is_final()
            && !has_ended
            && let Some(batch) = batches.first_mut()
        {
            batch.extend(tasks.end_writes(&record)?);
        }
        if let (Some(event), Some(batch)) = (&self.announced, batches.first_mut()) {
            batch.extend(tasks.outbox.writes(event)?);
        }
        let written = tasks.write_batches(&record, expected, batches, &self.fence);
        match written.await {
            Ok(version) => {
                self.version = version;
                self.unsure = false;
                self.record_is_dirty = false;
                if let Some(event) = self.announced.take() {
                    event.log();
                }
                self.dirty.clear();
                Ok(())
            }
            Err(error) => {
                // If the store became full in the middle, the batches before have changed the record's version.
                self.unsure |=
                    matches!(error, StateError::Backend { .. } | StateError::Full { .. });
                Err(error.into())
            }
        }
    }

    pub(super) fn show(&mut self) {
        self.unshown = false;
        let task = self.task.read();
        let done = bytes_done(&task.statuses);
        self.rate.record((self.engine.context.clock)(), done);
        let eta_seconds = match task.record.state.is_final() {
            true => None,
            false => self.rate.eta_seconds(&task.statuses),
        };
        let view = View {
            task: task.view(),
            eta_seconds,
        };
        self.slot.view.send_replace(Arc::new(view));
    }
}
