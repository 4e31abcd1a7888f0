//! What has been done of the last maintenance step, so that it is not done again when its call is repeated.

use std::collections::BTreeSet;

use model::TaskId;
use serde::{Deserialize, Serialize};

use super::Run;
use crate::agent::Agent;
use crate::error::AgentError;
use crate::journal::{self, Journal, JournalError};

/// A record of the journal.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Record {
    Begun { task: TaskId, step: String },
    Done { unit: String },
}

/// The journal of one step. That of another is forgotten when it is opened: no call of it is repeated, because the
/// task-runner runs one step on a node after the other.
pub struct Done {
    journal: Journal<Record>,
    units: BTreeSet<String>,
}

impl Done {
    pub async fn open(agent: &Agent, run: &Run) -> Result<Self, AgentError> {
        let path = agent.folders.state.join("maintenance.jsonl");
        let (task, step) = (run.task, run.step.clone());
        let begun = Record::Begun { task, step };
        match Journal::open(path.clone()).await {
            Ok((journal, records)) if records.first() == Some(&begun) => {
                let units = records.into_iter().filter_map(|record| match record {
                    Record::Done { unit } => Some(unit),
                    Record::Begun { .. } => None,
                });
                let units = units.collect();
                return Ok(Self { journal, units });
            }
            // Doing something again does no harm.
            Ok(_) | Err(JournalError::Damaged { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        journal::remove(path.clone()).await?;
        let (journal, _) = Journal::open(path).await?;
        journal.append(&begun).await?;
        let units = BTreeSet::new();
        Ok(Self { journal, units })
    }

    pub fn has(&self, unit: &str) -> bool {
        self.units.contains(unit)
    }

    /// It is on disk when this returns.
    pub async fn add(&mut self, unit: String) -> Result<(), AgentError> {
        let record = Record::Done { unit: unit.clone() };
        self.journal.append(&record).await?;
        self.units.insert(unit);
        Ok(())
    }
}
