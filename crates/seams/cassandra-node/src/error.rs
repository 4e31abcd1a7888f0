//! What the errors of this crate have in common.

use std::error::Error;

/// What a caller can do about an error; a closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request is wrong in itself: change it.
    InvalidArgument,
    /// The node has nothing of this name.
    NotFound,
    /// The request is fine, the state of the node or of the host is not: change that.
    FailedPrecondition,
    /// Try again: nothing was decided.
    Unavailable,
    /// A disk or a quota is full.
    ResourceExhausted,
    /// A fault that fits nothing above.
    Internal,
}

/// What each error of this crate reports about itself. No implementation has a catch-all arm: a new variant must choose.
pub trait NodeError: Error {
    /// What a caller can do about it.
    fn kind(&self) -> ErrorKind;

    /// Stable word for programs, SCREAMING_SNAKE.
    fn reason(&self) -> &'static str;

    /// What the operator can do next.
    fn hint(&self) -> Option<String> {
        None
    }

    /// The argument that is wrong.
    fn field(&self) -> Option<&str> {
        None
    }
}
