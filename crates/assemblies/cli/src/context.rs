//! What every command has at hand: the screen, the clients, and what errors of a call mean.

use std::path::Path;

use api::client::{self, Channel, ClientTls};
use api::clients::{RemotePlanner, RemoteStorageCatalog, RemoteTaskRunner};
use api::{ErrorKind, Origin, RemoteError};
use futures::future::BoxFuture;

use crate::args::GlobalArgs;
use crate::failure::Failure;
use crate::screen::Screen;
use crate::surroundings::{Patience, Surroundings};

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

    pub fn task_runner(&mut self) -> Result<RemoteTaskRunner, Failure> {
        self.channel().map(RemoteTaskRunner::new)
    }

    pub fn catalog(&mut self) -> Result<RemoteStorageCatalog, Failure> {
        self.channel().map(RemoteStorageCatalog::new)
    }

    pub fn planner(&mut self) -> Result<RemotePlanner, Failure> {
        self.channel().map(RemotePlanner::new)
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

    /// What a failed call means to the user.
    pub fn failed(&self, service: Service, mut error: RemoteError) -> Failure {
        let endpoint = self.global.endpoint.clone();
        let service = service.as_str();
        match error.origin {
            Origin::Service => Failure::Remote(Box::new(error)),
            Origin::NoSuchService => Failure::Absent { service, endpoint },
            // Without a reply of a service it is the connection: a proxy cancels calls that take too long for it.
            Origin::Caller
                if matches!(error.kind, ErrorKind::Unavailable | ErrorKind::Cancelled) =>
            {
                error.kind = ErrorKind::Unavailable;
                Failure::Unreachable {
                    service,
                    endpoint,
                    source: Box::new(error),
                }
            }
            Origin::Caller => Failure::Remote(Box::new(error)),
        }
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
