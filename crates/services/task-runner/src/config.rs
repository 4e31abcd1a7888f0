//! Settings of the runner itself; chassis brings those of the process.

mod limits;

use std::path::PathBuf;
use std::time::Duration;

use api::clients::{AgentLimits, CatalogLimits};
use serde::{Deserialize, Deserializer, Serialize};
use state_store::{EtcdConfig, StateConfig, StateKind};

use crate::engine::RunningLimits;
use crate::events::EventsConfig;

pub(crate) use limits::StepLimit;
pub use limits::StepLimits;

/// Where tasks and clusters are kept, if nothing else is set.
pub(crate) fn default_state() -> StateConfig {
    StateConfig::redb("/var/lib/ringkeep/task-runner.redb")
}

/// Reads a `[state]` section that may be given in part.
pub(crate) fn state<'de, D: Deserializer<'de>>(deserializer: D) -> Result<StateConfig, D::Error> {
    #[derive(Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Given {
        kind: Option<StateKind>,
        path: Option<PathBuf>,
        etcd: EtcdConfig,
    }
    let given = Given::deserialize(deserializer)?;
    let defaults = default_state();
    Ok(StateConfig {
        kind: given.kind.unwrap_or(defaults.kind),
        path: given.path.unwrap_or(defaults.path),
        etcd: given.etcd,
    })
}

/// Where the other services are. Agents are reached at the addresses with which their cluster was registered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientsConfig {
    pub catalog: String,
    pub planner: String,
    /// For everything that this service calls, agents included.
    pub tls: Option<chassis::ClientTlsSettings>,
}

impl Default for ClientsConfig {
    fn default() -> Self {
        Self {
            catalog: "http://127.0.0.1:7402".to_owned(),
            planner: "http://127.0.0.1:7403".to_owned(),
            tls: None,
        }
    }
}

/// Renewals of a shorter lease would not keep up with a busy state store.
const LEASE_SECONDS_MIN: u64 = 3;

/// How tasks are carried out.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TasksConfig {
    /// How many steps that move data may run at once in one task. Snapshots are taken at once on all nodes regardless.
    pub parallel_steps: usize,
    /// The first pause before a step is tried again; each further pause is twice as long, with a random part.
    pub step_retry_first_ms: u64,
    /// The longest pause.
    pub step_retry_max_ms: u64,
    /// How long a step is tried again without getting any further, before it fails.
    pub step_retry_for_seconds: u64,
    /// How long a call that moves bytes may make no progress before it is given up and made again: reports that repeat
    /// themselves do not count. A host that is gone is noticed sooner, by its connection. 0: never.
    pub step_silence_seconds: u64,
    /// The same for work that Cassandra does for the agent: loading, whose progress is not visible in the middle of a table,
    /// and upgrading, building views and maintenance, whose progress is taken from Cassandra once a minute. 0: never.
    pub nodetool_silence_seconds: u64,
    /// How long undoing what a task has made may take, on each node and in the bucket, before it is left over.
    pub clean_up_limit_seconds: u64,
    /// How long all agents of a cluster have to cut clients off before a restore in place. Writes until then are kept out of
    /// the restored tables.
    pub quiesce_seconds: u64,
    /// How long a plan waits for nodes that do not agree on the schema, as they do not for some seconds after each change of
    /// it, before the plan is refused. 0: not at all.
    pub schema_agreement_seconds: u64,
    /// How long a task-runner that is gone keeps its tasks and the schedules to itself; then another takes them over. A runner
    /// that cannot reach the state lets running steps go on for about as long. Less than 3 count as 3.
    pub lease_seconds: u64,
    /// How many tasks of one cluster run at once; others wait. Restores, rollbacks and what has a high priority do not wait for
    /// it, and neither do tasks that are resumed. 0: no limit. The same on all task-runners that share a state.
    pub running_per_cluster: usize,
    /// The same for all tasks that read or write the object store, of all clusters. 0: no limit.
    pub running_per_store: usize,
    /// Whether a backup, restore or rollback that a user has started is paused, and does not fail, if the retries of a step run
    /// out. Scheduled backups fail: the next run makes a new one. So does a backup that would keep its cluster closed.
    pub pause_when_retries_run_out: bool,
    /// Tasks that have ended and are kept to be looked at.
    pub keep_finished_tasks: usize,
    /// How often what tasks have left on nodes is compared with the tasks, and cleared if they have ended; 0: never.
    pub leftovers_every_seconds: u64,
    /// How often schedules are looked through for runs that are due; 0: never, so that this runner carries out none.
    pub schedules_every_seconds: u64,
    /// How often what Prometheus is shown of tasks and schedules is read from the state; 0: never.
    pub signals_every_seconds: u64,
    /// Hours after which the old files of a restore in place that has succeeded are deleted, as by `ringkeep restore accept`;
    /// 0: never. Not if a task has tried to roll the restore back.
    pub accept_in_place_after_hours: u64,
    pub step_limits: StepLimits,
    pub events: EventsConfig,
}

impl Default for TasksConfig {
    fn default() -> Self {
        Self {
            parallel_steps: 64,
            step_retry_first_ms: 500,
            step_retry_max_ms: 30_000,
            step_retry_for_seconds: 600,
            step_silence_seconds: 3_600,
            nodetool_silence_seconds: 86_400,
            clean_up_limit_seconds: 900,
            quiesce_seconds: 30,
            schema_agreement_seconds: 10,
            lease_seconds: 60,
            running_per_cluster: 0,
            running_per_store: 0,
            pause_when_retries_run_out: true,
            keep_finished_tasks: 1_000,
            leftovers_every_seconds: 3_600,
            schedules_every_seconds: 10,
            signals_every_seconds: 15,
            accept_in_place_after_hours: 0,
            step_limits: StepLimits::default(),
            events: EventsConfig::default(),
        }
    }
}

impl TasksConfig {
    /// How long calls to agents may last.
    pub fn agent_limits(&self) -> AgentLimits {
        self.step_limits.of_agents(
            limits::deadline(self.step_silence_seconds),
            limits::deadline(self.nodetool_silence_seconds),
        )
    }

    /// How long calls to the storage-catalog may last.
    pub fn catalog_limits(&self) -> CatalogLimits {
        self.step_limits
            .of_catalog(limits::deadline(self.step_silence_seconds))
    }

    pub(crate) fn lease_ttl(&self) -> Duration {
        Duration::from_secs(self.lease_seconds.max(LEASE_SECONDS_MIN))
    }

    pub(crate) fn running_limits(&self) -> RunningLimits {
        RunningLimits {
            per_cluster: self.running_per_cluster,
            per_store: self.running_per_store,
        }
    }

    pub(crate) fn schema_agreement(&self) -> Duration {
        Duration::from_secs(self.schema_agreement_seconds)
    }

    pub(crate) fn clean_up_limit(&self) -> Duration {
        Duration::from_secs(self.clean_up_limit_seconds)
    }
}

#[cfg(test)]
mod tests {
    use state_store::StateConfig;

    use crate::Config;

    #[test]
    fn the_section_of_the_state_may_be_given_in_part() {
        let load = |key: &str, value: &str| {
            let variable = (format!("RINGKEEP_STATE__{key}"), value.to_owned());
            let config: Config = chassis::config::load(None, [variable]).expect("settings");
            config.state
        };
        let elsewhere = StateConfig::redb("/elsewhere/state.redb");
        assert_eq!(load("PATH", "/elsewhere/state.redb"), elsewhere);
        let default = StateConfig::redb("/var/lib/ringkeep/task-runner.redb");
        assert_eq!(load("KIND", "redb"), default);
        assert_eq!(Config::default().state, default);
    }
}
