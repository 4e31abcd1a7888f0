//! What every server does besides its service: health, reflection, drain, deadlines, panics.

mod common;

use std::time::{Duration, Instant};

use api::client::channel;
use chassis::server::{self, in_memory};
use common::{LONG, PLANNER, Running, TestPlanner, ask, asking, planner_at, run, settings};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Code, Request, Streaming};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};

fn channel_to(running: &Running) -> Channel {
    channel(&running.address.to_string(), None).unwrap()
}

async fn planner_server(grace_seconds: u64) -> Running {
    let mut config = settings();
    config.shutdown_grace_seconds = grace_seconds;
    run(&config, TestPlanner::default().app()).await
}

fn check(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.into(),
    }
}

/// A stream that stays open for as long as its client wants.
struct OpenStream {
    requests: mpsc::Sender<ServerReflectionRequest>,
    replies: Streaming<ServerReflectionResponse>,
}

impl OpenStream {
    async fn to(channel: Channel) -> Self {
        let (requests, stream) = mpsc::channel(1);
        requests.send(Self::request()).await.unwrap();
        let replies = ServerReflectionClient::new(channel)
            .server_reflection_info(ReceiverStream::new(stream))
            .await
            .unwrap();
        let mut open = Self {
            requests,
            replies: replies.into_inner(),
        };
        open.services().await.unwrap();
        open
    }

    fn request() -> ServerReflectionRequest {
        ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::ListServices(String::new())),
        }
    }

    /// The names in the next reply.
    async fn services(&mut self) -> Result<Vec<String>, tonic::Status> {
        let reply = self.replies.message().await?.expect("one more reply");
        let Some(MessageResponse::ListServicesResponse(list)) = reply.message_response else {
            panic!("not a list: {reply:?}");
        };
        Ok(list
            .service
            .into_iter()
            .map(|service| service.name)
            .collect())
    }

    async fn describes(&mut self, symbol: &str) -> bool {
        let describe = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::FileContainingSymbol(symbol.into())),
        };
        self.requests.send(describe).await.unwrap();
        let reply = self.replies.message().await;
        reply.is_ok_and(|reply| {
            let response = reply.and_then(|reply| reply.message_response);
            matches!(response, Some(MessageResponse::FileDescriptorResponse(_)))
        })
    }

    async fn ask_again(&mut self) -> Result<Vec<String>, tonic::Status> {
        self.requests.send(Self::request()).await.unwrap();
        self.services().await
    }
}

#[tokio::test]
async fn health_is_reported_for_the_whole_and_for_each_service() {
    let running = planner_server(5).await;
    let mut health = HealthClient::new(channel_to(&running));
    for service in ["", PLANNER] {
        let reply = health.check(check(service)).await.unwrap().into_inner();
        assert_eq!(reply.status(), ServingStatus::Serving);
    }
    let unknown = health.check(check("no.such.Service")).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
}

#[tokio::test]
async fn reflection_lists_what_is_served_here_and_describes_it() {
    let running = planner_server(5).await;
    let mut stream = OpenStream::to(channel_to(&running)).await;
    let mut names = stream.ask_again().await.unwrap();
    names.sort();
    assert_eq!(
        names,
        [
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            PLANNER
        ]
    );
    for (symbol, is_described) in [
        (PLANNER, true),
        ("ringkeep.types.v1.Release", true),
        ("grpc.health.v1.Health", true),
        ("ringkeep.task_runner.v1.TaskRunner", false),
    ] {
        assert_eq!(stream.describes(symbol).await, is_described, "{symbol}");
    }
}

#[tokio::test]
async fn the_older_reflection_is_served_too() {
    use tonic_reflection::pb::v1alpha;
    let running = planner_server(5).await;
    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(
            v1alpha::server_reflection_request::MessageRequest::FileContainingSymbol(
                PLANNER.into(),
            ),
        ),
    };
    let replies =
        v1alpha::server_reflection_client::ServerReflectionClient::new(channel_to(&running))
            .server_reflection_info(tokio_stream::once(request))
            .await;
    assert!(
        replies
            .unwrap()
            .into_inner()
            .message()
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn a_drain_lets_running_calls_end_and_takes_no_new_ones() {
    let running = planner_server(30).await;
    let mut stream = OpenStream::to(channel_to(&running)).await;
    let mut client = planner_at(running.address, None);
    ask(&mut client, "4.1.0").await.unwrap();
    let slow = tokio::spawn(async move { ask(&mut client, "slow").await });
    tokio::time::sleep(Duration::from_millis(100)).await;

    let begun = Instant::now();
    running.shutdown.cancel();
    assert!(slow.await.unwrap().unwrap());
    testkit::eventually(Duration::from_secs(5), async || {
        let mut late = planner_at(running.address, None);
        let late = ask(&mut late, "4.1.0").await;
        late.is_err_and(|status| status.code() == Code::Unavailable)
    })
    .await;
    assert_eq!(stream.ask_again().await.unwrap().len(), 3);
    assert!(!running.serving.is_finished());

    drop(stream);
    running.serving.await.unwrap().unwrap();
    assert!(
        begun.elapsed() < Duration::from_secs(25),
        "it waited for no one"
    );
}

#[tokio::test]
async fn calls_that_outlast_the_grace_are_cut() {
    let running = planner_server(1).await;
    let mut stream = OpenStream::to(channel_to(&running)).await;
    let begun = Instant::now();
    running.shutdown.cancel();
    running.serving.await.unwrap().unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(stream.replies.message().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn watchers_of_health_hear_of_the_drain_and_do_not_hold_it_up() {
    let running = planner_server(30).await;
    let mut health = HealthClient::new(channel_to(&running));
    let mut watch = health.watch(check(PLANNER)).await.unwrap().into_inner();
    let first = watch.message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::Serving);

    running.shutdown.cancel();
    let second = watch.message().await.unwrap().unwrap();
    assert_eq!(second.status(), ServingStatus::NotServing);
    assert!(watch.message().await.unwrap().is_none());
    let drained = tokio::time::timeout(Duration::from_secs(5), running.serving).await;
    drained.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_deadline_is_kept_and_is_worth_another_try() {
    let running = planner_server(5).await;
    let over_tcp = api::client::planner(channel_to(&running));
    let in_memory = api::client::planner(testkit::in_memory(TestPlanner::default().app()));
    for mut client in [over_tcp, in_memory] {
        let mut request = Request::new(asking("never"));
        request.set_timeout(Duration::from_millis(100));
        let begun = Instant::now();
        let status = client.check_compatibility(request).await.unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(5));
        let error = api::RemoteError::from(status);
        assert!(error.is_retryable(), "{error:?}");
    }
}

#[tokio::test]
async fn a_panic_fails_one_call_and_nothing_else() {
    let running = planner_server(5).await;
    let mut client = planner_at(running.address, None);
    let status = ask(&mut client, "panic").await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert!(!status.message().contains("as asked"), "{status:?}");
    assert!(ask(&mut client, "4.1.0").await.unwrap());
}

#[tokio::test]
async fn a_server_in_memory_replies_as_over_tcp() {
    let (routes, _) = TestPlanner::default().app().into_parts();
    let mut client = api::client::planner(in_memory(routes));
    assert!(ask(&mut client, "4.1.0").await.unwrap());
    let status = ask(&mut client, "panic").await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    let again = client.clone();
    let calls = (0..50).map(|_| {
        let mut client = again.clone();
        async move { ask(&mut client, "slow").await }
    });
    for reply in futures::future::join_all(calls).await {
        assert!(reply.unwrap());
    }
}

#[tokio::test]
async fn an_address_that_is_taken_is_named_before_anything_is_served() {
    let running = planner_server(5).await;
    let mut config = settings();
    config.listen = running.address;
    let error = server::bind(&config).await.err().unwrap();
    assert!(
        api::error::chain(&error).starts_with(&format!(
            "could not listen on {}, the address in `server.listen`: ",
            running.address
        )),
        "{}",
        api::error::chain(&error)
    );
}

#[tokio::test]
async fn the_address_is_sent_once_it_is_taken() {
    let (bound, address) = oneshot::channel();
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    let serving = tokio::spawn(async move {
        let (routes, names) = TestPlanner::default().app().into_parts();
        server::serve(settings(), routes, &names, stop, bound).await
    });
    let address = tokio::time::timeout(LONG, address).await.unwrap().unwrap();
    assert!(ask(&mut planner_at(address, None), "4.1.0").await.unwrap());
    shutdown.cancel();
    serving.await.unwrap().unwrap();
}
