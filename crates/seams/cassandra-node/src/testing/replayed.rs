//! A node's CQL as it was recorded, and the files that the node had written for itself.
//!
//! Each product line has a recording of its own, in the folder beside this file: what its nodes return for every statement
//! that describes them and reads their schema. The head of each says where it comes from.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::FakeCassandra;
use crate::cql::{Cql, CqlError, Row};

/// What was recorded of one node.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recording {
    /// Where it comes from, and whether a node was ever run.
    #[allow(dead_code, reason = "for readers of the file")]
    about: Vec<String>,
    /// Files below a data directory, which the node has written for itself.
    files: Vec<String>,
    /// The rows that each statement returns.
    statements: HashMap<String, Vec<Map<String, Value>>>,
}

/// Returns the recorded rows of each statement. A statement that was not recorded is a defect of the recording, and one
/// that changes something is refused.
pub struct ReplayedCql {
    line: &'static str,
    recording: Recording,
}

macro_rules! recordings {
    ($($line:literal),* $(,)?) => {
        const RECORDINGS: &[(&str, &str)] = &[
            $(($line, include_str!(concat!("replayed/", $line, ".json")))),*
        ];
    };
}

recordings![
    "cassandra-3.11",
    "cassandra-4.0",
    "cassandra-4.1",
    "cassandra-5.0",
    "dse-6.8",
    "dse-6.9",
    "hcd-1",
    "hcd-2",
];

impl ReplayedCql {
    /// The product lines of which there is a recording.
    pub fn lines() -> impl Iterator<Item = &'static str> {
        RECORDINGS.iter().map(|(line, _)| *line)
    }

    /// The node of one product line, for example `hcd-1`.
    pub fn of(line: &str) -> Self {
        let (line, text) = RECORDINGS
            .iter()
            .find(|(recorded, _)| *recorded == line)
            .unwrap_or_else(|| panic!("there is no recording of {line}"));
        let recording = serde_json::from_str(text).unwrap_or_else(|why| panic!("{line}: {why}"));
        Self { line, recording }
    }

    /// Changes the rows that a statement returns.
    pub fn change(&mut self, statement: &str, change: impl Fn(&mut Map<String, Value>)) {
        let rows = self.recording.statements.get_mut(statement);
        let rows = rows.unwrap_or_else(|| panic!("{}: `{statement}` is not recorded", self.line));
        rows.iter_mut().for_each(change);
    }

    /// Puts its rows in the place of a fake's, and its files below the first data directory.
    pub fn replay_on(self, fake: &mut FakeCassandra) {
        let data = fake.node.yaml.data_directories[0].clone();
        self.write_files(&data);
        fake.node.cql = Arc::new(self);
    }

    /// Writes the files that the node has written for itself, all of them empty.
    pub fn write_files(&self, data: &Path) {
        for file in &self.recording.files {
            let path = data.join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("makes the folder");
            fs::write(path, "").expect("writes the file");
        }
    }
}

#[async_trait]
impl Cql for ReplayedCql {
    fn address(&self) -> &str {
        // Nothing listens on the discard port.
        "127.0.0.1:9"
    }

    async fn query(&self, statement: &str) -> Result<Vec<Row>, CqlError> {
        let rows = self.recording.statements.get(statement);
        let rows = rows.unwrap_or_else(|| panic!("{}: `{statement}` is not recorded", self.line));
        Ok(rows.iter().cloned().map(Row).collect())
    }

    async fn execute(&self, statement: &str) -> Result<(), CqlError> {
        Err(CqlError::Statement {
            statement: statement.to_owned(),
            why: "a recorded node changes nothing".to_owned(),
        })
    }
}

#[cfg(test)]
mod shared_tests;
