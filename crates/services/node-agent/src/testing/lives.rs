//! Lives of an agent that end at any await.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use tokio::runtime::Builder;

/// Polls a future so often, and kills what it has begun; whether it came to its end. It has a runtime of its own: when that is
/// dropped, nothing of this life is at work any more.
pub fn polled(times: usize, future: impl Future) -> bool {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(async {
        let mut future = pin!(future);
        let mut left = times;
        poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(false);
            }
            left -= 1;
            future.as_mut().poll(context).map(|_| true)
        })
        .await
    })
}
