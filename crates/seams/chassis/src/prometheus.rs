//! The `/metrics` page: what the process counted, in Prometheus's text form.

mod gauges;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tracing::{debug, warn};

pub use gauges::{Gauge, Gauges, SharedGauges, expose};

/// Upper bounds for everything that is named `…_seconds`: from a call in memory to an upload of a day.
const SECONDS_BUCKETS: &[f64] = &[
    0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0,
];
/// How often samples are folded into their buckets between scrapes, which bounds their memory.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);
/// Scrapers that are served at a time; more are refused.
const CONNECTIONS_MAX: usize = 32;
/// How long a scraper may take to send its request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// Pause after an accept that failed, for example because file descriptors have run out.
const ACCEPT_RETRY: Duration = Duration::from_millis(200);

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Starts counting in this process. Safe to repeat; what is counted before the first time is lost.
pub fn install() -> &'static PrometheusHandle {
    RECORDER.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS_BUCKETS)
            .expect("the list of buckets is not empty");
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            warn!("another recorder of metrics is set, so the metrics page stays empty");
        }
        let upkeep = handle.clone();
        let started = std::thread::Builder::new()
            .name("metrics-upkeep".into())
            .spawn(move || {
                loop {
                    std::thread::sleep(UPKEEP_INTERVAL);
                    upkeep.run_upkeep();
                }
            });
        if let Err(error) = started {
            warn!(%error, "could not start the thread for the upkeep of metrics");
        }
        handle
    })
}

/// Puts on the page which version of which service this process is.
pub fn count_build(service_name: &str) {
    let version = env!("CARGO_PKG_VERSION");
    metrics::gauge!("ringkeep_build_info", "service" => service_name.to_owned(), "version" => version)
        .set(1.0);
}

/// The page, bound to its address.
pub struct MetricsPage {
    listener: TcpListener,
    address: SocketAddr,
}

impl MetricsPage {
    pub async fn bind(address: SocketAddr) -> std::io::Result<Self> {
        install();
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves scrapers until dropped.
    pub async fn serve(self) {
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            match self.listener.accept().await {
                Ok((stream, _)) if connections.len() < CONNECTIONS_MAX => {
                    connections.spawn(serve_connection(stream));
                }
                Ok(_) => debug!("too many scrapers of metrics at a time"),
                Err(error) => {
                    warn!(%error, "could not accept a scraper of metrics");
                    tokio::time::sleep(ACCEPT_RETRY).await;
                }
            }
        }
    }
}

async fn serve_connection(stream: TcpStream) {
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service_fn(reply))
        .await;
    if let Err(error) = served {
        debug!(%error, "a scraper of metrics went away");
    }
}

async fn reply(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::default());
    if request.uri().path() == "/metrics" {
        *response.body_mut() = Full::from(install().render() + &gauges::render_exposed());
        let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, kind);
    } else {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    Ok(response)
}
