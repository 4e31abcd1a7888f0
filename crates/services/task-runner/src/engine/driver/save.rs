//! Writes and shows a task.

use std::sync::Arc;

use state_store::Expected;
use tokio::time::Instant;

use super::{Driver, Exit};
use crate::engine::active::View;
use crate::engine::eta::bytes_done;

impl Driver {
    /// Writes what has changed since it was last written: kilobytes, however large the task is.
    pub(super) async fn save(&mut self) -> Result<(), Exit> {
        let tasks = self.engine.context.tasks.clone();
        let record_at = self
            .record_is_dirty
            .then_some(Expected::Version(self.version));
        let steps = std::mem::take(&mut self.dirty);
        let batches = tasks.batches(&self.task.read(), record_at, steps)?;
        let first = tasks.write_batches(&batches, &self.fence).await?;
        if let (Some(_), Some(version)) = (record_at, first) {
            self.version = version;
        }
        self.record_is_dirty = false;
        self.saved_at = Instant::now();
        self.show();
        Ok(())
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
