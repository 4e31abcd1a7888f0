//! A service process from its first line to its exit code.

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use api::Described;
use futures::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::service::{Routes, RoutesBuilder};
use tower::Service;
use tracing::{error, info, warn};

use crate::config::{self, ConfigArgs};
use crate::prometheus;
use crate::server::{self, ServerConfig, Services};
use crate::shutdown;
use crate::telemetry::{self, TelemetryConfig};
use crate::tls::ClientTlsSettings;

/// Exit codes besides 0 for success.
const FAILED: u8 = 1;
const USAGE: u8 = 2;
/// How long blocking work may delay the end of the process.
const RUNTIME_END_TIMEOUT: Duration = Duration::from_secs(2);

/// A process's whole settings: its own sections and the two that every process has.
pub trait ProcessConfig: Serialize + DeserializeOwned + Send + 'static {
    fn server(&self) -> &ServerConfig;
    fn telemetry(&self) -> &TelemetryConfig;

    /// TLS towards other services, if the process calls any.
    fn clients_tls(&self) -> Option<&ClientTlsSettings> {
        None
    }

    /// Other settings that would be refused at start.
    fn check(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }
}

/// What a process passes to the function that builds its services.
#[derive(Debug, Clone)]
pub struct Context {
    /// Fires when the process was asked to end.
    pub shutdown: CancellationToken,
}

/// What a process serves, and what it must wait for at its end.
#[derive(Default)]
pub struct App {
    routes: RoutesBuilder,
    services: Services,
    endings: Vec<BoxFuture<'static, ()>>,
}

impl App {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a service, under the name that it has on the wire and with its descriptors.
    pub fn service<S>(mut self, service: S) -> Self
    where
        S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
            + Described
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.routes.add_service(service);
        self.services.add::<S>();
        self
    }

    /// Adds work that ends by itself after `Context::shutdown` has fired; the process waits for it, up to the grace.
    pub fn ending(mut self, work: impl Future<Output = ()> + Send + 'static) -> Self {
        self.endings.push(Box::pin(work));
        self
    }

    /// The routes and what they serve, for [`server::serve`] and [`server::in_memory`].
    pub fn into_parts(self) -> (Routes, Services) {
        (self.routes.routes(), self.services)
    }
}

/// Runs a service process: settings, telemetry, addresses, `build`, serving, draining. Returns the exit code.
pub fn run_main<C, B, F, E>(service_name: &str, args: &ConfigArgs, build: B) -> ExitCode
where
    C: ProcessConfig,
    B: FnOnce(C, Context) -> F,
    F: Future<Output = Result<App, E>>,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let loaded: C = match args.load() {
        Ok(loaded) => loaded,
        Err(error) => return usage(&error),
    };
    run_with(service_name, args.check_config, loaded, build)
}

/// Like [`run_main`], with settings that were loaded before and may have been changed by arguments.
pub fn run_with<C, B, F, E>(service_name: &str, check_only: bool, loaded: C, build: B) -> ExitCode
where
    C: ProcessConfig,
    B: FnOnce(C, Context) -> F,
    F: Future<Output = Result<App, E>>,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    if check_only {
        return check(&loaded);
    }
    crate::tls::install_crypto();
    if let Err(error) = loaded.check() {
        return usage(error.as_ref());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: could not start threads: {error}");
            return ExitCode::from(FAILED);
        }
    };
    let code = runtime.block_on(async {
        let guard = match telemetry::init(loaded.telemetry(), service_name) {
            Ok(guard) => guard,
            Err(error) => return usage(&error),
        };
        log_panics();
        let ended = process(service_name, loaded, build).await;
        if let Err(error) = &ended {
            error!(
                error = api::error::chain(error.as_ref()),
                "the service failed"
            );
        }
        guard.shutdown().await;
        match ended {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) if is_usage(error.as_ref()) => ExitCode::from(USAGE),
            Err(_) => ExitCode::from(FAILED),
        }
    });
    runtime.shutdown_timeout(RUNTIME_END_TIMEOUT);
    code
}

/// Prints the settings, and reports those that would not work.
fn check<C: ProcessConfig>(loaded: &C) -> ExitCode {
    print!("{}", config::render(loaded));
    if let Err(error) = server::check(loaded.server()) {
        return usage(&error);
    }
    if let Some(Err(error)) = loaded.clients_tls().map(ClientTlsSettings::check) {
        return usage(&error);
    }
    match loaded.check() {
        Err(error) => usage(error.as_ref()),
        Ok(()) => ExitCode::SUCCESS,
    }
}

async fn process<C, B, F, E>(
    service_name: &str,
    loaded: C,
    build: B,
) -> Result<(), Box<dyn Error + Send + Sync>>
where
    C: ProcessConfig,
    B: FnOnce(C, Context) -> F,
    F: Future<Output = Result<App, E>>,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    info!(
        service = service_name,
        version = env!("CARGO_PKG_VERSION"),
        "starting"
    );
    let shutdown = shutdown::on_signal()?;
    let bound = server::bind(loaded.server()).await?;
    prometheus::count_build(service_name);
    let grace = Duration::from_secs(loaded.server().shutdown_grace_seconds);
    let context = Context {
        shutdown: shutdown.clone(),
    };
    let app = tokio::select! {
        app = build(loaded, context) => app.map_err(Into::into)?,
        () = shutdown.cancelled() => return Ok(()),
    };
    let App {
        routes,
        services,
        endings,
    } = app;
    let serving = async {
        let served = bound
            .serve(routes.routes(), &services, shutdown.clone())
            .await;
        // Background work ends too, also if the server failed.
        shutdown.cancel();
        served
    };
    let ending = async {
        shutdown.cancelled().await;
        let endings = futures::future::join_all(endings);
        if tokio::time::timeout(grace, endings).await.is_err() {
            warn!("background work outlasted the grace and is aborted");
        }
    };
    let (served, ()) = tokio::join!(serving, ending);
    info!("ended");
    Ok(served?)
}

fn is_usage(error: &(dyn Error + 'static)) -> bool {
    error
        .downcast_ref()
        .is_some_and(server::ServeError::is_usage)
}

fn usage(error: &dyn Error) -> ExitCode {
    eprintln!("error: {}", api::error::chain(error));
    ExitCode::from(USAGE)
}

/// Logs a panic as one line, in the format of the log.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let message = panic.payload_as_str().unwrap_or("no text");
        error!(message, place, "panicked");
    }));
}
