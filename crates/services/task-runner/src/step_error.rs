//! Why a step did not succeed.

use api::client::ConnectError;
use api::convert::ConversionError;
use api::{ErrorKind, RemoteError};
use state_store::StateError;

/// Why a step did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StepError {
    #[error("{0}")]
    Remote(RemoteError),
    #[error("nothing was heard for {seconds} s")]
    Silent { seconds: u64 },
    #[error("{who} returned an invalid response: {what}")]
    BadAnswer { who: &'static str, what: String },
    /// Nothing has been touched yet, and nothing will be.
    #[error("the plan can no longer be carried out: {why}")]
    PlanOutdated { why: String },
    #[error("the ring has changed since the backup was planned: {why}")]
    RingChanged { why: String },
    #[error("cannot connect to `{address}`")]
    Connect {
        address: String,
        #[source]
        source: ConnectError,
    },
    #[error("the state could not be written")]
    State(#[from] StateError),
    #[error("a fault of the runner ended the step")]
    Panicked,
}

impl StepError {
    pub fn is_retryable(&self) -> bool {
        match self {
            // Nobody but this runner cancels a step of its own, so a call that was cancelled over there was cut short by
            // a service that is going down.
            Self::Remote(error) => error.is_retryable() || error.kind == ErrorKind::Cancelled,
            Self::Silent { .. } => true,
            Self::State(error) => error.is_retryable(),
            Self::BadAnswer { .. }
            | Self::PlanOutdated { .. }
            | Self::RingChanged { .. }
            | Self::Connect { .. }
            | Self::Panicked => false,
        }
    }

    /// Whether the other side has decided that nothing is done, as opposed to having perhaps begun.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Remote(error) => matches!(
                error.kind,
                ErrorKind::InvalidArgument
                    | ErrorKind::NotFound
                    | ErrorKind::AlreadyExists
                    | ErrorKind::FailedPrecondition
            ),
            _ => false,
        }
    }

    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Remote(error) => error.hint.as_deref(),
            Self::PlanOutdated { .. } => Some("plan the restore again and start the new plan"),
            Self::RingChanged { .. } => {
                Some("wait until the ring is at rest and make a new backup")
            }
            _ => None,
        }
    }

    /// The error with its causes and its hint, in one line.
    pub fn text(&self) -> String {
        let chain = api::error::chain(self);
        match self.hint() {
            Some(hint) => format!("{chain} ({hint})"),
            None => chain,
        }
    }

    pub fn bad_answer(who: &'static str, what: impl ToString) -> Self {
        Self::BadAnswer {
            who,
            what: what.to_string(),
        }
    }

    /// For converting what a service answered.
    pub fn unreadable(who: &'static str) -> impl Fn(ConversionError) -> Self {
        move |error| Self::bad_answer(who, error)
    }
}

impl From<RemoteError> for StepError {
    fn from(error: RemoteError) -> Self {
        Self::Remote(error)
    }
}
