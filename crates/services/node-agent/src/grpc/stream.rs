//! Long work as a stream of messages: progress now and then, the outcome last.

use std::time::Duration;

use api::{ServiceError, status};
use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::work::{Progress, Work};

/// How often progress is told at most.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);
/// Told even where nothing moved, so that both sides and what lies between them see that the call lives.
const QUIET_INTERVALS_MAX: u32 = 50;
/// A caller that reads slowly gets fewer messages, not a longer queue.
const QUEUE_LEN: usize = 4;

pub(super) fn stream<T, E, M, W>(
    work: impl FnOnce(Work) -> W,
    message: impl Fn(Progress, Option<T>) -> M + Send + 'static,
) -> BoxStream<'static, Result<M, Status>>
where
    W: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: ServiceError + Send + 'static,
    M: Send + 'static,
{
    let (sender, receiver) = mpsc::channel(QUEUE_LEN);
    let (handle, progress, stop) = Work::new();
    let mut running = tokio::spawn(work(handle));
    // Owns the work: it ends when the work has ended, whether anybody still listens or not.
    tokio::spawn(async move {
        let mut told = None;
        let mut quiet = 0;
        let result = loop {
            tokio::select! {
                result = &mut running => break result,
                () = sender.closed() => {
                    stop.cancel();
                    break (&mut running).await;
                }
                () = tokio::time::sleep(PROGRESS_INTERVAL) => {
                    let now = progress.borrow().clone();
                    quiet += 1;
                    if told.as_ref() != Some(&now) || quiet >= QUIET_INTERVALS_MAX {
                        quiet = 0;
                        // A full queue means that the caller has not read the last one yet.
                        let _ = sender.try_send(Ok(message(now.clone(), None)));
                        told = Some(now);
                    }
                }
            }
        };
        let last = match result {
            Ok(Ok(value)) => Ok(message(progress.borrow().clone(), Some(value))),
            Ok(Err(error)) => Err(status(error)),
            Err(error) => Err(Status::internal(format!("the work ended badly: {error}"))),
        };
        // Nobody listens any more where this fails.
        let _ = sender.send(last).await;
    });
    ReceiverStream::new(receiver).boxed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path_name::{self, PathNameError};

    #[tokio::test(start_paused = true)]
    async fn progress_is_told_and_the_outcome_comes_last() {
        let messages = stream(
            |work| async move {
                work.add_bytes(1);
                tokio::time::sleep(Duration::from_secs(1)).await;
                work.add_bytes(1);
                Ok::<_, PathNameError>("done")
            },
            |progress, outcome| (progress.bytes_done, outcome),
        );
        let all: Vec<_> = messages.map(Result::unwrap).collect().await;
        assert_eq!(all.first(), Some(&(1, None)));
        assert_eq!(all.last(), Some(&(2, Some("done"))));
    }

    #[tokio::test]
    async fn an_error_ends_the_stream_with_its_reason() {
        let messages = stream(
            |_| async { path_name::check("tag", "..").map(|()| 0) },
            |_, outcome: Option<i32>| outcome,
        );
        let all: Vec<_> = messages.collect().await;
        assert_eq!(all.len(), 1);
        assert_eq!(
            all[0].as_ref().unwrap_err().code(),
            tonic::Code::InvalidArgument
        );
    }

    #[tokio::test]
    async fn work_is_asked_to_stop_when_nobody_listens() {
        let (stopped, told) = tokio::sync::oneshot::channel();
        let messages = stream(
            |work| async move {
                let result = work.or_stop(std::future::pending::<()>()).await;
                let _ = stopped.send(result);
                Ok::<_, PathNameError>(())
            },
            |_, outcome: Option<()>| outcome,
        );
        drop(messages);
        assert!(told.await.unwrap().is_err());
    }
}
