//! Settings of the runner itself; chassis brings those of the process.

use std::path::PathBuf;
use std::time::Duration;

use api::clients::Silence;
use serde::{Deserialize, Deserializer, Serialize};
use state_store::{StateConfig, StateKind};

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
    }
    let given = Given::deserialize(deserializer)?;
    let defaults = default_state();
    Ok(StateConfig {
        kind: given.kind.unwrap_or(defaults.kind),
        path: given.path.unwrap_or(defaults.path),
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
    /// How long an agent may say nothing about bytes that it moves, before the call is given up and made again. A host
    /// that is gone is noticed sooner, by its connection.
    pub step_silence_seconds: u64,
    /// The same for work that Cassandra does for the agent, which says nothing in the middle of a table.
    pub nodetool_silence_seconds: u64,
    /// How long all agents of a cluster have to cut clients off before a restore in place. Writes until then are kept out of
    /// the restored tables.
    pub quiesce_seconds: u64,
    /// Tasks that have ended and are kept to be looked at.
    pub keep_finished_tasks: usize,
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
            quiesce_seconds: 30,
            keep_finished_tasks: 1_000,
        }
    }
}

impl TasksConfig {
    /// How long calls to agents may report nothing.
    pub fn silence(&self) -> Silence {
        Silence {
            transfer: Duration::from_secs(self.step_silence_seconds),
            cassandra: Duration::from_secs(self.nodetool_silence_seconds),
        }
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
