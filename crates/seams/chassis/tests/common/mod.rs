//! A planner that behaves as the version in its request names, and a server around it.
#![allow(dead_code, reason = "each test file uses a part")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::client::PlannerClient;
use api::pb::planner::planner_server::{Planner, PlannerServer};
use api::pb::planner::{
    CheckCompatibilityRequest, CheckCompatibilityResponse, PlanBackupRequest, PlanBackupResponse,
    PlanRestoreRequest, PlanRestoreResponse,
};
use api::pb::types::Release;
use chassis::server::{BoundServer, ServeError, ServerConfig, bind};
use chassis::telemetry::propagation;
use chassis::{App, ClientTlsSettings, Dialer, Services};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

pub const PLANNER: &str = "ringkeep.planner.v1.Planner";
/// Longer than any test waits.
pub const LONG: Duration = Duration::from_secs(60);

/// Replies at once, `slow`ly, `never`, or panics.
#[derive(Clone, Default)]
pub struct TestPlanner {
    /// Trace ids of the calls that arrived.
    pub traces: Arc<Mutex<Vec<Option<String>>>>,
}

impl TestPlanner {
    pub fn app(&self) -> App {
        App::new().service(PlannerServer::new(self.clone()))
    }
}

#[tonic::async_trait]
impl Planner for TestPlanner {
    async fn check_compatibility(
        &self,
        request: Request<CheckCompatibilityRequest>,
    ) -> Result<Response<CheckCompatibilityResponse>, Status> {
        let trace = propagation::trace_id(&tracing::Span::current());
        self.traces.lock().unwrap().push(trace);
        let from = request.into_inner().from.unwrap_or_default();
        match from.version.as_str() {
            "slow" => tokio::time::sleep(Duration::from_millis(300)).await,
            "never" => std::future::pending().await,
            "panic" => panic!("as asked"),
            _ => {}
        }
        Ok(Response::new(CheckCompatibilityResponse {
            supported: true,
            findings: Vec::new(),
        }))
    }

    async fn plan_backup(
        &self,
        _: Request<PlanBackupRequest>,
    ) -> Result<Response<PlanBackupResponse>, Status> {
        Err(Status::unimplemented("not in tests"))
    }

    async fn plan_restore(
        &self,
        _: Request<PlanRestoreRequest>,
    ) -> Result<Response<PlanRestoreResponse>, Status> {
        Err(Status::unimplemented("not in tests"))
    }
}

pub fn asking(version: &str) -> CheckCompatibilityRequest {
    CheckCompatibilityRequest {
        from: Some(Release {
            version: version.into(),
            ..Release::default()
        }),
        to: None,
    }
}

pub async fn ask(client: &mut PlannerClient, version: &str) -> Result<bool, Status> {
    let reply = client.check_compatibility(asking(version)).await?;
    Ok(reply.into_inner().supported)
}

/// A server on a free port.
pub struct Running {
    pub address: SocketAddr,
    pub metrics: Option<SocketAddr>,
    pub shutdown: CancellationToken,
    pub serving: JoinHandle<Result<(), ServeError>>,
}

pub async fn run(config: &ServerConfig, app: App) -> Running {
    let (routes, services) = app.into_parts();
    run_routes(config, routes, services).await
}

pub async fn run_routes(config: &ServerConfig, routes: Routes, services: Services) -> Running {
    let bound: BoundServer = bind(config).await.unwrap();
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    let (address, metrics) = (bound.address(), bound.metrics_address());
    let serving = tokio::spawn(async move { bound.serve(routes, &services, stop).await });
    Running {
        address,
        metrics,
        shutdown,
        serving,
    }
}

/// Settings for a free port.
pub fn settings() -> ServerConfig {
    ServerConfig::on_port(0)
}

pub fn planner_at(address: impl ToString, tls: Option<&ClientTlsSettings>) -> PlannerClient {
    let dialer = Dialer::new(tls).unwrap();
    api::client::planner(dialer.channel(&address.to_string()).unwrap())
}
