//! What kinds share when they undo: the same on many nodes at once, and findings for what is left over.

use std::time::Duration;

use futures::future::join_all;
use model::Finding;
use plan::codes::Code;

use crate::context::Context;
use crate::engine::{RetryLimits, StepError, retry};

/// A node that is down keeps what it has; the task does not wait longer for it.
const NODE_RETRY_FOR: Duration = Duration::from_secs(60);

/// A finding of the runner itself: nothing is lost, and a user has something left to do.
pub(super) fn follow_up(code: Code, subject: &str, message: String, hint: String) -> Finding {
    Finding {
        code: code.name.to_owned(),
        severity: code.severity,
        when: code.when,
        subject: subject.to_owned(),
        message,
        hint,
    }
}

/// Runs the same on these nodes at once, with retries and at most this long; returns those on which it failed.
pub(super) async fn on_each<'a, N: 'a, F>(
    context: &Context,
    within: Duration,
    nodes: impl Iterator<Item = &'a N>,
    undo: impl Fn(&'a N) -> F,
) -> Vec<(&'a N, StepError)>
where
    F: Future<Output = Result<(), StepError>>,
{
    let limits = RetryLimits::new(&context.config)
        .at_most(NODE_RETRY_FOR)
        .within(within);
    let undo = &undo;
    let each = nodes.map(|node| async move {
        let done = retry(limits, || undo(node)).await;
        done.err().map(|error| (node, error))
    });
    join_all(each).await.into_iter().flatten().collect()
}
