//! Refuses calls that change something from callers of another level, before any of them is decoded.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use api::level::{AGENT_API_LEVEL, AGENT_API_LEVEL_HEADER, API_LEVEL};
use api::{Described, ErrorKind, ServiceError, status};
use futures::future::Either;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::NamedService;

/// The calls that only read: everyone may see which agent is too old.
pub(super) const READS: [&str; 4] = ["Describe", "GetSchema", "FingerprintKeys", "ListLeftovers"];

/// A service in front of which callers of another level end.
#[derive(Clone)]
pub struct SameLevel<S>(pub S);

impl<S: NamedService> NamedService for SameLevel<S> {
    const NAME: &'static str = S::NAME;
}

impl<S: Described> Described for SameLevel<S> {
    const DESCRIPTORS: &'static [u8] = S::DESCRIPTORS;
}

impl<S> Service<http::Request<Body>> for SameLevel<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Either<S::Future, Ready<Result<http::Response<Body>, Infallible>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        match check(request.uri().path(), request.headers()) {
            Ok(()) => Either::Left(self.0.call(request)),
            Err(error) => Either::Right(ready(Ok(status(error).into_http()))),
        }
    }
}

fn check(path: &str, headers: &http::HeaderMap) -> Result<(), LevelError> {
    let call = path.rsplit('/').next().unwrap_or_default();
    if READS.contains(&call) {
        return Ok(());
    }
    let Some(sent) = headers.get(AGENT_API_LEVEL_HEADER) else {
        return Err(LevelError::Absent);
    };
    match sent.to_str() {
        Ok(level) if level == AGENT_API_LEVEL.to_string() => Ok(()),
        Ok(level) => Err(LevelError::Other(level.to_owned())),
        Err(_) => Err(LevelError::Other("not a number".to_owned())),
    }
}

/// Why a call is not even decoded.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum LevelError {
    #[error(
        "the call has no metadata `{AGENT_API_LEVEL_HEADER}`, which says which level of the agent's calls its caller knows; this agent's is {AGENT_API_LEVEL}"
    )]
    Absent,
    #[error(
        "the call's metadata `{AGENT_API_LEVEL_HEADER}` is {0}, and the level of this agent's calls is {AGENT_API_LEVEL}"
    )]
    Other(String),
}

impl ServiceError for LevelError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::FailedPrecondition
    }

    fn reason(&self) -> &'static str {
        API_LEVEL
    }

    fn hint(&self) -> Option<String> {
        Some("run the same release of the task-runner and of all agents".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use prost::Message;
    use prost_types::FileDescriptorSet;

    use super::*;

    type Agent = api::pb::node_agent::node_agent_server::NodeAgentServer<()>;

    fn calls() -> Vec<String> {
        let set = FileDescriptorSet::decode(Agent::DESCRIPTORS).unwrap();
        let services = set.file.iter().flat_map(|file| &file.service);
        let own = services.filter(|service| Agent::NAME.ends_with(service.name()));
        let calls = own.flat_map(|service| &service.method);
        calls.map(|call| call.name().to_owned()).collect()
    }

    #[test]
    fn a_call_that_changes_something_needs_the_callers_level() {
        let with = |level: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(AGENT_API_LEVEL_HEADER, level.parse().unwrap());
            headers
        };
        let calls = calls();
        assert!(READS.iter().all(|read| calls.iter().any(|c| c == read)));
        for call in calls {
            let path = format!("/{}/{call}", Agent::NAME);
            let absent = check(&path, &HeaderMap::new());
            let is_read = READS.contains(&call.as_str());
            assert_eq!(absent.is_ok(), is_read, "{call}");
            assert_eq!(check(&path, &with("0")).is_ok(), is_read, "{call}");
            let same = with(&AGENT_API_LEVEL.to_string());
            assert_eq!(check(&path, &same), Ok(()), "{call}");
        }
        let text = LevelError::Absent.to_string();
        assert!(text.contains(AGENT_API_LEVEL_HEADER), "{text}");
    }
}
