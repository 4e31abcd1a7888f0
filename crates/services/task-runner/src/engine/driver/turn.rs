//! Waits until a task has its turn.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{Driver, Exit, ticks};
use crate::engine::admission::Admission;
use crate::engine::task::Outcome;
use crate::error::RunnerError;

/// How often a task that waits looks whether it is its turn. When a task ends here, those that wait here look at once.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long it waits for others of this process that ask at the same moment, before it looks after its lease again.
const PATIENCE: Duration = Duration::from_millis(200);
/// How long it asks.
const ASK_WITHIN: Duration = Duration::from_secs(5);

impl Driver {
    /// Returns once the task has its turn, or is on its way to its end without one. At once if it had its turn before.
    pub(super) async fn wait_for_turn(&mut self) -> Result<(), Exit> {
        let mut ticks = ticks();
        let drain = self.engine.drain.clone();
        let turns = self.engine.context.tasks.turns.clone();
        let mut look_at = Instant::now();
        let mut is_held = !self.kind.holds_while_waiting();
        loop {
            if self.pausing.is_some() {
                self.pause_now().await?;
            }
            if self.record().waiting.is_none() || self.ending().is_some() {
                return Ok(());
            }
            let ended = turns.notified();
            if Instant::now() >= look_at {
                if !is_held {
                    is_held = self.hold().await?;
                }
                if self.ending().is_none() {
                    self.look_for_turn().await?;
                }
                // However long that took, what users ask for and the lease come before the next look.
                look_at = Instant::now() + LOOK_EVERY;
                self.tick().await?;
                continue;
            }
            tokio::select! {
                biased;
                () = drain.cancelled() => return Err(Exit::Drained),
                Some(command) = self.slot.commands.recv() => self.handle(command).await?,
                _ = ticks.tick() => self.tick().await?,
                () = ended => look_at = Instant::now(),
            }
        }
    }

    /// Keeps what the task will need; whether that is done. If not, its steps do it, or fail.
    async fn hold(&mut self) -> Result<bool, Exit> {
        // Before the call, so that what it has made is undone whatever comes of it.
        if !self.record().made_something {
            self.change_record(|record| record.made_something = true);
            self.save().await?;
        }
        let record = self.record();
        let within = ASK_WITHIN.min(self.lease.ttl() / 4);
        match timeout(within, self.kind.hold(&self.context, &record)).await {
            Ok(Ok(())) => Ok(true),
            Ok(Err(error)) if error.is_refusal() => {
                let reason = format!("it cannot keep what it needs: {}", error.text());
                self.end(Outcome::Failed, reason, true);
                self.save().await?;
                Ok(true)
            }
            not_yet => {
                let error = not_yet.map(|held| held.err().map(|error| error.text()));
                tracing::debug!(task_id = %record.id, ?error, "task that waits does not hold what it needs yet");
                Ok(false)
            }
        }
    }

    async fn look_for_turn(&mut self) -> Result<(), Exit> {
        let tasks = self.engine.context.tasks.clone();
        let limits = self.engine.context.config.running_limits();
        let record = self.record();
        // The lease is not renewed meanwhile.
        let within = ASK_WITHIN.min(self.lease.ttl() / 4);
        let asking = tasks.admit(record.id, limits, PATIENCE, &self.fence);
        let Ok(asked) = timeout(within, asking).await else {
            self.unsure = true;
            return Ok(());
        };
        let waiting = match asked {
            Ok(Admission::Now(stored)) => {
                self.version = stored.version;
                self.unsure = false;
                self.task.write().record.waiting = None;
                self.note_reached();
                self.show();
                return Ok(());
            }
            Ok(Admission::Later(waiting)) => waiting,
            Err(RunnerError::TurnsContended) => return Ok(()),
            Err(error) => {
                // It may have its turn, and only the reply was lost.
                self.unsure = true;
                return self.wait_for_store(error).await;
            }
        };
        self.note_reached();
        if let Some(other) = waiting.task
            && !record.waits_for_cluster
        {
            // Its creation was cut short before it was refused.
            let busy = tasks.busy_with(&record.cluster, other).await?;
            self.end(Outcome::Failed, busy.to_string(), record.may_have_made());
            return self.save().await;
        }
        let waits_for_cluster = record.waits_for_cluster || waiting.task.is_none();
        if record.waiting.as_ref() != Some(&waiting)
            || record.waits_for_cluster != waits_for_cluster
        {
            self.change_record(|record| {
                record.waiting = Some(waiting);
                record.waits_for_cluster = waits_for_cluster;
            });
            self.save().await?;
        }
        Ok(())
    }
}
