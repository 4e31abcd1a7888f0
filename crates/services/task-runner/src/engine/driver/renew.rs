//! Keeps a driver's lease, and waits for a state store that cannot be reached.

use std::time::Duration;

use state_store::StateError;
use tokio::time::{Instant, sleep, timeout};

use super::{Driver, Exit};
use crate::error::RunnerError;

/// Between two tries to renew a lease, or to write, while the state store cannot be reached.
const PAUSE: Duration = Duration::from_millis(500);

impl Driver {
    /// Renews the lease, which may be almost over by the time that its driver starts. Nothing may run before: only here the
    /// time of a lease that is over starts again.
    pub(super) async fn confirm_lease(&mut self) -> Result<(), Exit> {
        let began_at = Instant::now();
        loop {
            let asked_at = Instant::now();
            let left = self.lease.ttl().saturating_sub(began_at.elapsed());
            if left.is_zero() {
                return Err(self.lease_is_over());
            }
            if self.ask_to_renew(left).await? {
                self.lease.started(asked_at);
                if !self.lease.is_over() {
                    return Ok(());
                }
            }
            self.pause().await?;
        }
    }

    /// Renews the lease if it is time to.
    pub(super) async fn keep_lease(&mut self) -> Result<(), Exit> {
        if self.lease.is_over() {
            return Err(self.lease_is_over());
        }
        match Instant::now() >= self.renew_at {
            true => self.renew().await,
            false => Ok(()),
        }
    }

    /// Fails if the lease is lost or its time is over; if it is not known, it lasts as before.
    async fn renew(&mut self) -> Result<(), Exit> {
        let asked_at = Instant::now();
        // What ran under the lease is dropped when its time is over, so a later reply is of no use.
        if self.ask_to_renew(self.lease.left()).await? && !self.lease.renewed(asked_at) {
            return Err(self.lease_is_over());
        }
        Ok(())
    }

    /// Whether the store has renewed the lease within this time. Fails if the lease is lost, or if the time has passed.
    async fn ask_to_renew(&mut self, within: Duration) -> Result<bool, Exit> {
        let asked_at = Instant::now();
        let renewal = self.engine.context.tasks.renew(&self.fence);
        match timeout(within, renewal).await {
            Ok(Ok(())) => {
                // Two more tries before it runs out.
                self.renew_at = asked_at + self.lease.ttl() / 3;
                Ok(true)
            }
            Ok(Err(error @ StateError::Fenced { .. })) => Err(error.into()),
            Ok(Err(error)) => {
                self.renew_at = Instant::now() + PAUSE;
                self.note_cut_off(&error);
                Ok(false)
            }
            Err(_) => Err(self.lease_is_over()),
        }
    }

    /// After a write that may have failed only because the store cannot be reached: returns when it is worth another try. The
    /// steps that run go on meanwhile.
    pub(super) async fn wait_for_store(&mut self, error: RunnerError) -> Result<(), Exit> {
        let may_pass = match &error {
            RunnerError::State(StateError::Conflict { .. }) => self.unsure,
            RunnerError::State(error) => error.is_retryable(),
            _ => false,
        };
        if !may_pass {
            return Err(error.into());
        }
        self.note_cut_off(&error);
        self.pause().await?;
        self.keep_lease().await
    }

    pub(super) fn note_reached(&mut self) {
        if std::mem::replace(&mut self.is_cut_off, false) {
            let id = self.record().id;
            tracing::info!(task_id = %id, "state store reached again, task goes on");
        }
    }

    fn note_cut_off(&mut self, error: &dyn std::error::Error) {
        if !std::mem::replace(&mut self.is_cut_off, true) {
            let (id, error) = (self.record().id, api::error::chain(error));
            tracing::warn!(task_id = %id, error, "state store not reached: running steps go on for as long as the lease lasts, no other is started");
        }
    }

    async fn pause(&self) -> Result<(), Exit> {
        tokio::select! {
            () = self.engine.drain.cancelled() => Err(Exit::Drained),
            () = sleep(PAUSE) => Ok(()),
        }
    }

    fn lease_is_over(&self) -> Exit {
        let error = StateError::Fenced {
            lease: self.fence.lease.clone(),
            token: self.fence.token,
        };
        error.into()
    }
}
