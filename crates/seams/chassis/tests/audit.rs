//! Calls that may change something are in the file of the audit log. One test, because a process has one log.

mod common;

use std::convert::Infallible;
use std::path::Path;
use std::task::{Context, Poll};

use api::Described;
use api::pb::task_runner::task_runner_client::TaskRunnerClient;
use api::pb::task_runner::{CancelTaskRequest, ListClustersRequest, RemoveClusterRequest};
use chassis::tls::ServerTls;
use chassis::{ClientTlsSettings, Dialer, TelemetryConfig, telemetry};
use common::{LONG, run, settings};
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::BodyExt;
use serde_json::Value;
use testkit::Authority;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::{Code, Status};
use tower::Service;

/// A task-runner that knows no task, and does all else without a reply.
#[derive(Clone)]
struct TaskRunner;

impl NamedService for TaskRunner {
    const NAME: &'static str = "ringkeep.task_runner.v1.TaskRunner";
}

impl Described for TaskRunner {
    const DESCRIPTORS: &'static [u8] = &[];
}

impl Service<Request<Body>> for TaskRunner {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(async move {
            let code = if request.uri().path().ends_with("/CancelTask") {
                Code::NotFound
            } else {
                Code::Ok
            };
            request.into_body().collect().await.unwrap();
            Ok(Status::new(code, "").into_http())
        })
    }
}

#[tokio::test]
async fn a_refused_and_a_successful_call_are_audited_and_a_reading_one_is_not() {
    let (folder, ours) = (testkit::folder(), Authority::new("ours"));
    let file = folder.path().join("audit.log");
    let telemetry = TelemetryConfig {
        log: "error".into(),
        audit_file: Some(file.clone()),
        ..TelemetryConfig::default()
    };
    let _guard = telemetry::init(&telemetry, "test").unwrap();
    let server = ours.write_issued(folder.path(), "server", &["127.0.0.1"]);
    let ca = ours.write_ca(folder.path(), "ca");
    let mut config = settings();
    config.tls = Some(ServerTls {
        certificate: server.certificate,
        key: server.key,
        client_ca: Some(ca.clone()),
    });
    let app = chassis::App::new().service(TaskRunner);
    let running = run(&config, app).await;
    let client = |role: &str| {
        let uri = format!("ringkeep://role/{role}");
        let files = ours.write_issued(folder.path(), role, &["alice", uri.as_str()]);
        let tls = ClientTlsSettings {
            ca: Some(ca.clone()),
            certificate: Some(files.certificate),
            key: Some(files.key),
            server_name: None,
        };
        let dialer = Dialer::new(Some(&tls)).unwrap();
        TaskRunnerClient::new(dialer.channel(&running.address.to_string()).unwrap())
    };
    let remove = || RemoveClusterRequest {
        name: "prod".into(),
    };
    let refused = client("operator-read").remove_cluster(remove()).await;
    assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
    let mut writer = client("operator-write");
    // The client misses the reply's message; the audit log has the status that was sent.
    let _ = writer.remove_cluster(remove()).await;
    let unknown = CancelTaskRequest { id: "t-1".into() };
    writer.cancel_task(unknown).await.unwrap_err();
    let _ = writer.list_clusters(ListClustersRequest::default()).await;

    testkit::eventually(LONG, async || lines(&file).len() >= 3).await;
    chassis::server::note_own_change("AcceptRestore", "a setting", "prod", "t-2", "t-1");
    testkit::eventually(LONG, async || lines(&file).len() >= 4).await;
    let lines = lines(&file);
    let shown: Vec<String> = lines.iter().map(shown).collect();
    let service = "/ringkeep.task_runner.v1.TaskRunner";
    assert_eq!(
        shown,
        [
            format!("{service}/RemoveCluster PermissionDenied operator-read CN=alice - -"),
            format!("{service}/RemoveCluster Ok operator-write CN=alice prod -"),
            format!("{service}/CancelTask NotFound operator-write CN=alice - t-1"),
            "AcceptRestore Ok in-process ringkeep prod t-2".to_owned(),
        ]
    );
    assert_eq!(lines[3]["reason"], "a setting");
    for line in &lines[..3] {
        assert!(
            line["peer"].as_str().unwrap().starts_with("127.0.0.1:"),
            "{line}"
        );
        assert_eq!(line["trace_id"].as_str().unwrap().len(), 32, "{line}");
        assert_eq!(line["target"], "audit", "{line}");
        assert!(line["timestamp"].is_string(), "{line}");
    }
}

fn lines(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    let lines = text.lines().map(serde_json::from_str);
    lines.map(Result::unwrap).collect()
}

fn shown(line: &Value) -> String {
    let fields = ["rpc", "outcome", "roles", "subject", "cluster", "task"];
    let words = fields.map(|field| line[field].as_str().unwrap_or("-").to_owned());
    words.join(" ")
}
