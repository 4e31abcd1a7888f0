//! Tells whether Cassandra, while it is down, has something in its commit log to replay when it starts.
//!
//! What it replays goes over whatever files are live then, restored ones too. A drain leaves nothing to replay, and every
//! start begins segments under new names. So a node that this agent has drained is drained still as long as there is no
//! segment that was not there then, whoever else has started or stopped it since.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::agent::Agent;
use crate::error::AgentError;
use crate::files::{self, FileError, blocking};
use crate::journal::{self, Journal};

/// What the journal of drains holds: the last one.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DrainRecord {
    Drained {
        /// Names of the segments that were there afterwards.
        segments: BTreeSet<String>,
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
    // Where the folder cannot be seen there is nothing to compare with later, so no drain is believed.
    if let Some(segments) = segments(agent).await? {
        let (journal, _) = Journal::open(path).await?;
        journal.append(&DrainRecord::Drained { segments }).await?;
    }
    Ok(())
}

/// Whether Cassandra, which is down, would replay nothing.
pub async fn is_settled(agent: &Agent) -> Result<bool, AgentError> {
    let Some(found) = segments(agent).await? else {
        return Ok(false);
    };
    if found.is_empty() {
        return Ok(true);
    }
    // A journal that cannot be read knows of no drain; another one is made then.
    let records = journal::peek(journal_path(agent)).await;
    let drained = records.unwrap_or_default().pop();
    Ok(drained.is_some_and(|DrainRecord::Drained { segments }| found.is_subset(&segments)))
}

/// The names of the segments; nothing where the folder does not exist, which says nothing about what Cassandra has.
async fn segments(agent: &Agent) -> Result<Option<BTreeSet<String>>, FileError> {
    let folder = agent.yaml.commitlog_directory.clone();
    blocking(move || {
        if !folder.is_dir() {
            return Ok(None);
        }
        let entries = files::entries(&folder)?;
        let names = entries.iter().map(|path| files::name_of(path).to_owned());
        let is_segment = |name: &String| name.starts_with("CommitLog-") && name.ends_with(".log");
        Ok(Some(names.filter(is_segment).collect()))
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::testing::FakeNode;

    #[tokio::test]
    async fn a_drain_is_believed_until_cassandra_begins_another_segment() {
        let node = FakeNode::new(1, "4.1.9");
        let settled = async || is_settled(&node.agent).await.unwrap();
        assert!(settled().await, "an empty commit log holds nothing");
        node.segment("CommitLog-7-1.log");
        node.segment("CommitLog-7-2.log");
        assert!(!settled().await, "nobody has drained");
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
    async fn where_nothing_can_be_seen_or_read_no_drain_is_believed() {
        let node = FakeNode::new(1, "4.1.9");
        let settled = async || is_settled(&node.agent).await.unwrap();
        node.segment("CommitLog-7-1.log");
        note_drained(&node.agent).await.unwrap();
        fs::write(journal_path(&node.agent), "damage\n\n").unwrap();
        assert!(!settled().await, "the journal is damaged");
        fs::remove_dir_all(&node.agent.yaml.commitlog_directory).unwrap();
        note_drained(&node.agent).await.unwrap();
        assert!(!settled().await, "the folder is elsewhere");
    }
}
