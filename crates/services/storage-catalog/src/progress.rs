//! Long work as a stream of messages: progress as it comes, the result last.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::stream::{self, BoxStream, StreamExt};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// More often than this nobody looks.
const INTERVAL: Duration = Duration::from_millis(200);
/// Messages that wait to be taken.
const WAITING_MAX: usize = 16;

/// How far work is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    pub bytes_done: u64,
    pub bytes_total: u64,
    pub items_done: u64,
    pub items_total: u64,
    pub note: String,
}

/// Takes progress from whoever works.
pub struct Reporter {
    sender: mpsc::Sender<Progress>,
    last: Mutex<Option<Instant>>,
}

impl Reporter {
    /// Passes progress on, unless it is too soon after the last or nobody takes it.
    pub fn report(&self, progress: Progress) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| last.elapsed() < INTERVAL) {
            return;
        }
        *last = Some(Instant::now());
        // A reader that is behind misses some.
        let _ = self.sender.try_send(progress);
    }
}

/// What a working stream says.
#[derive(Debug)]
pub enum Said<T> {
    Progress(Progress),
    Done(T),
}

/// Runs work while its stream is read. The work stops when the stream is dropped.
pub fn working<T, F>(work: impl FnOnce(Reporter) -> F) -> BoxStream<'static, Said<T>>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    let reporter = Reporter {
        sender,
        last: Mutex::new(None),
    };
    // The work owns the reporter, so that the progress ends before the result is said.
    let done = stream::once(work(reporter)).map(Said::Done);
    let progress = ReceiverStream::new(receiver).map(Said::Progress);
    let mut result = None;
    stream::select(progress, done)
        .map(Some)
        .chain(stream::once(async { None }))
        .filter_map(move |said| {
            let said = match said {
                Some(Said::Done(done)) => {
                    result = Some(Said::Done(done));
                    None
                }
                Some(said) => Some(said),
                None => result.take(),
            };
            async move { said }
        })
        .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_result_comes_last() {
        let said: Vec<Said<u8>> = working(|reporter| async move {
            reporter.report(Progress {
                items_done: 1,
                ..Progress::default()
            });
            7
        })
        .collect()
        .await;
        assert!(
            matches!(&said[..], [Said::Progress(_), Said::Done(7)]),
            "{said:?}"
        );
    }
}
