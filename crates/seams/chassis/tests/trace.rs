//! A trace goes on at the other side of a call, and reaches the collector.

mod common;

use std::sync::{Arc, Mutex};

use chassis::Services;
use chassis::telemetry::{self, LogFormat, TelemetryConfig, propagation};
use common::{TestPlanner, ask, planner_at, run, run_routes, settings};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use tracing::Instrument;

/// Keeps what it is sent.
#[derive(Clone, Default)]
struct Collector {
    requests: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.requests.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// Names of the spans of a trace, sorted, and the services that sent them.
    fn spans(&self, trace: &str) -> (Vec<String>, Vec<String>) {
        let requests = self.requests.lock().unwrap();
        let mut names = Vec::new();
        let mut services = Vec::new();
        for of_service in requests.iter().flat_map(|request| &request.resource_spans) {
            let attributes = of_service.resource.iter().flat_map(|all| &all.attributes);
            services.extend(
                attributes
                    .filter(|attribute| attribute.key == "service.name")
                    .map(|attribute| format!("{:?}", attribute.value)),
            );
            let spans = of_service.scope_spans.iter().flat_map(|scope| &scope.spans);
            names.extend(
                spans
                    .filter(|span| hex(&span.trace_id) == trace)
                    .map(|span| span.name.clone()),
            );
        }
        names.sort();
        (names, services)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_crosses_calls_and_reaches_the_collector() {
    let collector = Collector::default();
    let routes = Routes::new(TraceServiceServer::new(collector.clone()));
    let collecting = run_routes(&settings(), routes, Services::default()).await;
    let config = TelemetryConfig {
        log: "warn".into(),
        log_format: LogFormat::Json,
        otlp_endpoint: Some(format!("http://{}", collecting.address)),
        ..TelemetryConfig::default()
    };
    let guard = telemetry::init(&config, "chassis-test").unwrap();
    // A second start, as other tests of a process make it, changes nothing.
    telemetry::init(&TelemetryConfig::default(), "other")
        .unwrap()
        .shutdown()
        .await;

    let planner = TestPlanner::default();
    let running = run(&settings(), planner.app()).await;
    let mut over_tcp = planner_at(running.address, None);
    let mut in_memory = api::client::planner(testkit::in_memory(planner.app()));
    let span = tracing::info_span!("backup");
    let trace = propagation::trace_id(&span).unwrap();
    async {
        ask(&mut over_tcp, "4.1.0").await.unwrap();
        ask(&mut in_memory, "4.1.0").await.unwrap();
    }
    .instrument(span)
    .await;

    let arrived = planner.traces.lock().unwrap().clone();
    assert_eq!(arrived, [Some(trace.clone()), Some(trace.clone())]);

    // A call outside of any span is a trace of its own.
    ask(&mut over_tcp, "4.1.0").await.unwrap();
    let third = planner.traces.lock().unwrap()[2].clone().unwrap();
    assert_ne!(third, trace);

    drop((over_tcp, in_memory));
    running.shutdown.cancel();
    running.serving.await.unwrap().unwrap();
    guard.shutdown().await;
    let (names, services) = collector.spans(&trace);
    assert_eq!(
        names,
        [
            "Planner.CheckCompatibility",
            "Planner.CheckCompatibility",
            "backup"
        ]
    );
    assert!(services.iter().all(|name| name.contains("chassis-test")));
}

#[tokio::test]
async fn settings_that_do_not_work_are_named() {
    let log = TelemetryConfig {
        log: "info,=nonsense=".into(),
        ..TelemetryConfig::default()
    };
    let error = telemetry::init(&log, "x").err().unwrap();
    assert!(error.to_string().contains("telemetry.log"), "{error}");
    let endpoint = TelemetryConfig {
        otlp_endpoint: Some("not an address".into()),
        ..TelemetryConfig::default()
    };
    let error = telemetry::init(&endpoint, "x").err().unwrap();
    assert!(
        error.to_string().contains("telemetry.otlp_endpoint"),
        "{error}"
    );
}
