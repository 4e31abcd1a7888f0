//! One call: its deadline, its stream of progress, and what its response must be.

use std::time::Duration;

use model::task::Progress;
use tokio::time::{Instant, timeout, timeout_at};
use tonic::{Response, Status, Streaming};

use crate::convert::ConversionError;
use crate::{ErrorKind, RemoteError, pb};

/// Called with each report of a call that lasts.
pub type OnProgress<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// The reason of an error that says that a call made no progress for too long.
pub const SILENCE: &str = "SILENCE";

/// The result of a call, or an error if it lasts longer than its deadline; giving up ends the call on the other side, too.
pub(super) async fn within<T>(
    deadline: Duration,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, RemoteError> {
    match timeout(deadline, call).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(status.into()),
        Err(_) => Err(RemoteError::new(
            ErrorKind::Unavailable,
            "DEADLINE",
            format!("no response within {} s", deadline.as_secs()),
        )),
    }
}

/// A call whose response says no more than that it has succeeded.
pub(super) async fn done<T>(
    deadline: Duration,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<(), RemoteError> {
    within(deadline, call).await.map(drop)
}

/// A message of a stream that reports progress.
pub(super) trait Reports {
    fn progress(&mut self) -> Option<pb::types::Progress>;
}

macro_rules! reports {
    ($($message:path),* $(,)?) => {
        $(impl Reports for $message {
            fn progress(&mut self) -> Option<pb::types::Progress> {
                self.progress.take()
            }
        })*
    };
}

reports!(
    pb::node_agent::UploadSnapshotResponse,
    pb::node_agent::StageRestoreResponse,
    pb::node_agent::LoadStagedResponse,
    pb::node_agent::TryLoadResponse,
    pb::node_agent::UpgradeSstablesResponse,
    pb::node_agent::AwaitViewsResponse,
    pb::node_agent::RunMaintenanceResponse,
    pb::storage_catalog::VerifyBackupResponse,
    pb::storage_catalog::DeleteBackupResponse,
);

/// Makes the call and follows its stream to the end; returns the last message. A service repeats its last report while
/// nothing moves, so only a report that differs from the one before ends a silence. Dropping the stream stops the work over
/// there, and another try goes on from where it was.
pub(super) async fn follow<M: Reports>(
    silence: Duration,
    on_progress: OnProgress<'_>,
    call: impl Future<Output = Result<Response<Streaming<M>>, Status>>,
) -> Result<Option<M>, RemoteError> {
    let response = timeout(silence, call).await;
    let response = response.map_err(|_| silent(silence, None))?;
    let mut stream = response.map_err(RemoteError::from)?.into_inner();
    let mut last = None;
    let mut seen: Option<Progress> = None;
    let mut moved_at = Instant::now();
    loop {
        let message = timeout_at(moved_at + silence, stream.message()).await;
        let message = message.map_err(|_| silent(silence, seen.as_ref()))?;
        let Some(mut message) = message.map_err(RemoteError::from)? else {
            return Ok(last);
        };
        if let Some(progress) = message.progress().map(Progress::from) {
            if seen.as_ref() != Some(&progress) {
                moved_at = Instant::now();
                seen = Some(progress.clone());
            }
            on_progress(progress);
        }
        last = Some(message);
    }
}

/// Follows a call to its end whose last message says no more than that it has succeeded.
pub(super) async fn through<M: Reports>(
    silence: Duration,
    on_progress: OnProgress<'_>,
    call: impl Future<Output = Result<Response<Streaming<M>>, Status>>,
) -> Result<(), RemoteError> {
    follow(silence, on_progress, call).await.map(drop)
}

/// The next message of a stream; none at its end.
pub(super) async fn next<M>(
    stream: &mut Streaming<M>,
    silence: Duration,
) -> Result<Option<M>, RemoteError> {
    let message = timeout(silence, stream.message()).await;
    let message = message.map_err(|_| silent(silence, None))?;
    message.map_err(RemoteError::from)
}

/// `seen` is the last report, if there was any.
fn silent(silence: Duration, seen: Option<&Progress>) -> RemoteError {
    let seconds = silence.as_secs();
    let message = match seen.map(|seen| seen.note.as_str()) {
        None => format!("nothing was heard for {seconds} s"),
        Some("") => format!("there was no progress for {seconds} s"),
        Some(note) => format!("there was no progress for {seconds} s at: {note}"),
    };
    RemoteError::new(ErrorKind::Unavailable, SILENCE, message)
}

/// For a response that does not convert.
pub(super) fn invalid(who: &'static str) -> impl Fn(ConversionError) -> RemoteError {
    move |error| RemoteError::invalid_response(who, error)
}
