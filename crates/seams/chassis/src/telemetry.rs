//! Logs to stderr, the audit log also to a file, and traces to an OpenTelemetry collector, if these are set.
//!
//! Trace ids are created and passed on in any case, so that the logs of several services can be joined by them.

mod audit_file;
pub mod propagation;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use opentelemetry::global;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde::{Deserialize, Serialize};
use tonic::transport::ClientTlsConfig;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use crate::server::audit;
use audit_file::AuditFile;

/// How long the last spans may take to reach the collector.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
/// Crates whose spans are about transport only. The exporter is one of their users, and would trace itself.
const TRANSPORT_CRATES: &[&str] = &[
    "h2",
    "hyper",
    "hyper_util",
    "tonic",
    "tower",
    "opentelemetry",
];

/// The `[telemetry]` section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetryConfig {
    /// Which log lines are written, as tracing's directives: `info`, or `info,node_agent=debug`.
    pub log: String,
    pub log_format: LogFormat,
    /// Where calls that may change something are written besides, as JSON lines. None: only to stderr, as far as `log`
    /// lets the target `audit` through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit_file: Option<PathBuf>,
    /// The OTLP collector for traces, by gRPC: `http://127.0.0.1:4317`. None: traces are not sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otlp_endpoint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            log: "info".into(),
            log_format: LogFormat::Text,
            audit_file: None,
            otlp_endpoint: None,
        }
    }
}

/// Why telemetry could not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("`telemetry.log` is not a list of log directives; write it like info,node_agent=debug")]
    Log(#[source] tracing_subscriber::filter::ParseError),
    #[error("could not open the file {} of `telemetry.audit_file`", path.display())]
    Audit {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error(
        "traces cannot be sent to `{endpoint}`; write `telemetry.otlp_endpoint` like http://host:4317"
    )]
    Endpoint {
        endpoint: String,
        #[source]
        source: opentelemetry_otlp::ExporterBuildError,
    },
}

/// Keeps telemetry running until [`TelemetryGuard::shutdown`].
#[must_use = "the last spans are sent by `shutdown`"]
pub struct TelemetryGuard {
    /// Absent if an earlier call in this process had set telemetry up.
    provider: Option<SdkTracerProvider>,
}

impl TelemetryGuard {
    /// Sends the spans that are still buffered.
    pub async fn shutdown(self) {
        let Some(provider) = self.provider else {
            return;
        };
        // It waits for the exporter, which needs this runtime's threads.
        let flushed =
            tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(FLUSH_TIMEOUT))
                .await;
        if let Ok(Err(error)) = flushed {
            tracing::warn!(%error, "the last spans did not reach the collector");
        }
    }
}

/// The CQL driver logs each failed attempt to connect, once a second while a node is down. What matters of it is in the errors
/// of the calls that fail. Settings that name it bring its lines back.
const QUIET: &str = "scylla=off";

/// Sets up logs, traces and the passing on of trace ids for this process, inside a tokio runtime.
///
/// The first call decides; later ones, which only tests make, check their settings and change nothing.
pub fn init(
    config: &TelemetryConfig,
    service_name: &str,
) -> Result<TelemetryGuard, TelemetryError> {
    let directives = format!("{QUIET},{}", config.log);
    let filter = EnvFilter::try_new(directives).map_err(TelemetryError::Log)?;
    let audit_file = match &config.audit_file {
        Some(path) => Some(
            AuditFile::open(path).map_err(|source| TelemetryError::Audit {
                path: path.clone(),
                source,
            })?,
        ),
        None => None,
    };
    let provider = tracer_provider(config, service_name)?;
    global::set_text_map_propagator(TraceContextPropagator::new());
    api::client::set_trace_injector(propagation::inject);

    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let lines = match config.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let spans = TRANSPORT_CRATES
        .iter()
        .fold(Targets::new(), |targets, name| {
            targets.with_target(*name, LevelFilter::OFF)
        })
        .with_default(LevelFilter::INFO);
    let traces = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("ringkeep"))
        .with_filter(spans);
    let audit = audit_file.map(|file| {
        let lines = fmt::layer().json().flatten_event(true).with_ansi(false);
        lines
            .with_current_span(false)
            .with_span_list(false)
            .with_writer(file)
            .with_filter(Targets::new().with_target(audit::TARGET, LevelFilter::INFO))
    });
    let first = tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(audit)
        .with(traces)
        .try_init()
        .is_ok();
    Ok(TelemetryGuard {
        provider: first.then_some(provider),
    })
}

fn tracer_provider(
    config: &TelemetryConfig,
    service_name: &str,
) -> Result<SdkTracerProvider, TelemetryError> {
    let resource = Resource::builder()
        .with_service_name(service_name.to_owned())
        .build();
    let builder = SdkTracerProvider::builder().with_resource(resource);
    let Some(endpoint) = &config.otlp_endpoint else {
        return Ok(builder.build());
    };
    let mut exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint.as_str());
    if endpoint.starts_with("https://") {
        exporter = exporter.with_tls_config(ClientTlsConfig::new().with_enabled_roots());
    }
    let exporter = exporter
        .build()
        .map_err(|source| TelemetryError::Endpoint {
            endpoint: crate::config::without_logins(endpoint),
            source,
        })?;
    Ok(builder.with_batch_exporter(exporter).build())
}
