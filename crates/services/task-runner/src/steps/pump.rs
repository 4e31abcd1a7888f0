//! Follows a stream of progress to its end.

use std::time::Duration;

use api::RemoteError;
use api::pb::node_agent as pb;
use api::pb::types::Progress;
use tonic::{Response, Status, Streaming};

use super::StepRun;
use crate::step_error::StepError;

/// A message of a stream that reports progress.
pub(super) trait Reports {
    fn progress(&mut self) -> Option<Progress>;
}

macro_rules! reports {
    ($($message:ident),*) => {
        $(impl Reports for pb::$message {
            fn progress(&mut self) -> Option<Progress> {
                self.progress.take()
            }
        })*
    };
}

reports!(
    UploadSnapshotResponse,
    StageRestoreResponse,
    LoadStagedResponse,
    UpgradeSstablesResponse,
    AwaitViewsResponse
);

/// Makes the call and follows its stream, passing progress on; answers the last message. Silence for too long is taken
/// for a dead agent: dropping the stream stops the work over there, and the next try goes on from where it was.
pub(super) async fn pump<M: Reports>(
    step: &StepRun,
    silence: Duration,
    call: impl Future<Output = Result<Response<Streaming<M>>, Status>>,
) -> Result<Option<M>, StepError> {
    let silent = |_| StepError::Silent {
        seconds: silence.as_secs(),
    };
    let response = tokio::time::timeout(silence, call).await.map_err(silent)?;
    let mut stream = response.map_err(RemoteError::from)?.into_inner();
    let mut last = None;
    loop {
        let message = tokio::time::timeout(silence, stream.message())
            .await
            .map_err(silent)?
            .map_err(RemoteError::from)?;
        let Some(mut message) = message else {
            return Ok(last);
        };
        if let Some(progress) = message.progress() {
            step.report(progress);
        }
        last = Some(message);
    }
}
