//! Long work as a stream of messages: progress now and then, the outcome last.

use std::time::Duration;

use api::{ServiceError, status};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tokio::sync::mpsc;
use tonic::Status;

use super::{Progress, Stopped, Work};

/// The pause between two messages at least.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);
/// Sent even if nothing has moved, so that both sides and what lies between them see that the call is alive.
const QUIET_INTERVALS_MAX: u32 = 50;
/// A caller that reads slowly gets fewer messages, not a longer queue.
const QUEUE_LEN: usize = 4;

/// Runs the work as a task of its own. `message` makes the messages: of progress alone, and of the outcome in the last one.
/// When the caller goes away the work is asked to stop, and runs on until it does.
pub fn stream<T, E, M, W>(
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
    // Owns the work: it ends when the work has ended, whether the caller still listens or not.
    tokio::spawn(async move {
        let mut sent = None;
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
                    if sent.as_ref() != Some(&now) || quiet >= QUIET_INTERVALS_MAX {
                        quiet = 0;
                        // A full queue means that the caller has not read the last one yet.
                        let _ = sender.try_send(Message::Progress(message(now.clone(), None)));
                        sent = Some(now);
                    }
                }
            }
        };
        let last = match result {
            Ok(Ok(value)) => Ok(message(progress.borrow().clone(), Some(value))),
            Ok(Err(error)) => Err(status(error)),
            Err(error) if error.is_cancelled() => Err(status(Stopped)),
            Err(error) => Err(Status::internal(format!("the work panicked: {error}"))),
        };
        // This fails if the caller has gone away.
        let _ = sender.send(Message::Last(last)).await;
    });
    until_last(receiver)
}

/// What the owner of the work sends.
enum Message<M> {
    Progress(M),
    Last(Result<M, Status>),
}

/// The messages as the caller gets them. If their owner goes away without a last one, the stream ends with an error, so that
/// progress is never taken for an outcome.
fn until_last<M: Send + 'static>(
    receiver: mpsc::Receiver<Message<M>>,
) -> BoxStream<'static, Result<M, Status>> {
    let next = async |receiver: Option<mpsc::Receiver<Message<M>>>| {
        let mut receiver = receiver?;
        Some(match receiver.recv().await {
            Some(Message::Progress(message)) => (Ok(message), Some(receiver)),
            Some(Message::Last(last)) => (last, None),
            None => (Err(status(Stopped)), None),
        })
    };
    stream::unfold(Some(receiver), next).boxed()
}

#[cfg(test)]
mod tests {
    use api::{ErrorKind, RemoteError};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn progress_is_reported_and_the_outcome_comes_last() {
        let messages = stream(
            |work| async move {
                work.add_bytes(1);
                tokio::time::sleep(Duration::from_secs(1)).await;
                work.add_bytes(1);
                Ok::<_, Stopped>("done")
            },
            |progress, outcome| (progress.bytes_done, outcome),
        );
        let all: Vec<_> = messages.map(Result::unwrap).collect().await;
        assert_eq!(all.first(), Some(&(1, None)));
        assert_eq!(all.last(), Some(&(2, Some("done"))));
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_makes_no_progress_shows_that_it_is_alive() {
        let messages = stream(
            |_| async move {
                tokio::time::sleep(Duration::from_secs(35)).await;
                Ok::<_, Stopped>(())
            },
            |progress, _| progress,
        );
        let all: Vec<_> = messages.map(Result::unwrap).collect().await;
        assert_eq!(
            all.len(),
            1 + 3 + 1,
            "the first, each ten seconds, the last"
        );
        assert!(all.iter().all(|progress| *progress == Progress::default()));
    }

    #[tokio::test]
    async fn an_error_ends_the_stream_with_its_reason() {
        let messages = stream(
            |_| async { Err::<i32, _>(Stopped) },
            |_, outcome: Option<i32>| outcome,
        );
        let all: Vec<_> = messages.collect().await;
        assert_eq!(all.len(), 1);
        let error = RemoteError::from(all[0].clone().unwrap_err());
        assert_eq!(
            (error.kind, error.reason.as_str()),
            (ErrorKind::Cancelled, "STOPPED")
        );
    }

    #[tokio::test]
    async fn work_is_asked_to_stop_when_the_caller_goes_away() {
        let (stopped, told) = tokio::sync::oneshot::channel();
        let messages = stream(
            |work| async move {
                let result = work.or_stop(std::future::pending::<()>()).await;
                let _ = stopped.send(result);
                Ok::<_, Stopped>(())
            },
            |_, outcome: Option<()>| outcome,
        );
        drop(messages);
        assert!(told.await.unwrap().is_err());
    }

    #[tokio::test]
    async fn a_stream_without_an_outcome_ends_with_an_error() {
        let (sender, receiver) = mpsc::channel(QUEUE_LEN);
        let sent = sender.send(Message::Progress(1)).await;
        assert!(sent.is_ok());
        drop(sender);
        let all: Vec<_> = until_last(receiver).collect().await;
        assert_eq!(all.len(), 2);
        let error = all.into_iter().last().expect("the last").expect_err("none");
        assert_eq!(RemoteError::from(error).kind, ErrorKind::Cancelled);
    }
}
