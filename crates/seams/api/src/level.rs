//! The level of an agent's calls: a number that grows with each change of them that older callers or agents would misread.
//!
//! Agents report theirs when they describe their node, and callers send theirs with each call. An agent and a caller of
//! different levels do nothing together, because a field that one of them does not know would be left out unnoticed.

use tonic::metadata::{MetadataMap, MetadataValue};

use crate::error::{ErrorKind, RemoteError};

/// The level of this build.
pub const AGENT_API_LEVEL: u32 = 2;
/// The metadata key under which callers send their level, in decimal digits.
pub const AGENT_API_LEVEL_HEADER: &str = "ringkeep-api-level";
/// The reason of an error that says that caller and agent have different levels.
pub const API_LEVEL: &str = "API_LEVEL";

/// Puts the caller's level into the metadata of a call.
pub(crate) fn send(metadata: &mut MetadataMap) {
    metadata.insert(AGENT_API_LEVEL_HEADER, MetadataValue::from(AGENT_API_LEVEL));
}

/// Refuses an agent of another level; agents from before there were levels report 0.
pub(crate) fn check_agent(level: u32) -> Result<(), RemoteError> {
    if level == AGENT_API_LEVEL {
        return Ok(());
    }
    let (older, hint) = match level < AGENT_API_LEVEL {
        true => ("an older release", "upgrade this agent"),
        false => ("a later release", "upgrade the task-runner"),
    };
    let message = format!(
        "the agent is of {older}: the level of its calls is {level}, and the caller's is {AGENT_API_LEVEL}; {hint}"
    );
    Err(RemoteError {
        hint: Some(hint.to_owned()),
        ..RemoteError::new(ErrorKind::FailedPrecondition, API_LEVEL, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_of_another_level_is_refused_with_what_to_upgrade() {
        check_agent(AGENT_API_LEVEL).unwrap();
        for (level, upgrade) in [
            (0, "upgrade this agent"),
            (AGENT_API_LEVEL + 1, "upgrade the task-runner"),
        ] {
            let error = check_agent(level).unwrap_err();
            assert_eq!(
                (error.reason.as_str(), error.is_retryable()),
                (API_LEVEL, false)
            );
            assert!(error.to_string().contains(upgrade), "{error}");
        }
    }
}
