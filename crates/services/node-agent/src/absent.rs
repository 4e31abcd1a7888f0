//! An agent that could not be built because its node's cassandra.yaml cannot be used: every call fails with the reason.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use api::pb::node_agent::node_agent_server::NodeAgentServer;
use api::{Described, ErrorKind, ServiceError, status};
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::NamedService;

use crate::error::BuildError;
use crate::grpc::NodeAgentGrpc;

type Agent = NodeAgentServer<NodeAgentGrpc>;

/// Stands in for an agent among others of one process, so that these are of use without it.
#[derive(Clone)]
pub struct AbsentAgent {
    name: Arc<str>,
    why: Arc<str>,
}

impl AbsentAgent {
    /// For an agent of this name. Only a cassandra.yaml that cannot be used is worth going on without: the rest is a mistake
    /// in the settings of this process, and is returned.
    pub fn instead_of(name: &str, error: BuildError) -> Result<Self, BuildError> {
        if !error.is_of_the_node() {
            return Err(error);
        }
        Ok(Self {
            name: name.into(),
            why: api::error::chain(&error).into(),
        })
    }

    /// Why the agent could not be built.
    pub fn why(&self) -> &str {
        &self.why
    }
}

impl NamedService for AbsentAgent {
    const NAME: &'static str = Agent::NAME;
}

impl Described for AbsentAgent {
    const DESCRIPTORS: &'static [u8] = Agent::DESCRIPTORS;
}

impl Service<http::Request<Body>> for AbsentAgent {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<http::Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<Body>) -> Self::Future {
        let error = AbsentError {
            name: self.name.clone(),
            why: self.why.clone(),
        };
        ready(Ok(status(error).into_http()))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("agent `{name}` could not be built: {why}")]
struct AbsentError {
    name: Arc<str>,
    why: Arc<str>,
}

impl ServiceError for AbsentError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unavailable
    }

    fn reason(&self) -> &'static str {
        "AGENT_NOT_BUILT"
    }

    fn hint(&self) -> Option<String> {
        Some("set `config_file` in [cassandra] of this agent to a cassandra.yaml that can be read, and restart the process".to_owned())
    }
}
