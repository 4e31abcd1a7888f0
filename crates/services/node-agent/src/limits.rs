//! Limits of the transfers of one task on this node, which may change while they run.
//!
//! They are kept in memory alone: a task-runner sets them again before each call that moves data.

use std::sync::Arc;

use blob_store::{Bandwidth, Store, Throttle};
use chassis::work::{self, Gate, PerTask, Stopped, Work};
use model::task::{NodeLimits, TransferLimits};

use crate::config::AgentConfig;

/// The bandwidth of this agent, and the limits of each task within it.
pub struct Limits {
    up: Option<Arc<Bandwidth>>,
    down: Option<Arc<Bandwidth>>,
    tasks: PerTask<TaskLimits>,
}

/// The limits of one task, shared by all of its transfers.
pub struct TaskLimits {
    up: Arc<Bandwidth>,
    down: Arc<Bandwidth>,
    gate: Gate,
}

impl Limits {
    pub fn new(settings: &AgentConfig) -> Self {
        let limit = |bytes: u64| (bytes > 0).then(|| Arc::new(Bandwidth::new(bytes)));
        Self {
            up: limit(settings.upload_bandwidth_bytes_per_second),
            down: limit(settings.download_bandwidth_bytes_per_second),
            tasks: PerTask::default(),
        }
    }

    /// The store within the limits of this agent alone.
    pub fn own(&self, store: Store) -> Store {
        match (&self.up, &self.down) {
            (None, None) => store,
            (up, down) => Arc::new(Throttle::new(store, up.clone(), down.clone())),
        }
    }

    /// The limits of a task, by its id. Held for as long as it is at work.
    pub fn of(&self, task: &str) -> Arc<TaskLimits> {
        self.tasks.of(task, || TaskLimits {
            up: Arc::new(Bandwidth::unlimited(self.up.clone())),
            down: Arc::new(Bandwidth::unlimited(self.down.clone())),
            gate: Gate::default(),
        })
    }

    /// Changes the limits of a task, also for what waits already. Returns what is in force: a task takes no more than the
    /// settings of this agent allow.
    pub fn set(&self, settings: &AgentConfig, task: &str, asked: TransferLimits) -> NodeLimits {
        let limits = self.of(task);
        limits.up.set_rate(asked.bandwidth_bytes_per_second);
        limits.down.set_rate(asked.bandwidth_bytes_per_second);
        limits.gate.set_limit(asked.parallel_files as usize);
        let rate = |own: u64| lower(own, asked.bandwidth_bytes_per_second);
        let own_files = u32::try_from(settings.parallel_files.max(1)).unwrap_or(u32::MAX);
        NodeLimits {
            upload_bandwidth_bytes_per_second: rate(settings.upload_bandwidth_bytes_per_second),
            download_bandwidth_bytes_per_second: rate(settings.download_bandwidth_bytes_per_second),
            parallel_files: lower(own_files.into(), asked.parallel_files.into()) as u32,
        }
    }
}

/// The lower of two limits, of which 0 is none.
fn lower(one: u64, other: u64) -> u64 {
    match (one, other) {
        (0, limit) | (limit, 0) => limit,
        (one, other) => one.min(other),
    }
}

impl TaskLimits {
    /// The store within the limits of the task and of the agent.
    pub fn throttle(&self, store: Store) -> Store {
        let (up, down) = (self.up.clone(), self.down.clone());
        Arc::new(Throttle::new(store, Some(up), Some(down)))
    }

    /// As [`work::for_each`], for files of the task: no more of them at once than its limit allows at that moment.
    pub async fn for_each<Item, T, E, Run>(
        &self,
        children: &Work,
        parallel: usize,
        items: Vec<Item>,
        run: impl Fn(Item) -> Run,
        ended: impl FnMut(T),
    ) -> Result<(), E>
    where
        Run: Future<Output = Result<T, E>>,
        E: From<Stopped>,
    {
        let gated = |item| {
            let run = &run;
            async move {
                let _place = children.or_stop(self.gate.enter()).await?;
                run(item).await
            }
        };
        work::for_each(children, parallel, items, gated, ended).await
    }
}

#[cfg(test)]
mod tests;
