//! A server takes on as much as its settings allow, and says so to those it refuses.

mod common;

use std::time::Duration;

use api::RemoteError;
use common::{LONG, TestPlanner, ask, planner_at, run, settings};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

#[tokio::test]
async fn more_connections_than_allowed_are_refused_until_one_ends() {
    let mut config = settings();
    config.connections_max = 1;
    let running = run(&config, TestPlanner::default().app()).await;
    let mut first = planner_at(running.address, None);
    let mut second = planner_at(running.address, None);
    assert!(ask(&mut first, "4.1.0").await.unwrap());
    let refused = RemoteError::from(ask(&mut second, "4.1.0").await.unwrap_err());
    assert!(refused.is_retryable(), "{refused:?}");
    assert!(ask(&mut first, "4.1.0").await.unwrap());
    drop(first);
    testkit::eventually(LONG, async || {
        ask(&mut second.clone(), "4.1.0").await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn connections_that_do_not_come_up_take_no_place_of_a_client() {
    let mut config = settings();
    config.connections_max = 1;
    let running = run(&config, TestPlanner::default().app()).await;
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(
            tokio::net::TcpStream::connect(running.address)
                .await
                .unwrap(),
        );
    }
    let mut client = planner_at(running.address, None);
    assert!(ask(&mut client, "4.1.0").await.unwrap());
    drop(silent);
}

#[tokio::test]
async fn more_calls_than_allowed_are_refused_until_one_ends() {
    let mut config = settings();
    config.calls_max = 1;
    let planner = TestPlanner::default();
    let running = run(&config, planner.app()).await;
    let mut client = planner_at(running.address, None);
    let mut slow = client.clone();
    let never = tokio::spawn(async move { ask(&mut slow, "never").await });
    testkit::eventually(LONG, async || planner.traces.lock().unwrap().len() == 1).await;
    let refused = RemoteError::from(ask(&mut client, "4.1.0").await.unwrap_err());
    assert_eq!(refused.reason, "TOO_MANY_CALLS");
    assert!(refused.is_retryable(), "{refused:?}");
    assert!(refused.message.contains("server.calls_max"), "{refused:?}");
    let channel = api::client::channel(&running.address.to_string(), None).unwrap();
    let mut health = HealthClient::new(channel);
    let health = health.check(HealthCheckRequest::default());
    let health = tokio::time::timeout(Duration::from_secs(30), health).await;
    health.unwrap().unwrap();
    never.abort();
    testkit::eventually(LONG, async || {
        ask(&mut client.clone(), "4.1.0").await.is_ok()
    })
    .await;
}
