//! How long each kind of step may take in all, its retries included.

use std::time::Duration;

use api::clients::{AgentLimits, CatalogLimits, Deadlines, Silence};
use model::plan::StepKind;
use serde::{Deserialize, Serialize};

/// A limit that is never reached, for a setting of 0.
const NEVER: Duration = Duration::from_secs(100 * 365 * 86_400);

/// `[tasks.step_limits]`: how long a step may take in all before it fails, retries included, since this runner has started
/// or adopted it. 0: no limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StepLimits {
    pub snapshot_seconds: u64,
    pub commit_seconds: u64,
    /// For each step that runs CQL: schema, replace.
    pub cql_seconds: u64,
    pub stop_seconds: u64,
    pub swap_seconds: u64,
    pub start_seconds: u64,
    /// For clear and finish, which remove what a task has left on a node, and for unpin.
    pub tidy_seconds: u64,
    /// For steps that move or read data: upload, stage, load, upgradesstables, views, verify, delete, retain, collect, and
    /// for those of maintenance. Without progress they fail anyway.
    pub data_seconds: u64,
    /// For all other steps.
    pub other_seconds: u64,
}

impl Default for StepLimits {
    fn default() -> Self {
        Self {
            snapshot_seconds: 14_400,
            commit_seconds: 14_400,
            cql_seconds: 14_400,
            stop_seconds: 14_400,
            swap_seconds: 14_400,
            start_seconds: 14_400,
            tidy_seconds: 1_800,
            data_seconds: 0,
            other_seconds: 3_600,
        }
    }
}

/// The limit of one step, and the setting that it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StepLimit {
    pub seconds: u64,
    pub setting: &'static str,
}

impl StepLimits {
    /// None: no limit. A kind of step that is not named here has the limit of data if it moves data, else that of others.
    pub(crate) fn of(&self, step: StepKind, moves_data: bool) -> Option<StepLimit> {
        use StepKind as K;
        let (seconds, setting) = match step {
            K::Snapshot => (self.snapshot_seconds, "snapshot_seconds"),
            K::Commit => (self.commit_seconds, "commit_seconds"),
            K::TrialSchema | K::TrialDrop | K::Schema | K::Replace => {
                (self.cql_seconds, "cql_seconds")
            }
            K::Stop => (self.stop_seconds, "stop_seconds"),
            K::Swap | K::SwapBack => (self.swap_seconds, "swap_seconds"),
            // A node that is down is started to be marked.
            K::Quiesce | K::Start => (self.start_seconds, "start_seconds"),
            K::Clear | K::Finish | K::Unpin => (self.tidy_seconds, "tidy_seconds"),
            K::Views | K::Verify | K::Delete | K::Retain | K::Collect => {
                (self.data_seconds, "data_seconds")
            }
            _ if moves_data => (self.data_seconds, "data_seconds"),
            _ => (self.other_seconds, "other_seconds"),
        };
        (seconds > 0).then_some(StepLimit { seconds, setting })
    }

    pub(super) fn of_agents(&self, transfer: Duration, cassandra: Duration) -> AgentLimits {
        AgentLimits {
            silence: Silence {
                transfer,
                cassandra,
            },
            deadlines: Deadlines {
                snapshot: deadline(self.snapshot_seconds),
                cql: deadline(self.cql_seconds),
                stop: deadline(self.stop_seconds),
                swap: deadline(self.swap_seconds),
                start: deadline(self.start_seconds),
                tidy: deadline(self.tidy_seconds),
            },
        }
    }

    pub(super) fn of_catalog(&self, silence: Duration) -> CatalogLimits {
        CatalogLimits {
            commit: deadline(self.commit_seconds),
            silence,
        }
    }

    /// How long starting Cassandra may take.
    pub(crate) fn start(&self) -> Duration {
        deadline(self.start_seconds)
    }
}

/// 0: never.
pub(super) fn deadline(seconds: u64) -> Duration {
    match seconds {
        0 => NEVER,
        seconds => Duration::from_secs(seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_seconds_of_silence_are_no_limit_and_not_one_of_nothing() {
        let config = crate::TasksConfig {
            step_silence_seconds: 0,
            nodetool_silence_seconds: 0,
            ..crate::TasksConfig::default()
        };
        let silence = config.agent_limits().silence;
        assert_eq!((silence.transfer, silence.cassandra), (NEVER, NEVER));
        assert_eq!(config.catalog_limits().silence, NEVER);
        let set = crate::TasksConfig {
            nodetool_silence_seconds: 7,
            ..config
        };
        let silence = set.agent_limits().silence;
        assert_eq!(silence.cassandra, Duration::from_secs(7));
    }

    #[test]
    fn every_step_has_a_limit_but_those_that_move_data() {
        let limits = StepLimits::default();
        for (step, moves_data, setting) in [
            (StepKind::Start, false, Some("start_seconds")),
            (StepKind::Replace, false, Some("cql_seconds")),
            (StepKind::Check, false, Some("other_seconds")),
            (StepKind::Stage, true, None),
            (StepKind::Views, false, None),
        ] {
            let limit = limits.of(step, moves_data);
            assert_eq!(limit.map(|limit| limit.setting), setting, "{step}");
        }
    }
}
