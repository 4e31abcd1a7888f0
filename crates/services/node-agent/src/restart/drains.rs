//! Remembers that this agent has drained Cassandra, so that a node which is down is not started for it.

use std::path::PathBuf;

use cassandra_node::commit_log::{self, Segments};
use serde::{Deserialize, Serialize};

use crate::agent::Agent;
use crate::error::AgentError;
use crate::journal::{self, Journal};

/// What the journal of drains holds: the last one.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DrainRecord {
    Drained {
        /// Names of the segments that were there afterwards.
        segments: Segments,
    },
}

fn journal_path(agent: &Agent) -> PathBuf {
    agent.folders.state.join("drains.jsonl")
}

/// Notes that Cassandra has just been drained.
pub async fn note_drained(agent: &Agent) -> Result<(), AgentError> {
    let path = journal_path(agent);
    // An earlier drain must not be taken for this one, and the journal must not grow.
    journal::remove(path.clone()).await?;
    // If the folder cannot be seen there is nothing to compare with later, so no drain is believed.
    if let Some(segments) = commit_log::segments(&agent.node).await? {
        let (journal, _) = Journal::open(path).await?;
        journal.append(&DrainRecord::Drained { segments }).await?;
    }
    Ok(())
}

/// The segments that Cassandra, which is down, would replay; none if they cannot be seen.
pub async fn undrained(agent: &Agent) -> Result<Option<Segments>, AgentError> {
    let Some(found) = commit_log::segments(&agent.node).await? else {
        return Ok(None);
    };
    // A journal that cannot be read holds no drain.
    let records = journal::peek(journal_path(agent)).await;
    let drained = records
        .unwrap_or_default()
        .pop()
        .map(|DrainRecord::Drained { segments }| segments);
    let drained = drained.unwrap_or_default();
    Ok(Some(commit_log::undrained(found, &drained)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::testing::FakeNode;

    #[tokio::test]
    async fn a_drain_is_believed_until_cassandra_begins_another_segment() {
        let node = FakeNode::new(1, "4.1.9");
        let settled = async || {
            undrained(&node.agent)
                .await
                .unwrap()
                .is_some_and(|left| left.is_empty())
        };
        assert!(settled().await, "an empty commit log holds nothing");
        node.segment("CommitLog-7-1.log");
        node.segment("CommitLog-7-2.log");
        assert!(!settled().await, "nothing has drained");
        note_drained(&node.agent).await.unwrap();
        assert!(settled().await);
        fs::remove_file(node.segment("CommitLog-7-1.log")).unwrap();
        assert!(settled().await, "segments may go");
        node.segment("CommitLog-7-3.log");
        assert!(!settled().await, "it has been started since");
        note_drained(&node.agent).await.unwrap();
        assert!(settled().await, "the last drain counts");
    }

    #[tokio::test]
    async fn if_nothing_can_be_seen_or_read_no_drain_is_believed() {
        let node = FakeNode::new(1, "4.1.9");
        let settled = async || {
            undrained(&node.agent)
                .await
                .unwrap()
                .is_some_and(|left| left.is_empty())
        };
        node.segment("CommitLog-7-1.log");
        note_drained(&node.agent).await.unwrap();
        fs::write(journal_path(&node.agent), "damage\n\n").unwrap();
        assert!(!settled().await, "the journal is damaged");
        fs::remove_dir_all(&node.agent.node.yaml.commitlog_directory).unwrap();
        note_drained(&node.agent).await.unwrap();
        assert!(!settled().await, "the folder is elsewhere");
    }
}
