//! A process that starts and stops at once.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::json;

use super::{FakeControl, FakeCql};
use crate::control::ClientProtocol;
use crate::process::{Action, Attempt, CassandraProcess, ProcessError};

/// Makes the fakes of the other ports up or down.
pub struct FakeProcess {
    cql: Arc<FakeCql>,
    control: Arc<FakeControl>,
    /// Whether it can be started and stopped; at first it cannot.
    pub is_supported: AtomicBool,
    /// How many of the next attempts fail, and leave the node as it is.
    pub failures: AtomicU32,
    /// The attempts, in order.
    pub begun: Mutex<Vec<Action>>,
}

impl FakeProcess {
    /// The process behind these fakes.
    pub fn new(cql: Arc<FakeCql>, control: Arc<FakeControl>) -> Self {
        Self {
            cql,
            control,
            is_supported: AtomicBool::new(false),
            failures: AtomicU32::new(0),
            begun: Mutex::default(),
        }
    }

    fn carry_out(&self, action: Action) {
        match action {
            Action::Start => {
                self.cql.is_down.store(false, Ordering::SeqCst);
                self.cql.set(
                    "SELECT bootstrapped FROM system.local",
                    json!([{ "bootstrapped": "COMPLETED" }]),
                );
                *self.control.mode.lock().unwrap() = Ok("NORMAL".to_owned());
                *self.control.served.lock().unwrap() = [ClientProtocol::Native].into();
            }
            Action::Stop => self.control.go_down(),
        }
    }
}

#[async_trait]
impl CassandraProcess for FakeProcess {
    fn supports(&self, _action: Action) -> bool {
        self.is_supported.load(Ordering::SeqCst)
    }

    async fn begin(&self, action: Action) -> Result<Box<dyn Attempt>, ProcessError> {
        if !self.supports(action) {
            return Err(ProcessError::Unsupported { action });
        }
        self.begun.lock().unwrap().push(action);
        let fails = self
            .failures
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            })
            .is_ok();
        if !fails {
            self.carry_out(action);
        }
        Ok(Box::new(FakeAttempt { action, fails }))
    }
}

struct FakeAttempt {
    action: Action,
    fails: bool,
}

#[async_trait]
impl Attempt for FakeAttempt {
    async fn failure(&mut self) -> Option<ProcessError> {
        self.fails.then(|| ProcessError::Failed {
            action: self.action,
            why: "out of luck".to_owned(),
            hint: "this is a fake",
        })
    }
}
