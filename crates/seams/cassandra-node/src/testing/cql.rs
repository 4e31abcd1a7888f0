//! Fakes for this crate's tests: a node's CQL as canned rows, and a Cassandra that lives on disk only.

mod bucket;
mod control;
mod node;

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use serde_json::Value;

use crate::cql::{Cql, CqlError, Row};

pub use control::{FakeControl, Misbehaviour};
pub use node::{FakeNode, TableFolder, fixture, statistics};

/// Answers statements with rows; what it was not told, it answers with no rows.
#[derive(Default)]
pub struct FakeCql {
    answers: Mutex<HashMap<String, Vec<Row>>>,
    pub executed: Mutex<Vec<String>>,
    /// Whether nobody answers.
    pub is_down: AtomicBool,
    /// The statement that Cassandra refuses.
    pub refuses: Mutex<Option<String>>,
}

impl FakeCql {
    pub fn new() -> Self {
        Self::default()
    }

    /// `rows` is an array of objects.
    pub fn answer(self, statement: &str, rows: Value) -> Self {
        self.set(statement, rows);
        self
    }

    pub fn set(&self, statement: &str, rows: Value) {
        let rows = rows
            .as_array()
            .expect("an array")
            .iter()
            .map(|row| Row(row.as_object().expect("an object").clone()))
            .collect();
        self.answers
            .lock()
            .unwrap()
            .insert(statement.to_owned(), rows);
    }
}

#[async_trait]
impl Cql for FakeCql {
    fn address(&self) -> &str {
        // Nobody listens on the discard port.
        "127.0.0.1:9"
    }

    async fn query(&self, statement: &str) -> Result<Vec<Row>, CqlError> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(CqlError::Down {
                address: self.address().to_owned(),
                why: "Connection refused".to_owned(),
            });
        }
        let answers = self.answers.lock().unwrap();
        Ok(answers.get(statement).cloned().unwrap_or_default())
    }

    async fn execute(&self, statement: &str) -> Result<(), CqlError> {
        if self.refuses.lock().unwrap().as_deref() == Some(statement) {
            return Err(CqlError::Statement {
                statement: statement.to_owned(),
                why: "no such table".to_owned(),
            });
        }
        self.executed.lock().unwrap().push(statement.to_owned());
        Ok(())
    }
}
