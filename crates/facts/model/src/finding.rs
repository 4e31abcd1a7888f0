//! Findings: what the planner reports.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The plan is not carried out while this applies.
    Refusal,
    /// The plan works, with a consequence to know before agreeing to it.
    Warning,
    /// Something to do or to know; nothing is wrong.
    Advice,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    Before,
    During,
    After,
}

/// One thing that the planner reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable, SCREAMING_SNAKE; explained in docs/findings.md.
    pub code: String,
    pub severity: Severity,
    pub when: When,
    /// What it is about: a node, a table, a version pair.
    pub subject: String,
    pub message: String,
    /// What to do about it; empty if nothing can be done.
    pub hint: String,
}

impl Finding {
    pub fn is_refusal(&self) -> bool {
        self.severity == Severity::Refusal
    }
}
