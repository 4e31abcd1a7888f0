//! CQL as canned rows.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use serde_json::Value;

use crate::cql::{Cql, CqlError, Row};

/// Returns the rows that were set for a statement; none for others.
#[derive(Default)]
pub struct FakeCql {
    answers: Mutex<HashMap<String, Vec<Row>>>,
    /// The statements that were executed, in order.
    pub executed: Mutex<Vec<String>>,
    /// Whether every query fails because nothing listens.
    pub is_down: AtomicBool,
    /// The statement that Cassandra refuses.
    pub refuses: Mutex<Option<String>>,
}

impl FakeCql {
    /// Without rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// With rows for a statement, an array of objects.
    pub fn answer(self, statement: &str, rows: Value) -> Self {
        self.set(statement, rows);
        self
    }

    /// Replaces the rows of a statement by an array of objects.
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
        // Nothing listens on the discard port.
        "127.0.0.1:9"
    }

    async fn query(&self, statement: &str) -> Result<Vec<Row>, CqlError> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(CqlError::Down {
                address: self.address().to_owned(),
                why: "Connection refused".to_owned(),
            });
        }
        if self.refuses.lock().unwrap().as_deref() == Some(statement) {
            return Err(refused(statement));
        }
        let answers = self.answers.lock().unwrap();
        Ok(answers.get(statement).cloned().unwrap_or_default())
    }

    async fn execute(&self, statement: &str) -> Result<(), CqlError> {
        if self.refuses.lock().unwrap().as_deref() == Some(statement) {
            return Err(refused(statement));
        }
        self.executed.lock().unwrap().push(statement.to_owned());
        Ok(())
    }
}

fn refused(statement: &str) -> CqlError {
    CqlError::Statement {
        statement: statement.to_owned(),
        why: "no such table".to_owned(),
    }
}
