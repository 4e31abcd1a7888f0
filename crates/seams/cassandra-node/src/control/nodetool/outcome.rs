//! What the end of a nodetool command means.

use std::process::Output;
use std::time::Duration;

use super::ControlError;
use crate::control::hints::{FAILED_HINT, LOGIN_HINT, TIMEOUT_HINT};

/// The last lines of a failed command that are worth repeating.
const OUTPUT_LINES: usize = 5;
/// What nodetool prints if nothing listens on JMX, in the words of all release lines.
const UNREACHABLE_WORDS: &[&str] = &[
    "Connection refused",
    "ConnectException",
    "Failed to connect to",
    "No route to host",
    "Connection reset",
];

/// What nodetool prints after "Failed to connect to" if Cassandra is up and refuses user and password.
const LOGIN_WORDS: &[&str] = &[
    "SecurityException",
    "Authentication failed",
    "Authentication error",
    "LoginException",
];

/// Words of Java's own login, which reads a file: they stay true until a setting changes. Cassandra's own login reads
/// `system_auth`, and what it prints may pass.
const LOGIN_FINAL_WORDS: &[&str] = &[
    "Authentication failed! Invalid username or password",
    "Authentication failed! Credentials required",
];

/// What nodetool prints for a command that its release does not have.
const UNSUPPORTED_WORDS: &str = "Found unexpected parameters";

const UNUSABLE_HINT: &str = "set `nodetool` in [cassandra] to its full path";
const UNREACHABLE_HINT: &str =
    "start Cassandra, or set host and port of JMX in `nodetool` of [cassandra]";
const UNSUPPORTED_HINT: &str =
    "set `nodetool` in [cassandra] to the one of Cassandra's own release";
pub(super) const EXISTS_HINT: &str = "wait until no `nodetool snapshot` runs on the node";

pub(super) fn unusable(why: String) -> ControlError {
    ControlError::Unusable {
        why,
        hint: UNUSABLE_HINT,
    }
}

/// The command took longer than this.
pub(super) fn timeout(arguments: &[&str], limit: Duration) -> ControlError {
    ControlError::Timeout {
        operation: shown(arguments),
        seconds: limit.as_secs(),
        hint: TIMEOUT_HINT,
    }
}

/// nodetool's arguments without its prefix, which may hold a password.
pub(super) fn shown(arguments: &[&str]) -> String {
    format!("nodetool {}", arguments.join(" "))
}

pub(super) fn judge(arguments: &[&str], output: &Output) -> Result<String, ControlError> {
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    // Some commands complain on stdout.
    let why = match last_lines(&stderr) {
        lines if lines.is_empty() => last_lines(&stdout),
        lines => lines,
    };
    let operation = shown(arguments);
    if LOGIN_WORDS.iter().any(|words| why.contains(words)) {
        return Err(login_refused(operation, why));
    }
    if UNREACHABLE_WORDS.iter().any(|words| why.contains(words)) {
        return Err(ControlError::Unreachable {
            operation,
            why,
            hint: UNREACHABLE_HINT,
        });
    }
    if why.contains(UNSUPPORTED_WORDS) {
        return Err(ControlError::Unsupported {
            operation,
            why,
            hint: UNSUPPORTED_HINT,
        });
    }
    Err(ControlError::Failed {
        operation,
        why: format!("{}: {why}", output.status),
        hint: FAILED_HINT,
    })
}

fn login_refused(operation: String, why: String) -> ControlError {
    let hint = LOGIN_HINT;
    if LOGIN_FINAL_WORDS.iter().any(|words| why.contains(words)) {
        let why = format!("`{operation}` was refused: {why}");
        return ControlError::Unusable { why, hint };
    }
    ControlError::Login {
        operation,
        why,
        hint,
    }
}

pub(super) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        // A Java stack trace shows where in Cassandra; its first line says what.
        .filter(|line| !line.is_empty() && !line.starts_with("at ") && *line != "-- StackTrace --")
        .collect();
    lines[lines.len().saturating_sub(OUTPUT_LINES)..].join("; ")
}
