//! What every command has at hand: the screen, the clients, and how errors of a call are told.

use std::path::Path;

use api::client::{self, ClientTls, PlannerClient, StorageCatalogClient, TaskRunnerClient};
use api::clients::RemoteTaskRunner;
use api::{ErrorKind, RemoteError};
use futures::future::BoxFuture;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use crate::args::GlobalArgs;
use crate::failure::Failure;
use crate::screen::Screen;
use crate::surroundings::{Patience, Surroundings};

/// How long one answer may take. Planning a restore asks every agent and reads manifests; nothing else is near it.
const CALL_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(120);

/// The services by the names that people know them by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    TaskRunner,
    StorageCatalog,
    Planner,
}

impl Service {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TaskRunner => "task-runner",
            Self::StorageCatalog => "storage-catalog",
            Self::Planner => "planner",
        }
    }
}

pub struct Context {
    pub screen: Screen,
    pub patience: Patience,
    /// Ready when the user wants to stop waiting.
    pub interrupt: BoxFuture<'static, ()>,
    global: GlobalArgs,
    channel: Option<Channel>,
}

impl Context {
    pub fn new(global: &GlobalArgs, mut surroundings: Surroundings) -> Self {
        let interrupt = std::mem::replace(
            &mut surroundings.interrupt,
            Box::pin(futures::future::pending()),
        );
        Self {
            patience: surroundings.patience,
            interrupt,
            screen: Screen::new(global.output, global.quiet, global.no_color, surroundings),
            global: global.clone(),
            channel: None,
        }
    }

    pub fn endpoint(&self) -> &str {
        &self.global.endpoint
    }

    pub fn task_runner(&mut self) -> Result<TaskRunnerClient, Failure> {
        self.channel().map(client::task_runner)
    }

    pub fn catalog(&mut self) -> Result<StorageCatalogClient, Failure> {
        self.channel().map(client::storage_catalog)
    }

    pub fn planner(&mut self) -> Result<PlannerClient, Failure> {
        self.channel().map(client::planner)
    }

    /// The one connection; it comes up when first used.
    fn channel(&mut self) -> Result<Channel, Failure> {
        if let Some(channel) = &self.channel {
            return Ok(channel.clone());
        }
        let tls = client_tls(&self.global)?;
        let channel = client::channel(&self.global.endpoint, tls.as_ref())?;
        self.channel = Some(channel.clone());
        Ok(channel)
    }

    /// The task-runner in the words of the model.
    pub fn runner(&mut self) -> Result<RemoteTaskRunner, Failure> {
        self.channel().map(RemoteTaskRunner::new)
    }

    /// What an error of a typed client means to the user.
    pub fn failed_call(&self, service: Service, error: RemoteError) -> Failure {
        let is_ours = !error.reason.is_empty();
        match error.kind {
            ErrorKind::Unavailable | ErrorKind::Cancelled if !is_ours => Failure::Unreachable {
                service: service.as_str(),
                endpoint: self.global.endpoint.clone(),
                source: Box::new(error),
            },
            _ => Failure::Remote(Box::new(error)),
        }
    }

    /// What a failed call means to the user.
    pub fn failed(&self, service: Service, status: Status) -> Failure {
        let endpoint = self.global.endpoint.clone();
        let ours = !status.get_details_reason().is_empty();
        let service = service.as_str();
        if status.code() == Code::Unimplemented && !ours {
            return Failure::Absent { service, endpoint };
        }
        let timed_out = status.code() == Code::Cancelled && !ours;
        let mut source = Box::new(RemoteError::from(status));
        if timed_out {
            source.kind = ErrorKind::Unavailable;
        }
        match source.kind {
            // Nobody of ours has spoken: it is the connection.
            ErrorKind::Unavailable if !ours => Failure::Unreachable {
                service,
                endpoint,
                source,
            },
            _ => Failure::Remote(source),
        }
    }
}

/// A request with the limit on how long its answer may take.
pub fn call<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(CALL_TIMEOUT);
    request
}

/// Whether a status carries one of our reasons, or comes from the transport or a proxy.
trait DetailsReason {
    fn get_details_reason(&self) -> String;
}

impl DetailsReason for Status {
    fn get_details_reason(&self) -> String {
        RemoteError::from(self.clone()).reason
    }
}

fn client_tls(global: &GlobalArgs) -> Result<Option<ClientTls>, Failure> {
    let identity_pem = match (&global.tls_cert, &global.tls_key) {
        (Some(certificate), Some(key)) => Some((read(certificate)?, read(key)?)),
        // clap asks for both or none.
        _ => None,
    };
    let tls = ClientTls {
        ca_pem: global.tls_ca.as_deref().map(read).transpose()?,
        identity_pem,
        server_name: global.tls_server_name.clone(),
    };
    let wanted = tls.ca_pem.is_some() || tls.identity_pem.is_some() || tls.server_name.is_some();
    if wanted && global.endpoint.starts_with("http://") {
        return Err(Failure::Usage {
            message: format!(
                "the endpoint {} is not TLS, but TLS flags are given",
                global.endpoint
            ),
            hint: "write the endpoint with https://".into(),
        });
    }
    Ok(wanted.then_some(tls))
}

fn read(path: impl AsRef<Path>) -> Result<String, Failure> {
    let path = path.as_ref();
    std::fs::read_to_string(path).map_err(|source| Failure::TlsFile {
        path: path.to_owned(),
        source,
    })
}
