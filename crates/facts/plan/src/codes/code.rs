//! What a code is.

use model::{Severity, When};

use super::ALL;

/// A kind of finding: its stable name, how much it weighs unless a plan says otherwise, and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    pub name: &'static str,
    pub severity: Severity,
    pub when: When,
    pub about: &'static str,
}

impl Code {
    /// The code of this name.
    pub fn find(name: &str) -> Option<Code> {
        ALL.iter().find(|code| code.name == name).copied()
    }
}
