//! Calls are counted, and Prometheus can see it.

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::{TestPlanner, ask, planner_at, run, settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    reply
}

#[tokio::test]
async fn calls_are_counted_by_method_and_outcome() {
    let mut config = settings();
    config.metrics_listen = Some("127.0.0.1:0".parse().unwrap());
    let running = run(&config, TestPlanner::default().app()).await;
    let page = running.metrics.unwrap();

    let mut client = planner_at(running.address, None);
    ask(&mut client, "4.1.0").await.unwrap();
    ask(&mut client, "4.1.0").await.unwrap();
    ask(&mut client, "panic").await.unwrap_err();
    // Calls of a method that does not exist must not make labels.
    let channel = api::client::channel(&running.address.to_string(), None).unwrap();
    api::client::task_runner(channel)
        .list_clusters(api::pb::task_runner::ListClustersRequest::default())
        .await
        .unwrap_err();

    let method = r#"service="ringkeep.planner.v1.Planner",method="CheckCompatibility""#;
    let expected = [
        format!(r#"ringkeep_grpc_requests_total{{{method},code="Ok"}} 2"#),
        format!(r#"ringkeep_grpc_requests_total{{{method},code="Internal"}} 1"#),
        r#"ringkeep_grpc_requests_total{service="unknown",method="unknown",code="Unimplemented"} 1"#.into(),
        format!(r#"ringkeep_grpc_request_seconds_count{{{method}}} 3"#),
        format!(r#"ringkeep_grpc_request_seconds_bucket{{{method},le="60"}} 3"#),
    ];
    testkit::eventually(Duration::from_secs(5), async || {
        let reply = get(page, "/metrics").await;
        assert!(reply.starts_with("HTTP/1.1 200 OK"), "{reply}");
        expected.iter().all(|line| reply.contains(line.as_str()))
    })
    .await;
    assert!(get(page, "/").await.starts_with("HTTP/1.1 404"));
}
