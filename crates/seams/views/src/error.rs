//! Why a command did not do what it was asked.

use serde::Serialize;

/// An error as a command prints it on stderr, in one line.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorDocument {
    /// All of it, so that a reader can tell it from a result.
    pub error: ErrorView,
}

/// The error itself.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorView {
    /// With its causes.
    pub message: String,
    /// What to do next, one sentence each.
    pub hints: Vec<String>,
    /// Stable, SCREAMING_SNAKE: the service's word if a service replied with the error.
    pub reason: String,
    /// The exit code of the command.
    pub exit_code: u8,
}
