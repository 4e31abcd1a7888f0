//! One call: its deadline, its stream of progress, and what its response must be.

use std::time::Duration;

use model::task::Progress;
use tonic::{Response, Status, Streaming};

use crate::convert::ConversionError;
use crate::{ErrorKind, RemoteError, pb};

/// Called with each report of a call that lasts.
pub type OnProgress<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// The reason of an error that says that a call was silent for too long.
pub const SILENCE: &str = "SILENCE";

/// The result of a call, or an error if it lasts longer than its deadline; giving up ends the call on the other side, too.
pub(super) async fn within<T>(
    deadline: Duration,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, RemoteError> {
    match tokio::time::timeout(deadline, call).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(status.into()),
        Err(_) => Err(RemoteError::new(
            ErrorKind::Unavailable,
            "DEADLINE",
            format!("no response within {} s", deadline.as_secs()),
        )),
    }
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
    pb::storage_catalog::VerifyBackupResponse,
    pb::storage_catalog::DeleteBackupResponse,
);

/// Makes the call and follows its stream to the end; returns the last message. Silence for too long means that the other
/// side is dead: dropping the stream stops the work there, and another try goes on from where it was.
pub(super) async fn follow<M: Reports>(
    silence: Duration,
    on_progress: OnProgress<'_>,
    call: impl Future<Output = Result<Response<Streaming<M>>, Status>>,
) -> Result<Option<M>, RemoteError> {
    let response = tokio::time::timeout(silence, call).await;
    let response = response.map_err(|_| silent(silence))?;
    let mut stream = response.map_err(RemoteError::from)?.into_inner();
    let mut last = None;
    while let Some(mut message) = next(&mut stream, silence).await? {
        if let Some(progress) = message.progress() {
            on_progress(progress.into());
        }
        last = Some(message);
    }
    Ok(last)
}

/// The next message of a stream; none at its end.
pub(super) async fn next<M>(
    stream: &mut Streaming<M>,
    silence: Duration,
) -> Result<Option<M>, RemoteError> {
    let message = tokio::time::timeout(silence, stream.message()).await;
    let message = message.map_err(|_| silent(silence))?;
    message.map_err(RemoteError::from)
}

fn silent(silence: Duration) -> RemoteError {
    RemoteError::new(
        ErrorKind::Unavailable,
        SILENCE,
        format!("nothing was heard for {} s", silence.as_secs()),
    )
}

/// For a response that does not convert.
pub(super) fn invalid(who: &'static str) -> impl Fn(ConversionError) -> RemoteError {
    move |error| RemoteError::invalid_response(who, error)
}
